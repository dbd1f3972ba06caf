/* Informers as client-go has them, between the overlay and the model server: list in pages or a streaming list, then a watch from there,
 * again and again; what is under way when a connection breaks is lost. */
#ifndef MODEL_CLIENT_H
#define MODEL_CLIENT_H
#include "model_server.h"
#include "rehearse/version.h"

static bool loud; /* OVERLAY_LOG=1: what happens */
#define LOG(...)                                                                                             \
    do {                                                                                                     \
        if (loud) print_message(__VA_ARGS__);                                                                \
    } while (0)

#define NSTORE 128
struct stored {
    char name[64];
    char rv[40];
    char *text;
};
struct store {
    struct stored v[NSTORE];
    int n;
};
enum state { IDLE, LISTING, OPENING, WATCHING };
struct informer {
    int id, res;
    const char *labels, *fields;
    bool streaming, partial;
    enum state state;
    struct store store, next; /* next: of a list that is not complete */
    bool initial;             /* of a streaming list the end has not come */
    char last[40];            /* lastSyncResourceVersion */
    /* a list under way */
    struct overlay_list *list;
    char *items[NOBJECTS];
    int nitems, item, page;
    uint64_t at;
    char next_rv[40];
    bool more;
    /* a watch */
    struct overlay_watch *w;
    size_t pos;                             /* in the server's log */
    char *initials[NOBJECTS], *queue[1024]; /* of a streaming list; events not handled yet */
    int ninitials, nqueue;
    struct gate_request r;
    char rv[40];
    uint64_t seed;
    char back[40]; /* it began before what it had been given: up to there it may see old states again */
    unsigned events, relists, resumes;
};

static inline void store_clear(struct store *s) {
    for (int i = 0; i < s->n; i++) free(s->v[i].text);
    s->n = 0;
}
static inline struct stored *store_find(struct store *s, const char *name) {
    for (int i = 0; i < s->n; i++) {
        if (strcmp(s->v[i].name, name) == 0) return &s->v[i];
    }
    return NULL;
}
static inline void store_delete(struct store *s, const char *name) {
    struct stored *it = store_find(s, name);
    if (!it) return;
    free(it->text);
    *it = s->v[--s->n];
}
static inline int version_cmp(const char *a, const char *b) {
    size_t x = strlen(a), y = strlen(b);
    return x != y ? (x > y) - (x < y) : strcmp(a, b);
}

/* What has been given anywhere: the same version of an object is the same object. */
struct given {
    uint64_t key, digest;
};
static struct given given_[1 << 16];
static size_t ngiven;
static inline void given_check(uint64_t seed, int res, const char *name, const char *rv, struct slice text) {
    uint64_t key = slice_hash(slice_of(rv), slice_hash(slice_of(name), (uint64_t)res));
    uint64_t digest = slice_hash(text, 0);
    for (size_t i = key;; i++) {
        struct given *g = &given_[i % ARRAY_LEN(given_)];
        if (!g->key) {
            assert_true(++ngiven < ARRAY_LEN(given_) / 2);
            *g = (struct given){key, digest};
            return;
        }
        if (g->key != key) continue;
        if (g->digest != digest)
            fail_seed(seed, "two contents of %s/%s at %s: %.*s", resources[res], name, rv, SLF(text));
        return;
    }
}

static inline char *member_of(struct slice obj, const char *path) {
    struct slice v;
    struct buf b = BUF(1 << 16);
    if (json_raw_at(obj, path, &v)) json_raw_unescape(v, &b);
    return buf_take(&b);
}

