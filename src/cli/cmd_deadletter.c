/* handover deadletter list|retry|drop: keys that Handover has given up, of its own controllers. */
#include "api/rfc3339.h"
#include "base/time.h"
#include "commands.h"
#include "common.h"
#include "leader/lease_object.h"
#include "letters.h"
#include "text.h"
#include <errno.h>

enum { OPT_TIMEOUT = 0x6000, OPT_ALL, OPT_LEASE_NS, OPT_LEASE_NAME, SHAPE = 1, KEYS = 256, CONFLICTS = 5 };
#define POLL_NS (250 * NS_PER_MS)
#define FORMATS "json|yaml"

static const struct argp_option options[] = {
    {"all", OPT_ALL, NULL, 0, "All dead letters", 1},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "How long it is waited for until the leader has done it (10s)", 1},
    {"output", 'o', FORMATS, 0, "Of list: the same for programs", 1},
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0,
     "Where Handover's Lease lives ($POD_NAMESPACE, else handover-system)", 2},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "Handover's Lease (handover)", 2},
    {0},
};
static const struct table_column columns[] = {
    {"CONTROLLER", TABLE_WHOLE}, {"SINCE", TABLE_WHOLE}, {"FAILURES", TABLE_WHOLE}, {"KEY", TABLE_CUT_START}};

struct dl_args {
    struct cli_kube kube_flags;
    const char *what; /* "list", "retry", "drop" */
    const char *keys[KEYS];
    size_t nkeys;
    bool all;
    enum cli_output output;
    int64_t timeout_ns, until_ns;
    const char *lease_ns, *lease_name;
    struct cli_world world;
    struct cli_session session;
    struct letters_poll *poll;
    struct kube_op *patch;
    struct timer *timer;
    bool set;
    size_t ordered;
    unsigned conflicts;
    int code;
};

static void take_word(struct dl_args *a, char *arg, struct argp_state *st) {
    if (a->what) {
        if (a->nkeys == KEYS) argp_error(st, "\"%s\": at most %d keys at once", arg, KEYS);
        a->keys[a->nkeys++] = arg;
        return;
    }
    a->what = arg;
    if (strcmp(arg, "list") != 0 && strcmp(arg, "retry") != 0 && strcmp(arg, "drop") != 0)
        argp_error(st, "\"%s\": allowed is one of list, retry, drop", arg);
}

static void check(const struct dl_args *a, struct argp_state *st) {
    bool list = strcmp(a->what, "list") == 0;
    if (list && (a->nkeys || a->all)) argp_error(st, "list takes no keys");
    if (!list && !a->nkeys == !a->all)
        argp_error(st, "which ones? `handover deadletter list` has their keys; or --all");
    if (!list && a->output) argp_error(st, "--output is for list");
}

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct dl_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case OPT_ALL: a->all = true; return 0;
    case OPT_TIMEOUT: a->timeout_ns = cli_duration(st, "timeout", arg, NS_PER_MS, 3600 * NS_PER_S); return 0;
    case 'o': a->output = cli_output(st, FORMATS, arg); return 0;
    case OPT_LEASE_NS: a->lease_ns = arg; return 0;
    case OPT_LEASE_NAME: a->lease_name = arg; return 0;
    case ARGP_KEY_ARG: take_word(a, arg, st); return 0;
    case ARGP_KEY_NO_ARGS: argp_error(st, "list, retry or drop?"); return 0;
    case ARGP_KEY_SUCCESS: check(a, st); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- list ---- */

static void write_json(const struct letters *l, struct buf *out) {
    char at[32];
    if (l->at_ns) rfc3339_seconds(l->at_ns, at);
    buf_addf(out, "{\"version\":%d", SHAPE);
    status_json_field(out, "asOf", l->at_ns ? at : NULL);
    status_json_field(out, "problem", l->part_err.kind ? l->part_err.msg : NULL);
    buf_addf(out, ",\"ordersPending\":%s,\"deadLetters\":[", l->orders ? "true" : "false");
    for (size_t i = 0; i < l->n; i++) {
        const struct letter *x = &l->v[i];
        buf_adds(out, i ? ",{\"controller\":" : "{\"controller\":");
        buf_add_json(out, slice_of(x->controller));
        status_json_field(out, "key", x->key);
        if (x->since_ns) rfc3339_seconds(x->since_ns, at);
        status_json_field(out, "since", x->since_ns ? at : NULL);
        buf_addf(out, ",\"failures\":%u", x->failures);
        status_json_field(out, "reason", x->reason);
        buf_addc(out, '}');
    }
    buf_adds(out, "]}\n");
}

static void write_text(const struct letters *l, int64_t now, struct buf *out) {
    struct table_style style = cli_style(stdout);
    if (l->part_err.kind) {
        cleanup_free char *why = text_cleaned(l->part_err.msg, style.utf8);
        buf_addf(out, "these may not be all: %s\n", why);
    }
    if (!l->n) {
        buf_adds(out, l->at_ns ? "no dead letters\n" : "no dead letters: nobody has led yet\n");
        return;
    }
    cleanup_table struct table *t = table_new(&style, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < l->n; i++) {
        const struct letter *x = &l->v[i];
        char since[32] = "", failures[16];
        if (x->since_ns) status_age(now - x->since_ns, since);
        (void)snprintf(failures, sizeof failures, "%u", x->failures);
        table_cell(t, NULL, x->controller);
        table_cell(t, NULL, since);
        table_cell(t, NULL, failures);
        table_cell(t, "\x1b[1m", x->key);
        table_note(t, "\x1b[33m", x->reason);
    }
    table_print(t, out);
}

