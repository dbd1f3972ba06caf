/* handover status, handover get: every target or one, what happens to it, and who leads. Once, again and again with -w, or with --wait
 * until the rollout of the one has ended. */
#include "base/time.h"
#include "status_report.h"
#include "target_ref.h"
#include "status_wait.h"
#include "status_watch.h"
#include "text.h"
#include <errno.h>
#include "commands.h"
#include "common.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { OPT_LEASE_NS = 0x2000, OPT_LEASE_NAME, OPT_WAIT, OPT_TIMEOUT, REFRESH_MS = 1000, ATTEMPTS = 3 };
#define FORMATS "json|yaml|wide|name"
enum { ROLLED_BACK = 3, HELD = 4, TIMED_OUT = 5 }; /* exit codes of --wait */

static const struct argp_option options[] = {
    {"watch", 'w', NULL, 0, "Go on showing it until interrupted", 1},
    {"wait", OPT_WAIT, NULL, 0,
     "Until the rollout of NAME has ended; exit code 0 promoted, 3 rolled back, 4 held or inconclusive, 5 "
     "timed out",
     1},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "Of --wait (no limit)", 1},
    {"all-namespaces", 'A', NULL, 0, "The targets of all namespaces", 1},
    {"output", 'o', FORMATS, 0,
     "json, yaml: everything that is known, for programs; wide: more columns; name: names for kubectl", 1},
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0,
     "Where Handover's Lease lives ($POD_NAMESPACE, else handover-system)", 2},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "Handover's Lease (handover)", 2},
    {0},
};

struct status {
    struct cli_kube kube_flags;
    struct status_spec spec;
    bool watch, wait, all;
    enum cli_output output;
    int64_t timeout_ns; /* of --wait; 0: no limit */
    char hash[11];      /* of the template that is waited for */
    char *line;         /* that --wait has printed last */
    struct cli_world world;
    struct cli_session session;
    struct status_poll *poll;
    struct timer *timer, *limit;
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
    case 'o': s->output = cli_output(st, FORMATS, arg); return 0;
    case 'A': s->all = true; return 0;
    case OPT_WAIT: s->wait = true; return 0;
    case OPT_TIMEOUT:
        s->timeout_ns = cli_duration(st, "timeout", arg, NS_PER_MS, INT64_C(7) * 24 * 3600 * NS_PER_S);
        return 0;
    case OPT_LEASE_NS: s->spec.lease_ns = arg; return 0;
    case OPT_LEASE_NAME: s->spec.lease_name = arg; return 0;
    case ARGP_KEY_ARG:
        if (s->spec.name) argp_error(st, "\"%s\": status takes one target, or none for all", arg);
        s->spec.name = cli_target(st, arg);
        return 0;
    case ARGP_KEY_END:
        if (s->wait && !s->spec.name) argp_error(st, "--wait needs the name of a target");
        if (s->wait && s->watch) argp_error(st, "--wait and --watch exclude each other");
        if (s->timeout_ns && !s->wait) argp_error(st, "--timeout needs --wait");
        if (s->all && s->spec.name)
            argp_error(st, "a target by name is looked for in one namespace, not with -A");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static bool for_programs(const struct status *s) {
    return s->output == CLI_JSON || s->output == CLI_YAML;
}

static void show(struct status *s, const struct status_report *r) {
    cleanup_buf struct buf out = BUF(64 << 20);
    int64_t now = world_wall_ns(s->world.world);
    err_clear(&s->shown);
    if (for_programs(s)) {
        status_json(r, now, &out);
        cli_print(s->output, buf_slice(&out));
        return;
    }
    if (s->output == CLI_WIDE)
        status_wide(r, &s->style, now, &out);
    else if (s->output == CLI_NAME)
        status_names(r, &out);
    else
        status_text(r, &s->style, now, &out);
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
}

/* A line for each change; true: wait on. */
static bool wait_on(struct status *s, const struct status_report *r) {
    static const int codes[] = {[WAIT_PROMOTED] = CLI_OK,
                                [WAIT_ROLLED_BACK] = ROLLED_BACK,
                                [WAIT_HELD] = HELD,
                                [WAIT_FAILED] = CLI_FAILED};
    char *why = NULL;
    enum wait_outcome is = status_wait(r, &s->spec, s->hash, &why);
    cleanup_free char *was = s->line, *text = text_cleaned(why, s->style.utf8);
    s->line = why;
    if (is == WAIT_FAILED)
        fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, target_ref(s->spec.name).text, text);
    else if (!for_programs(s) && (!was || strcmp(was, why) != 0))
        printf("%s: %s\n", target_ref(s->spec.name).text, text);
    fflush(stdout);
    if (is == WAIT_GOES_ON) return true;
    if (for_programs(s) && is != WAIT_FAILED) show(s, r);
    s->code = codes[is];
    return false;
}