static inline void store_set(struct informer *x, struct store *s, const char *name, const char *rv,
                             struct slice text) {
    struct stored *it = store_find(s, name);
    if (!x->partial) given_check(x->seed, x->res, name, rv, text);
    cleanup_free char *uid = member_of(text, "metadata/uid"),
                      *was = it ? member_of(slice_of(it->text), "metadata/uid") : NULL;
    if (it && version_cmp(rv, it->rv) < 0 && version_cmp(rv, x->back) > 0 && strcmp(uid, was) == 0)
        fail_seed(x->seed, "%s goes back from %s to %s", name, it->rv, rv);
    if (!it) {
        assert_true(s->n < NSTORE);
        it = &s->v[s->n++];
        *it = (struct stored){0};
        snprintf(it->name, sizeof it->name, "%s", name);
    }
    snprintf(it->rv, sizeof it->rv, "%s", rv);
    free(it->text);
    it->text = slice_dup(text);
}

/* As the server selects. */
static inline bool selected(const struct informer *x, const char *text) {
    if (!text) return false;
    cleanup_free char *label = member_of(slice_of(text), "metadata/labels/l"),
                      *name = member_of(slice_of(text), "metadata/name");
    if (x->labels && strcmp(label, x->labels + 2) != 0) return false;
    return !x->fields || strcmp(name, x->fields + strlen("metadata.name=")) == 0;
}

static inline struct gate_request informer_request(const struct informer *x, enum gate_kind kind) {
    struct gate_request r = ask(kind, resources[x->res], "");
    if (x->labels) r.labels = slice_of(x->labels);
    if (x->fields) r.fields = slice_of(x->fields);
    r.metadata_only = x->partial;
    r.metadata_version = SL("v1");
    r.bookmarks = true;
    return r;
}

/* ---- the connection's other end ---- */
static inline void on_emit(void *ctx, struct slice event) {
    struct informer *x = ctx;
    assert_true(x->nqueue < (int)ARRAY_LEN(x->queue));
    x->queue[x->nqueue++] = slice_dup(event);
}

static inline void informer_cut(struct informer *x) {
    overlay_watch_close(x->w);
    x->w = NULL;
    overlay_list_end(x->list);
    x->list = NULL;
    for (int i = 0; i < x->nqueue; i++) free(x->queue[i]);
    for (int i = 0; i < x->nitems; i++) free(x->items[i]);
    for (int i = 0; i < x->ninitials; i++) free(x->initials[i]);
    x->nqueue = x->nitems = x->ninitials = 0;
    store_clear(&x->next);
    bool relist = x->state == LISTING || x->initial || !x->last[0];
    x->initial = false;
    x->state = relist ? IDLE : OPENING;
    if (relist) x->last[0] = '\0';
    x->rv[0] = '\0';
}

static inline void relist(struct informer *x) {
    x->last[0] = '\0';
    x->relists++;
    informer_cut(x);
}

/* An event is handled. */
static inline void handle_one(struct informer *x) {
    if (!x->nqueue) return;
    cleanup_free char *ev = x->queue[0];
    memmove(x->queue, x->queue + 1, (size_t)--x->nqueue * sizeof x->queue[0]);
    struct slice text = slice_of(ev), obj = {0};
    cleanup_free char *type = member_of(text, "type");
    x->events++;
    LOG("informer %d of %s gets %s", x->id, resources[x->res], ev);
    assert_true(json_raw_at(text, "object", &obj));
    if (strcmp(type, "ERROR") == 0) {
        relist(x);
        return;
    }
    cleanup_free char *name = member_of(obj, "metadata/name"),
                      *rv = member_of(obj, "metadata/resourceVersion");
    struct store *s = x->initial ? &x->next : &x->store;
    if (strcmp(type, "BOOKMARK") == 0) {
        if (x->initial && strstr(ev, "initial-events-end")) {
            store_clear(&x->store);
            x->store = x->next;
            x->next.n = 0;
            x->initial = false;
        }
    } else if (strcmp(type, "DELETED") == 0) {
        store_delete(s, name);
    } else {
        store_set(x, s, name, rv, obj);
    }
    if (!x->initial) snprintf(x->last, sizeof x->last, "%s", rv);
}

