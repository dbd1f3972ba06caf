/* Kubernetes Events; see kube/events.h. An Event's name is made of what it says, so that a successor of this
 * process counts up the same Event. */
#include "kube/events.h"
#include "api/rfc3339.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/utf8.h"
#include <errno.h>

enum {
    ENTRIES = 256, /* remembered; one that was forgotten costs two requests more */
    OPEN = 32,     /* requests at once */
    BURST = 25,    /* Events of one object at once, as client-go's spam filter; */
    REFILL_S = 30, /* then one in so many seconds */
    OBJECTS = 256,
    NOTE = 1024,
    INSTANCE = 128, /* of reportingInstance, as the API server allows it */
    NAME_MAX_LEN = 253,
};

struct entry {
    struct list node;
    struct kube_events *e;
    struct kube_op *op;
    char *ns, *name,
        *about;         /* about: the members that name the objects and say what happened, as JSON text */
    int64_t count, now; /* written, or being written; told since */
    int64_t first_ns, last_ns;
    bool exists, due;
};
struct object { /* whose rate is limited */
    uint64_t hash;
    double tokens;
    int64_t at_ns;
};
struct kube_events {
    struct kube *k;
    char *component, *instance;
    struct list entries; /* the one used last stands last */
    size_t n, open;
    struct object objects[OBJECTS];
    struct metric *dropped;
};

static void flush(struct kube_events *e);

struct kube_events *kube_events_new(struct kube *k, const char *component, const char *instance) {
    struct kube_events *e = xcalloc(1, sizeof *e);
    e->k = k;
    e->component = xstrdup(component);
    e->instance = slice_dup(utf8_cut(slice_of(instance), INSTANCE));
    list_init(&e->entries);
    struct metrics *m = kube_metrics(k);
    if (m) {
        e->dropped = metric_plain(metrics_family(
            m, METRIC_COUNTER, "handover_events_dropped_total",
            "Kubernetes Events that were not written, for their rate or since the write failed", "", NULL,
            0));
    }
    return e;
}

static void entry_free(struct entry *x) {
    list_remove(&x->node);
    x->e->n--;
    if (x->op) x->e->open--;
    kube_cancel(x->op);
    free(x->ns);
    free(x->name);
    free(x->about);
    free(x);
}

void kube_events_free(struct kube_events *e) {
    if (!e) return;
    list_each_safe(it, tmp, &e->entries) entry_free(container_of(it, struct entry, node));
    free(e->component);
    free(e->instance);
    free(e);
}

/* ---- writing ---- */

static void add_member(struct buf *b, const char *key, const char *value) {
    if (!value || !value[0]) return;
    buf_addf(b, "%s\"%s\":", b->p[b->n - 1] == '{' ? "" : ",", key);
    buf_add_json(b, slice_of(value));
}

/* What could not be written is part of the count that is written next. */
static void done(struct entry *x, const struct err *err) {
    if (err) {
        LOG_EVENT(kube_log(x->e->k), LOG_DEBUG, "EventWriteFailed", "event not written",
                  LF_STR("name", x->name), LF_ERR(err));
        if (x->e->dropped) metric_inc(x->e->dropped);
    }
    flush(x->e);
}

static void on_created(void *ctx, const struct err *err, struct slice raw);
static void on_read(void *ctx, const struct err *err, struct slice raw);
static void on_counted(void *ctx, const struct err *err, struct slice raw);

static void call(struct entry *x, enum kube_verb verb, struct slice body, kube_done fn) {
    struct kube_spec s = {.verb = verb,
                          .ref = {.gvr = &gvr_events, .ns = slice_of(x->ns)},
                          .body = body,
                          .lane = LANE_CALL,
                          .body_cap = 256 << 10};
    if (verb != KUBE_CREATE) s.ref.name = slice_of(x->name);
    x->e->open++;
    x->op = kube_call(x->e->k, &s, fn, x);
}

static struct entry *answered(void *ctx) {
    struct entry *x = ctx;
    x->op = NULL;
    x->e->open--;
    return x;
}

