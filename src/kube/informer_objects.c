/* What an informer does with the items of a list and the events of a watch. */
#include "api/status.h"
#include "base/json_raw.h"
#include "informer_impl.h"
#include "item.h"
#include <errno.h>

/* The server cannot be reached, is not who it should be, or does not know us: the same trouble for all
 * informers, and the one that tells it tells it for all. */
static bool told_by_another(struct informer *inf, const struct err *err) {
    static const int64_t for_ns = 60 * NS_PER_S;
    struct kube *k = inf->k;
    int64_t now = world_boot_ns(k->w);
    if (err->kind != ERR_TRANSPORT && err->kind != ERR_TLS && err->kind != ERR_AUTH) return false;
    if (k->told.kind == err->kind && k->told.by != inf && now - k->told.at_ns < for_ns) return true;
    k->told.kind = err->kind;
    k->told.at_ns = now;
    k->told.by = inf;
    return false;
}

void informer_report(struct informer *inf, const struct err *err) {
    unsigned times = said_again(&inf->said, err->msg);
    if (times && !told_by_another(inf, err)) {
        LOG(inf->k->log, LOG_WARN, "list or watch failed, it will be tried again",
            LF_STR("informer", inf->name), LF_ERR(err), LF_INT("times", times));
    }
    if (inf->cb.trouble) inf->cb.trouble(inf->ctx, err);
}

void informer_works(struct informer *inf) {
    if (said_over(&inf->said))
        LOG(inf->k->log, LOG_INFO, "list and watch work again", LF_STR("informer", inf->name));
}

void informer_restarted(struct informer *inf, const char *reason) {
    if (inf->restarts) metric_inc(metric_with(inf->restarts, (const char *[]){inf->name, reason}));
}

/* ---- objects ---- */

void informer_changed(void *ctx, const struct store_rec *old, const struct store_rec *now) {
    struct informer *inf = ctx;
    struct metric *m = !old ? inf->added : !now ? inf->deleted : inf->updated;
    if (m) metric_inc(m);
    if (!inf->freed) inf->cb.change(inf->ctx, old, now, inf->initial);
}

void informer_count(struct informer *inf) {
    if (inf->objects) metric_set(inf->objects, (double)store_len(inf->store));
}

static int put(struct informer *inf, struct slice raw, const cJSON *obj, struct err *err) {
    bool room = store_len(inf->store) < inf->spec.max_objects;
    if (!room && !store_get(inf->store, slice_of(obj_ns(obj)), slice_of(obj_name(obj)))) {
        if (!inf->full) {
            inf->full = true;
            LOG(inf->k->log, LOG_ERROR, "the cache is full, further objects are not seen",
                LF_STR("informer", inf->name), LF_INT("objects", inf->spec.max_objects));
        }
        return 0;
    }
    int r = store_put(inf->store, raw, obj, informer_changed, inf, err);
    informer_count(inf);
    return r;
}

void informer_listed(struct informer *inf, struct slice text) {
    struct item it = item_look(text);
    if (store_touch(inf->store, it.ns, it.name, it.rv))
        return; /* here in this version: nobody has to parse it */
    cleanup_json cJSON *obj = item_parse(text, &it, &inf->scratch, &inf->stop);
    if (!obj || put(inf, text, obj, &inf->stop) < 0)
        err_wrap(&inf->stop, "%s: an item of the list", inf->what);
}

/* ---- events ---- */

void informer_broken(struct informer *inf, const char *why) {
    struct err e;
    err_set(&e, ERR_PROTOCOL, -EPROTO, "%s: an event cannot be read (%s); the list is read anew soon",
            inf->what, why);
    timer_at(inf->timer, watch_broken(&inf->watch, world_boot_ns(inf->k->w), world_rand(inf->k->w)));
    informer_restarted(inf, "broken_event");
    informer_report(inf, &e);
}

static void on_error_event(struct informer *inf, const cJSON *obj, struct slice raw) {
    int64_t code = json_i64(obj, "code", 500);
    status_to_err(code >= 400 && code < 600 ? (int)code : 500, raw, inf->what, &inf->stop);
}

static bool of_our_kind(const struct informer *inf, const cJSON *obj) {
    const char *kind = json_str(obj, "kind");
    return !kind || strcmp(kind, inf->spec.gvr->kind) == 0 || strcmp(kind, "PartialObjectMetadata") == 0;
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
        store_delete(inf->store, slice_of(obj_ns(obj)), slice_of(obj_name(obj)), informer_changed, inf);
        inf->full = false;
        informer_count(inf);
    } else if (put(inf, raw, obj, &e) < 0) {
        informer_broken(inf, e.msg);
        return;
    }
    if (inf->freed) return;
    const char *rv = obj_rv(obj);
    watch_event(&inf->watch, rv ? rv : "");
    informer_works(inf);
}

void informer_event(struct informer *inf, struct slice event) {
    struct slice raw = {0}, type = {0};
    struct err e = {0};
    struct json_raw_it m = json_raw_each(event);
    while (json_raw_next(&m)) {
        struct slice key = item_plain(m.key);
        if (slice_eqs(key, "type")) type = item_plain(m.value);
        if (slice_eqs(key, "object")) raw = m.value;
    }
    bool object = slice_eqs(type, "ADDED") || slice_eqs(type, "MODIFIED") || slice_eqs(type, "DELETED") ||
                  slice_eqs(type, "BOOKMARK");
    if (!object && !slice_eqs(type, "ERROR")) {
        informer_broken(inf, "unknown type");
        return;
    }
    struct item it = item_look(raw);
    cleanup_json cJSON *obj = item_parse(raw, &it, &inf->scratch, &e);
    if (!obj) {
        informer_broken(inf, e.msg);
    } else if (object) {
        on_object(inf, type, obj, raw);
    } else {
        on_error_event(inf, obj, raw);
    }
}
