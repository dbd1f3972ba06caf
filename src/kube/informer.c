/* List and watch into a store; see kube/informer.h. When to do which is decided in reflector.c, item_stream.c cuts
 * what arrives; here it is carried out. */
#include "informer_impl.h"
#include <errno.h>
#include <stdio.h>

enum { MAX_OBJECTS = 1000000 };
static const int64_t list_idle_ns =
    60 * NS_PER_S; /* without a byte; the server's own limit of a request is 60 s */
/* Of a streaming list, once it has begun: silence is a server that does not know what was asked of it. */
static const int64_t mark_idle_ns = 15 * NS_PER_S;
static const int64_t list_total_ns = 600 * NS_PER_S; /* of one page */
static const int64_t quiet_ns = 150 * NS_PER_S;      /* of a watch; API servers send a bookmark each minute */

static void next(struct informer *inf);

/* ---- life ---- */

static void make_metrics(struct informer *inf) {
    struct metrics *m = inf->k->metrics;
    if (!m) return;
    const char *name = inf->name;
    inf->objects = metric_with(metrics_family(m, METRIC_GAUGE, "handover_informer_objects",
                                              "Objects in the cache", "informer", NULL, 0),
                               &name);
    struct metric_family *events =
        metrics_family(m, METRIC_COUNTER, "handover_informer_events_total",
                       "Changes told by lists and watches", "informer,type", NULL, 0);
    inf->fulls = metric_with(metrics_family(m, METRIC_GAUGE, "handover_informer_full",
                                            "Informers whose cache is full: objects are missing in it",
                                            "informer", NULL, 0),
                             &name);
    inf->added = metric_with(events, (const char *[]){name, "added"});
    inf->updated = metric_with(events, (const char *[]){name, "updated"});
    inf->deleted = metric_with(events, (const char *[]){name, "deleted"});
    inf->bookmarks = metric_with(events, (const char *[]){name, "bookmark"});
    inf->list_seconds = metric_with(metrics_family(m, METRIC_HISTOGRAM, "handover_list_duration_seconds",
                                                   "From the first page's request to a whole store",
                                                   "informer", metrics_seconds, ARRAY_LEN(metrics_seconds)),
                                    &name);
    inf->restarts = metrics_family(m, METRIC_COUNTER, "handover_watch_restarts_total",
                                   "Lists and watches that ended, by cause", "informer,reason", NULL, 0);
}

static void on_timer(void *ctx);

int informer_new(struct kube *k, const struct informer_spec *spec, const struct informer_cb *cb, void *ctx,
                 struct informer **ret, struct err *err) {
    if (!spec->gvr || !spec->name || !spec->name[0] || !cb->change) {
        return err_set(err, ERR_CONFIG, -EINVAL, "an informer needs a kind, a name and a change callback");
    }
    struct informer *inf = xcalloc(1, sizeof *inf);
    inf->k = k;
    inf->spec = *spec;
    inf->cb = *cb;
    inf->ctx = ctx;
    inf->name = xstrdup(spec->name);
    inf->ns = slice_dup(spec->ns);
    inf->labels = slice_dup(spec->labels);
    inf->fields = slice_dup(spec->fields);
    inf->spec.ns = slice_of(inf->ns);
    inf->spec.labels = slice_of(inf->labels);
    inf->spec.fields = slice_of(inf->fields);
    if (!inf->spec.max_objects) inf->spec.max_objects = MAX_OBJECTS;
    inf->store = store_new(&spec->store);
    inf->timer = timer_new(k->w, on_timer, inf);
    buf_init(&inf->scratch, SPLIT_ITEM_CAP);
    reflector_init(&inf->reflector, &k->reflectors);
    make_metrics(inf);
    *ret = inf;
    return 0;
}

static void destroy(struct informer *inf) {
    store_free(inf->store);
    reflector_free(&inf->reflector);
    buf_free(&inf->scratch);
    free(inf->target);
    free(inf->what);
    free(inf->name);
    free(inf->ns);
    free(inf->labels);
    free(inf->fields);
    free(inf);
}

void informer_free(struct informer *inf) {
    if (!inf || inf->freed) return;
    inf->freed = true;
    item_stream_cancel(inf->stream);
    inf->stream = NULL;
    timer_free(inf->timer);
    inf->timer = NULL;
    if (inf->k->outage.by == inf) inf->k->outage.kind = ERR_NONE;
    if (inf->objects) metric_add(inf->objects, -inf->counted);
    if (inf->fulls && inf->full) metric_add(inf->fulls, -1);
    inf->objects = inf->fulls = NULL;
    if (!inf->depth) destroy(inf);
}

void informer_enter(struct informer *inf) {
    inf->depth++;
}
bool informer_leave(struct informer *inf) {
    inf->depth--;
    if (!inf->freed) return true;
    if (!inf->depth) destroy(inf);
    return false;
}

void informer_start(struct informer *inf) {
    if (inf->started) return;
    inf->started = true;
    next(inf);
}
bool informer_synced(const struct informer *inf) {
    return inf->synced;
}
const struct store *informer_store(const struct informer *inf) {
    return inf->store;
}
int64_t informer_seen_ns(const struct informer *inf) {
    return inf->seen_ns;
}

