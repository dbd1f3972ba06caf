/* The checkpoints of an election: what a write says about the work in hand, and the ConfigMaps of large ones.
 */
#include "api/meta.h"
#include "base/json_raw.h"
#include "election_impl.h"
#include <errno.h>

#define PART_TIMEOUT (3 * NS_PER_S)

/* ---- ConfigMaps ---- */

static void part_name(const struct election *e, int64_t made, size_t i, struct buf *out) {
    checkpoint_part_name(slice_of(e->name), made, i,
                         out); /* too long a name is refused by the server like any other */
}

static void part_call_in(struct election *e, size_t i, enum kube_verb verb, int64_t made, struct slice body,
                         kube_done done, int64_t timeout_ns) {
    cleanup_buf struct buf name = BUF(512);
    part_name(e, made, i, &name);
    struct part_op *p = &e->parts[i];
    p->e = e;
    p->i = i;
    struct kube_spec spec = {.verb = verb,
                             .ref = {.gvr = &gvr_configmaps,
                                     .ns = slice_of(e->ns),
                                     .name = verb == KUBE_CREATE ? (struct slice){0} : buf_slice(&name)},
                             .body = body,
                             .lane = LANE_CALL,
                             .timeout_ns = timeout_ns};
    p->op = kube_call(e->kube, &spec, done, p);
    e->nparts_open++;
}

static void part_call(struct election *e, size_t i, enum kube_verb verb, int64_t made, kube_done done) {
    part_call_in(e, i, verb, made, (struct slice){0}, done, PART_TIMEOUT);
}

static void parts_cancel(struct election *e) {
    for (size_t i = 0; i < CHECKPOINT_PARTS_MAX; i++) {
        kube_cancel(e->parts[i].op);
        e->parts[i] = (struct part_op){0};
    }
    e->nparts_open = 0;
}

/* One has been answered. True: that was the last. */
static bool part_done(struct part_op *p) {
    p->op = NULL;
    return --p->e->nparts_open == 0;
}

/* ---- taking over ---- */

static void tell_fault(struct election *e, enum checkpoint_fault fault, const struct err *err) {
    LOG(kube_log(e->kube), LOG_WARN,
        "the predecessor's checkpoint is not used, or not all of it; everything is reconciled as ever",
        LF_STR("fault", checkpoint_fault_name(fault)), LF_ERR(err));
}

static void on_part_read(void *ctx, const struct err *err, struct slice raw) {
    struct part_op *p = ctx;
    struct election *e = p->e;
    cleanup_buf struct buf text = BUF(CHECKPOINT_PART_MAX);
    struct slice value, given = {0};
    struct err why = {0};
    if (!err && json_raw_check(raw, NULL) == 0 && json_raw_at(raw, "data/" CHECKPOINT_DATA_KEY, &value) &&
        json_raw_unescape(value, &text) == 0) {
        given = text.n ? buf_slice(&text) : SL("");
    }
    enum checkpoint_fault fault = checkpoint_give(e->reader, p->i, given, &why);
    if (err && err->kind != ERR_NOTFOUND) err_wrap(&why, "%s", err->msg);
    if (fault != CHECKPOINT_OK) tell_fault(e, fault, &why);
    if (part_done(p)) election_tell_lead(e, &e->lead);
}

void checkpoint_io_lead(struct election *e, const struct lease_out *out) {
    struct err err = {0};
    enum checkpoint_fault fault = CHECKPOINT_EMPTY;
    e->lead = (struct tell){TELL_LEAD, out->reason, out->term};
    if (e->taken.n) fault = checkpoint_open(buf_slice(&e->taken), e->taken_term, &e->reader, &err);
    if (fault != CHECKPOINT_OK && fault != CHECKPOINT_EMPTY) tell_fault(e, fault, &err);
    size_t parts = e->reader ? checkpoint_reader_head(e->reader)->parts : 0;
    if (!parts) {
        election_tell_lead(e, &e->lead);
        return;
    }
    e->old_made = checkpoint_reader_head(e->reader)->made;
    e->old_parts = parts;
    for (size_t i = 0; i < parts; i++) part_call(e, i, KUBE_GET, e->old_made, on_part_read);
}

