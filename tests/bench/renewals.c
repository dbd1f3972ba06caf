/* See renewals.h. */
#include "renewals.h"
#include "lane_server.h"
#include "world/http_client.h"
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { EVERY_MS = 50 };

static void put_done(void *ctx, const struct err *err, int status) {
    struct renewals *r = ctx;
    int64_t now = world_boot_ns(r->w);
    if (err || status != 200) {
        fprintf(stderr, "PUT failed: %s (%d)\n", err ? err->msg : "", status);
        r->failed = true;
        loop_stop(r->l);
        return;
    }
    r->ms = xgrow(r->ms, &r->cap, r->n + 1, sizeof *r->ms);
    r->ms[r->n++] = (double)(now - r->due) / 1e6;
    r->due += EVERY_MS * NS_PER_MS;
    if (r->due < now) r->due = now; /* one that took longer than the interval is not counted twice */
    timer_at(r->timer, r->due);
    if (r->n == r->stop_after) loop_stop(r->l);
}

static void put(void *ctx) {
    static const struct http_client_cb cb = {.end = put_done};
    struct renewals *r = ctx;
    struct http_req *req;
    struct err err = {0};
    const struct http_spec spec = {.lane = LANE_LEASE,
                                   .method = "PUT",
                                   .url = r->url,
                                   .body = SL("{\"kind\":\"Lease\",\"spec\":{\"holderIdentity\":\"bench\"}}"),
                                   .total_ns = 10 * NS_PER_S};
    if (http_start(r->w, &spec, &cb, r, &req, &err) < 0) abort();
}

void renewals_init(struct renewals *r, struct loop *l) {
    int port;
    *r = (struct renewals){.l = l, .w = loop_world(l), .server = lane_server_start(0, false, &port)};
    r->url = xasprintf("http://127.0.0.1:%d/apis/coordination.k8s.io/v1/namespaces/x/leases/y", port);
    r->timer = timer_new(r->w, put, r);
}

void renewals_run(struct renewals *r, size_t stop_after) {
    r->n = 0;
    r->stop_after = stop_after;
    r->due = world_boot_ns(r->w) + EVERY_MS * NS_PER_MS;
    timer_at(r->timer, r->due);
    loop_run(r->l);
    timer_stop(r->timer);
}

static int ascending(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

double renewals_report(struct renewals *r, const char *name) {
    if (r->n == 0) return 0;
    qsort(r->ms, r->n, sizeof *r->ms, ascending);
    double p99 = r->ms[(r->n - 1) * 99 / 100];
    printf("%s_p50 %.2f ms\n%s_p99 %.2f ms\n%s_max %.2f ms\n%s_count %zu requests\n", name, r->ms[r->n / 2],
           name, p99, name, r->ms[r->n - 1], name, r->n);
    return p99;
}

void renewals_free(struct renewals *r) {
    timer_free(r->timer);
    free(r->url);
    free(r->ms);
    kill(r->server, SIGKILL);
    waitpid(r->server, NULL, 0);
}
