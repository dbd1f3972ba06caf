/* A day of churn in the simulated world: EVENTS changes (1,000,000) of 1000 ConfigMaps on the embedded API server, each hundredth
 * with a fault (the watch is cut, its history is gone, the next requests are answered with 500, a watch brings a line that is no
 * JSON). In the end the informer's store has to be what the server holds, and the heap of the process (the server's is in it) within
 * 10 % of what it was after a tenth of the events. Prints "NAME VALUE UNIT"; ends with 1 where that is missed.
 * Usage: bench_informer_churn [EVENTS [SEED]] */
#include "api/meta.h"
#include "base/rand.h"
#include "kube/informer.h"
#include "simworld/simworld.h"
#include <malloc.h>
#include <stdio.h>
#include <time.h>

enum { OBJECTS = 1000 };

struct churn {
    struct simworld *sw;
    struct sim *sim;
    struct informer *inf;
    struct rng rng;
    uint64_t changes, troubles, faults;
};

static void ignore_head(void *ctx, int status, const char *type, int retry_after_s) {
    (void)type, (void)retry_after_s;
    *(int *)ctx = status;
}
static void ignore_body(void *ctx, struct slice data) {
    (void)ctx, (void)data;
}
static void ignore_end(void *ctx, bool cut) {
    (void)ctx, (void)cut;
}

static int request(struct churn *c, const char *method, const char *target, const char *body) {
    static const struct sim_cb cb = {.head = ignore_head, .body = ignore_body, .end = ignore_end};
    int status = 0;
    struct sim_request q = {.method = slice_of(method),
                            .target = slice_of(target),
                            .content_type = SL("application/json"),
                            .user_agent = SL("churn"),
                            .body = slice_of(body)};
    sim_advance(c->sim, simworld_now(c->sw));
    sim_handle(c->sim, &q, &cb, &status);
    return status;
}

/* A tenth are deletions, whose objects come back with a later change. */
static void change_one(struct churn *c) {
    const char *all = "/api/v1/namespaces/default/configmaps";
    char one[96], body[256];
    int i = (int)rng_below(&c->rng, OBJECTS);
    snprintf(one, sizeof one, "%s/c%d", all, i);
    snprintf(body, sizeof body,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c%d\"},\"data\":{\"x\":"
             "\"%016llx\"}}",
             i, (unsigned long long)rng_next(&c->rng));
    if (rng_below(&c->rng, 10) == 0 && request(c, "DELETE", one, "") < 300) return;
    if (request(c, "PUT", one, body) >= 300) request(c, "POST", all, body);
}

static void fault(struct churn *c) {
    static const char *const plans[] = {
        NULL, /* cut */
        NULL, /* gone */
        "{\"match\":{\"path\":\"*configmaps\",\"userAgent\":\"handover*\"},\"count\":2,\"status\":500}",
        "{\"match\":{\"path\":\"*configmaps\",\"query\":\"watch=\"},\"count\":1,\"status\":200,\"body\":"
        "\"{\\\"type\\\":\\\"MODIFIED\\\",\\\"object\\\":{\\\"metadata\\\":{\\\"name\\\":}}}\\n\"}",
        "{\"match\":{\"path\":\"*configmaps\",\"query\":\"watch=\"},\"count\":1,\"cutAfterBytes\":900}",
    };
    struct err err = {0};
    uint64_t which = rng_below(&c->rng, ARRAY_LEN(plans));
    c->faults++;
    if (plans[which]) {
        sim_fault(c->sim, SL("{\"clear\":true}"), &err); /* one that has not been met yet */
        if (sim_fault(c->sim, slice_of(plans[which]), &err) < 0) {
            fprintf(stderr, "churn: %s\n", err.msg);
            exit(1);
        }
    }
    if (which == 1) {
        sim_advance(c->sim, simworld_now(c->sw));
        sim_compact(c->sim);
    } else {
        simworld_reset(c->sw, "*", "api");
    }
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    (void)old, (void)now, (void)initial;
    ((struct churn *)ctx)->changes++;
}
static void on_trouble(void *ctx, const struct err *err) {
    (void)err;
    ((struct churn *)ctx)->troubles++;
}

static const char *text(const cJSON *obj, const char *key) {
    return json_str_or(json_get(obj, "data"), key, "");
}

