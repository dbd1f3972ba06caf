/* Carries out the checkpoint's flow (checkpoint_flow.h): requests for its ConfigMaps, and what a write of the
 * Lease says about the work in hand. */
#include "api/meta.h"
#include "base/json_raw.h"
#include "election_impl.h"

#define DELETE_NS (10 * NS_PER_S)

static int64_t now(const struct election *e) {
    return world_boot_ns(kube_world(e->kube));
}

/* ---- requests for ConfigMaps ---- */

static void call_part(struct election *e, struct part_op *p, size_t i, enum kube_verb verb,
                      const struct checkpoint_part_id *id, struct slice body, int64_t timeout_ns,
                      kube_done done) {
    cleanup_buf struct buf name = BUF(512);
    /* too long a name is refused by the server like any other */
    checkpoint_part_name(slice_of(e->name), id->made, id->number, &name);
    kube_cancel(p->op);
    struct kube_spec spec = {.verb = verb,
                             .ref = {.gvr = &gvr_configmaps,
                                     .ns = slice_of(e->ns),
                                     .name = verb == KUBE_CREATE ? (struct slice){0} : buf_slice(&name)},
                             .body = body,
                             .lane = LANE_CALL,
                             .timeout_ns = timeout_ns};
    p->e = e;
    p->i = i;
    p->op = kube_call(e->kube, &spec, done, p);
}

static void cancel_all(struct election *e) {
    for (size_t i = 0; i < CHECKPOINT_READ_MAX; i++) {
        kube_cancel(e->parts[i].op);
        e->parts[i].op = NULL;
    }
}

static void feed_part(struct part_op *p, enum flow_event_kind kind) {
    p->op = NULL;
    checkpoint_io_feed(p->e, &(struct flow_event){.kind = kind, .i = p->i});
}

/* ---- the predecessor's parts ---- */

static void log_fault(struct election *e, enum checkpoint_fault fault, const struct err *err) {
    e->unusable = true;
    LOG_EVENT(kube_log(e->kube), LOG_WARN, "CheckpointUnusable",
              "the predecessor's checkpoint, or a part of it, cannot be used",
              LF_STR("fault", checkpoint_fault_name(fault)), LF_ERR(err));
}

static void on_read(void *ctx, const struct err *err, struct slice raw) {
    struct part_op *p = ctx;
    struct election *e = p->e;
    cleanup_buf struct buf text = BUF(CHECKPOINT_PART_MAX);
    struct slice value, given = {0};
    struct err why = {0};
    if (err && err->kind != ERR_NOTFOUND) {
        LOG_EVENT(kube_log(e->kube), LOG_WARN, "CheckpointPartUnread",
                  "a part of the checkpoint could not be read, trying again", LF_INT("part", p->i + 1),
                  LF_ERR(err));
        feed_part(p, FLOW_EV_UNREAD);
        return;
    }
    if (!err && json_raw_check(raw, NULL) == 0 && json_raw_at(raw, "data/" CHECKPOINT_DATA_KEY, &value) &&
        json_raw_unescape(value, &text) == 0) {
        given = text.n ? buf_slice(&text) : SL("");
    }
    enum checkpoint_fault fault = checkpoint_give(e->reader, p->i, given, &why);
    if (fault != CHECKPOINT_OK) log_fault(e, fault, &why);
    feed_part(p, fault == CHECKPOINT_OK ? FLOW_EV_READ : FLOW_EV_UNUSABLE);
}

static void on_deleted(void *ctx, const struct err *err, struct slice raw) {
    struct part_op *p = ctx;
    (void)raw;
    if (err && err->kind != ERR_NOTFOUND) {
        LOG_EVENT(kube_log(p->e->kube), LOG_WARN, "CheckpointPartNotDeleted",
                  "a part of an old checkpoint could not be deleted", LF_ERR(err));
    }
    feed_part(p, FLOW_EV_DELETED);
}

