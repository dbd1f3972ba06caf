/* The series of a scripted operator that tell what goes wrong while reconciles succeed: requests and writes, panics, how long
 * reconciles take, memory. All follow from the number of its reconciles and its age. */
#include "controllers/operator.h"
#include "controllers/pod.h"

static void times(const struct script *s, int64_t n, struct buf *out) {
    static const char name[] = "controller_runtime_reconcile_time_seconds";
    int64_t slow = (int64_t)((double)n * s->slow);
    operator_family(out, name, "histogram", "Length of time per reconciliation per controller");
    (void)buf_addf(out, "%s_bucket{controller=\"%s\",le=\"0.1\"} %lld\n", name, s->controller,
                   (long long)(n - slow) / 2);
    (void)buf_addf(out, "%s_bucket{controller=\"%s\",le=\"1\"} %lld\n", name, s->controller,
                   (long long)(n - slow));
    (void)buf_addf(out, "%s_bucket{controller=\"%s\",le=\"10\"} %lld\n", name, s->controller, (long long)n);
    (void)buf_addf(out, "%s_bucket{controller=\"%s\",le=\"+Inf\"} %lld\n", name, s->controller, (long long)n);
    (void)buf_addf(out, "%s_count{controller=\"%s\"} %lld\n", name, s->controller, (long long)n);
}

static void requests(const struct script *s, int64_t n, struct buf *out) {
    static const char name[] = "rest_client_requests_total";
    operator_family(out, name, "counter",
                    "Number of HTTP requests, partitioned by status code, method, and host.");
    (void)buf_addf(out, "%s{code=\"200\",host=\"sim\",method=\"GET\"} %lld\n", name, (long long)n);
    (void)buf_addf(out, "%s{code=\"200\",host=\"sim\",method=\"PUT\"} %lld\n", name,
                   (long long)((double)n * s->writes));
}

void operator_signals(const struct container *k, int64_t now, struct buf *out) {
    const struct script *s = &k->script;
    int64_t n = 0;
    for (int c = 0; c < s->controllers; c++) n += k->op.success[c] + k->op.errors[c];
    if (!s->elects || k->op.leads) {
        operator_family(out, "controller_runtime_reconcile_panics_total", "counter",
                        "Total number of reconciliation panics per controller");
        operator_one(out, "controller_runtime_reconcile_panics_total", "controller", s->controller,
                     (int64_t)((double)n * s->panics));
        times(s, n, out);
        operator_family(out, "workqueue_longest_running_processor_seconds", "gauge",
                        "How many seconds has the longest running processor for workqueue been running.");
        (void)buf_addf(out, "workqueue_longest_running_processor_seconds{name=\"%s\"} %.3f\n", s->controller,
                       (double)s->longest_ns / (double)NS_PER_S);
    }
    requests(s, n, out);
    operator_family(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
    double age_s = (double)(now - k->op.started) / (double)NS_PER_S;
    (void)buf_addf(out, "process_resident_memory_bytes %.0f\n", s->memory + s->leak * age_s);
}
