/* handover undo: back to a former template. */
#include "base/time.h"
#include "commands.h"
#include "target_ref.h"
#include "common.h"
#include "text.h"
#include "undo.h"
#include <stdio.h>
#include <string.h>

enum { OPT_TO_HASH = 0x5000, OPT_NOW, OPT_TIMEOUT, OPT_LEASE_NS, OPT_LEASE_NAME };

static const struct argp_option options[] = {
    {"to-hash", OPT_TO_HASH, "HASH", 0, "The template with this hash, instead of the former one", 1},
    {"now", OPT_NOW, NULL, 0, "Into service without a trial, as `promote` does", 1},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "How long it is waited for until Handover has taken it up (10s)", 1},
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0,
     "Where Handover's Lease lives ($POD_NAMESPACE, else handover-system)", 2},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "Handover's Lease (handover)", 2},
    {0},
};

struct undo_args {
    struct cli_kube kube_flags;
    struct undo_spec spec;
    struct cli_world world;
    int code;
};

static const char *hash_of(struct argp_state *st, const char *arg) {
    size_t n = strlen(arg);
    if (n < 1 || n > 10 || strspn(arg, "abcdefghijklmnopqrstuvwxyz0123456789") != n)
        argp_error(st, "--to-hash: read \"%s\"; allowed is a template's hash, 1 to 10 letters and digits",
                   arg);
    return arg;
}

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct undo_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case OPT_TO_HASH: a->spec.to_hash = hash_of(st, arg); return 0;
    case OPT_NOW: a->spec.now = true; return 0;
    case OPT_TIMEOUT:
        a->spec.timeout_ns = cli_duration(st, "timeout", arg, NS_PER_MS, 3600 * NS_PER_S);
        return 0;
    case OPT_LEASE_NS: a->spec.status.lease_ns = arg; return 0;
    case OPT_LEASE_NAME: a->spec.status.lease_name = arg; return 0;
    case ARGP_KEY_ARG:
        if (a->spec.status.name) argp_error(st, "\"%s\": undo takes one target", arg);
        a->spec.status.name = cli_target(st, arg);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(st, "which target? `handover status` lists them"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void on_done(void *ctx, const struct err *err, const struct undo_version *v,
                    const struct status_report *r) {
    struct undo_args *a = ctx;
    loop_stop(a->world.loop);
    a->code = err ? cli_fail(err) : CLI_OK;
    if (err) return;
    const struct state *s = &r->rows[0].state;
    bool utf8 = cli_style(stdout).utf8;
    cleanup_free char *message = text_cleaned(s->message, utf8), *image = text_cleaned(v->image, utf8);
    printf("%s: spec.template is %s again (%s, of ReplicaSet %s), %s: %s\n", target_ref(r->rows[0].name).text,
           image, v->hash, v->rs, phase_name(s->phase), message);
    fflush(stdout);
}

static int run(struct undo_args *a) {
    struct cli_session s;
    int bad = cli_session_open(&s, &a->world, &a->kube_flags);
    if (bad) return bad;
    a->spec.status.ns = s.ns;
    a->spec.manager = s.manager;
    struct undo_run *u = undo_start(s.kube, &a->spec, on_done, a);
    loop_run(a->world.loop);
    undo_end(u);
    cli_session_close(&s);
    return a->code;
}

static int undo_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct undo_args a = {.code = CLI_FAILED,
                          .spec = {.timeout_ns = 10 * NS_PER_S, .status = {.lease_name = "handover"}}};
    struct argp argp = {
        options,
        parse,
        "[KIND/]NAME",
        "Writes a former template into the Deployment's spec.template again: that of the version in "
        "service while another one waits, is on trial or was rolled back; else the one before it. "
        "Stable's own template ends a trial; any other one is tried first, unless it is within the "
        "rollback window.",
        children,
        NULL,
        NULL};
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    a.spec.status.lease_ns = cli_lease_namespace(a.spec.status.lease_ns);
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = run(&a);
    cli_world_close(&a.world);
    return code;
}

const struct cli_command cli_undo = {"undo", "Go back to a former version", undo_main};
