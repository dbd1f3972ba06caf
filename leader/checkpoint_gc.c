/* Garbage collection: parts of checkpoints that no Lease names any more, of a leader that died between
 * writing them and the release, or before it had deleted its predecessor's. A new leader looks for them once,
 * when its own work stands on the Lease and nothing of its predecessor's is unread. */
#include "api/meta.h"
#include "base/json_raw.h"
#include "election_impl.h"

#define GC_TIMEOUT (10 * NS_PER_S)

static void next(struct election *e);

static void ended(struct election *e, const struct err *err) {
    if (err) {
        LOG_EVENT(kube_log(e->kube), LOG_WARN, "CheckpointGcFailed",
                  "garbage collection of checkpoint parts did not finish", LF_ERR(err));
    }
    buf_free(&e->leftover);
    e->leftover_pos = 0;
}

static void on_deleted(void *ctx, const struct err *err, struct slice raw) {
    struct election *e = ctx;
    (void)raw;
    e->gc_op = NULL;
    if (err && err->kind != ERR_NOTFOUND)
        ended(e, err);
    else
        next(e);
}

/* One after the other: nothing waits for them, and these are large objects. */
static void next(struct election *e) {
    struct slice name, rest, all = buf_slice(&e->leftover);
    if (e->leftover_pos >= all.n) {
        ended(e, NULL);
        return;
    }
    slice_cut(slice_make(all.p + e->leftover_pos, all.n - e->leftover_pos), ' ', &name, &rest);
    e->leftover_pos += name.n + 1;
    struct kube_spec spec = {.verb = KUBE_DELETE,
                             .ref = {.gvr = &gvr_configmaps, .ns = slice_of(e->ns), .name = name},
                             .lane = LANE_CALL,
                             .timeout_ns = GC_TIMEOUT};
    e->gc_op = kube_call(e->kube, &spec, on_deleted, e);
}

/* "LEASE-checkpoint-MADE-N" of an earlier term. Those of our own term may be about to be named by the
 * release. */
static bool is_leftover(const struct election *e, struct slice name) {
    cleanup_buf struct buf prefix = BUF(512);
    struct slice made, n;
    int64_t term, number;
    buf_addf(&prefix, "%s-checkpoint-", e->name);
    if (name.n <= prefix.n || memcmp(name.p, prefix.p, prefix.n) != 0) return false;
    if (!slice_cut(slice_make(name.p + prefix.n, name.n - prefix.n), '-', &made, &n)) return false;
    return slice_i64(made, &term) == 0 && slice_i64(n, &number) == 0 && term >= 0 &&
           term < lease_term(e->lease);
}

static void on_list(void *ctx, const struct err *err, struct slice raw) {
    struct election *e = ctx;
    struct slice items = {0}, text;
    e->gc_op = NULL;
    if (err || json_raw_check(raw, NULL) < 0 || !json_raw_get(raw, SL("items"), &items)) {
        ended(e, err);
        return;
    }
    struct json_raw_it it = json_raw_each(items);
    while (json_raw_next(&it)) {
        cleanup_buf struct buf name = BUF(512);
        if (!json_raw_at(it.value, "metadata/name", &text) || json_raw_unescape(text, &name) < 0) continue;
        if (!is_leftover(e, buf_slice(&name)) || e->leftover.n + name.n + 1 > LEFTOVER_MAX) continue;
        buf_add(&e->leftover, buf_slice(&name));
        buf_addc(&e->leftover, ' ');
    }
    next(e);
}

void checkpoint_gc_once(struct election *e) {
    if (e->collected) return;
    e->collected = true;
    struct kube_spec spec = {.verb = KUBE_LIST,
                             .ref = {.gvr = &gvr_configmaps, .ns = slice_of(e->ns)},
                             .labels = SL(PART_LABEL "=part"),
                             .lane = LANE_CALL,
                             .timeout_ns = GC_TIMEOUT,
                             .metadata_only = true};
    e->gc_op = kube_call(e->kube, &spec, on_list, e);
}

void checkpoint_gc_free(struct election *e) {
    kube_cancel(e->gc_op);
    e->gc_op = NULL;
    buf_free(&e->leftover);
}