static void log_expired(struct election *e, size_t i) {
    LOG_EVENT(kube_log(e->kube), LOG_WARN, "CheckpointPartExpired",
              "a part of the checkpoint could not be read and is given up", LF_INT("part", i + 1),
              LF_INT("made", checkpoint_reader_part(e->reader, i)->made), LF_DUR("after", FLOW_KEEP_NS));
}

/* ---- our own parts ---- */

static void part_body(struct election *e, size_t i, bool patch, struct buf *out) {
    const struct lease_rec *rec = lease_last(e->lease);
    buf_addc(out, '{');
    if (!patch) {
        cleanup_buf struct buf name = BUF(512);
        checkpoint_part_name(slice_of(e->name), checkpoint_head(e->saving)->made, i + 1, &name);
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

static void on_written(void *ctx, const struct err *err, struct slice raw) {
    struct part_op *p = ctx;
    (void)raw;
    bool exists = err && err->kind == ERR_CONFLICT;
    if (err && !exists)
        LOG_EVENT(kube_log(p->e->kube), LOG_WARN, "CheckpointPartNotWritten",
                  "a part of the checkpoint could not be written", LF_ERR(err));
    feed_part(p, !err ? FLOW_EV_WRITTEN : exists ? FLOW_EV_EXISTS : FLOW_EV_UNWRITTEN);
}

static void save_part(struct election *e, size_t i, bool patch) {
    cleanup_buf struct buf body = BUF((size_t)2 * CHECKPOINT_PART_MAX);
    struct checkpoint_part_id id = {.made = checkpoint_head(e->saving)->made, .number = i + 1};
    int64_t left = e->flow.save_ns - now(e);
    part_body(e, i, patch, &body);
    call_part(e, &e->parts[i], i, patch ? KUBE_PATCH_MERGE : KUBE_CREATE, &id, buf_slice(&body),
              left > NS_PER_MS ? left : NS_PER_MS, on_written);
}

static struct checkpoint *gather(struct election *e, bool final) {
    struct checkpoint_head head = {.term = lease_term(e->lease),
                                   .at_wall_ns = world_wall_ns(kube_world(e->kube))};
    memcpy(head.by, e->id, strlen(e->id) + 1);
    struct checkpoint *c = checkpoint_new(&head);
    e->cb.work(e->ctx, final, c);
    for (size_t i = 0; e->reader && i < checkpoint_reader_parts(e->reader); i++)
        if (checkpoint_flow_unread(&e->flow, i))
            checkpoint_add_unread(c, checkpoint_reader_part(e->reader, i));
    return c;
}

static void save(struct election *e) {
    e->saving = gather(e, true);
    checkpoint_finish(e->saving, false);
    e->saving_begins = true;
}

static void save_inline(struct election *e) {
    checkpoint_free(e->saving);
    e->saving = gather(e, true);
    checkpoint_finish(e->saving, true);
}

/* The annotation that goes with the release. */
static void keep_final(struct election *e) {
    struct checkpoint *c = e->saving;
    e->saving = NULL;
    if (!c) return;
    const struct checkpoint_head *h = checkpoint_head(c);
    if (h->dropped) {
        LOG_EVENT(kube_log(e->kube), LOG_WARN, "CheckpointTruncated",
                  "the checkpoint has no room for all keys", LF_INT("keys", h->keys),
                  LF_INT("dropped", h->dropped));
    }
    buf_clear(&e->final);
    buf_add(&e->final, checkpoint_value(c));
    e->final_ready = true;
    checkpoint_free(c);
}

/* ---- the flow ---- */

static void carry_out(struct election *e, const struct flow_effect *f) {
    size_t i = f->i;
    const struct checkpoint_part_id *id = e->reader ? checkpoint_reader_part(e->reader, i) : NULL;
    switch (f->kind) {
    case FLOW_CANCEL: cancel_all(e); break;
    case FLOW_READ:
        if (!id) break; /* a part to read or delete is one that the reader names */
        call_part(e, &e->parts[i], i, KUBE_GET, id, (struct slice){0}, FLOW_READ_NS, on_read);
        break;
    case FLOW_DELETE:
        if (!id) break;
        call_part(e, &e->parts[i], i, KUBE_DELETE, id, (struct slice){0}, DELETE_NS, on_deleted);
        break;
    case FLOW_EXPIRED: log_expired(e, i); break;
    case FLOW_LEAD: election_notify(e, NOTICE_LEAD); break;
    case FLOW_LATE: election_notify(e, NOTICE_LATE_WORK); break;
    case FLOW_COLLECT: checkpoint_gc_once(e); break;
    case FLOW_SAVE: save(e); break;
    case FLOW_CREATE:
    case FLOW_PATCH: save_part(e, i, f->kind == FLOW_PATCH); break;
    case FLOW_SAVE_INLINE: save_inline(e); break;
    case FLOW_RELEASE:
        keep_final(e);
        e->drained = true; /* election_run() passes it to the lease machine */
        break;
    }
}

void checkpoint_io_feed(struct election *e, const struct flow_event *ev) {
    struct flow_event next = *ev;
    struct flow_out out;
    bool more = true;
    while (more) {
        next.boot_ns = now(e);
        checkpoint_flow_step(&e->flow, &next, &out);
        timer_at(e->flow_tick, out.wake_ns);
        for (size_t i = 0; i < out.neffects; i++) carry_out(e, &out.effects[i]);
        more = e->saving_begins;
        e->saving_begins = false;
        next = (struct flow_event){.kind = FLOW_EV_SAVING, .n = more ? checkpoint_parts(e->saving) : 0};
    }
    election_run(e);
}

void checkpoint_io_tick(void *ctx) {
    checkpoint_io_feed(ctx, &(struct flow_event){.kind = FLOW_EV_TICK});
}

void checkpoint_io_acquired(struct election *e) {
    struct err err = {0};
    enum checkpoint_fault fault = CHECKPOINT_EMPTY;
    if (e->taken.n) fault = checkpoint_open(buf_slice(&e->taken), e->taken_term, &e->reader, &err);
    if (fault != CHECKPOINT_OK && fault != CHECKPOINT_EMPTY) log_fault(e, fault, &err);
    checkpoint_io_feed(e, &(struct flow_event){.kind = FLOW_EV_ACQUIRED,
                                               .n = e->reader ? checkpoint_reader_parts(e->reader) : 0});
}

/* The annotation for a write that is not the first one and not the last. */
static void note_work(struct election *e, bool release, struct buf *value) {
    struct checkpoint *c = gather(e, release);
    checkpoint_finish(c, true);
    buf_add(value, checkpoint_value(c));
    checkpoint_free(c);
    e->own_sent = true;
    checkpoint_io_feed(e, &(struct flow_event){.kind = FLOW_EV_GATHERED});
}

/* The predecessor's, passed on under our term. */
static bool note_taken(struct election *e, int64_t term, struct buf *value) {
    const struct lease_rec *rec = lease_last(e->lease);
    e->taken_term = rec ? rec->transitions : -1;
    buf_clear(&e->taken);
    if (!lease_annotation(lease_raw(e->lease), LEASE_ANNOTATION_CHECKPOINT, &e->taken)) {
        buf_clear(&e->taken);
        return false;
    }
    return checkpoint_carry(buf_slice(&e->taken), e->taken_term, term, value);
}

bool checkpoint_io_note(struct election *e, const struct lease_out *out, struct buf *value) {
    bool release = out->write.kind == LEASE_RELEASE;
    e->own_sent = false;
    if (out->write.kind == LEASE_ACQUIRE) return note_taken(e, out->write.rec.transitions, value);
    if (!e->flow.own || !e->cb.work) return false; /* what it left is not ours yet */
    if (release && e->final_ready)
        buf_add(value, buf_slice(&e->final));
    else
        note_work(e, release, value);
    return true;
}

void checkpoint_io_free(struct election *e) {
    cancel_all(e);
    checkpoint_close(e->reader);
    checkpoint_free(e->saving);
    timer_free(e->flow_tick);
    checkpoint_gc_free(e);
    buf_free(&e->taken);
    buf_free(&e->final);
}
