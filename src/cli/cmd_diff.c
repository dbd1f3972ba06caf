/* handover diff: what the rehearsal of a new version has found, object by object. */
#include "commands.h"
#include "common.h"
#include "diff.h"

#define FORMATS "text|json|yaml"
static const struct argp_option options[] = {
    {"output", 'o', FORMATS, 0, "The report for people, or as it is kept", 1},
    {0},
};

struct diff_args {
    struct cli_kube kube_flags;
    const char *name;
    enum cli_output output;
    struct cli_world world;
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct diff_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case 'o': a->output = cli_output(st, FORMATS, arg); return 0;
    case ARGP_KEY_ARG:
        if (a->name) argp_error(st, "\"%s\": diff takes one target", arg);
        a->name = cli_target(st, arg);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(st, "which target? `handover status` lists them"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void on_read(void *ctx, const struct err *err, const struct diff *d) {
    struct diff_args *a = ctx;
    struct table_style style = cli_style(stdout);
    struct err why = {0};
    cleanup_buf struct buf out = BUF(64 << 20);
    loop_stop(a->world.loop);
    a->code = err ? CLI_FAILED
                  : diff_say(d, a->output != CLI_TEXT, &style, world_wall_ns(a->world.world), &out, &why);
    if (a->code == CLI_FAILED)
        (void)cli_fail(err ? err : &why);
    else
        cli_print(a->output, buf_slice(&out));
}

static int diff_one(struct diff_args *a) {
    struct cli_session s;
    int bad = cli_session_open(&s, &a->world, &a->kube_flags);
    if (bad) return bad;
    const struct status_spec spec = {
        .ns = s.ns, .name = a->name, .lease_ns = cli_lease_namespace(NULL), .lease_name = "handover"};
    struct diff_poll *p = diff_start(s.kube, &spec, on_read, a);
    loop_run(a->world.loop);
    diff_end(p);
    cli_session_close(&s);
    return a->code;
}

static int diff_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {options,
                        parse,
                        "[KIND/]NAME",
                        "Shows what the last rehearsal of a target has found: each object that the new "
                        "version would create, change or delete, and what follows from it. Exit code 0: it "
                        "would change nothing, 3: something, 1: there is no report.",
                        children,
                        NULL,
                        NULL};
    struct diff_args a = {.code = CLI_FAILED};
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = diff_one(&a);
    cli_world_close(&a.world);
    return code;
}

const struct cli_command cli_diff = {"diff", "Show what a rehearsal has found", diff_main};