/* ---- lists ---- */
static inline void take_items(struct server *s, const struct informer *x, char **items, int *n) {
    for (int i = 0; i < NOBJECTS; i++) {
        const char *text = s->live[x->res][i].text;
        if (!selected(x, text)) continue;
        struct slice meta;
        json_raw_get(slice_of(text), SL("metadata"), &meta);
        items[(*n)++] = x->partial ? xasprintf("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta."
                                               "k8s.io/v1\",\"metadata\":%.*s}",
                                               SLF(meta))
                                   : xstrdup(text);
    }
}

static inline void list_begin(struct server *s, struct informer *x, struct overlay *o) {
    x->state = LISTING;
    x->more = false;
    x->next_rv[0] = '\0';
    x->at = s->rv;
    x->item = 0;
    take_items(s, x, x->items, &x->nitems);
    x->page = 1 + (int)rng_below(s->r, 8);
    x->r = informer_request(x, GATE_LIST);
    x->list = overlay_list_begin(o, &x->r);
}

static inline void list_take(struct informer *x, const struct buf *one) {
    if (!one->n) return;
    LOG("informer %d of %s lists %s\n", x->id, resources[x->res], buf_str(one));
    assert_int_equal(json_raw_check(buf_slice(one), NULL), 0);
    cleanup_free char *name = member_of(buf_slice(one), "metadata/name"),
                      *rv = member_of(buf_slice(one), "metadata/resourceVersion");
    if (store_find(&x->next, name) && !x->more) fail_seed(x->seed, "%s twice in a list", name);
    store_set(x, &x->next, name, rv, buf_slice(one));
}

static inline void list_step(struct server *s, struct informer *x, struct overlay *o) {
    struct buf one = BUF(1 << 20), rv = BUF(64);
    bool last = x->nitems - x->item == 0;
    if (x->item < x->nitems && x->page > 0) {
        x->page--;
        assert_int_equal(overlay_list_item(x->list, 0, slice_of(x->items[x->item++]), &one), 0);
        list_take(x, &one);
    } else if (overlay_list_more(x->list, last, &one)) {
        list_take(x, &one);
    } else {
        char at[32];
        snprintf(at, sizeof at, "%" PRIu64, x->at);
        overlay_list_version(x->list, slice_of(at), &rv);
        overlay_list_end(x->list);
        x->list = NULL;
        /* client-go goes on from the first page's version, others from the last one's */
        if (!x->next_rv[0] || rng_below(s->r, 2)) snprintf(x->next_rv, sizeof x->next_rv, "%s", buf_str(&rv));
        x->more = !last; /* what changes between two pages may be in both */
        x->r.token = SL("next");
        if (!last) {
            x->page = 1 + (int)rng_below(s->r, 8);
            x->list = overlay_list_begin(o, &x->r);
        } else {
            store_clear(&x->store);
            x->store = x->next;
            x->next.n = 0;
            snprintf(x->last, sizeof x->last, "%s", x->next_rv);
            x->state = OPENING;
            x->rv[0] = '\0';
            for (int i = 0; i < x->nitems; i++) free(x->items[i]);
            x->nitems = 0;
        }
    }
    buf_free(&one);
    buf_free(&rv);
}

/* ---- watches ---- */
static inline size_t behind(const struct server *s, uint64_t rv) {
    size_t i = 0;
    while (i < s->n && s->log[i].rv <= rv) i++;
    return i;
}

