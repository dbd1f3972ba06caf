/* Reads what there is to go back to, writes it, waits until Handover has taken it up; see undo.h. */
#include "undo.h"
#include "target_ref.h"
#include "api/rfc3339.h"
#include "api/selector.h"
#include "base/time.h"
#include <errno.h>

enum { CONFLICTS = 5 };
#define POLL_NS (250 * NS_PER_MS)

struct undo_run {
    struct kube *kube;
    struct undo_spec spec;
    undo_done done;
    void *ctx;
    struct status_poll *poll;
    const struct status_report *report; /* of the poll */
    struct kube_list *list;
    struct kube_op *patch;
    struct timer *timer;
    struct undo_versions all;
    const struct undo_version *chosen;
    char before[11]; /* the template's hash when it was first looked at */
    bool set;        /* it is written */
    int64_t until_ns;
    unsigned conflicts;
};

static void look(struct undo_run *u);

static void end(struct undo_run *u, const struct err *err, const struct status_report *r) {
    u->done(u->ctx, err, u->chosen, r);
}

static void on_timer(void *ctx) {
    look(ctx);
}

static void on_patched(void *ctx, const struct err *err, struct slice raw) {
    struct undo_run *u = ctx;
    (void)raw;
    u->patch = NULL;
    if (err && err->kind == ERR_CONFLICT && ++u->conflicts < CONFLICTS) {
        timer_in(u->timer, 0); /* something else of it has changed */
        return;
    }
    if (err) {
        end(u, err, NULL);
        return;
    }
    u->set = true;
    u->until_ns = world_boot_ns(kube_world(u->kube)) + u->spec.timeout_ns;
    timer_in(u->timer, POLL_NS);
}

/* Stable's own template needs no promotion. */
static char *promotion(const struct undo_run *u, const struct status_row *r) {
    char at[40];
    if (!u->spec.now || strcmp(u->chosen->hash, r->state.stable_hash) == 0) return NULL;
    rfc3339_micro(world_wall_ns(kube_world(u->kube)), at);
    return xasprintf("%s@%s", u->chosen->hash, at);
}

static void write_template(struct undo_run *u, const struct status_row *r) {
    cleanup_buf struct buf body = BUF(8 << 20);
    cleanup_free char *promote = promotion(u, r);
    undo_patch(r, u->chosen, promote, &body);
    struct kube_spec spec = {.verb = KUBE_PATCH_JSON,
                             .lane = LANE_CALL,
                             .manager = u->spec.manager,
                             .ref = target_object(r->ns, r->name),
                             .body = buf_slice(&body)};
    u->patch = kube_call(u->kube, &spec, on_patched, u);
}

static int on_rs(void *ctx, struct slice raw, cJSON **item, struct err *err) {
    struct undo_run *u = ctx;
    return undo_take(&u->all, &u->report->rows[0].target, raw, *item, err);
}

static void on_restart(void *ctx) {
    undo_versions_free(&((struct undo_run *)ctx)->all);
}

static void on_listed(void *ctx, const struct err *err, const char *rv) {
    struct undo_run *u = ctx;
    struct err why = {0};
    (void)rv;
    u->list = NULL;
    if (!err) u->chosen = undo_choose(&u->report->rows[0], &u->all, u->spec.to_hash, &why);
    if (u->chosen)
        write_template(u, &u->report->rows[0]);
    else
        end(u, err ? err : &why, NULL);
}

/* Those that the Deployment's selector finds: all that can be its own. */
static void list_versions(struct undo_run *u, const struct status_row *r) {
    static const struct kube_list_cb cb = {on_rs, on_restart, on_listed};
    CLEANUP(selector) struct selector *sel = NULL;
    cleanup_buf struct buf labels = BUF(1 << 16);
    cleanup_json cJSON *spec = json_parse(slice_of(r->target.selector), NULL);
    if (selector_from_spec(spec, &sel, NULL) < 0 || selector_format(sel, &labels) < 0) buf_clear(&labels);
    struct kube_list_spec list = {
        .gvr = &gvr_replicasets, .ns = slice_of(r->ns), .labels = buf_slice(&labels), .no_retry = true};
    u->chosen = NULL;
    undo_versions_free(&u->all);
    u->list = kube_list(u->kube, &list, &cb, u);
}

static void wait_for(struct undo_run *u, const struct status_report *r) {
    const struct status_row *row = &r->rows[0];
    struct err err = {0};
    if (strcmp(row->target.hash, u->chosen->hash) != 0) {
        err_set(&err, ERR_CONFLICT, -EBUSY,
                "%s: template %s (%s) was written, and another client has changed it since",
                target_ref(row->name).text, u->chosen->hash, u->chosen->image);
        end(u, &err, r);
    } else if (undo_taken_up(row, u->chosen->hash)) {
        end(u, NULL, r);
    } else if (world_boot_ns(kube_world(u->kube)) >= u->until_ns) {
        char span[32];
        duration_format(u->spec.timeout_ns, span);
        err_set(&err, ERR_TIMEOUT, -ETIMEDOUT,
                "%s: template %s (%s) is written, and Handover has not taken it up within %s; %s%.80s",
                target_ref(row->name).text, u->chosen->hash, u->chosen->image, span,
                !r->has_lease ? "its Lease was not found: does it run?"
                : *r->holder  ? "the leader is "
                              : "nobody leads",
                r->has_lease ? r->holder : "");
        end(u, &err, r);
    } else {
        timer_in(u->timer, POLL_NS);
    }
}

static void on_status(void *ctx, const struct err *err, struct status_report *r) {
    struct undo_run *u = ctx;
    struct err why = {0};
    bool there = !err && r->n;
    u->report = r;
    if (!there && !err)
        err_set(&why, ERR_NOTFOUND, -ENOENT, "there is no %s in namespace %s",
                target_ref(u->spec.status.name).text, u->spec.status.ns);
    if (there && !*u->before) memcpy(u->before, r->rows[0].target.hash, sizeof u->before);
    if (there && u->set) {
        wait_for(u, r);
    } else if (there && strcmp(u->before, r->rows[0].target.hash) != 0) {
        err_set(&why, ERR_CONFLICT, -EBUSY, "%s: its template has changed in between; nothing was done",
                target_ref(u->spec.status.name).text);
        end(u, &why, NULL);
    } else if (there && undo_applies(&r->rows[0], u->spec.to_hash, &why)) {
        list_versions(u, &r->rows[0]);
    } else {
        end(u, err ? err : &why, NULL);
    }
}

static void look(struct undo_run *u) {
    status_poll_end(u->poll);
    u->report = NULL;
    u->poll = status_poll_start(u->kube, &u->spec.status, on_status, u);
}

struct undo_run *undo_start(struct kube *k, const struct undo_spec *spec, undo_done done, void *ctx) {
    struct undo_run *u = xcalloc(1, sizeof *u);
    u->kube = k;
    u->spec = *spec;
    u->done = done;
    u->ctx = ctx;
    u->timer = timer_new(kube_world(k), on_timer, u);
    look(u);
    return u;
}

void undo_end(struct undo_run *u) {
    if (!u) return;
    kube_cancel(u->patch);
    kube_list_cancel(u->list);
    status_poll_end(u->poll);
    timer_free(u->timer);
    undo_versions_free(&u->all);
    free(u);
}
