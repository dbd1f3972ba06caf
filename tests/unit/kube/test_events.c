/* Kubernetes Events: one object counted up, also by a successor; the rate; failures that are only counted. */
#include "../case.h"
#include "../each.h"
#include "base/json.h"
#include "fake.h"
#include "kube/events.h"

struct run {
    bool fenced; /* the lease is not held */
    struct fake *f;
    struct kube_config *c;
    struct kube *k;
    struct metrics *m;
    struct kube_events *e;
    struct buf seen;      /* METHOD count, in order */
    int code;             /* of the answers; 0: none */
    int get_count;        /* of the series of the Event that is read; 0: a body of the test's own, */
    const char *get_body; /* which may be NULL: an Event reported once, by another instance */
    unsigned creates, patches;
    char *url;
    struct buf body;
};

static void answer(struct fake *f, struct fake_req *q) {
    struct run *r = f->user;
    cleanup_json cJSON *o = json_parse(buf_slice(&q->body), NULL);
    bool body = strcmp(q->method, "GET") != 0;
    buf_addf(&r->seen, "%s %d, ", q->method, (int)json_i64(json_obj(o, "series"), "count", body ? 1 : -1));
    r->creates += strcmp(q->method, "POST") == 0;
    r->patches += strcmp(q->method, "PATCH") == 0;
    free(r->url);
    r->url = xstrdup(q->url);
    if (q->body.n) buf_clear(&r->body);
    buf_add(&r->body, buf_slice(&q->body));
    cleanup_free char *series = xasprintf("{\"series\":{\"count\":%d}}", r->get_count);
    const char *read = r->get_count ? series : r->get_body ? r->get_body : "{}";
    if (r->code) fake_answer(q, body ? r->code : 200, read);
}
static bool held(void *ctx) {
    return !((struct run *)ctx)->fenced;
}
static struct run *setup(void) {
    struct run *r = xcalloc(1, sizeof *r);
    r->f = fake_new();
    r->f->user = r;
    r->f->on_request = answer;
    r->code = 201;
    r->m = metrics_new(100);
    buf_init(&r->seen, 1 << 20);
    buf_init(&r->body, 1 << 20);
    struct kube_config_spec s = {.server = "http://api"};
    assert_int_equal(kube_config_load(r->f->a.w, &r->f->log, &s, &r->c, NULL), 0);
    r->k = kube_new(r->f->a.w, r->c, &r->f->log, r->m);
    kube_set_fence(r->k, (struct kube_fence){held, r});
    r->e = kube_events_new(r->k, "handover", "pod-1");
    return r;
}
static void teardown(struct run *r) {
    kube_events_free(r->e);
    kube_free(r->k);
    kube_config_free(r->c);
    fake_free(r->f);
    metrics_free(r->m);
    buf_free(&r->seen);
    buf_free(&r->body);
    free(r->url);
    free(r);
}
static const struct event_ref web = {"apps/v1", "Deployment", "shop", "web", "u1"};
static void tell_of(struct run *r, const struct event_ref *regarding, const char *type, const char *note) {
    kube_event(
        r->e,
        &(struct event_report){
            .regarding = regarding, .type = type, .reason = "Promoted", .action = "Promote", .note = note});
}
static void tell(struct run *r, const char *message) {
    tell_of(r, &web, "Normal", message);
    fake_settle(r->f);
}
static void expect(struct run *r, const char *want) {
    assert_string_equal(buf_str(&r->seen), want);
    buf_clear(&r->seen);
}

#define EVENTS_CASE(name) CASE_OF(struct run, r, setup(), teardown, name)

