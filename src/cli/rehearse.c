/* See rehearse.h. */
#include "rehearse.h"
#include "text.h"
#include "rehearse_child.h"
#include "obs/obs.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANGES = 3 /* exit code */, OBJECTS_SHOWN = 200, REPORT_CAP = 256 << 20, CONFIG_CAP = 64 << 10 };
#define GRACE_NS (10 * NS_PER_S) /* for an operator that is to end */

struct rehearsal {
    struct cli_world *w;
    struct cli_session *s;
    const struct rehearse_options *o;
    struct proxy *proxy;
    struct rehearse_child child;
    struct rlimit files; /* as we were given it */
    struct rehearse_sidecar *sidecar;
    struct timer *timer;
    char *folder, *kubeconfig;
    int64_t from_ns, until_ns; /* boot time of its end */
    int64_t from_wall_ns;
    bool settles;
    bool ended; /* what it comes to is known: the operator is being ended */
    int code;
};

static const char *name_of(const struct rehearsal *r) {
    return r->o->argv[0];
}

static void stop(struct rehearsal *r) {
    loop_stop(r->w->loop);
}

/* The operator has to end, if there is one. */
static void end_child(struct rehearsal *r) {
    r->ended = true;
    if (rehearse_child_ended(&r->child)) {
        stop(r);
        return;
    }
    rehearse_child_signal(&r->child, SIGTERM);
    timer_in(r->timer, GRACE_NS);
}

static void fail(struct rehearsal *r, const struct err *err) {
    r->code = cli_fail(err);
    end_child(r);
}

/* ---- the report ---- */

static void on_row(void *ctx, const struct overlay_row *row) {
    const struct report_object o = {.group = row->group,
                                    .version = row->version,
                                    .resource = row->resource,
                                    .kind = row->kind,
                                    .ns = row->ns,
                                    .name = row->name,
                                    .live = row->live,
                                    .rehearsed = row->rehearsed,
                                    .orphans = row->orphans,
                                    .writes = row->writes,
                                    .first_ns = row->first_ns,
                                    .last_ns = row->last_ns,
                                    .met = row->met};
    struct err err = {0};
    if (report_add(ctx, &o, &err) < 0) (void)cli_fail(&err);
}

static void on_refusal(void *ctx, struct slice what, struct slice why, uint64_t count) {
    report_refusal(ctx, what, why, count);
}

static void on_failure(void *ctx, struct slice what, struct slice why, uint64_t count) {
    report_failure(ctx, what, why, count);
}

static void on_event(void *ctx, const struct overlay_event *e) {
    report_event(ctx, e->type, e->reason, e->message, e->kind, e->ns, e->name, e->count);
}

struct report *rehearse_report(struct world *w, struct proxy *p, int64_t from_wall_ns) {
    struct report *report = report_new(NULL);
    struct overlay *o = proxy_overlay(p);
    const struct overlay_counts *c = overlay_counts(o);
    int64_t now = world_wall_ns(w);
    overlay_rows(o, now, on_row, report);
    overlay_refusals(o, on_refusal, report);
    overlay_failures(o, on_failure, report);
    overlay_events(o, on_event, report);
    report_set_run(report, &(struct report_run){.from_ns = from_wall_ns,
                                                .to_ns = now,
                                                .reads = c->reads,
                                                .writes = c->writes,
                                                .conflicts = c->conflicts,
                                                .refused = c->refused,
                                                .failed = c->failed,
                                                .unnamed = c->unnamed,
                                                .superseded = overlay_superseded(o, now),
                                                .full = c->full});
    return report;
}

/* One that is still being made is empty: it is read at the end. */
static int read_control(const struct rehearsal *r, bool may_be_empty, struct report **ret, struct err *err) {
    cleanup_buf struct buf text = BUF(REPORT_CAP);
    *ret = NULL;
    if (!r->o->control) return 0;
    int e = world_read_file(r->w->world, r->o->control, REPORT_CAP, &text, err);
    if (e == 0 && (text.n || !may_be_empty)) e = report_read(buf_slice(&text), ret, err);
    return e < 0 ? err_wrap(err, "--control %.200s", r->o->control) : 0;
}

/* Nothing would be changed: is that what was found, or was nothing found? */
static bool found_out(const struct rehearsal *r, const struct report *report) {
    const struct overlay_counts *c = overlay_counts(proxy_overlay(r->proxy));
    uint64_t lost = c->failed + c->lost_writes + report_count(report, REPORT_REFUSED);
    return !c->full && !(lost && c->lost_writes >= c->writes) && (c->reads || c->writes || !name_of(r));
}

