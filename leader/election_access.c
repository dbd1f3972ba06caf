/* Finds out whether this candidate may write the Lease (lease_access.h): counts and logs failures, and sends
 * a dry run while another candidate leads. */
#include "election_impl.h"

#define DRY_RUN_TIMEOUT (5 * NS_PER_S)

static int64_t now(const struct election *e) {
    return world_boot_ns(kube_world(e->kube));
}

static void count(struct election *e, enum lease_request r, const struct err *err) {
    const char *labels[] = {lease_request_name(r), err_kind_name(err->kind)};
    metric_inc(metric_with(e->errors, labels));
}

static void log_failure(struct election *e, enum lease_request r, const struct err *err) {
    uint64_t n;
    bool write = r != LEASE_REQUEST_GET;
    if (!log_limit_pass(write ? &e->write_failures : &e->read_failures, err, now(e), &n)) return;
    const char *request = lease_request_name(r);
    if (write)
        LOG_EVENT(kube_log(e->kube), LOG_WARN, "LeaseWriteFailed", "the lease cannot be written",
                  LF_STR("lease", e->name), LF_STR("request", request), LF_INT("count", n), LF_ERR(err));
    else
        LOG_EVENT(kube_log(e->kube), LOG_WARN, "LeaseReadFailed", "the lease cannot be read",
                  LF_STR("lease", e->name), LF_INT("count", n), LF_ERR(err));
}

void election_access_answer(struct election *e, enum lease_request r, const struct err *err) {
    bool conflict = err && err->kind == ERR_CONFLICT; /* another candidate wrote first: no failure */
    if (err && !conflict) {
        count(e, r, err);
        log_failure(e, r, err);
    } else {
        log_limit_reset(r == LEASE_REQUEST_GET ? &e->read_failures : &e->write_failures);
    }
    if (!lease_access_answer(&e->access, r, err, now(e))) return;
    bool granted = e->access.state == LEASE_ACCESS_GRANTED;
    metric_set(e->writable, granted ? 1 : 0);
    if (granted)
        LOG_EVENT(kube_log(e->kube), LOG_INFO, "LeaseWritable", "the lease can be written",
                  LF_STR("lease", e->name), LF_STR("request", lease_request_name(r)));
}

static void on_dry_run(void *ctx, const struct err *err, struct slice raw) {
    struct election *e = ctx;
    (void)raw;
    e->dry_run_op = NULL;
    election_access_answer(e, LEASE_REQUEST_DRY_RUN, err);
    election_access_look(e);
}

/* The record exactly as it was seen last, under its resourceVersion: nothing would change even if a server or
 * a proxy did not know what a dry run is. On the lane of ordinary calls, so that a takeover finds its own
 * connection free. */
static void start_dry_run(struct election *e, const struct lease_rec *rec) {
    cleanup_buf struct buf body = BUF((size_t)4 * LEASE_RAW_MAX);
    struct err err = {0};
    if (lease_render(lease_raw(e->lease), slice_of(e->ns), slice_of(e->name), rec, NULL, 0, &body, &err) <
        0) {
        election_access_answer(e, LEASE_REQUEST_DRY_RUN, &err);
        return;
    }
    struct kube_spec spec = {.verb = KUBE_UPDATE,
                             .ref = {.gvr = &gvr_leases, .ns = slice_of(e->ns), .name = slice_of(e->name)},
                             .body = buf_slice(&body),
                             .lane = LANE_CALL,
                             .timeout_ns = DRY_RUN_TIMEOUT,
                             .no_retry = true,
                             .unfenced = true,
                             .dry_run = true};
    e->dry_run_op = kube_call(e->kube, &spec, on_dry_run, e);
}

/* Only while another candidate holds the lease: otherwise this one writes it, or is about to. */
static const struct lease_rec *held_by_another(const struct election *e) {
    const struct lease_rec *rec = lease_last(e->lease);
    if (!rec || !rec->holder[0] || strcmp(rec->holder, e->id) == 0) return NULL;
    return e->stopping || lease_leading(e->lease) || lease_over(e->lease) || !lease_raw(e->lease).n ? NULL
                                                                                                    : rec;
}

void election_access_look(struct election *e) {
    const struct lease_rec *rec = held_by_another(e);
    if (!rec || e->dry_run_op) return;
    if (now(e) >= e->access.due_ns) start_dry_run(e, rec);
    if (!e->dry_run_op) timer_at(e->dry_run_tick, e->access.due_ns);
}

void election_access_tick(void *ctx) {
    election_access_look(ctx);
}

void election_access_free(struct election *e) {
    kube_cancel(e->dry_run_op);
    timer_free(e->dry_run_tick);
}

void election_access_metrics(struct election *e, struct metrics *m) {
    e->writable = metric_plain(
        metrics_family(m, METRIC_GAUGE, "handover_lease_writable",
                       "1 when the API server lets this process write the Lease, else 0", "", NULL, 0));
    e->errors = metrics_family(m, METRIC_COUNTER, "handover_lease_errors_total",
                               "Failed requests for the Lease, conflicts aside", "request,reason", NULL, 0);
}

bool election_writable(const struct election *e, struct buf *why) {
    if (e->access.state == LEASE_ACCESS_GRANTED) return true;
    if (e->access.state == LEASE_ACCESS_UNKNOWN)
        buf_addf(why, "not yet known whether the Lease %s/%s can be written", e->ns, e->name);
    else
        buf_addf(why, "the Lease %s/%s cannot be written: %s", e->ns, e->name, e->access.reason);
    return false;
}