static void on_limit(void *ctx) {
    struct status *s = ctx;
    char span[32];
    duration_format(s->timeout_ns, span);
    cleanup_free char *text = text_cleaned(s->line ? s->line : "no answer", s->style.utf8);
    fprintf(stderr, "%s: %s: timed out after %s: %s\n", program_invocation_short_name,
            target_ref(s->spec.name).text, span, text);
    s->code = TIMED_OUT;
    loop_stop(s->world.loop);
}

/* A server that is overloaded or starting is asked again; a connection that is refused, or a server that does
 * not answer, is reported. */
static bool ask_again(struct status *s, const struct err *err) {
    bool passing = err->kind == ERR_THROTTLED || err->kind == ERR_SERVER;
    bool waits =
        s->wait && s->line && err->kind != ERR_FORBIDDEN && err->kind != ERR_AUTH; /* it was answered once */
    return s->watch || waits || (passing && ++s->attempt < ATTEMPTS);
}

/* Of a target by name: is it there, and one? */
static bool missing(const struct status *s, const struct status_report *r, struct err *err) {
    if (!s->spec.name || (r->n && (r->rows[0].opted_in || r->rows[0].managed))) return false;
    err_set(err, ERR_NOTFOUND, -ENOENT,
            r->n ? "%s in namespace %s is not guarded by Handover: no annotation " HANDOVER_PREFIX
                   "canary-percent"
                 : "there is no %s in namespace %s",
            target_ref(s->spec.name).text, s->spec.ns);
    return true;
}

static void on_report(void *ctx, const struct err *err, struct status_report *r) {
    struct status *s = ctx;
    struct err none = {0};
    bool again;
    if (!err && !s->wait && missing(s, r, &none)) err = &none;
    s->code = err ? CLI_FAILED : CLI_OK;
    if (!err && s->wait) {
        again = wait_on(s, r);
    } else if (!err) {
        again = s->watch;
        show(s, r);
    } else {
        again = ask_again(s, err);
        if ((s->watch || s->wait || !again) && strcmp(err->msg, s->shown.msg) != 0) {
            cli_fail(err); /* once, while it stays the same */
            s->shown = *err;
        }
    }
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
    if (!s->all) s->spec.ns = s->session.ns;
    if (s->watch && !s->output && cli_has_screen(stdout)) {
        int code = status_watch(&s->world, s->session.kube, &s->spec);
        cli_session_close(&s->session);
        return code;
    }
    s->limit = timer_new(s->world.world, on_limit, s);
    if (s->timeout_ns) timer_in(s->limit, s->timeout_ns);
    s->timer = timer_new(s->world.world, poll_again, s);
    world_on_signal(s->world.world, SIGINT, on_signal, s);
    world_on_signal(s->world.world, SIGTERM, on_signal, s);
    poll_again(s);
    loop_run(s->world.loop);
    status_poll_end(s->poll);
    timer_free(s->timer);
    timer_free(s->limit);
    cli_session_close(&s->session);
    free(s->line);
    return s->code;
}

static int status_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {
        options, parse, "[[KIND/]NAME]", "Shows every target, or one, and what happens to it.", children,
        NULL,    NULL};
    struct status s = {.spec = {.lease_name = "handover"}};
    int bad = cli_parse(&argp, argc, argv, &s);
    if (bad) return bad;
    s.spec.lease_ns = cli_lease_namespace(s.spec.lease_ns);
    s.style = cli_style(stdout);
    s.style.height = 0; /* what is longer scrolls */
    cli_world_open(&s.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = show_status(&s);
    cli_world_close(&s.world);
    return code;
}

const struct cli_command cli_status = {"status", "Show every target and what happens to it", status_main},
                         cli_get = {"get", "The same as status", status_main};
