/* See service.h. A timer looks at what has changed: between the moments that are reported at once, that is
 * the reason why it does not start, who leads, and how much is in flight. */
#include "service.h"
#include "api/rfc3339.h"
#include "base/mem.h"
#include "obs/obs.h"

enum {
    LOOK_S = 5,        /* between two looks */
    DRAIN_LOOK_S = 1,  /* while draining */
    START_S = 30,      /* a start that is waiting says so that often at least, and asks for as much more */
    STOP_MARGIN_S = 5, /* what is asked for beyond what the drain may take */
    STATUS_CAP = 512,
};
struct service {
    struct world *world;
    const struct leadership *leadership;
    const struct rollout *rollout;
    struct watchdog *watchdog;
    struct timer *look;
    bool ready;
    int64_t leading_wall_ns; /* since when; 0: not leading */
    enum drain_phase phase;
    struct buf said; /* the last status */
};

static const char *holder_pod(const struct service *s) {
    return election_holder(leadership_election(s->leadership));
}

static void write_status(const struct service *s, struct buf *out) {
    const char *holder = holder_pod(s);
    int64_t left = leadership_drain_left_ns(s->leadership);
    char since[32];
    if (s->phase == DRAIN_DONE) {
        buf_adds(out, "ended");
    } else if (left != TIME_NEVER) {
        buf_addf(out, "draining (%s): %zu in flight, at most %llds left", drain_phase_name(s->phase),
                 leadership_inflight(s->leadership), (long long)((left + NS_PER_S - 1) / NS_PER_S));
    } else if (!s->ready) {
        buf_addf(out, "starting: %s", rollout_trouble(s->rollout));
    } else if (s->leading_wall_ns) {
        rfc3339_seconds(s->leading_wall_ns, since);
        buf_addf(out, "leading since %s, term %lld", since,
                 (long long)election_term(leadership_election(s->leadership)));
    } else if (*holder) {
        buf_addf(out, "standing by; %.*s leads", (int)strcspn(holder, "_"),
                 holder); /* the pod's name of its identity */
    } else {
        buf_adds(out, "standing by; nobody leads");
    }
}

/* The new status where it differs from what was said last; else NULL. */
static const char *changed(struct service *s) {
    cleanup_buf struct buf now = BUF(STATUS_CAP);
    write_status(s, &now);
    if (slice_eq(buf_slice(&now), buf_slice(&s->said))) return NULL;
    buf_clear(&s->said);
    buf_add(&s->said, buf_slice(&now));
    return buf_str(&s->said);
}

static void on_look(void *ctx) {
    struct service *s = ctx;
    const char *status = changed(s);
    bool draining = s->phase != DRAIN_RUNNING;
    if (!s->ready && !draining) {
        notify_starting(buf_str(&s->said), START_S * NS_PER_S);
    } else if (status) {
        notify_status(status);
    }
    timer_in(s->look, (draining ? DRAIN_LOOK_S : LOOK_S) * NS_PER_S);
}

struct service *service_new(struct world *w, const struct leadership *l, const struct rollout *r) {
    if (!notify_wanted()) return NULL;
    struct service *s = xcalloc(1, sizeof *s);
    *s = (struct service){.world = w, .leadership = l, .rollout = r, .said = BUF(STATUS_CAP)};
    s->watchdog = watchdog_start(w);
    s->look = timer_new(w, on_look, s);
    timer_in(s->look, 0);
    return s;
}

void service_free(struct service *s) {
    if (!s) return;
    watchdog_stop(s->watchdog);
    timer_free(s->look);
    buf_free(&s->said);
    free(s);
}

void service_ready(struct service *s) {
    if (!s || s->ready) return;
    s->ready = true;
    (void)changed(s);
    notify_ready(buf_str(&s->said));
}

void service_leading(struct service *s) {
    if (!s) return;
    s->leading_wall_ns = world_wall_ns(s->world);
    const char *status = changed(s);
    if (status) notify_status(status);
}

void service_draining(struct service *s, enum drain_phase phase, int64_t left_ns) {
    if (!s) return;
    s->phase = phase;
    (void)changed(s);
    notify_stopping(buf_str(&s->said), left_ns + STOP_MARGIN_S * NS_PER_S);
    timer_in(s->look, DRAIN_LOOK_S * NS_PER_S);
}
