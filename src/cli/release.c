/* Takes the annotation away and waits; see release.h. */
#include "release.h"
#include "target_ref.h"
#include "action.h"
#include "base/time.h"
#include <errno.h>

enum { CONFLICTS = 5 };
#define POLL_NS (250 * NS_PER_MS)

struct release_run {
    struct kube *kube;
    struct release_spec spec;
    release_done done;
    void *ctx;
    struct status_poll *poll;
    struct kube_op *patch;
    struct timer *timer;
    bool set;
    int64_t until_ns; /* boot clock */
    unsigned conflicts;
};

static void look(struct release_run *r);

static void on_timer(void *ctx) {
    look(ctx);
}

static void fail(struct release_run *r, enum err_kind kind, int errnum, const char *text) {
    struct err err = {0};
    err_set(&err, kind, errnum, "%s: %s", target_ref(r->spec.status.name).text, text);
    r->done(r->ctx, &err);
}

static void on_patched(void *ctx, const struct err *err, struct slice raw) {
    struct release_run *r = ctx;
    (void)raw;
    r->patch = NULL;
    if (err && err->kind == ERR_CONFLICT && ++r->conflicts < CONFLICTS) {
        timer_in(r->timer, 0);
        return;
    }
    if (err) {
        r->done(r->ctx, err);
        return;
    }
    r->set = true;
    r->until_ns = world_boot_ns(kube_world(r->kube)) + r->spec.timeout_ns;
    timer_in(r->timer, POLL_NS);
}

static void take_away(struct release_run *r, const struct status_row *row) {
    cleanup_buf struct buf body = BUF(4096);
    cleanup_free char *force =
        r->spec.force ? action_value(row, ACTION_RELEASE, world_wall_ns(kube_world(r->kube))) : NULL;
    release_patch(row, force, &body);
    struct kube_spec spec = {.verb = KUBE_PATCH_MERGE,
                             .lane = LANE_CALL,
                             .manager = r->spec.manager,
                             .ref = target_object(row->ns, row->name),
                             .body = buf_slice(&body)};
    r->patch = kube_call(r->kube, &spec, on_patched, r);
}

static void wait_for(struct release_run *r, const struct status_report *report) {
    const struct status_row *row = &report->rows[0];
    switch (release_outcome(row, r->spec.force)) {
    case RELEASE_DONE: r->done(r->ctx, NULL); return;
    case RELEASE_REFUSED:
        fail(r, ERR_CONFIG, -EPERM, row->state.message ? row->state.message : "the release is refused");
        return;
    case RELEASE_TAKEN_BACK:
        fail(r, ERR_CONFIG, -EEXIST,
             "the annotation " HANDOVER_PREFIX
             "canary-percent is there again: take it out of the manifest that sets it");
        return;
    case RELEASE_WAITING: break;
    }
    if (world_boot_ns(kube_world(r->kube)) < r->until_ns) {
        timer_in(r->timer, POLL_NS);
        return;
    }
    char span[32];
    duration_format(r->spec.timeout_ns, span);
    cleanup_free char *text =
        xasprintf("it is to be released, and Handover has not done so within %s; %s%.80s", span,
                  !report->has_lease ? "its Lease was not found: does it run?"
                  : *report->holder  ? "the leader is "
                                     : "nobody leads",
                  report->has_lease ? report->holder : "");
    fail(r, ERR_TIMEOUT, -ETIMEDOUT, text);
}

static void on_status(void *ctx, const struct err *err, struct status_report *report) {
    struct release_run *r = ctx;
    if (err) {
        r->done(r->ctx, err);
    } else if (!report->n) {
        cleanup_free char *text = xasprintf("it is not there, in namespace %s", r->spec.status.ns);
        fail(r, ERR_NOTFOUND, -ENOENT, text);
    } else if (r->set) {
        wait_for(r, report);
    } else if (!report->rows[0].opted_in && !report->rows[0].managed && !report->rows[0].has_state) {
        fail(r, ERR_CONFIG, -EINVAL,
             "Handover does not guard it: no annotation " HANDOVER_PREFIX "canary-percent");
    } else {
        take_away(r, &report->rows[0]);
    }
}

static void look(struct release_run *r) {
    status_poll_end(r->poll);
    r->poll = status_poll_start(r->kube, &r->spec.status, on_status, r);
}

struct release_run *release_start(struct kube *k, const struct release_spec *spec, release_done done,
                                  void *ctx) {
    struct release_run *r = xcalloc(1, sizeof *r);
    *r = (struct release_run){.kube = k, .spec = *spec, .done = done, .ctx = ctx};
    r->timer = timer_new(kube_world(k), on_timer, r);
    look(r);
    return r;
}

void release_end(struct release_run *r) {
    if (!r) return;
    kube_cancel(r->patch);
    status_poll_end(r->poll);
    timer_free(r->timer);
    free(r);
}