/* The fields deprecatedCount, deprecatedLastTimestamp and so on are not ours to set: the API server refuses them. */
static void add_series(const struct entry *x, struct buf *out) {
    char last[40];
    rfc3339_micro(x->last_ns, last);
    buf_addf(out, "\"series\":{\"count\":%lld,\"lastObservedTime\":\"%s\"}", (long long)x->count, last);
}

static void take_told(struct entry *x) {
    x->due = false;
    x->count += x->now;
    x->now = 0;
}

static void create(struct entry *x) {
    struct buf b = BUF(64 << 10);
    char first[40];
    rfc3339_micro(x->first_ns, first);
    take_told(x);
    buf_adds(&b, "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{");
    add_member(&b, "name", x->name);
    add_member(&b, "namespace", x->ns);
    buf_addf(&b, "},%s,\"eventTime\":\"%s\"", x->about, first);
    add_member(&b, "reportingController", x->e->component);
    add_member(&b, "reportingInstance", x->e->instance);
    if (x->count > 1) {
        buf_addc(&b, ',');
        add_series(x, &b);
    }
    buf_addc(&b, '}');
    call(x, KUBE_CREATE, buf_slice(&b), on_created);
    buf_free(&b);
}

static void count_up(struct entry *x) {
    struct buf b = BUF(1024);
    take_told(x);
    buf_addc(&b, '{');
    add_series(x, &b);
    buf_addc(&b, '}');
    call(x, KUBE_PATCH_MERGE, buf_slice(&b), on_counted);
    buf_free(&b);
}

static void on_created(void *ctx, const struct err *err, struct slice raw) {
    struct entry *x = answered(ctx);
    (void)raw;
    if (err && err->kind == ERR_CONFLICT) { /* from before us */
        call(x, KUBE_GET, (struct slice){0}, on_read);
        return;
    }
    x->exists = !err;
    done(x, err);
}

/* Ours: it was created, and the answer was lost. */
static bool is_ours(const struct entry *x, const cJSON *obj) {
    char first[40];
    rfc3339_micro(x->first_ns, first);
    return strcmp(json_str_or(obj, "reportingInstance", ""), x->e->instance) == 0 &&
           strcmp(json_str_or(obj, "eventTime", ""), first) == 0;
}

static void on_read(void *ctx, const struct err *err, struct slice raw) {
    struct entry *x = answered(ctx);
    cleanup_json cJSON *obj = err ? NULL : json_parse(raw, NULL);
    if (!obj) {
        done(x, err);
        return;
    }
    int64_t before = json_i64(json_obj(obj, "series"), "count", json_i64(obj, "deprecatedCount", 1));
    if (before < 1 || before > INT64_C(1000000000)) before = 1;
    x->exists = true;
    x->now += is_ours(x, obj) ? x->count - before : x->count;
    x->count = before;
    if (x->now > 0)
        count_up(x);
    else
        done(x, NULL);
}

static void on_counted(void *ctx, const struct err *err, struct slice raw) {
    struct entry *x = answered(ctx);
    (void)raw;
    if (err && err->kind == ERR_NOTFOUND) { /* it lived for an hour, as Events do */
        x->exists = false;
        x->first_ns = x->last_ns;
        create(x);
        return;
    }
    done(x, err);
}

static void write_entry(struct entry *x) {
    if (x->exists) {
        count_up(x);
    } else {
        create(x);
    }
}

static void flush(struct kube_events *e) {
    list_each_safe(it, tmp, &e->entries) {
        struct entry *x = container_of(it, struct entry, node);
        if (e->open >= OPEN) return;
        if (x->due && !x->op) write_entry(x);
    }
}

/* ---- what is reported ---- */

/* A bucket per object. One that is not in the table takes the place of the object with the most tokens, and its
 * tokens with it: full ones, unless more than OBJECTS objects are busy at once, which then share what there is. */
static struct object *bucket_of(struct kube_events *e, uint64_t hash, int64_t now) {
    struct object *most = NULL;
    for (size_t i = 0; i < OBJECTS; i++) {
        struct object *o = &e->objects[i];
        if (!o->hash) *o = (struct object){0, BURST, now};
        o->tokens += (double)(now - o->at_ns) / (double)(REFILL_S * NS_PER_S);
        if (o->tokens > BURST) o->tokens = BURST;
        o->at_ns = now;
        if (o->hash == hash) return o;
        if (!most || o->tokens > most->tokens) most = o;
    }
    most->hash = hash;
    return most;
}

