/* The requests for the Lease that the lease machine asks for, and the events that their answers are. */
#include "election_impl.h"
#include "api/rfc3339.h"

static void on_got(void *ctx, const struct err *err, struct slice raw) {
    struct election *e = ctx;
    struct lease_rec rec;
    struct err bad = {0};
    e->get_op = NULL;
    if (err && err->kind == ERR_NOTFOUND) {
        election_access_answer(e, LEASE_REQUEST_GET, NULL);
        election_event(e, LEASE_EV_ABSENT);
        return;
    }
    bool ok = !err && lease_parse(raw, &rec, &bad) == 0;
    election_access_answer(e, LEASE_REQUEST_GET, ok ? NULL : err ? err : &bad);
    if (ok) {
        struct lease_in in = election_input(e, LEASE_EV_SEEN);
        in.rec = &rec;
        in.raw = raw;
        election_step(e, &in);
        return;
    }
    struct lease_in in = election_input(e, LEASE_EV_READ_FAILED);
    in.retry_after_ns = err ? err->retry_after_ms * NS_PER_MS : 0;
    election_step(e, &in);
}

void election_get(struct election *e, int64_t timeout_ns) {
    struct kube_spec spec = {.verb = KUBE_GET,
                             .ref = {.gvr = &gvr_leases, .ns = slice_of(e->ns), .name = slice_of(e->name)},
                             .lane = LANE_LEASE,
                             .timeout_ns = timeout_ns,
                             .no_retry = true};
    kube_cancel(e->get_op);
    e->get_op = kube_call(e->kube, &spec, on_got, e);
}

static void on_written(void *ctx, const struct err *err, struct slice raw) {
    struct election *e = ctx;
    struct lease_rec rec;
    struct err bad = {0};
    e->write_op = NULL;
    bool ok = !err && lease_parse(raw, &rec, &bad) == 0;
    election_access_answer(e, e->creating ? LEASE_REQUEST_CREATE : LEASE_REQUEST_UPDATE,
                           ok    ? NULL
                           : err ? err
                                 : &bad);
    if (ok) {
        struct lease_in in = election_input(e, LEASE_EV_WRITTEN);
        in.rec = &rec;
        in.raw = raw;
        /* Before the step, which may decide on the next write with the next checkpoint. */
        if (e->own_sent) checkpoint_io_feed(e, &(struct flow_event){.kind = FLOW_EV_RENEWED});
        election_step(e, &in);
        return;
    }
    struct lease_in in = election_input(e, err ? lease_event_of(err, e->creating) : LEASE_EV_UNKNOWN);
    in.retry_after_ns = err ? err->retry_after_ms * NS_PER_MS : 0;
    election_answer_renewal(e, false);
    election_step(e, &in);
}

/* Orders that are carried out are taken away, and no others: these stand on the very object that is written. */
static bool carried_out(const struct election *e) {
    cleanup_buf struct buf there = BUF(ORDERS_MAX);
    return e->carried.n && lease_annotation(lease_raw(e->lease), LEASE_ANNOTATION_ORDERS, &there) &&
           slice_eq(buf_slice(&there), buf_slice(&e->carried));
}

/* What is to stand there of a trial; an annotation that is neither there nor wanted is left out. */
static void trial_notes(const struct election *e, const struct lease_rec *rec, char until[40],
                        struct lease_change *change, size_t *n) {
    const char *keys[] = {LEASE_ANNOTATION_SUCCESSOR, LEASE_ANNOTATION_GUARDIAN, LEASE_ANNOTATION_TRIAL};
    struct slice values[] = {slice_of(rec->successor), slice_of(rec->guardian), {0}};
    if (rec->trial_us) {
        rfc3339_micro(rec->trial_us * NS_PER_US, until);
        values[2] = slice_of(until);
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        cleanup_buf struct buf was = BUF(NOTE_MAX);
        bool there = lease_annotation(lease_raw(e->lease), keys[i], &was) || was.n || was.full;
        if (values[i].n)
            change[(*n)++] = (struct lease_change){keys[i], values[i]};
        else if (there)
            change[(*n)++] = (struct lease_change){.key = keys[i]};
    }
}

/* The one that takes the lease over takes it off. */
static void last_note(struct election *e, enum lease_write_kind kind, struct buf *last,
                      struct lease_change *change, size_t *n) {
    cleanup_buf struct buf was = BUF(ELECTION_LAST_MAX);
    bool there = lease_annotation(lease_raw(e->lease), LEASE_ANNOTATION_DRAIN, &was);
    if (kind == LEASE_ACQUIRE) {
        buf_clear(&e->last);
        if (there) buf_add(&e->last, buf_slice(&was));
    }
    if (kind == LEASE_RELEASE && e->cb.last) e->cb.last(e->ctx, last);
    if (last->n)
        change[(*n)++] = (struct lease_change){LEASE_ANNOTATION_DRAIN, buf_slice(last)};
    else if (there || was.full)
        change[(*n)++] = (struct lease_change){.key = LEASE_ANNOTATION_DRAIN};
}

void election_write(struct election *e, const struct lease_out *out) {
    cleanup_buf struct buf body = BUF((size_t)4 * LEASE_RAW_MAX), note = BUF(NOTE_MAX);
    struct err err = {0};
    cleanup_buf struct buf last = BUF(ELECTION_LAST_MAX);
    struct lease_change change[6];
    char until[40];
    size_t changes = 0;
    if (checkpoint_io_note(e, out, &note))
        change[changes++] = (struct lease_change){LEASE_ANNOTATION_CHECKPOINT, buf_slice(&note)};
    if (carried_out(e)) change[changes++] = (struct lease_change){.key = LEASE_ANNOTATION_ORDERS};
    last_note(e, out->write.kind, &last, change, &changes);
    trial_notes(e, &out->write.rec, until, change, &changes);
    if (lease_render(lease_raw(e->lease), slice_of(e->ns), slice_of(e->name), &out->write.rec, change,
                     changes, &body, &err) < 0) {
        election_access_answer(e, LEASE_REQUEST_UPDATE, &err);
        e->write_failed = true; /* election_run() passes it to the lease machine */
        return;
    }
    e->creating = out->write.create;
    e->renew_sent = e->renew_wanted && out->write.kind == LEASE_RENEW;
    if (e->renew_sent) e->renew_wanted = false;
    struct kube_spec spec = {.verb = out->write.create ? KUBE_CREATE : KUBE_UPDATE,
                             .ref = {.gvr = &gvr_leases,
                                     .ns = slice_of(e->ns),
                                     .name = out->write.create ? (struct slice){0} : slice_of(e->name)},
                             .body = buf_slice(&body),
                             .lane = LANE_LEASE,
                             .timeout_ns = out->timeout_ns,
                             .no_retry = true,
                             .unfenced = true};
    kube_cancel(e->get_op);
    e->get_op = NULL;
    e->write_op = kube_call(e->kube, &spec, on_written, e);
}