EVENTS_CASE(one_event_counted_up) {
    simworld_set_wall(r->f->a.w, INT64_C(1790000000) * NS_PER_S - simworld_now(r->f->a.sw));
    tell(r, "v2 \"is\" good");
    cleanup_json cJSON *o = json_parse(buf_slice(&r->body), NULL);
    assert_string_equal(r->url,
                        "http://api/apis/events.k8s.io/v1/namespaces/shop/events?fieldManager=handover");
    assert_string_equal(json_str(o, "note"), "v2 \"is\" good");
    each_of(field,
            "apiVersion=events.k8s.io/v1|reason=Promoted|type=Normal|action=Promote|"
            "eventTime=2026-09-21T14:13:20.000000Z|reportingController=handover|reportingInstance=pod-1|"
            "regarding/kind=Deployment|regarding/apiVersion=apps/v1|regarding/namespace=shop|regarding/"
            "uid=u1") {
        struct slice path, value;
        slice_cut(field, '=', &path, &value);
        cleanup_free char *at = slice_dup(path);
        assert_true(slice_eqs(value, cJSON_GetStringValue(json_at(o, at))));
    }
    /* the API server refuses an Event of this version with one of these */
    each_of(field, "series|related|count|deprecatedCount|deprecatedFirstTimestamp|deprecatedLastTimestamp|"
                   "deprecatedSource") {
        cleanup_free char *member = slice_dup(field);
        assert_null(json_get(o, member));
    }
    const char *name = json_str(json_obj(o, "metadata"), "name");
    assert_int_equal(strlen(name), strlen("web.") + 10);
    fake_run(r->f, 5 * NS_PER_S);
    tell(r, "v2 \"is\" good");
    cleanup_free char *url =
        xasprintf("http://api/apis/events.k8s.io/v1/namespaces/shop/events/%s?fieldManager=handover", name);
    assert_string_equal(r->url, url);
    assert_string_equal(buf_str(&r->body),
                        "{\"series\":{\"count\":2,\"lastObservedTime\":\"2026-09-21T14:13:25.000000Z\"}}");
    tell(r, "another");
    tell(r, "v2 \"is\" good");
    expect(r, "POST 1, PATCH 2, POST 1, PATCH 3, ");
    /* it lives for an hour */
    r->code = 404;
    tell(r, "v2 \"is\" good");
    r->code = 201;
    tell(r, "v2 \"is\" good");
    fake_run(r->f, 60 * NS_PER_S);
    expect(r, "PATCH 4, POST 4, POST 5, "); /* the POST failed too, and is repeated with the next one */
}

/* The predecessor wrote the same Event: the same name, counted on. */
EVENTS_CASE(from_before_us) {
    r->code = 409;
    r->get_count = 41;
    tell(r, "m");
    r->code = 200;
    tell(r, "m");
    expect(r, "POST 1, GET -1, PATCH 42, PATCH 43, ");
}

/* Written by one that did not count, or that has told it only once. */
EVENTS_CASE(from_before_us_reported_once) {
    r->code = 409;
    tell(r, "m");
    expect(r, "POST 1, GET -1, PATCH 2, ");
    r->get_body = "{\"deprecatedCount\":7}";
    tell(r, "another");
    expect(r, "POST 1, GET -1, PATCH 8, ");
}

/* The request was carried out, its answer lost, and it is sent again: the Event that is there is this one. */
EVENTS_CASE(a_repeated_request_is_not_counted) {
    simworld_set_wall(r->f->a.w, INT64_C(1790000000) * NS_PER_S - simworld_now(r->f->a.sw));
    r->code = 409;
    r->get_body = "{\"eventTime\":\"2026-09-21T14:13:20.000000Z\",\"reportingInstance\":\"pod-1\"}";
    tell(r, "m");
    expect(r, "POST 1, GET -1, ");
    r->code = 200;
    tell(r, "m");
    expect(r, "PATCH 2, ");
    /* of the same moment, by another instance */
    r->code = 409;
    r->get_body = "{\"eventTime\":\"2026-09-21T14:13:20.000000Z\",\"reportingInstance\":\"pod-2\"}";
    tell(r, "another");
    expect(r, "POST 1, GET -1, PATCH 2, ");
}

/* Which other object has to do with it is said, and makes no other Event of it. */
EVENTS_CASE(a_related_object) {
    struct event_ref canary = {"apps/v1", "ReplicaSet", "shop", "web-canary-x", "u9"};
    struct event_report what = {&web, &canary, "Normal", "Promoted", "Promote", "m"};
    kube_event(r->e, &what);
    fake_settle(r->f);
    cleanup_json cJSON *o = json_parse(buf_slice(&r->body), NULL);
    assert_string_equal(json_str(json_obj(o, "related"), "name"), "web-canary-x");
    assert_string_equal(json_str(json_obj(o, "related"), "uid"), "u9");
    what.related = NULL;
    kube_event(r->e, &what);
    fake_settle(r->f);
    expect(r, "POST 1, PATCH 2, ");
}

EVENTS_CASE(told_while_writing) {
    r->code = 0;
    tell(r, "m");
    struct fake_req *first = fake_one(r->f);
    tell(r, "m");
    tell(r, "m");
    expect(r, "POST 1, ");
    r->code = 200;
    fake_answer(first, 201, "{}");
    expect(r, "PATCH 3, ");
    /* freed in the middle */
    r->code = 0;
    tell(r, "m");
}

/* A former leader says nothing any more: its successor may have decided otherwise. What could not be sent is counted as
 * dropped, and is in the count of the next one that is sent. */