static void list(struct dl_args *a, const struct letters *l) {
    cleanup_buf struct buf raw = BUF(16 << 20), out = BUF(16 << 20);
    if (a->output) {
        write_json(l, &raw);
        status_json_clean(buf_slice(&raw), &out);
    } else {
        write_text(l, world_wall_ns(a->world.world), &out);
    }
    cli_print(a->output, buf_slice(&out));
}

/* ---- retry, drop ---- */

static void end(struct dl_args *a, const struct err *err) {
    a->code = err ? cli_fail(err) : CLI_OK;
    loop_stop(a->world.loop);
}

static void on_patched(void *ctx, const struct err *err, struct slice raw) {
    struct dl_args *a = ctx;
    (void)raw;
    a->patch = NULL;
    bool again = err && err->kind == ERR_CONFLICT && ++a->conflicts < CONFLICTS; /* the leader has renewed */
    if (err && !again) {
        end(a, err);
        return;
    }
    if (!err) {
        a->set = true;
        a->until_ns = world_boot_ns(a->world.world) + a->timeout_ns;
    }
    timer_in(a->timer, err ? 0 : POLL_NS);
}

static void order(struct dl_args *a, const struct letters *l) {
    struct letters_order o[KEYS];
    struct err err = {0};
    cleanup_buf struct buf body = BUF(256 << 10);
    const char *by = kube_config_user(a->session.cfg);
    size_t n = a->all ? 1 : a->nkeys;
    for (size_t i = 0; i < n; i++) {
        o[i] = (struct letters_order){.what = a->what, .by = by ? by : ""};
        if (a->all) continue;
        o[i].letter = letters_find(l, a->keys[i]);
        if (o[i].letter) continue;
        err_set(&err, ERR_NOTFOUND, -ENOENT,
                "\"%.200s\" is no dead letter, or of several controllers (CONTROLLER/KEY)", a->keys[i]);
        end(a, &err);
        return;
    }
    a->ordered = a->all ? l->n : a->nkeys;
    if (!l->n) {
        printf("no dead letters\n");
        end(a, NULL);
        return;
    }
    if (letters_patch(l, o, n, &body, &err) < 0) {
        end(a, &err);
        return;
    }
    struct kube_spec spec = {
        .verb = KUBE_PATCH_MERGE,
        .lane = LANE_CALL,
        .manager = a->session.manager,
        .ref = {.gvr = &gvr_leases, .ns = slice_of(a->lease_ns), .name = slice_of(a->lease_name)},
        .body = buf_slice(&body)};
    a->patch = kube_call(a->session.kube, &spec, on_patched, a);
}

/* The leader takes the orders away with the renewal whose checkpoint has what became of them. */
static void wait_for(struct dl_args *a, const struct letters *l) {
    struct err err = {0};
    if (!l->orders) {
        printf("%zu dead letter%s %s\n", a->ordered, a->ordered == 1 ? "" : "s",
               strcmp(a->what, "retry") == 0 ? "taken up again" : "dropped");
        fflush(stdout);
        end(a, NULL);
    } else if (world_boot_ns(a->world.world) < a->until_ns) {
        timer_in(a->timer, POLL_NS);
    } else {
        char span[32];
        duration_format(a->timeout_ns, span);
        err_set(&err, ERR_TIMEOUT, -ETIMEDOUT,
                "it is asked for, and no leader has done it within %s; %s%.80s. To take it back: kubectl "
                "annotate "
                "lease/%s -n %s " LEASE_ANNOTATION_ORDERS "-",
                span, *l->holder ? "the leader is " : "nobody leads", l->holder, a->lease_name, a->lease_ns);
        end(a, &err);
    }
}

static void on_letters(void *ctx, const struct err *err, const struct letters *l) {
    struct dl_args *a = ctx;
    if (err) {
        end(a, err);
    } else if (strcmp(a->what, "list") == 0) {
        list(a, l);
        end(a, NULL);
    } else if (a->set) {
        wait_for(a, l);
    } else {
        order(a, l);
    }
}

static void look(void *ctx) {
    struct dl_args *a = ctx;
    letters_end(a->poll);
    a->poll = letters_start(a->session.kube, a->lease_ns, a->lease_name, on_letters, a);
}

static int run(struct dl_args *a) {
    int bad = cli_session_open(&a->session, &a->world, &a->kube_flags);
    if (bad) return bad;
    a->timer = timer_new(a->world.world, look, a);
    look(a);
    loop_run(a->world.loop);
    kube_cancel(a->patch);
    letters_end(a->poll);
    timer_free(a->timer);
    cli_session_close(&a->session);
    return a->code;
}

static int deadletter_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {options,
                        parse,
                        "list|retry|drop [KEY...]",
                        "Lists the keys that Handover has given up, and has the leader retry or drop them.",
                        children,
                        NULL,
                        NULL};
    struct dl_args a = {.code = CLI_FAILED, .timeout_ns = 10 * NS_PER_S, .lease_name = "handover"};
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    a.lease_ns = cli_lease_namespace(a.lease_ns);
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = run(&a);
    cli_world_close(&a.world);
    return code;
}

const struct cli_command cli_deadletter = {"deadletter", "List, retry or drop what Handover has given up",
                                           deadletter_main};
