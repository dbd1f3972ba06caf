/* handover status: every target, what happens to it, and who leads. Once, or again and again with -w. */
#include "base/time.h"
#include "status_report.h"
#include "commands.h"
#include "common.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { OPT_LEASE_NS = 0x2000, OPT_LEASE_NAME, REFRESH_MS = 1000, ATTEMPTS = 3 };

static const struct argp_option options[] = {
    {"watch", 'w', NULL, 0, "Go on showing it until interrupted", 1},
    {"output", 'o', "FORMAT", 0, "json: everything that is known, for programs", 1},
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0, "Where Handover's Lease lives (handover-system)", 2},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "Handover's Lease (handover)", 2},
    {0},
};

struct status {
    struct cli_kube kube_flags;
    struct status_spec spec;
    bool watch, json;
    struct cli_world world;
    struct cli_session session;
    struct status_poll *poll;
    struct timer *timer;
    struct table_style style;
    unsigned attempt;
    struct err shown; /* the failure that -w has printed last */
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct status *s = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &s->kube_flags; return 0;
    case 'w': s->watch = true; return 0;
    case 'o':
        if (strcmp(arg, "json") != 0) argp_error(st, "--output: read \"%s\"; allowed is json", arg);
        s->json = true;
        return 0;
    case OPT_LEASE_NS: s->spec.lease_ns = arg; return 0;
    case OPT_LEASE_NAME: s->spec.lease_name = arg; return 0;
    case ARGP_KEY_ARG: argp_error(st, "\"%s\": status takes options only", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void show(struct status *s, const struct status_report *r) {
    cleanup_buf struct buf out = BUF(64 << 20);
    int64_t now = world_wall_ns(s->world.world);
    if (s->watch && s->style.colour) buf_adds(&out, "\x1b[H\x1b[2J");
    if (s->json)
        status_json(r, now, &out);
    else
        status_text(r, &s->style, now, &out);
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
    err_clear(&s->shown);
}

/* A server that is overloaded or starting is asked again; a connection that is refused, or a server that does
 * not answer, is reported. */
static bool ask_again(struct status *s, const struct err *err) {
    bool passing = err->kind == ERR_THROTTLED || err->kind == ERR_SERVER;
    return s->watch || (passing && ++s->attempt < ATTEMPTS);
}

static void on_report(void *ctx, const struct err *err, struct status_report *r) {
    struct status *s = ctx;
    bool again = err ? ask_again(s, err) : s->watch;
    if (!err) {
        show(s, r);
    } else if ((s->watch || !again) && strcmp(err->msg, s->shown.msg) != 0) {
        cli_fail(err); /* once, while it stays the same */
        s->shown = *err;
    }
    s->code = err ? CLI_FAILED : CLI_OK;
    status_poll_end(s->poll);
    s->poll = NULL;
    if (again)
        timer_in(s->timer, REFRESH_MS * NS_PER_MS);
    else
        loop_stop(s->world.loop);
}

static void poll_again(void *ctx) {
    struct status *s = ctx;
    s->poll = status_poll_start(s->session.kube, &s->spec, on_report, s);
}

static void on_signal(void *ctx) {
    struct status *s = ctx;
    loop_stop(s->world.loop);
}

static int show_status(struct status *s) {
    int bad = cli_session_open(&s->session, &s->world, &s->kube_flags);
    if (bad) return bad;
    s->timer = timer_new(s->world.world, poll_again, s);
    world_on_signal(s->world.world, SIGINT, on_signal, s);
    world_on_signal(s->world.world, SIGTERM, on_signal, s);
    poll_again(s);
    loop_run(s->world.loop);
    status_poll_end(s->poll);
    timer_free(s->timer);
    cli_session_close(&s->session);
    return s->code;
}

static int status_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {options,  parse, NULL, "Shows every target and what happens to it.",
                        children, NULL,  NULL};
    struct status s = {.spec = {.lease_ns = "handover-system", .lease_name = "handover"}};
    int bad = cli_parse(&argp, argc, argv, &s);
    if (bad) return bad;
    s.spec.ns = s.kube_flags.namespace_;
    s.style = cli_style(stdout);
    cli_world_open(&s.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = show_status(&s);
    cli_world_close(&s.world);
    return code;
}

const struct cli_command cli_status = {"status", "Show every target and what happens to it", status_main};
