/* The status report on a screen; see status_watch.h. */
#include "status_watch.h"
#include "base/time.h"
#include "screen.h"
#include <signal.h>

#define REFRESH_NS (NS_PER_S)
#define SLOW_NS    (3 * NS_PER_S) /* an answer that takes longer is reported */

struct watch {
    struct cli_world *w;
    struct kube *kube;
    const struct status_spec *spec;
    struct status_poll *poll, *last; /* under way; the one that has what is shown */
    const struct status_report *report;
    int64_t since_ns,
        asked_ns; /* wall clock: of the report; of the first question that was not answered since */
    struct err err;
    struct timer *ask, *tick;
    struct buf text; /* what is shown */
};

static void draw(struct watch *v) {
    int64_t now = world_wall_ns(v->w->world);
    struct table_style style = cli_style(stdout);
    bool late = v->err.kind || (v->asked_ns && now - v->asked_ns > SLOW_NS);
    cleanup_buf struct buf frame = BUF(64 << 20);
    buf_clear(&v->text);
    status_watch_frame(v->report, late ? v->err.msg : NULL, v->asked_ns, v->since_ns, &style, now, &v->text);
    screen_frame(&frame, buf_slice(&v->text), style.height);
    fwrite(frame.p, 1, frame.n, stdout);
    fflush(stdout);
}

static void on_report(void *ctx, const struct err *err, struct status_report *r) {
    struct watch *v = ctx;
    if (err) {
        v->err = *err;
        status_poll_end(v->poll);
    } else {
        status_poll_end(v->last);
        v->last = v->poll;
        v->report = r;
        v->since_ns = world_wall_ns(v->w->world);
        v->asked_ns = 0;
        err_clear(&v->err);
    }
    v->poll = NULL;
    draw(v);
    timer_in(v->ask, REFRESH_NS);
}

static void ask(void *ctx) {
    struct watch *v = ctx;
    if (!v->asked_ns) v->asked_ns = world_wall_ns(v->w->world);
    v->poll = status_poll_start(v->kube, v->spec, on_report, v);
}

static void on_tick(void *ctx) { /* the ages go on while an answer is waited for */
    struct watch *v = ctx;
    draw(v);
    timer_in(v->tick, REFRESH_NS);
}

static void on_resize(void *ctx) {
    draw(ctx);
}

static void on_continued(void *ctx) { /* the shell had the terminal meanwhile */
    fputs(screen_enter, stdout);
    draw(ctx);
}

static void on_end(void *ctx) {
    struct watch *v = ctx;
    loop_stop(v->w->loop);
}

int status_watch(struct cli_world *w, struct kube *k, const struct status_spec *spec) {
    struct watch v = {.w = w, .kube = k, .spec = spec, .text = BUF(64 << 20)};
    v.ask = timer_new(w->world, ask, &v);
    v.tick = timer_new(w->world, on_tick, &v);
    world_on_signal(w->world, SIGINT, on_end, &v);
    world_on_signal(w->world, SIGTERM, on_end, &v);
    world_on_signal(w->world, SIGHUP, on_end, &v);
    world_on_signal(w->world, SIGWINCH, on_resize, &v);
    world_on_signal(w->world, SIGCONT, on_continued, &v);
    fputs(screen_enter, stdout);
    ask(&v);
    timer_in(v.tick, REFRESH_NS);
    loop_run(w->loop);
    fputs(screen_leave, stdout);
    fwrite(v.text.p, 1, v.text.n, stdout);
    fflush(stdout);
    status_poll_end(v.poll);
    status_poll_end(v.last);
    timer_free(v.ask);
    timer_free(v.tick);
    buf_free(&v.text);
    return CLI_OK;
}