/* ---- an answer ---- */

static bool streams(const struct informer *inf) {
    return inf->doing == REFLECTOR_STREAM || inf->doing == REFLECTOR_STREAM_LIST;
}

/* The stream is given up when nothing has come for long; a watch also for a list. */
static void arm(struct informer *inf, int64_t idle_ns) {
    int64_t at = world_boot_ns(inf->k->w) + idle_ns;
    inf->idle_ns = idle_ns;
    timer_at(inf->timer, inf->doing == REFLECTOR_STREAM && inf->relist_ns < at ? inf->relist_ns : at);
}

static void heard(struct informer *inf) {
    if (streams(inf)) arm(inf, inf->doing == REFLECTOR_STREAM ? quiet_ns : mark_idle_ns);
}

void informer_relist_soon(struct informer *inf) {
    inf->relist_ns = reflector_relist_soon(&inf->reflector, world_boot_ns(inf->k->w), world_rand(inf->k->w));
    if (inf->doing == REFLECTOR_STREAM) heard(inf);
}

static void on_head(void *ctx) {
    heard(ctx);
}

static int on_bytes(void *ctx, size_t n, struct err *err) {
    struct informer *inf = ctx;
    (void)n, (void)err;
    inf->seen_ns = world_boot_ns(inf->k->w);
    heard(inf);
    return 0;
}

static int on_item(void *ctx, struct slice text, struct err *err) {
    struct informer *inf = ctx;
    informer_enter(inf);
    int r = inf->doing == REFLECTOR_LIST          ? informer_listed(inf, text, err)
            : inf->doing == REFLECTOR_STREAM      ? informer_event(inf, text, err)
            : inf->doing == REFLECTOR_STREAM_LIST ? informer_initial(inf, text, err)
                                                  : 0;
    return informer_leave(inf) ? r : 0;
}

static void list_done(struct informer *inf, const char *rv) {
    buf_free(&inf->scratch);
    store_relist_end(inf->store, rv, informer_changed, inf);
    if (inf->freed) return;
    informer_set_full(inf, inf->dropped > 0);
    informer_count(inf);
    double s = (double)(world_mono_ns(inf->k->w) - inf->list_began_ns) / (double)NS_PER_S;
    if (inf->list_seconds) metric_observe(inf->list_seconds, s);
    informer_works(inf);
    if (inf->synced) return;
    inf->synced = true;
    LOG_EVENT(inf->k->log, LOG_DEBUG, "InformerSynced", "cache synced", LF_STR("informer", inf->name),
              LF_INT("objects", store_len(inf->store)), LF_NUM("seconds", s));
    if (inf->cb.synced) inf->cb.synced(inf->ctx);
}

static void page_done(struct informer *inf, const struct split_list *l) {
    enum reflector_listed got = reflector_listed(&inf->reflector, l->rv, l->token);
    if (got == REFLECTOR_BEHIND) informer_behind(inf, l->rv);
    if (got == REFLECTOR_WHOLE) list_done(inf, l->rv);
}

static void list_failed(struct informer *inf, const struct err *e) {
    bool trouble;
    informer_restarted(inf, reflector_list_failed(&inf->reflector, world_boot_ns(inf->k->w),
                                                  world_rand(inf->k->w), e, &trouble));
    if (trouble) informer_report(inf, e);
}

/* A watch or a streaming list. */
static void stream_ended(struct informer *inf, struct err *e) {
    bool trouble, list = inf->doing == REFLECTOR_STREAM_LIST;
    informer_restarted(inf,
                       (list ? reflector_stream_list_failed : reflector_ended)(
                           &inf->reflector, world_boot_ns(inf->k->w), world_rand(inf->k->w), e, &trouble));
    if (trouble) informer_report(inf, e);
}

static void give_up(struct informer *inf) {
    item_stream_cancel(inf->stream);
    inf->stream = NULL;
    timer_stop(inf->timer);
}

static void on_broken(void *ctx, const char *why) {
    struct informer *inf = ctx;
    informer_enter(inf);
    if (inf->doing == REFLECTOR_STREAM) {
        informer_broken(inf, why);
        informer_leave(inf);
        return;
    }
    struct err e = {0};
    err_set(&e, ERR_PROTOCOL, -EPROTO, "%s: an object cannot be read (%s)", inf->what, why);
    give_up(inf);
    stream_ended(inf, &e);
    if (informer_leave(inf)) next(inf);
}

void informer_marked(struct informer *inf, const char *rv) {
    if (reflector_marked(&inf->reflector, rv) == REFLECTOR_BEHIND) {
        informer_behind(inf, rv);
        give_up(inf);
        next(inf);
        return;
    }
    list_done(inf, rv);
    if (inf->freed) return;
    inf->doing = REFLECTOR_STREAM;
    inf->initial = false;
    inf->relist_ns = TIME_NEVER;
    heard(inf);
}