/* First the server is asked, some time later the overlay opens it. */
static inline void watch_step(struct server *s, struct informer *x, struct overlay *o) {
    if (!x->rv[0]) {
        struct gate_request r = informer_request(x, GATE_WATCH);
        struct buf from = BUF(64);
        struct slice live;
        unsigned change;
        int64_t at = 0;
        snprintf(x->rv, sizeof x->rv, "%s", x->last);
        r.rv = slice_of(x->rv);
        overlay_watch_from(o, &r, &from);
        assert_int_equal(version_in(buf_slice(&from), &live, &change), 0);
        assert_int_equal(slice_i64(live, &at), 0);
        snprintf(x->back, sizeof x->back, "%s", strcmp(buf_str(&from), x->rv) ? x->rv : "");
        buf_free(&from);
        x->pos = behind(s, (uint64_t)at);
        if ((uint64_t)at < s->compacted) relist(x);
        return;
    }
    x->r = informer_request(x, GATE_WATCH);
    x->r.rv = slice_of(x->rv);
    x->state = WATCHING;
    x->resumes++;
    LOG("informer %d of %s watches from %s, in truth %" PRIu64 "\n", x->id, resources[x->res], x->rv,
        x->pos ? s->log[x->pos - 1].rv : 0);
    x->w = overlay_watch_open(o, &x->r, on_emit, x);
}

static inline void stream_begin(struct server *s, struct informer *x, struct overlay *o) {
    x->r = informer_request(x, GATE_WATCH);
    x->r.initial_events = true;
    x->initial = true;
    LOG("informer %d of %s begins at %" PRIu64 "\n", x->id, resources[x->res], s->rv);
    x->state = WATCHING;
    x->at = s->rv;
    x->pos = s->n;
    take_items(s, x, x->initials, &x->ninitials);
    x->item = 0;
    x->w = overlay_watch_open(o, &x->r, on_emit, x);
    x->more = true;
}

static inline void send(struct informer *x, const char *type, const char *obj) {
    cleanup_free char *ev = xasprintf("{\"type\":\"%s\",\"object\":%s}", type, obj);
    assert_int_equal(overlay_watch_event(x->w, 0, slice_of(ev)), 0);
}

static inline void bookmark(struct informer *x, uint64_t rv, bool end) {
    cleanup_free char *obj =
        xasprintf("{\"kind\":\"X\",\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"%s}}", rv,
                  end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
    send(x, "BOOKMARK", obj);
}

/* The next event of the server's, if there is one. */
static inline bool watch_deliver(struct server *s, struct informer *x) {
    if (x->more) {
        if (x->item < x->ninitials) {
            send(x, "ADDED", x->initials[x->item++]);
        } else {
            x->more = false;
            bookmark(x, x->at, true);
        }
        return true;
    }
    if (x->pos == s->n) return false;
    const struct change *c = &s->log[x->pos++];
    if (c->res != x->res) return true;
    bool before = selected(x, c->old), now = selected(x, c->now);
    if (!before && !now) return true;
    cleanup_json cJSON *v = tree_of(now ? c->now : c->old);
    set_rv(v, c->rv);
    if (x->partial) {
        json_tree_set(v, "spec", NULL);
        json_tree_set(v, "status", NULL);
        json_tree_set_str(v, "kind", "PartialObjectMetadata");
        json_tree_set_str(v, "apiVersion", "meta.k8s.io/v1");
    }
    cleanup_free char *text = text_of(v);
    send(x, !now ? "DELETED" : before ? "MODIFIED" : "ADDED", text);
    return true;
}

static inline void informer_step(struct server *s, struct informer *x, struct overlay *o) {
    switch (x->state) {
    case IDLE:
        if (x->streaming) {
            stream_begin(s, x, o);
        } else {
            list_begin(s, x, o);
        }
        break;
    case LISTING: list_step(s, x, o); break;
    case OPENING: watch_step(s, x, o); break;
    case WATCHING:
        if (rng_below(s->r, 2)) {
            handle_one(x);
        } else {
            watch_deliver(s, x);
        }
    }
}

/* Until nothing is left to come. */
static inline void informer_settle(struct server *s, struct informer *x, struct overlay *o) {
    for (;;) {
        if (x->state != WATCHING) {
            informer_step(s, x, o);
        } else if (x->nqueue) {
            handle_one(x);
        } else if (!watch_deliver(s, x)) {
            return;
        }
    }
}

static inline void informer_free(struct informer *x) {
    informer_cut(x);
    store_clear(&x->store);
}
#endif