void checkpoint_io_call_lead(struct election *e, const struct tell *t) {
    struct checkpoint_reader *work = e->reader;
    e->reader = NULL;
    e->own = true;
    if (work && checkpoint_skipped(work)) {
        LOG(kube_log(e->kube), LOG_WARN,
            "the predecessor's checkpoint has entries of a kind that this version does not know",
            LF_INT("skipped", checkpoint_skipped(work)));
    }
    e->cb.lead(e->ctx, t->term, t->reason, work);
    checkpoint_close(work); /* of e nothing is touched: the callback may have freed it */
}

/* ---- the predecessor's ConfigMaps, once our own checkpoint stands on the server ---- */

static void on_part_deleted(void *ctx, const struct err *err, struct slice raw) {
    struct part_op *p = ctx;
    (void)raw;
    if (err && err->kind != ERR_NOTFOUND) {
        LOG(kube_log(p->e->kube), LOG_WARN, "a part of an old checkpoint could not be deleted", LF_ERR(err));
    }
    part_done(p);
}

void checkpoint_io_renewed(struct election *e) {
    if (!e->own_written || e->nparts_open || e->saving) return;
    if (e->old_made < 0) {
        checkpoint_gc_once(e);
        return;
    }
    for (size_t i = 0; i < e->old_parts; i++) part_call(e, i, KUBE_DELETE, e->old_made, on_part_deleted);
    e->old_made = -1;
}

/* ---- what a write says ---- */

static struct checkpoint *gather(struct election *e, bool final) {
    struct checkpoint_head head = {.term = lease_term(e->lease),
                                   .at_wall_ns = world_wall_ns(kube_world(e->kube))};
    memcpy(head.by, e->id, strlen(e->id) + 1);
    struct checkpoint *c = checkpoint_new(&head);
    e->cb.work(e->ctx, final, c);
    return c;
}

bool checkpoint_io_note(struct election *e, const struct lease_out *out, struct buf *value) {
    e->own_sent = false;
    if (out->write.kind == LEASE_ACQUIRE) { /* the predecessor's, passed on under our term */
        const struct lease_rec *rec = lease_last(e->lease);
        e->taken_term = rec ? rec->transitions : -1;
        buf_clear(&e->taken);
        if (!lease_annotation(lease_raw(e->lease), LEASE_ANNOTATION_CHECKPOINT, &e->taken)) {
            buf_clear(&e->taken);
            return false;
        }
        return checkpoint_carry(buf_slice(&e->taken), e->taken_term, out->write.rec.transitions, value);
    }
    if (!e->own || !e->cb.work) return false; /* what it left is not ours yet */
    if (out->write.kind == LEASE_RELEASE && e->final_ready) {
        buf_add(value, buf_slice(&e->final));
        return true;
    }
    struct checkpoint *c = gather(e, out->write.kind == LEASE_RELEASE);
    checkpoint_finish(c, true);
    buf_add(value, checkpoint_value(c));
    checkpoint_free(c);
    e->own_sent = true;
    return true;
}

/* ---- the last one ---- */

static void final_is(struct election *e, struct checkpoint *c) {
    const struct checkpoint_head *h = checkpoint_head(c);
    if (h->dropped) {
        LOG(kube_log(e->kube), LOG_WARN,
            "the checkpoint has no room for all keys; the successor lists what is missing",
            LF_INT("keys", h->keys), LF_INT("dropped", h->dropped));
    }
    buf_clear(&e->final);
    buf_add(&e->final, checkpoint_value(c));
    e->final_ready = true;
}

static void saved(struct election *e) {
    struct checkpoint *c = e->saving;
    e->saving = NULL;
    if (e->save_failed) { /* what matters most fits the annotation */
        checkpoint_free(c);
        c = gather(e, true);
        checkpoint_finish(c, true);
    }
    final_is(e, c);
    checkpoint_free(c);
    election_event(e, LEASE_EV_DRAINED);
}