static void finish(struct rehearsal *r) {
    cleanup_buf struct buf out = BUF(REPORT_CAP);
    struct report *control = NULL;
    struct err err = {0};
    if (read_control(r, false, &control, &err) < 0) {
        fail(r, &err);
        return;
    }
    struct report *report = rehearse_report(r->w->world, r->proxy, r->from_wall_ns);
    if (control || !r->o->json) report_subtract(report, control); /* as a control it has all */
    report_free(control);
    if (r->o->json) {
        (void)report_write(report, &out);
        if (out.n && out.p[out.n - 1] != '\n') buf_addc(&out, '\n');
    } else {
        struct table_style style = cli_style(stdout);
        cleanup_buf struct buf text = BUF(out.max);
        (void)report_text(report, style.width, style.colour, OBJECTS_SHOWN, &text);
        if (style.utf8)
            (void)buf_add(&out, buf_slice(&text));
        else
            text_ascii(&out, buf_slice(&text));
    }
    cli_print(CLI_TEXT, buf_slice(&out));
    r->code = report_empty(report) ? CLI_OK : CHANGES;
    if (r->code == CLI_OK && !found_out(r, report)) {
        err_set(
            &err, ERR_CONFIG, -ENODATA,
            "what it would change could not be found out: none of its writes was taken, nothing was read, or "
            "the rehearsal's memory did not suffice");
        r->code = cli_fail(&err);
    }
    report_free(report);
    if (r->settles) proxy_release(r->proxy);
    end_child(r);
}

/* ---- its course ---- */

static void next_look(struct rehearsal *r);

/* How it could have found the proxy. */
static void add_way(const struct rehearsal *r, struct buf *out) {
    bool given = false;
    for (size_t i = 1; r->o->argv[i]; i++) given = given || strstr(r->o->argv[i], "{}");
    buf_adds(out,
             given ? ": is {} where it takes a kubeconfig? $KUBECONFIG names the same one"
                   : ": put {} into its arguments where it takes a kubeconfig (--kubeconfig={}), unless it "
                     "takes the one that $KUBECONFIG names, which is set for it");
}

static void silent(struct rehearsal *r) {
    struct err err = {0};
    char took[32];
    cleanup_buf struct buf b = BUF(1024);
    duration_format(r->o->for_ns, took);
    add_way(r, &b);
    err_set(&err, ERR_CONFIG, -ENODATA, "%.200s asked the API server nothing in %s%s", name_of(r), took,
            buf_str(&b));
    fail(r, &err);
}

/* The program has ended, and not as one that has done its work. */
static void died(struct rehearsal *r) {
    struct err err = {0};
    char took[32];
    cleanup_buf struct buf b = BUF(1024);
    uint64_t n = proxy_requests(r->proxy);
    duration_format((world_boot_ns(r->w->world) - r->from_ns) / NS_PER_MS * NS_PER_MS, took);
    if (r->child.signal)
        buf_addf(&b, "was ended by signal %d (%s) after %s", r->child.signal, strsignal(r->child.signal),
                 took);
    else
        buf_addf(&b, "ended with exit code %d after %s", r->child.code, took);
    if (n)
        buf_addf(&b, ", with %llu request%s", (unsigned long long)n, n == 1 ? "" : "s");
    else
        buf_adds(&b, ", and asked the API server nothing");
    if (!n && !r->child.signal) add_way(r, &b);
    err_set(&err, ERR_CONFIG, -ECHILD, "%.200s %s", name_of(r), buf_str(&b));
    if (n) finish(r); /* what it has come to until then */
    fail(r, &err);
}

static void on_time(void *ctx) {
    struct rehearsal *r = ctx;
    if (r->ended) {
        rehearse_child_signal(&r->child, SIGKILL);
        return;
    }
    int64_t last = proxy_last_change_ns(r->proxy);
    bool over = r->until_ns && world_boot_ns(r->w->world) >= r->until_ns;
    bool quiet = last && r->o->quiet_ns && world_wall_ns(r->w->world) - last >= r->o->quiet_ns;
    if (over && !last && name_of(r)) {
        silent(r);
    } else if (over && !quiet && !r->settles) {
        r->settles = true;
        proxy_hold(r->proxy);
        timer_in(r->timer, REHEARSE_SETTLE_NS);
    } else if (over || quiet) {
        finish(r);
    } else {
        next_look(r);
    }
}

static void next_look(struct rehearsal *r) {
    int64_t now = world_boot_ns(r->w->world), last = proxy_last_change_ns(r->proxy), at = TIME_NEVER;
    if (r->until_ns) at = r->until_ns;
    if (r->o->quiet_ns) {
        int64_t left = last ? r->o->quiet_ns - (world_wall_ns(r->w->world) - last) : r->o->quiet_ns;
        if (left < 10 * NS_PER_MS) left = 10 * NS_PER_MS;
        if (left > r->o->quiet_ns) left = r->o->quiet_ns; /* the wall clock was set back */
        if (now + left < at) at = now + left;
    }
    timer_at(r->timer, at);
}

static void on_child(void *ctx) {
    struct rehearsal *r = ctx;
    if (!r->child.pid || !rehearse_child_ended(&r->child)) return;
    if (r->ended) {
        stop(r);
    } else if (!r->child.code && !r->child.signal && proxy_requests(r->proxy) > 0) {
        finish(r); /* one that does its work and ends */
    } else {
        died(r);
    }
}

