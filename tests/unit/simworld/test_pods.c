/* Pods whose containers are processes of the simulated world: start, readiness, signals, death and its
 * report. */
#include "helper.h"
#include <signal.h>

enum { MAX = 16 };

struct proc_ {
    struct world *w;
    struct http_listener *l;
    bool ready, stubborn;
    int terms;
    char name[64], ns[32];
};
struct crew {
    struct field f;
    struct proc_ *live[MAX];
    int started, destroyed;
    bool stubborn;
};

static void on_health(void *ctx, struct http_exchange *x) {
    struct proc_ *p = ctx;
    http_reply(x, p->ready ? 200 : 503, "text/plain", SL(""));
}
static void on_term(void *ctx) {
    struct proc_ *p = ctx;
    p->terms++;
    if (!p->stubborn) simworld_exit(p->w, 0);
}

static void *begin(void *ctx, struct world *w) {
    struct crew *c = ctx;
    struct proc_ *p = xcalloc(1, sizeof *p);
    p->w = w;
    p->ready = true;
    p->stubborn = c->stubborn;
    (void)snprintf(p->name, sizeof p->name, "%s", world_getenv(w, "POD_NAME"));
    cleanup_buf struct buf b = BUF(100);
    assert_int_equal(
        world_read_file(w, "/var/run/secrets/kubernetes.io/serviceaccount/namespace", 100, &b, NULL), 0);
    (void)snprintf(p->ns, sizeof p->ns, "%s", buf_str(&b));
    assert_int_equal(world_on_signal(w, SIGTERM, on_term, p), 0);
    assert_int_equal(http_listen(w, ":8080", NULL, on_health, p, &p->l, NULL), 0);
    cleanup_free char *id = xasprintf("%s was here", p->name);
    assert_int_equal(world_write_file(w, "/dev/termination-log", slice_of(id), NULL), 0);
    c->live[c->started++ % MAX] = p;
    return p;
}
static void destroy(void *ctx, void *instance) {
    struct crew *c = ctx;
    struct proc_ *p = instance;
    c->destroyed++;
    http_listener_close(p->l);
    for (int i = 0; i < MAX; i++)
        if (c->live[i] == p) c->live[i] = NULL;
    free(p);
}

static struct crew *crew_new(uint64_t seed) {
    struct crew *c = xcalloc(1, sizeof *c);
    c->f = field_new(seed);
    simworld_pods(c->f.sw, "api", &(struct simprogram){begin, destroy, c});
    scripted(c->f.api, "{'image':'me','external':true}");
    return c;
}
static void crew_free(struct crew *c) {
    field_free(&c->f);
    assert_int_equal(c->started, c->destroyed);
    free(c);
}

#define CREW_CASE(seed, name) CASE_OF(struct crew, c, crew_new(seed), crew_free, name)

static void make(struct crew *c, const char *name) {
    cleanup_free char *body = xasprintf(
        "{'metadata':{'name':'%s'},'spec':{'terminationGracePeriodSeconds':5,'containers':[{'name':'m',"
        "'image':'me','ports':[{'name':'http','containerPort':8080}],"
        "'readinessProbe':{'httpGet':{'port':'http','path':'/r'},'periodSeconds':1,'failureThreshold':1},"
        "'env':[{'name':'POD_NAME','valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}},"
        "{'name':'X','value':'1'}]}]}}",
        name);
    create(c->f.sw, "/api/v1/namespaces/default/pods", body);
    simworld_run(c->f.sw, 3 * NS_PER_S);
}

static cJSON *pod(struct crew *c, const char *name) {
    cleanup_buf struct buf b = BUF(1 << 20);
    if (sim_peek(c->f.api, "pods", "default", name, &b) < 0) return NULL;
    return json_parse(buf_slice(&b), NULL);
}
static const cJSON *status_of(const cJSON *p) {
    return json_at(p, "status/containerStatuses")->child;
}
static const cJSON *terminated(const cJSON *p) {
    const cJSON *now = json_at(status_of(p), "state/terminated");
    return now ? now : json_at(status_of(p), "lastState/terminated");
}
static bool ready(struct crew *c, const char *name) {
    cleanup_json cJSON *p = pod(c, name);
    return p && json_bool(status_of(p), "ready", false);
}
static void del(struct crew *c, const char *name, const char *options) {
    cleanup_free char *url = xasprintf(API "/api/v1/namespaces/default/pods/%s", name);
    assert_int_equal(simworld_request(c->f.sw, "DELETE", url, "application/json", slice_of(options), NULL),
                     200);
}

