/* handover history: the last rollouts of a target, how each ended and why, and what is in quarantine. */
#include "api/rfc3339.h"
#include "base/time.h"
#include "commands.h"
#include "target_ref.h"
#include "common.h"
#include "text.h"
#include <errno.h>

enum { SHAPE = 1 };
#define FORMATS "json|yaml"

static const struct argp_option options[] = {
    {"output", 'o', FORMATS, 0, "The same for programs", 1},
    {0},
};
static const struct table_column columns[] = {{"ENDED", TABLE_WHOLE},
                                              {"RESULT", TABLE_WHOLE},
                                              {"TOOK", TABLE_WHOLE},
                                              {"ERRORS", TABLE_WHOLE},
                                              {"VERSION", TABLE_CUT_START}};

struct history_args {
    struct cli_kube kube_flags;
    struct status_spec spec;
    enum cli_output output;
    struct cli_world world;
    struct table_style style;
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct history_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case 'o': a->output = cli_output(st, FORMATS, arg); return 0;
    case ARGP_KEY_ARG:
        if (a->spec.name) argp_error(st, "\"%s\": history takes one target", arg);
        a->spec.name = cli_target(st, arg);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(st, "which target? `handover status` lists them"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void add_moment(struct buf *out, const char *key, int64_t ns) {
    char at[32];
    if (ns) rfc3339_seconds(ns, at);
    status_json_field(out, key, ns ? at : NULL);
}

static void write_json(const struct status_row *r, struct buf *out) {
    const struct state *s = &r->state;
    buf_addf(out, "{\"version\":%d", SHAPE);
    status_json_field(out, "namespace", r->ns);
    status_json_field(out, "name", r->name);
    buf_adds(out, ",\"rollouts\":[");
    for (size_t i = 0; i < s->nhistory; i++) {
        const struct state_history *h = &s->history[i];
        buf_addf(out, "%s{\"result\":\"%s\"", i ? "," : "", ended_name(h->ended));
        status_json_field(out, "template", h->hash);
        status_json_field(out, "image", h->image);
        status_json_field(out, "reason", h->reason);
        add_moment(out, "startedAt", h->began_ns);
        add_moment(out, "endedAt", h->ended_ns);
        buf_addf(out, ",\"errors\":%llu,\"total\":%llu}", (unsigned long long)h->errors,
                 (unsigned long long)h->total);
    }
    buf_adds(out, "],\"quarantine\":[");
    for (size_t i = 0; i < s->nquarantine; i++) {
        const struct state_quarantine *q = &s->quarantine[i];
        buf_adds(out, i ? ",{\"template\":" : "{\"template\":");
        buf_add_json(out, slice_of(q->hash));
        add_moment(out, "since", q->at_ns);
        status_json_field(out, "reason", q->reason);
        buf_addc(out, '}');
    }
    buf_adds(out, "]}\n");
}

static void add_rollout(struct table *t, const struct state_history *h) {
    char ended[32] = "", took[32] = "", errors[64];
    cleanup_buf struct buf version = BUF(4096);
    bool bad = h->ended != ENDED_PROMOTED && h->ended != ENDED_CANCELLED;
    if (h->ended_ns) rfc3339_seconds(h->ended_ns, ended);
    if (h->ended_ns && h->began_ns) status_age(h->ended_ns - h->began_ns, took);
    (void)snprintf(errors, sizeof errors, "%llu/%llu", (unsigned long long)h->errors,
                   (unsigned long long)h->total);
    if (h->image) status_version(&version, h->image);
    table_cell(t, NULL, ended);
    table_cell(t, bad ? "\x1b[31m" : "\x1b[32m", ended_name(h->ended));
    table_cell(t, NULL, took);
    table_cell(t, NULL, h->total ? errors : "");
    table_cell(t, NULL, version.n ? buf_str(&version) : h->hash);
    if (h->reason && *h->reason) table_note(t, "\x1b[2m", h->reason);
}

static void write_text(const struct status_row *r, const struct table_style *style, struct buf *out) {
    const struct state *s = &r->state;
    if (!s->nhistory) {
        buf_adds(out, "no rollout has ended yet\n");
        return;
    }
    cleanup_table struct table *t = table_new(style, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < s->nhistory; i++) add_rollout(t, &s->history[i]);
    table_print(t, out);
}

static void on_report(void *ctx, const struct err *err, struct status_report *r) {
    struct history_args *a = ctx;
    struct err none = {0};
    cleanup_buf struct buf raw = BUF(16 << 20), out = BUF(16 << 20);
    loop_stop(a->world.loop);
    if (!err && !r->n)
        err_set(&none, ERR_NOTFOUND, -ENOENT, "there is no %s in namespace %s", target_ref(a->spec.name).text,
                a->spec.ns);
    else if (!err && !r->rows[0].has_state)
        err_set(&none, ERR_NOTFOUND, -ENOENT, "%s: %s", target_ref(a->spec.name).text,
                r->rows[0].problem.kind ? r->rows[0].problem.msg : "Handover has no state of it");
    if (err || none.kind) {
        a->code = cli_fail(err ? err : &none);
        return;
    }
    if (a->output) {
        write_json(&r->rows[0], &raw);
        status_json_clean(buf_slice(&raw), &out);
    } else {
        write_text(&r->rows[0], &a->style, &out);
    }
    cli_print(a->output, buf_slice(&out));
    a->code = CLI_OK;
}

static int history_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {
        options,       parse,
        "[KIND/]NAME", "Shows the last rollouts of a target, the newest first: how each ended, and why.",
        children,      NULL,
        NULL};
    struct history_args a = {.code = CLI_FAILED, .spec = {.lease_name = "handover"}};
    struct cli_session s;
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    a.spec.lease_ns = cli_lease_namespace(NULL);
    a.style = cli_style(stdout);
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    bad = cli_session_open(&s, &a.world, &a.kube_flags);
    if (!bad) {
        a.spec.ns = s.ns;
        struct status_poll *p = status_poll_start(s.kube, &a.spec, on_report, &a);
        loop_run(a.world.loop);
        status_poll_end(p);
        cli_session_close(&s);
    }
    cli_world_close(&a.world);
    return bad ? bad : a.code;
}

const struct cli_command cli_history = {"history", "Show the last rollouts of a target", history_main};
