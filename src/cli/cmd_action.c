/* handover promote|pause|resume|abort|retry|approve: a person's word about a rollout, and whether Handover has carried it out. */
#include "action.h"
#include "target_ref.h"
#include "base/time.h"
#include "commands.h"
#include "common.h"
#include "text.h"
#include <stdio.h>
#include <string.h>

enum { SHAPE = 1, DIGEST = 16 };
enum { OPT_TIMEOUT = 0x4000, OPT_LEASE_NS, OPT_LEASE_NAME, OPT_DIGEST };
#define FORMATS "json|yaml"

static const struct argp_option options[] = {
    {"output", 'o', FORMATS, 0, "What became of it, for programs", 1},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "How long it is waited for until it is carried out (10s)", 1},
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0,
     "Where Handover's Lease lives ($POD_NAMESPACE, else handover-system)", 2},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "Handover's Lease (handover)", 2},
    {0},
};
static const struct argp_option approve_options[] = {
    {"digest", OPT_DIGEST, "DIGEST", 0, "That report and no other (the one that waits, which is shown)", 1},
    {0},
};

struct action_args {
    struct cli_kube kube_flags;
    struct action_spec spec;
    const char *word;
    enum cli_output output;
    struct cli_world world;
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct action_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT:
        st->child_inputs[0] = &a->kube_flags;
        if (a->spec.action == ACTION_APPROVE) st->child_inputs[1] = a;
        return 0;
    case OPT_TIMEOUT:
        a->spec.timeout_ns = cli_duration(st, "timeout", arg, NS_PER_MS, 3600 * NS_PER_S);
        return 0;
    case 'o': a->output = cli_output(st, FORMATS, arg); return 0;
    case OPT_LEASE_NS: a->spec.status.lease_ns = arg; return 0;
    case OPT_LEASE_NAME: a->spec.status.lease_name = arg; return 0;
    case ARGP_KEY_ARG:
        if (a->spec.status.name) argp_error(st, "\"%s\": %s takes one target", arg, a->word);
        a->spec.status.name = cli_target(st, arg);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(st, "which target? `handover status` lists them"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_approve(int key, char *arg, struct argp_state *st) {
    struct action_args *a = st->input;
    if (key != OPT_DIGEST) return ARGP_ERR_UNKNOWN;
    if (strlen(arg) != DIGEST || strspn(arg, "0123456789abcdef") != DIGEST)
        argp_error(st, "--digest: read \"%s\"; allowed are %d hex digits, as `handover diff` shows them", arg,
                   DIGEST);
    a->spec.digest = arg;
    return 0;
}

static void on_shown(void *ctx, const struct status_row *r) {
    const struct action_args *a = ctx;
    const struct state_rehearsal *x = &r->state.rehearsal;
    if (a->spec.action != ACTION_APPROVE || a->output) return;
    cleanup_free char *line = text_cleaned(x->line, cli_style(stdout).utf8);
    printf("%s: report %s: %s\n", target_ref(r->name).text, x->digest, line);
    fflush(stdout);
}

static void print_json(const struct action_args *a, const struct status_row *r) {
    const struct state *s = &r->state;
    bool approval = a->spec.action == ACTION_APPROVE;
    cleanup_buf struct buf raw = BUF(1 << 20), out = BUF(1 << 20);
    buf_addf(&raw, "{\"version\":%d", SHAPE);
    status_json_field(&raw, "action", a->word);
    status_json_field(&raw, "namespace", r->ns);
    status_json_field(&raw, "name", workload_name(r->name));
    status_json_field(&raw, "kind", workload_of(r->name)->gvr->kind);
    status_json_field(&raw, "template", r->target.hash);
    status_json_field(&raw, "phase", phase_name(s->phase));
    status_json_field(&raw, "message", s->message);
    if (approval) status_json_field(&raw, "digest", s->rehearsal.digest);
    if (approval) status_json_field(&raw, "line", s->rehearsal.line);
    buf_adds(&raw, "}\n");
    status_json_clean(buf_slice(&raw), &out);
    cli_print(a->output, buf_slice(&out));
}

static void on_done(void *ctx, const struct err *err, const struct status_report *r) {
    struct action_args *a = ctx;
    loop_stop(a->world.loop);
    a->code = err ? cli_fail(err) : CLI_OK;
    if (err) return;
    if (a->output) {
        print_json(a, &r->rows[0]);
        return;
    }
    const struct state *s = &r->rows[0].state;
    cleanup_free char *message = text_cleaned(s->message, cli_style(stdout).utf8);
    printf("%s: %s accepted, %s: %s\n", target_ref(r->rows[0].name).text, a->word, phase_name(s->phase),
           message);
    fflush(stdout);
}

static int run(struct action_args *a) {
    struct cli_session s;
    int bad = cli_session_open(&s, &a->world, &a->kube_flags);
    if (bad) return bad;
    a->spec.status.ns = s.ns;
    a->spec.manager = s.manager;
    struct action_run *r = action_start(s.kube, &a->spec, on_shown, on_done, a);
    loop_run(a->world.loop);
    action_end(r);
    cli_session_close(&s);
    return a->code;
}

static char *doc_of(const struct action_args *a) {
    if (a->spec.action == ACTION_APPROVE)
        return xstrdup(
            "Asks Handover to go on with a rollout whose rehearsal would change more than max-changes "
            "allows: shows what the report says in a line, and waits until that is done. "
            "`handover diff` shows the whole.");
    return xasprintf(
        "Asks Handover to %s the rollout of the template that the Deployment has, and waits until "
        "that is done.",
        a->word);
}

static int action_main(int argc, char **argv) {
    static const struct argp approve = {.options = approve_options, .parser = parse_approve};
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}, {0}};
    struct action_args a = {.word = argv[0],
                            .code = CLI_FAILED,
                            .spec = {.timeout_ns = 10 * NS_PER_S, .status = {.lease_name = "handover"}}};
    for (int i = 0; i < ACTION_N; i++)
        if (strcmp(spec_action_name((enum spec_action)i), argv[0]) == 0) a.spec.action = (enum spec_action)i;
    if (a.spec.action == ACTION_APPROVE) children[1] = (struct argp_child){&approve, 0, NULL, 0};
    struct argp argp = {options, parse, "[KIND/]NAME", NULL, children, NULL, NULL};
    cleanup_free char *doc = doc_of(&a);
    argp.doc = doc;
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    a.spec.status.lease_ns = cli_lease_namespace(a.spec.status.lease_ns);
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = run(&a);
    cli_world_close(&a.world);
    return code;
}

const struct cli_command cli_promote = {"promote", "Put the new version into service now", action_main},
                         cli_pause = {"pause", "Stop a rollout where it is", action_main},
                         cli_resume = {"resume", "Go on after a pause, or with another deadline",
                                       action_main},
                         cli_abort = {"abort", "Roll the new version back now", action_main},
                         cli_retry = {"retry", "Try a version that was rolled back again", action_main},
                         cli_approve = {"approve",
                                        "Let a rollout go on although its rehearsal exceeds max-changes",
                                        action_main};