CREW_CASE(1, starts_and_is_probed) {
    make(c, "p");
    assert_int_equal(c->started, 1);
    assert_string_equal(c->live[0]->name, "p");
    assert_string_equal(c->live[0]->ns, "default");
    struct world *w = simworld_pod_world(c->f.sw, "default", "p", NULL);
    assert_ptr_equal(w, c->live[0]->w);
    assert_ptr_equal(simworld_pod_instance(w), c->live[0]);
    assert_string_equal(world_getenv(w, "X"), "1");
    assert_string_equal(world_getenv(w, "KUBERNETES_SERVICE_HOST"), "api.sim");
    assert_string_equal(world_getenv(w, "KUBERNETES_SERVICE_PORT"), "6443");
    cleanup_json cJSON *p = pod(c, "p");
    assert_string_equal(simworld_ip(w), json_str(json_get(p, "status"), "podIP"));
    assert_true(ready(c, "p"));
    c->live[0]->ready = false;
    simworld_run(c->f.sw, 2 * NS_PER_S);
    assert_false(ready(c, "p"));
}

CREW_CASE(2, deletion_stops_it) {
    make(c, "p");
    del(c, "p", "");
    simworld_run(c->f.sw, 3 * NS_PER_S);
    assert_int_equal(c->destroyed, 1);
    assert_null(pod(c, "p"));
    c->stubborn = true;
    make(c, "q");
    del(c, "q", "");
    simworld_run(c->f.sw, 4900 * MS);
    assert_int_equal(c->destroyed, 1);
    simworld_run(c->f.sw, 50 * MS); /* the grace ended: killed, not yet reported */
    assert_int_equal(c->destroyed, 1);
    while (c->destroyed == 1) assert_true(simworld_step(c->f.sw));
    simworld_run(c->f.sw, 50 * MS);
    cleanup_json cJSON *q = pod(c, "q");
    assert_non_null(json_at(status_of(q), "state/running"));
    simworld_run(c->f.sw, 1010 * MS);
    assert_null(pod(c, "q"));
}

CREW_CASE(3, death_is_reported_with_its_message) {
    make(c, "p");
    simworld_signal(c->live[0]->w, SIGKILL);
    simworld_run(c->f.sw, 50 * MS);
    assert_int_equal(c->destroyed, 1);
    cleanup_json cJSON *before = pod(c, "p");
    assert_non_null(json_at(status_of(before), "state/running"));
    simworld_run(c->f.sw, 1010 * MS);
    cleanup_json cJSON *after = pod(c, "p");
    assert_int_equal(json_i64(terminated(after), "exitCode", 0), 137);
    assert_string_equal(json_str(terminated(after), "message"), "p was here");
    simworld_run(c->f.sw, 3 * NS_PER_S);
    assert_int_equal(c->started, 2); /* and it is started again */
    assert_true(ready(c, "p"));
    simworld_exit(simworld_pod_world(c->f.sw, "default", "p", "m"), 3);
    simworld_run(c->f.sw, 1100 * MS);
    cleanup_json cJSON *third = pod(c, "p");
    assert_int_equal(json_i64(terminated(third), "exitCode", 0), 3);
}

/* Force delete: the object is gone at once, the process lives on for a moment. */
CREW_CASE(4, forced_ones_outlive_their_object) {
    c->stubborn = true;
    make(c, "p");
    del(c, "p", "{\"gracePeriodSeconds\":0}");
    assert_null(pod(c, "p"));
    simworld_run(c->f.sw, NS_PER_S);
    assert_int_equal(c->destroyed, 0);
    assert_int_equal(c->live[0]->terms, 1);
    simworld_run(c->f.sw, 2 * NS_PER_S);
    assert_int_equal(c->destroyed, 1);
    make(c, "p"); /* the same name again */
    assert_int_equal(c->started, 2);
    assert_true(ready(c, "p"));
}

CREW_CASE(5, a_name_may_come_again) {
    for (int i = 1; i <= 3; i++) {
        make(c, "p");
        assert_int_equal(c->started, i);
        assert_true(ready(c, "p"));
        del(c, "p", "");
        simworld_run(c->f.sw, 3 * NS_PER_S);
    }
}

CASES("simworld/pods")