static void on_signal(void *ctx) {
    struct rehearsal *r = ctx;
    if (r->ended) {
        on_time(r); /* the second one: at once */
    } else if (r->from_ns) {
        finish(r); /* what it has come to so far */
    } else {
        r->ended = true;
        stop(r);
    }
}

/* ---- its beginning ---- */

static int write_config(struct rehearsal *r, struct err *err) {
    const char *tmp = getenv("TMPDIR");
    cleanup_buf struct buf text = BUF(CONFIG_CAP);
    char *folder = xasprintf("%s/handover-rehearsal-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        int e = errno;
        err_set(err, ERR_CONFIG, -e, "cannot make %s: %s", folder, strerror(e));
        free(folder);
        return -e;
    }
    r->folder = folder;
    r->kubeconfig = xasprintf("%s/kubeconfig", folder);
    (void)proxy_kubeconfig(r->proxy, r->s->ns, &text);
    int fd = open(r->kubeconfig, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
    int e = errno;
    if (fd >= 0) close(fd);
    explicit_bzero(text.p, text.n);
    return written ? 0 : err_set(err, ERR_CONFIG, -e, "cannot write %s: %s", r->kubeconfig, strerror(e));
}

static int start_child(struct rehearsal *r, struct err *err) {
    size_t n = 0;
    while (r->o->argv[n]) n++;
    char **argv = xcalloc(n + 1, sizeof *argv);
    for (size_t i = 0; i < n; i++) { /* {} anywhere: --kubeconfig={} as well */
        cleanup_buf struct buf b = BUF(1 << 20);
        const char *p = r->o->argv[i];
        for (const char *at; (at = strstr(p, "{}")) != NULL; p = at + 2) {
            buf_add(&b, slice_make(p, (size_t)(at - p)));
            buf_adds(&b, r->kubeconfig);
        }
        buf_adds(&b, p);
        argv[i] = xstrdup(buf_str(&b));
    }
    cleanup_free char *config = xasprintf("KUBECONFIG=%s", r->kubeconfig),
                      *port = xasprintf("KUBERNETES_SERVICE_PORT=%d", proxy_port(r->proxy));
    /* Who would rather take the cluster that it runs in finds nobody there whom it trusts. */
    const char *const env[] = {config, "KUBERNETES_SERVICE_HOST=127.0.0.1", port, NULL};
    int e = rehearse_child_start(&r->child, argv, env, &r->files, err);
    for (size_t i = 0; i < n; i++) free(argv[i]);
    free(argv);
    return e;
}

static void on_ready(void *ctx, const struct err *err) {
    struct rehearsal *r = ctx;
    struct err e = {0};
    if (err) e = *err;
    r->from_ns = world_boot_ns(r->w->world);
    r->from_wall_ns = world_wall_ns(r->w->world);
    if (r->o->for_ns) r->until_ns = r->from_ns + r->o->for_ns;
    if (!e.kind && r->o->sidecar) {
        (void)rehearse_sidecar_start(r->w, r->s, r->proxy, r->o, &r->sidecar, &e);
    } else if (!e.kind && write_config(r, &e) == 0 && name_of(r)) {
        (void)start_child(r, &e);
    }
    if (e.kind) {
        fail(r, &e);
        return;
    }
    if (r->kubeconfig && !name_of(r))
        fprintf(stderr, "https://127.0.0.1:%d rehearses; KUBECONFIG=%s\n", proxy_port(r->proxy),
                r->kubeconfig);
    next_look(r);
}

static void clean_up(struct rehearsal *r) {
    rehearse_sidecar_stop(r->sidecar);
    proxy_stop(r->proxy);
    timer_free(r->timer);
    if (r->kubeconfig) unlink(r->kubeconfig);
    if (r->folder) rmdir(r->folder);
    free(r->kubeconfig);
    free(r->folder);
}

int rehearse_run(struct cli_world *w, struct cli_session *s, const struct rehearse_options *o) {
    struct rehearsal r = {.w = w, .s = s, .o = o, .code = CLI_FAILED};
    struct proxy_options po = {.listen = o->listen, .config = s->cfg, .local_groups = o->local_groups};
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct err err = {0};
    getrlimit(RLIMIT_NOFILE, &r.files);
    process_raise_files(&w->log); /* a connection for each watch, on both sides */
    r.timer = timer_new(w->world, on_time, &r);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) world_on_signal(w->world, signals[i], on_signal, &r);
    world_on_signal(w->world, SIGCHLD, on_child, &r);
    struct report *control = NULL;
    if (read_control(&r, true, &control, &err) < 0 ||
        proxy_start(w->world, &w->log, s->metrics, &po, on_ready, &r, &r.proxy, &err) < 0) {
        r.code = cli_fail(&err);
    } else {
        loop_run(w->loop);
    }
    report_free(control);
    clean_up(&r);
    return r.code;
}