static void part_body(struct election *e, size_t i, bool patch, struct buf *out) {
    const struct lease_rec *rec = lease_last(e->lease);
    buf_addc(out, '{');
    if (!patch) {
        cleanup_buf struct buf name = BUF(512);
        part_name(e, checkpoint_head(e->saving)->made, i, &name);
        buf_adds(out, "\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":");
        buf_add_json(out, buf_slice(&name));
        buf_adds(out,
                 ",\"labels\":{\"app.kubernetes.io/managed-by\":\"handover\",\"" PART_LABEL "\":\"part\"}");
        if (rec && rec->uid[0]) { /* it goes with the Lease, if that is ever deleted */
            buf_adds(out, ",\"ownerReferences\":[{\"apiVersion\":\"coordination.k8s.io/"
                          "v1\",\"kind\":\"Lease\",\"name\":");
            buf_add_json(out, slice_of(e->name));
            buf_adds(out, ",\"uid\":");
            buf_add_json(out, slice_of(rec->uid));
            buf_adds(out, "}]");
        }
        buf_adds(out, "},");
    }
    buf_adds(out, "\"data\":{\"" CHECKPOINT_DATA_KEY "\":");
    buf_add_json(out, checkpoint_part(e->saving, i));
    buf_adds(out, "}}");
}

static void on_part_written(void *ctx, const struct err *err, struct slice raw);

static void save_part(struct election *e, size_t i, bool patch) {
    cleanup_buf struct buf body = BUF((size_t)2 * CHECKPOINT_PART_MAX);
    part_body(e, i, patch, &body);
    int64_t left = e->save_until_ns - world_boot_ns(kube_world(e->kube));
    part_call_in(e, i, patch ? KUBE_PATCH_MERGE : KUBE_CREATE, checkpoint_head(e->saving)->made,
                 buf_slice(&body), on_part_written, left > NS_PER_MS ? left : NS_PER_MS);
}

static void on_part_written(void *ctx, const struct err *err, struct slice raw) {
    struct part_op *p = ctx;
    struct election *e = p->e;
    (void)raw;
    bool last = part_done(p);
    if (err && err->kind == ERR_CONFLICT && !p->patching) { /* from an attempt whose answer was lost */
        p->patching = true;
        save_part(e, p->i, true);
        return;
    }
    if (err) {
        e->save_failed = true;
        LOG(kube_log(e->kube), LOG_WARN, "a part of the checkpoint could not be written", LF_ERR(err));
    }
    if (last) saved(e);
}

void checkpoint_io_final(struct election *e, int64_t parts_ns) {
    bool ours = lease_may_mutate(e->lease, world_boot_ns(kube_world(e->kube)));
    if (!ours || !e->own || !e->cb.work || e->final_ready || e->saving) {
        if (!e->saving) election_event(e, LEASE_EV_DRAINED);
        return;
    }
    parts_cancel(e); /* old parts not yet deleted: the next leader finds them */
    e->save_until_ns = world_boot_ns(kube_world(e->kube)) +
                       (parts_ns > 0 && parts_ns < PART_TIMEOUT ? parts_ns : PART_TIMEOUT);
    e->saving = gather(e, true);
    checkpoint_finish(e->saving, false);
    size_t n = checkpoint_parts(e->saving);
    for (size_t i = 0; i < n; i++) save_part(e, i, false);
    if (!n) saved(e);
}

bool checkpoint_io_cancel(struct election *e) {
    bool was_saving = e->saving != NULL;
    parts_cancel(e);
    checkpoint_close(e->reader);
    checkpoint_free(e->saving);
    e->reader = NULL;
    e->saving = NULL;
    return was_saving;
}

void checkpoint_io_lost(struct election *e) {
    if (checkpoint_io_cancel(e)) election_event(e, LEASE_EV_DRAINED); /* that is what was waited for */
}

void checkpoint_io_free(struct election *e) {
    checkpoint_io_cancel(e);
    checkpoint_gc_free(e);
    buf_free(&e->taken);
    buf_free(&e->final);
}
