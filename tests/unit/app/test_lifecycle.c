/* A whole instance of Handover: when it is ready, and what it answers on its admin port meanwhile. */
#include "../simworld/helper.h"
#include "app/app.h"
#include "base/log.h"

enum { INSTANCES = 2 };
struct instance {
    struct world *w;
    struct app *app;
    struct log log;
    int exit_code; /* -1: it has not ended */
    struct buf lines;
};
struct stage {
    struct field f;
    struct instance in[INSTANCES];
};

static int64_t wall(void *ctx) {
    return world_wall_ns(ctx);
}
static void keep_line(void *ctx, enum log_level level, int64_t t, const char *msg, const struct log_field *f,
                      size_t n) {
    struct instance *in = ctx;
    cleanup_buf struct buf line = BUF(4096);
    log_format_text(&line, level, t, msg, f, n);
    buf_add(&in->lines, buf_slice(&line));
    if (getenv("SIM_LOG")) fprintf(stderr, "%s: %s", simworld_name(in->w), buf_str(&line));
}
static void on_exit_(void *ctx, int code) {
    struct instance *in = ctx;
    in->exit_code = code;
}

static void boot(struct stage *st, int i) {
    struct instance *in = &st->in[i];
    in->w = i ? st->f.b : st->f.a;
    in->exit_code = -1;
    buf_init(&in->lines, 1 << 20);
    in->log = (struct log){.sink = {keep_line, in}, .min = LOG_INFO, .wall_ns = wall, .clock_ctx = in->w};
    struct app_options opt = {.kube = {.server = API},
                              .pod_name = simworld_name(in->w),
                              .admin_addr = ":8080",
                              .lease_namespace = "default",
                              .version = "test"};
    struct err err = {0};
    if (app_new(in->w, &in->log, &opt, on_exit_, in, &in->app, &err) < 0) fail_msg("%s", err.msg);
    if (app_start(in->app, &err) < 0) fail_msg("%s", err.msg);
}
static struct stage *stage_new(uint64_t seed) {
    struct stage *st = xcalloc(1, sizeof *st);
    st->f = field_new(seed);
    return st;
}
static void stage_free(struct stage *st) {
    for (int i = 0; i < INSTANCES; i++) {
        app_free(st->in[i].app);
        buf_free(&st->in[i].lines);
    }
    field_free(&st->f);
    free(st);
}
static void fault(struct stage *st, const char *json) {
    struct err err = {0};
    if (sim_fault(st->f.api, slice_of(json), &err) < 0) fail_msg("%s", err.msg);
}
static void run_s(struct stage *st, int64_t s) {
    simworld_run(st->f.sw, s * NS_PER_S);
}
static int lines(struct stage *st, int i, const char *text) {
    int n = 0;
    for (const char *p = buf_str(&st->in[i].lines); (p = strstr(p, text)); p++) n++;
    return n;
}
/* The page is as expected: its status, and a text that is on it. */
static void page(struct stage *st, int i, const char *path, int status, const char *text) {
    cleanup_free char *url = xasprintf("http://%s:8080%s", i ? "b" : "a", path);
    cleanup_buf struct buf b = BUF(1 << 20);
    int got = simworld_get(st->f.sw, url, &b);
    if (got != status || !strstr(buf_str(&b), text)) fail_msg("%s: %d %s", url, got, buf_str(&b));
}

#define LEASES "\"method\":\"P*\",\"path\":\"*/leases*\""

/* A process that may not write the Lease can never lead: not ready, said once a minute, and counted. */
static void a_candidate_that_cannot_write_the_lease_is_not_ready(void **state) {
    (void)state;
    struct stage *st = stage_new(1);
    fault(st, "{\"match\":{" LEASES "},\"count\":-1,\"status\":403}");
    boot(st, 0);
    run_s(st, 150);
    page(st, 0, "/readyz?verbose", 500, "the Lease default/handover cannot be written");
    page(st, 0, "/healthz", 200, "");
    page(st, 0, "/metrics", 200, "\nhandover_lease_writable 0\n");
    page(st, 0, "/metrics", 200, "\nhandover_lease_errors_total{request=\"create\",reason=\"forbidden\"} ");
    assert_int_equal(lines(st, 0, "contesting the lease"), 1);
    assert_int_equal(lines(st, 0, "event=LeaseWriteFailed"), 3);
    fault(st, "{\"clear\":true}");
    run_s(st, 5);
    assert_true(app_leading(st->in[0].app));
    page(st, 0, "/readyz?verbose", 200, "lease-writable");
    page(st, 0, "/metrics", 200, "\nhandover_lease_writable 1\n");
    stage_free(st);
}

static void a_missing_namespace_is_named(void **state) {
    (void)state;
    struct stage *st = stage_new(2);
    fault(st, "{\"match\":{" LEASES "},\"count\":-1,\"status\":404}");
    boot(st, 0);
    run_s(st, 10);
    page(st, 0, "/readyz?verbose", 500, "cannot be written");
    page(st, 0, "/metrics", 200, "{request=\"create\",reason=\"notfound\"} ");
    stage_free(st);
}

static int64_t lease_version(struct stage *st) {
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(sim_peek(st->f.api, "leases", "default", "handover", &b), 0);
    cleanup_json cJSON *o = json_parse(buf_slice(&b), NULL);
    return strtoll(json_str_or(json_get(o, "metadata"), "resourceVersion", "0"), NULL, 10);
}

/* A standby is ready although it leads nothing, once the server has let it write: by a dry run, which changes nothing. */
static void a_standby_proves_by_a_dry_run_that_it_could_write(void **state) {
    (void)state;
    struct stage *st = stage_new(3);
    boot(st, 0);
    run_s(st, 5);
    assert_true(app_leading(st->in[0].app));
    fault(st, "{\"match\":{\"method\":\"PUT\",\"query\":\"dryRun=All\"},\"count\":1,\"latencyMs\":1500}");
    boot(st, 1);
    run_s(st, 1);
    page(st, 1, "/readyz?verbose", 500, "not yet known whether the Lease default/handover can be written");
    run_s(st, 3);
    page(st, 1, "/readyz?verbose", 200, "lease-writable");
    assert_false(app_leading(st->in[1].app));
    /* and nothing but the leader's renewals is written */
    fault(st, "{\"match\":{\"method\":\"PUT\",\"query\":\"dryRun=All\"},\"count\":-1,\"status\":403}");
    int64_t before = lease_version(st);
    run_s(st, 20);
    assert_in_range(lease_version(st) - before, 9, 11);
    page(st, 1, "/readyz", 200, "");
    run_s(st, 300); /* the right is taken away: seen by the next dry run */
    page(st, 1, "/readyz?verbose", 500, "cannot be written");
    page(st, 0, "/readyz", 200, "");
    fault(st, "{\"clear\":true}");
    run_s(st, 11); /* and given back */
    page(st, 1, "/readyz", 200, "");
    stage_free(st);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_candidate_that_cannot_write_the_lease_is_not_ready),
        cmocka_unit_test(a_missing_namespace_is_named),
        cmocka_unit_test(a_standby_proves_by_a_dry_run_that_it_could_write),
    };
    return cmocka_run_group_tests_name("app/lifecycle", tests, NULL, NULL);
}
