/* Sets the annotation of a user command and waits for what becomes of it; see action.h. */
#include "action.h"
#include "target_ref.h"
#include "base/time.h"
#include <errno.h>

enum { CONFLICTS = 5 };
#define POLL_NS (250 * NS_PER_MS)

struct action_run {
    struct kube *kube;
    struct action_spec spec;
    action_shown shown;
    action_done done;
    void *ctx;
    struct status_poll *poll;
    struct kube_op *patch;
    struct timer *timer;
    char *value;                 /* NULL: not set yet */
    char hash[11];               /* of the template that is meant */
    bool set;                    /* the annotation */
    int64_t before_ns, until_ns; /* began_ns of the rollout; boot clock */
    unsigned conflicts;
};

static void look(struct action_run *a);

static void end(struct action_run *a, const struct err *err, const struct status_report *r) {
    a->done(a->ctx, err, r);
}

static void on_timer(void *ctx) {
    look(ctx);
}

static void on_patched(void *ctx, const struct err *err, struct slice raw) {
    struct action_run *a = ctx;
    (void)raw;
    a->patch = NULL;
    if (err && err->kind == ERR_CONFLICT && ++a->conflicts < CONFLICTS) {
        timer_in(a->timer, 0); /* something else of it has changed: look again whether the word applies */
        return;
    }
    if (err) {
        end(a, err, NULL);
        return;
    }
    a->set = true;
    a->until_ns = world_boot_ns(kube_world(a->kube)) + a->spec.timeout_ns;
    timer_in(a->timer, POLL_NS);
}

/* Only if the Deployment is still the one that was looked at: a template that changed in between is not meant. */
static void patch(struct action_run *a, const struct status_row *r) {
    cleanup_buf struct buf body = BUF(4096);
    if (!a->value) {
        a->value = action_value(r, a->spec.action, world_wall_ns(kube_world(a->kube)));
        memcpy(a->hash, r->target.hash, sizeof a->hash);
        a->before_ns = r->state.began_ns;
        if (a->shown) a->shown(a->ctx, r);
    }
    buf_adds(&body, "{\"metadata\":{\"resourceVersion\":");
    buf_add_json(&body, slice_of(r->target.rv));
    buf_addf(&body, ",\"annotations\":{\"" HANDOVER_PREFIX "%s\":", spec_action_name(a->spec.action));
    buf_add_json(&body, slice_of(a->value));
    buf_adds(&body, "}}}");
    struct kube_spec spec = {.verb = KUBE_PATCH_MERGE,
                             .lane = LANE_CALL,
                             .manager = a->spec.manager,
                             .ref = target_object(r->ns, r->name),
                             .body = buf_slice(&body)};
    a->patch = kube_call(a->kube, &spec, on_patched, a);
}

static void not_taken_up(struct action_run *a, const struct status_report *r) {
    struct err err = {0};
    char span[32];
    duration_format(a->spec.timeout_ns, span);
    const char *word = spec_action_name(a->spec.action);
    err_set(&err, ERR_TIMEOUT, -ETIMEDOUT,
            "%s is asked for, and Handover has not carried it out within %s; %s%.80s. To take it back: "
            "kubectl annotate "
            "%s -n %s " HANDOVER_PREFIX "%s-",
            word, span,
            !r->has_lease ? "its Lease was not found: does it run?"
            : *r->holder  ? "the leader is "
                          : "nobody leads",
            r->has_lease ? r->holder : "", target_ref(r->rows[0].name).text, r->rows[0].ns, word);
    end(a, &err, r);
}

static void wait_for(struct action_run *a, const struct status_report *r) {
    const struct status_row *row = &r->rows[0];
    struct err err = {0};
    switch (action_outcome(row, a->spec.action, a->value, a->before_ns)) {
    case ACTION_ACCEPTED: end(a, NULL, r); return;
    case ACTION_REFUSED:
        err_set(&err, ERR_CONFIG, -EINVAL, "%s: %s came too late, it is in phase %s: %s",
                target_ref(row->name).text, spec_action_name(a->spec.action), phase_name(row->state.phase),
                row->state.message ? row->state.message : "");
        end(a, &err, r);
        return;
    case ACTION_WAITING: break;
    }
    if (world_boot_ns(kube_world(a->kube)) >= a->until_ns)
        not_taken_up(a, r);
    else
        timer_in(a->timer, POLL_NS);
}

static void on_status(void *ctx, const struct err *err, struct status_report *r) {
    struct action_run *a = ctx;
    struct err why = {0};
    bool there = !err && r->n;
    if (!there && !err)
        err_set(&why, ERR_NOTFOUND, -ENOENT, "there is no %s in namespace %s",
                target_ref(a->spec.status.name).text, a->spec.status.ns);
    if (there && a->set) {
        wait_for(a, r);
    } else if (there && a->value && strcmp(a->hash, r->rows[0].target.hash) != 0) {
        err_set(&why, ERR_CONFLICT, -EBUSY, "%s: its template has changed in between; nothing was done",
                target_ref(a->spec.status.name).text);
        end(a, &why, NULL);
    } else if (there && action_applies(&r->rows[0], a->spec.action, a->spec.digest, &why)) {
        patch(a, &r->rows[0]);
    } else {
        end(a, err ? err : &why, NULL);
    }
}

static void look(struct action_run *a) {
    status_poll_end(a->poll);
    a->poll = status_poll_start(a->kube, &a->spec.status, on_status, a);
}

struct action_run *action_start(struct kube *k, const struct action_spec *spec, action_shown shown,
                                action_done done, void *ctx) {
    struct action_run *a = xcalloc(1, sizeof *a);
    *a = (struct action_run){.kube = k, .spec = *spec, .shown = shown, .done = done, .ctx = ctx};
    a->timer = timer_new(kube_world(k), on_timer, a);
    look(a);
    return a;
}

void action_end(struct action_run *a) {
    if (!a) return;
    kube_cancel(a->patch);
    status_poll_end(a->poll);
    timer_free(a->timer);
    free(a->value);
    free(a);
}
