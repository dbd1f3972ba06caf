/* handover explain: what happens to one target and why, what comes next, and when. */
#include "commands.h"
#include "common.h"
#include "explain.h"
#include <errno.h>
#include <string.h>

#define FORMATS "json|yaml"
static const struct argp_option options[] = {
    {"output", 'o', FORMATS, 0, "The same for programs", 1},
    {0},
};

struct explain_args {
    struct cli_kube kube_flags;
    const char *name;
    enum cli_output output;
    struct cli_world world;
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct explain_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case 'o': a->output = cli_output(st, FORMATS, arg); return 0;
    case ARGP_KEY_ARG:
        if (a->name) argp_error(st, "\"%s\": explain takes one target", arg);
        a->name = cli_target(st, arg);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(st, "which target? `handover status` lists them"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void on_explained(void *ctx, const struct err *err, const struct explain *e) {
    struct explain_args *a = ctx;
    struct table_style style = cli_style(stdout);
    cleanup_buf struct buf out = BUF(16 << 20);
    int64_t now = world_wall_ns(a->world.world);
    loop_stop(a->world.loop);
    if (err) {
        a->code = cli_fail(err);
        return;
    }
    if (a->output)
        explain_json(e, now, &out);
    else
        explain_text(e, &style, now, &out);
    cli_print(a->output, buf_slice(&out));
    a->code = CLI_OK;
}

static int explain_one(struct explain_args *a) {
    struct cli_session s;
    int bad = cli_session_open(&s, &a->world, &a->kube_flags);
    if (bad) return bad;
    const struct status_spec spec = {
        .ns = s.ns, .name = a->name, .lease_ns = cli_lease_namespace(NULL), .lease_name = "handover"};
    struct explain_poll *p = explain_start(s.kube, &spec, on_explained, a);
    loop_run(a->world.loop);
    explain_end(p);
    cli_session_close(&s);
    return a->code;
}

static int explain_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {
        options,
        parse,
        "[KIND/]NAME",
        "Explains what happens to a target and why: the evidence, each signal, what comes next and when.",
        children,
        NULL,
        NULL};
    struct explain_args a = {.code = CLI_FAILED};
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = explain_one(&a);
    cli_world_close(&a.world);
    return code;
}

const struct cli_command cli_explain = {
    "explain", "Explain what happens to one target, why, and what comes next", explain_main};