EVENTS_CASE(no_event_leaves_without_the_lease) {
    tell(r, "m");
    r->fenced = true;
    tell(r, "m");
    tell(r, "another");
    fake_run(r->f, 60 * NS_PER_S);
    expect(r, "POST 1, ");
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(r->m, &page);
    assert_has(buf_str(&page), "\nhandover_events_dropped_total 2\n");
    r->fenced = false;
    tell(r, "m");
    expect(r, "PATCH 3, ");
}

EVENTS_CASE(the_rate_is_limited) {
    for (int i = 0; i < 100; i++) {
        char m[16];
        snprintf(m, sizeof m, "message %d", i);
        tell(r, m);
    }
    assert_int_equal(r->creates, 25);
    assert_true(metric_value(metric_plain(metrics_family(
                    r->m, METRIC_COUNTER, "handover_events_dropped_total", "", "", NULL, 0))) == 75);
    /* others are not affected; what was held back is counted in the next one that is sent */
    struct event_ref other = web;
    other.uid = "u2";
    other.name = "other";
    tell_of(r, &other, "Normal", "m");
    fake_run(r->f, 31 * NS_PER_S);
    assert_int_equal(r->creates, 26);
    buf_clear(&r->seen);
    tell(r, "message 99");
    expect(r, "POST 2, ");
    /* many objects: what is remembered is bounded, and so are the requests at once */
    r->code = 0;
    for (int i = 0; i < 1000; i++) {
        char n[16];
        snprintf(n, sizeof n, "o%d", i);
        other.uid = other.name = n;
        tell_of(r, &other, "Normal", "m");
    }
    fake_settle(r->f);
    assert_true(fake_open(r->f) <= 32);
}

/* More busy objects than are remembered, two after the other, share what there is; two alone share nothing. */
CASE(the_rate_of_each_object) {
    for (int objects = 2; objects <= 600; objects += 598) {
        struct run *r = setup();
        for (int i = 0; i < 60 * objects; i++) {
            char name[16], m[16];
            snprintf(name, sizeof name, "o%d", i % objects);
            snprintf(m, sizeof m, "message %d", i);
            struct event_ref about = {"v1", "Pod", "n", name, name};
            tell_of(r, &about, "Normal", m);
            fake_settle(r->f);
        }
        assert_true(objects == 2 ? r->creates == 2 * 25 : r->creates <= 256 * 25);
        teardown(r);
    }
}

EVENTS_CASE(failures_are_quiet) {
    r->code = 403;
    tell(r, "m");
    fake_run(r->f, 60 * NS_PER_S);
    assert_lacks(buf_str(&r->f->lines), "WARN");
    assert_has(buf_str(&r->f->lines), "event not written");
    r->code = 201;
    tell(r, "m");
    expect(r, "POST 1, POST 2, ");
}

EVENTS_CASE(odd_names_and_messages) {
    char long_name[254], message[3000];
    memset(long_name, 'a', 253);
    long_name[253] = '\0';
    for (size_t i = 0; i + 1 < sizeof message; i += 2) memcpy(message + i, "\xc3\xa9", 2);
    message[sizeof message - 2] = '\0';
    struct event_ref about = {"v1", "Node", NULL, long_name, NULL};
    tell_of(r, &about, "Warning", message);
    fake_settle(r->f);
    cleanup_json cJSON *o = json_parse(buf_slice(&r->body), NULL);
    assert_string_equal(r->url,
                        "http://api/apis/events.k8s.io/v1/namespaces/default/events?fieldManager=handover");
    assert_true(strlen(json_str(json_obj(o, "metadata"), "name")) <= 253);
    assert_null(json_str(json_obj(o, "regarding"), "namespace"));
    assert_int_equal(strlen(json_str(o, "note")), 1024);
    about.name = "system:node";
    tell_of(r, &about, "Warning", "x\xff\n");
    fake_settle(r->f);
    cleanup_json cJSON *p = json_parse(buf_slice(&r->body), NULL);
    assert_true(slice_starts(slice_of(json_str(json_obj(p, "metadata"), "name")), SL("object.")));
    kube_events_free(NULL);
}

/* More than the API server takes of it. */
EVENTS_CASE(a_long_instance) {
    char pod[254];
    memset(pod, 'p', 253);
    pod[253] = '\0';
    kube_events_free(r->e);
    r->e = kube_events_new(r->k, "handover", pod);
    tell(r, "m");
    cleanup_json cJSON *o = json_parse(buf_slice(&r->body), NULL);
    assert_int_equal(strlen(json_str(o, "reportingInstance")), 128);
}

CASES("kube/events")
