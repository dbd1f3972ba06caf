/* What an informer does with the items of a list and the events of a watch. */
#include "api/status.h"
#include "base/json_raw.h"
#include "informer_impl.h"
#include "object_peek.h"
#include "retry.h"
#include <errno.h>

/* The server cannot be reached, is another one, or does not accept our credentials: the same for all informers,
 * of which one reports it. */
static bool reported_by_another(struct informer *inf, const struct err *err) {
    static const int64_t for_ns = 60 * NS_PER_S;
    struct kube *k = inf->k;
    int64_t now = world_boot_ns(k->w);
    if (err->kind != ERR_TRANSPORT && err->kind != ERR_TLS && err->kind != ERR_AUTH) return false;
    if (k->outage.kind == err->kind && k->outage.by != inf && now - k->outage.at_ns < for_ns) return true;
    k->outage.kind = err->kind;
    k->outage.at_ns = now;
    k->outage.by = inf;
    return false;
}

void informer_report(struct informer *inf, const struct err *err) {
    unsigned times = log_dedup_due(&inf->reported, err->msg);
    if (times && !reported_by_another(inf, err)) {
        LOG_EVENT(inf->k->log, LOG_WARN, "ListWatchFailed", "list or watch failed; retrying",
                  LF_STR("informer", inf->name), LF_ERR(err), LF_INT("times", times));
    }
    if (inf->cb.trouble) inf->cb.trouble(inf->ctx, err);
}

void informer_works(struct informer *inf) {
    if (log_dedup_reset(&inf->reported)) {
        LOG_EVENT(inf->k->log, LOG_INFO, "ListWatchRecovered", "list and watch work again",
                  LF_STR("informer", inf->name));
    }
}

void informer_restarted(struct informer *inf, const char *reason) {
    if (inf->restarts) metric_inc(metric_with(inf->restarts, (const char *[]){inf->name, reason}));
}

/* ---- objects ---- */

void informer_changed(void *ctx, const struct store_rec *old, const struct store_rec *now) {
    struct informer *inf = ctx;
    struct metric *m = !old ? inf->added : !now ? inf->deleted : inf->updated;
    if (m) metric_inc(m);
    if (inf->freed) return;
    inf->changing = true;
    inf->cb.change(inf->ctx, old, now, inf->initial);
    inf->changing = false;
}

void informer_count(struct informer *inf) {
    double n = (double)store_len(inf->store);
    if (!inf->objects) return;
    metric_add(inf->objects, n - inf->counted); /* informers of the same name add up */
    inf->counted = n;
}

void informer_set_full(struct informer *inf, bool full) {
    size_t n = store_len(inf->store), max = inf->spec.max_objects;
    if (full && !inf->full) {
        LOG_EVENT(inf->k->log, LOG_ERROR, "InformerCacheFull",
                  "the cache is full, further objects are missing in it", LF_STR("informer", inf->name),
                  LF_INT("objects", max));
    } else if (!full && inf->full) {
        LOG_EVENT(inf->k->log, LOG_INFO, "InformerCacheComplete",
                  "no object is missing in the cache any more", LF_STR("informer", inf->name),
                  LF_INT("objects", n));
    }
    if (inf->fulls) metric_add(inf->fulls, (double)full - (double)inf->full);
    inf->full = full;
    if (full && n < max && n <= max - max / 10) informer_relist_soon(inf); /* there is room for them */
}

void informer_behind(struct informer *inf, const char *listed) {
    informer_restarted(inf, "behind");
    LOG_EVENT(inf->k->log, LOG_WARN, "InformerServerBehind",
              "the server's resourceVersion is behind what was seen; the cache is replaced",
              LF_STR("informer", inf->name), LF_STR("seen", reflector_version(&inf->reflector)),
              LF_STR("listed", listed));
}