static size_t differences(struct churn *c) {
    size_t wrong = 0, there = 0;
    for (int i = 0; i < OBJECTS; i++) {
        char name[16];
        cleanup_buf struct buf b = BUF(1 << 20);
        snprintf(name, sizeof name, "c%d", i);
        bool here = sim_peek(c->sim, "configmaps", "default", name, &b) == 0;
        cleanup_json cJSON *o = here ? json_parse(buf_slice(&b), NULL) : NULL;
        const struct store_rec *r = store_get(informer_store(c->inf), SL("default"), slice_of(name));
        cleanup_json cJSON *kept = r ? json_parse(r->raw, NULL) : NULL;
        wrong +=
            strcmp(here ? obj_rv(o) : "", r ? r->rv : "") != 0 || strcmp(text(o, "x"), text(kept, "x")) != 0;
        there += here;
    }
    size_t n = store_len(informer_store(c->inf));
    return wrong + (n > there ? n - there : there - n);
}

static double heap_kib(void) {
    return (double)mallinfo2().uordblks / 1024;
}
static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    int64_t events = 1000000, seed = 1;
    if (argc > 1 && (slice_i64(slice_of(argv[1]), &events) < 0 || events < 1000)) return 2;
    if (argc > 2 && slice_i64(slice_of(argv[2]), &seed) < 0) return 2;
    struct churn c = {.sw = simworld_new((uint64_t)seed), .rng = {.s = (uint64_t)seed}};
    /* The history is short, so that its own growth is over long before the first tenth. */
    c.sim =
        sim_new(&(struct sim_config){.seed = (uint64_t)seed, .wall_ns = simworld_now(c.sw), .history = 1000});
    simworld_server(c.sw, "api", "http://api.sim", c.sim);
    struct world *w = simworld_host(c.sw, "operator", NULL);
    struct kube_config *config = NULL;
    struct err err = {0};
    const struct kube_config_spec where = {.server = "http://api.sim"};
    const struct informer_spec spec = {
        .gvr = &gvr_configmaps, .ns = SL("default"), .name = "configmaps", .store = {.keep_raw = true}};
    static const struct informer_cb cb = {on_change, NULL, on_trouble};
    if (kube_config_load(w, NULL, &where, &config, &err) < 0) goto failed;
    struct kube *k = kube_new(w, config, NULL, NULL);
    if (informer_new(k, &spec, &cb, &c, &c.inf, &err) < 0) goto failed;
    for (int i = 0; i < 4 * OBJECTS; i++) change_one(&c);
    informer_start(c.inf);
    const int64_t step = 24 * 3600 * NS_PER_S / events;
    double tenth = 0, began = cpu_s();
    for (int64_t i = 0; i < events; i++) {
        change_one(&c);
        if (rng_below(&c.rng, 100) == 0) fault(&c);
        simworld_run(c.sw, step);
        if (i + 1 == events / 10) tenth = heap_kib();
    }
    double whole = heap_kib(), cpu = cpu_s() - began;
    sim_fault(c.sim, SL("{\"clear\":true}"), &err);
    simworld_run(c.sw, 1200 * NS_PER_S); /* a list that finds what a bad line hid waits up to 15 minutes */
    change_one(&c);
    simworld_run(c.sw, 5 * NS_PER_S);
    size_t wrong = differences(&c);
    printf("churn_events %lld events\nchurn_faults %llu faults\nchurn_handler_calls %llu calls\n"
           "churn_troubles %llu reports\nchurn_cpu %.1f s\nchurn_differences %zu objects\n"
           "churn_heap_tenth %.0f KiB\nchurn_heap_end %.0f KiB\nchurn_heap_growth %.1f %%\n",
           (long long)events, (unsigned long long)c.faults, (unsigned long long)c.changes,
           (unsigned long long)c.troubles, cpu, wrong, tenth, whole, (whole / tenth - 1) * 100);
    informer_free(c.inf);
    kube_free(k);
    kube_config_free(config);
    simworld_kill(w);
    simworld_free(c.sw);
    sim_free(c.sim);
    if (wrong) fprintf(stderr, "churn: %zu objects of the store are not the server's\n", wrong);
    bool flat = whole < tenth * 1.1 && whole > tenth * 0.9;
    if (!flat) fprintf(stderr, "churn: the heap went from %.0f to %.0f KiB\n", tenth, whole);
    return wrong || !flat;
failed:
    fprintf(stderr, "churn: %s\n", err.msg);
    return 1;
}