static void on_end(void *ctx, struct err *err, const struct split_list *list) {
    struct informer *inf = ctx;
    inf->stream = NULL;
    timer_stop(inf->timer);
    informer_enter(inf);
    if (list && inf->doing == REFLECTOR_PROBE) {
        if (!reflector_probed(&inf->reflector, list->rv)) informer_behind(inf, list->rv);
    } else if (list) {
        page_done(inf, list);
    } else if (!streams(inf)) {
        list_failed(inf, err);
    } else {
        stream_ended(inf, err);
    }
    if (informer_leave(inf)) next(inf);
}

/* ---- what to do next ---- */

static void set_target(struct informer *inf, const struct reflector_todo *t) {
    struct buf b = BUF(256 << 10), what = BUF(1024);
    const struct informer_spec *s = &inf->spec;
    struct kube_ref ref = {.gvr = s->gvr, .ns = s->ns};
    bool first = true, stream_list = t->what == REFLECTOR_STREAM_LIST,
         list = t->what != REFLECTOR_STREAM && !stream_list;
    char number[24];
    kube_collection(&b, &first, s->gvr, s->ns, s->labels, s->fields);
    kube_what(&what, list || stream_list ? "list" : "watch", &ref);
    if (list && t->limit) {
        snprintf(number, sizeof number, "%u", t->limit);
        url_query(&b, &first, "limit", slice_of(number));
    }
    if (list && t->token[0]) url_query(&b, &first, "continue", slice_of(t->token));
    if (t->rv[0]) url_query(&b, &first, "resourceVersion", slice_of(t->rv));
    if (t->at_least || stream_list) url_query(&b, &first, "resourceVersionMatch", SL("NotOlderThan"));
    if (!list) {
        snprintf(number, sizeof number, "%u", t->timeout_s);
        url_query(&b, &first, "watch", SL("true"));
        url_query(&b, &first, "allowWatchBookmarks", SL("true"));
        if (stream_list) url_query(&b, &first, "sendInitialEvents", SL("true"));
        url_query(&b, &first, "timeoutSeconds", slice_of(number));
    }
    free(inf->target);
    free(inf->what);
    inf->target = buf_take(&b);
    inf->what = buf_take(&what);
}

static void start(struct informer *inf, const struct reflector_todo *t) {
    static const struct item_stream_cb cb = {on_head, on_bytes, on_item, on_broken, on_end};
    bool stream = streams(inf), meta = inf->spec.metadata_only;
    int64_t now = world_boot_ns(inf->k->w);
    set_target(inf, t);
    inf->initial = t->what != REFLECTOR_STREAM;
    if (t->first) {
        inf->dropped = 0;
        store_relist_begin(inf->store, t->replace);
        inf->list_began_ns = world_mono_ns(inf->k->w);
    }
    struct exchange_spec s = {.lane = LANE_WATCH,
                              .method = "GET",
                              .target = inf->target,
                              .what = inf->what,
                              .fresh = t->fresh,
                              .stream = stream,
                              .deadline_ns = stream ? t->deadline_ns : now + list_total_ns,
                              .accept = !meta    ? kube_accept_json
                                        : stream ? kube_accept_meta
                                                 : kube_accept_meta_list};
    inf->relist_ns = t->relist_ns;
    if (stream) {
        arm(inf, t->what == REFLECTOR_STREAM ? quiet_ns : list_idle_ns);
    } else {
        timer_stop(inf->timer);
    }
    inf->stream =
        item_stream_start(inf->k, &s, stream ? SPLIT_WATCH : SPLIT_LIST, stream ? 0 : list_idle_ns, &cb, inf);
}

static void next(struct informer *inf) {
    struct reflector_todo t;
    reflector_next(&inf->reflector, world_boot_ns(inf->k->w), world_rand(inf->k->w), &t);
    inf->doing = t.what;
    if (t.what == REFLECTOR_WAIT) {
        timer_at(inf->timer, t.until_ns);
    } else {
        start(inf, &t);
    }
}

static void on_timer(void *ctx) {
    struct informer *inf = ctx;
    if (inf->doing == REFLECTOR_STREAM && world_boot_ns(inf->k->w) < inf->relist_ns) {
        informer_suspect(inf, "quiet");
        return;
    }
    informer_enter(inf);
    if (inf->doing == REFLECTOR_STREAM) {
        give_up(inf);
        reflector_relist(&inf->reflector);
        informer_restarted(inf, "relist");
    } else if (inf->doing == REFLECTOR_STREAM_LIST) {
        struct err e = {0};
        bool begun = inf->idle_ns == mark_idle_ns;
        err_set(&e, begun ? ERR_PROTOCOL : ERR_TIMEOUT, -ETIMEDOUT, "%s: no byte for %d s%s", inf->what,
                (int)(inf->idle_ns / NS_PER_S), begun ? " before the mark that ends the initial events" : "");
        give_up(inf);
        stream_ended(inf, &e);
    }
    if (informer_leave(inf)) next(inf);
}

void informer_suspect(struct informer *inf, const char *reason) {
    if (inf->doing != REFLECTOR_STREAM || !inf->stream) return;
    give_up(inf);
    reflector_suspect(&inf->reflector);
    informer_restarted(inf, reason);
    next(inf);
}