static int put(struct informer *inf, struct slice raw, const cJSON *obj, bool ours, struct err *err) {
    bool room = store_len(inf->store) < inf->spec.max_objects;
    if (!room && !store_get(inf->store, slice_of(obj_ns(obj)), slice_of(obj_name(obj)))) {
        inf->dropped++;
        informer_set_full(inf, true);
        return 0;
    }
    int r = (ours ? store_wrote : store_put)(inf->store, raw, obj, informer_changed, inf, err);
    informer_count(inf);
    return r;
}

static bool of_our_kind(const struct informer *inf, const cJSON *obj) {
    const char *kind = json_str(obj, "kind");
    return !kind || strcmp(kind, inf->spec.gvr->kind) == 0 || strcmp(kind, "PartialObjectMetadata") == 0;
}

int informer_listed(struct informer *inf, struct slice text, struct err *err) {
    struct object_peek it = object_peek(text);
    if (store_touch(inf->store, it.ns, it.name, it.rv)) return 0; /* known: need not be parsed */
    cleanup_json cJSON *obj = object_peek_parse(text, &it, &inf->scratch, err);
    if (obj && !of_our_kind(inf, obj))
        err_set(err, ERR_PROTOCOL, -EPROTO, "an object of another kind");
    else if (obj && put(inf, text, obj, false, err) == 0)
        return 0;
    return err_wrap(err, "%s: an item of the list", inf->what);
}

/* ---- events ---- */

void informer_broken(struct informer *inf, const char *why) {
    struct err e;
    err_set(&e, ERR_PROTOCOL, -EPROTO, "%s: an event cannot be read (%s); the list is read anew soon",
            inf->what, why);
    informer_relist_soon(inf);
    informer_restarted(inf, "broken_event");
    informer_report(inf, &e);
}

static int on_error_event(struct informer *inf, const cJSON *obj, struct slice raw, struct err *err) {
    int64_t code = json_i64(obj, "code", 500);
    int r = status_to_err(code >= 400 && code < 600 ? (int)code : 500, raw, inf->what, err);
    retry_cap_after(err);
    return r;
}

static void on_object(struct informer *inf, struct slice type, const cJSON *obj, struct slice raw) {
    struct err e = {0};
    if (!of_our_kind(inf, obj)) {
        informer_broken(inf, "an object of another kind");
        return;
    }
    if (slice_eqs(type, "BOOKMARK")) {
        if (inf->bookmarks) metric_inc(inf->bookmarks);
    } else if (slice_eqs(type, "DELETED")) {
        store_delete(inf->store, obj, informer_changed, inf);
        if (inf->full) informer_set_full(inf, true);
        informer_count(inf);
    } else if (put(inf, raw, obj, false, &e) < 0) {
        informer_broken(inf, e.msg);
        return;
    }
    if (inf->freed) return;
    const char *rv = obj_rv(obj);
    reflector_event(&inf->reflector, rv ? rv : "");
    informer_works(inf);
}

struct event {
    struct slice type, raw;
    bool object; /* of a type that has an object of ours; else ERROR, or what is not known */
};

static struct event event_of(struct slice text) {
    struct event e = {0};
    struct json_raw_it m = json_raw_each(text);
    while (json_raw_next(&m)) {
        struct slice key = object_peek_string(m.key);
        if (slice_eqs(key, "type")) e.type = object_peek_string(m.value);
        if (slice_eqs(key, "object")) e.raw = m.value;
    }
    e.object = slice_eqs(e.type, "ADDED") || slice_eqs(e.type, "MODIFIED") || slice_eqs(e.type, "DELETED") ||
               slice_eqs(e.type, "BOOKMARK");
    return e;
}

int informer_event(struct informer *inf, struct slice text, struct err *err) {
    struct event ev = event_of(text);
    struct err e = {0};
    if (!ev.object && !slice_eqs(ev.type, "ERROR")) {
        informer_broken(inf, "unknown type");
        return 0;
    }
    struct object_peek it = object_peek(ev.raw);
    cleanup_json cJSON *obj = object_peek_parse(ev.raw, &it, &inf->scratch, &e);
    if (!obj) {
        informer_broken(inf, e.msg);
    } else if (ev.object) {
        on_object(inf, ev.type, obj, ev.raw);
    } else {
        return on_error_event(inf, obj, ev.raw, err);
    }
    return 0;
}