static bool within_rate(struct kube_events *e, const struct event_ref *about) {
    uint64_t h = slice_hash(slice_of(about->uid),
                            slice_hash(slice_of(about->name), slice_hash(slice_of(about->ns), 1)));
    struct object *o = bucket_of(e, h ? h : 1, world_boot_ns(kube_world(e->k)));
    if (o->tokens < 1) return false;
    o->tokens--;
    return true;
}

static char *name_of(const struct event_ref *about, struct slice identity) {
    char hash[11];
    hash_name(identity, hash);
    struct slice base = slice_of(about->name);
    size_t room = NAME_MAX_LEN - 1 - (sizeof hash - 1);
    if (base.n > room) base.n = room;
    while (base.n && (base.p[base.n - 1] == '.' || base.p[base.n - 1] == '-')) base.n--;
    if (!name_is_dns_subdomain(base)) base = SL("object");
    return xasprintf("%.*s.%s", SLF(base), hash);
}

static void add_ref(struct buf *b, const char *key, const struct event_ref *r) {
    buf_addf(b, "\"%s\":{", key);
    add_member(b, "apiVersion", r->api_version);
    add_member(b, "kind", r->kind);
    add_member(b, "namespace", r->ns);
    add_member(b, "name", r->name);
    add_member(b, "uid", r->uid);
    buf_addc(b, '}');
}

/* What makes it the same Event when it is reported again. */
static void add_identity(struct buf *b, const struct event_report *what) {
    add_ref(b, "regarding", what->regarding);
    add_member(b, "type", what->type);
    add_member(b, "reason", what->reason);
    buf_adds(b, ",\"note\":");
    buf_add_json(b, utf8_cut(slice_of(what->note), NOTE));
}

static char *about_of(const struct event_report *what, struct slice identity) {
    struct buf b = BUF(64 << 10);
    buf_add(&b, identity);
    add_member(&b, "action", what->action);
    if (what->related) {
        buf_addc(&b, ',');
        add_ref(&b, "related", what->related);
    }
    return buf_take(&b);
}

static struct entry *find(struct kube_events *e, const char *ns, const char *name) {
    list_each(it, &e->entries) {
        struct entry *x = container_of(it, struct entry, node);
        if (strcmp(x->name, name) == 0 && strcmp(x->ns, ns) == 0) return x;
    }
    return NULL;
}

/* Room for one more: the one that was not used for longest goes, unless it is being written. */
static bool make_room(struct kube_events *e) {
    list_each_safe(it, tmp, &e->entries) {
        if (e->n < ENTRIES) break;
        struct entry *x = container_of(it, struct entry, node);
        if (!x->op && !x->due) entry_free(x);
    }
    return e->n < ENTRIES;
}

void kube_event(struct kube_events *e, const struct event_report *what) {
    const struct event_ref *about = what->regarding;
    const char *ns = about->ns && about->ns[0] ? about->ns : "default";
    cleanup_buf struct buf same = BUF(64 << 10);
    add_identity(&same, what);
    cleanup_free char *identity = xasprintf("%s\n%s", e->component, buf_str(&same)),
                      *name = name_of(about, slice_of(identity)), *text = NULL;
    int64_t now = world_wall_ns(kube_world(e->k));
    struct entry *x = find(e, ns, name);
    if (!x && make_room(e)) {
        x = xcalloc(1, sizeof *x);
        text = about_of(what, buf_slice(&same));
        *x = (struct entry){.e = e, .ns = xstrdup(ns), .name = name, .about = text, .first_ns = now};
        name = text = NULL;
        list_push(&e->entries, &x->node);
        e->n++;
    }
    if (!x) {
        if (e->dropped) metric_inc(e->dropped);
        return;
    }
    list_remove(&x->node);
    list_push(&e->entries, &x->node);
    x->now++;
    x->last_ns = now;
    if (!within_rate(e, about)) { /* counted in the next one that is sent */
        if (e->dropped) metric_inc(e->dropped);
        return;
    }
    x->due = true;
    flush(e);
}