/* What there is, and what changes before all of it has been sent; then the mark. */
int informer_initial(struct informer *inf, struct slice text, struct err *err) {
    struct event ev = event_of(text);
    if (slice_eqs(ev.type, "ADDED") || slice_eqs(ev.type, "MODIFIED")) {
        reflector_item(&inf->reflector);
        return informer_listed(inf, ev.raw, err);
    }
    cleanup_json cJSON *obj = json_parse(ev.raw, err);
    if (!obj) return err_wrap(err, "%s: an event", inf->what);
    if (slice_eqs(ev.type, "ERROR")) return on_error_event(inf, obj, ev.raw, err);
    if (slice_eqs(ev.type, "DELETED")) {
        store_delete(inf->store, obj, informer_changed, inf);
        informer_count(inf);
        return 0;
    }
    const char *mark = obj_annotation(obj, "k8s.io/initial-events-end"), *rv = obj_rv(obj);
    if (!ev.object || !mark || strcmp(mark, "true") != 0 || !rv || !rv[0]) {
        return err_set(err, ERR_PROTOCOL, -EPROTO,
                       "%s: %.*s before the mark that ends the initial events: the server does not know "
                       "sendInitialEvents",
                       inf->what, SLF(ev.type.n ? ev.type : SL("something else")));
    }
    informer_marked(inf, rv);
    return 0;
}

/* ---- writes of ours ---- */

/* Have list and watch brought this version, or a later one? Then what they say stands: the object may be gone
 * again. */
static bool seen(struct informer *inf, const cJSON *obj) {
    const char *rv = obj_rv(obj);
    int order;
    if (!rv_compare(rv, reflector_version(&inf->reflector), &order) || order > 0) return false;
    const struct store_rec *r = store_get(inf->store, slice_of(obj_ns(obj)), slice_of(obj_name(obj)));
    bool same = r && slice_eqs(slice_of(obj_uid(obj)), r->uid);
    if (same && rv_older(r->rv, rv)) informer_suspect(inf, "write_unseen"); /* then it should be here */
    return true;
}

int informer_wrote(struct informer *inf, struct slice raw, struct err *err) {
    if (inf->freed || inf->changing)
        return err_set(err, ERR_CONFIG, -EBUSY, "informer %s: a write from within change()", inf->name);
    struct object_peek it = object_peek(raw);
    cleanup_json cJSON *obj = object_peek_parse(raw, &it, &inf->scratch, err);
    if (!obj) return err ? err_wrap(err, "informer %s: an answer", inf->name) : -EPROTO;
    if (!of_our_kind(inf, obj) || (inf->spec.ns.n && !slice_eq(slice_of(obj_ns(obj)), inf->spec.ns)))
        return err_set(err, ERR_PROTOCOL, -EINVAL, "informer %s: an answer of another kind or namespace",
                       inf->name);
    if (inf->spec.metadata_only && strcmp(json_str_or(obj, "kind", ""), "PartialObjectMetadata") != 0)
        return err_set(err, ERR_CONFIG, -EINVAL, "informer %s keeps metadata only", inf->name);
    if (seen(inf, obj)) return 0;
    bool initial = inf->initial;
    inf->initial = false;
    informer_enter(inf);
    int r = put(inf, raw, obj, true, err);
    if (!informer_leave(inf)) return r;
    inf->initial = initial;
    return r;
}

void informer_deleted(struct informer *inf, struct slice ns, struct slice name, struct slice uid) {
    if (inf->freed || inf->changing) return;
    bool initial = inf->initial;
    inf->initial = false;
    informer_enter(inf);
    store_deleted(inf->store, ns, name, uid, informer_changed, inf);
    if (inf->full) informer_set_full(inf, true);
    informer_count(inf);
    if (informer_leave(inf)) inf->initial = initial;
}
