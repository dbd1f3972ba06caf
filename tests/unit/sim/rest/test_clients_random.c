/* Random schedules: several clients create, update with right and stale versions, patch, delete, list in
 * pages, ask for the past and watch from anywhere, while the history is short and is compacted at times.
 * Beside the server runs a model, a log of all changes, which says what each answer has to be: versions grow,
 * no update is lost, every list is the state of one version, a watch replays to exactly that state, and what
 * is forgotten is 410. */
#include "../client.h"
#include "base/mem.h"
#include "base/rand.h"
#include <stdlib.h>

enum { SCHEDULES = 60, STEPS = 250, CLIENTS = 4, NAMES = 6, HISTORY = 12, LOG_MAX = 1024, PINS = 64 };
#define PINNED_NS (300 * NS_PER_S)

/* ---- the model ---- */
struct value {
    bool there;
    uint64_t rv;
    char label, data[8];
};
struct change {
    uint64_t rv;
    size_t name;
    struct value after;
};
struct model {
    struct change log[LOG_MAX];
    size_t n;
    uint64_t rv, floor; /* the newest version; older than floor is forgotten, */
    struct {            /* but for what lists in pages go on from */
        uint64_t rv;
        int64_t until;
    } pin[PINS];
    size_t npins;
};

static struct value at(const struct model *m, size_t name, uint64_t rv) {
    struct value v = {0};
    for (size_t i = 0; i < m->n && m->log[i].rv <= rv; i++)
        if (m->log[i].name == name) v = m->log[i].after;
    return v;
}

static struct value now(const struct model *m, size_t name) {
    return at(m, name, UINT64_MAX);
}

static void changed(struct model *m, size_t name, uint64_t rv, struct value after) {
    assert_true(rv > m->rv);
    assert_true(m->n < LOG_MAX);
    after.rv = rv;
    m->log[m->n++] = (struct change){rv, name, after};
    m->rv = rv;
    if (m->n > HISTORY && m->log[m->n - HISTORY - 1].rv > m->floor) m->floor = m->log[m->n - HISTORY - 1].rv;
}

/* ---- the clients ---- */
struct watcher {
    struct answer a;
    bool on;
    char label; /* 0: all */
    uint64_t last;
    struct value seen[NAMES];
};
struct pager {
    char *token; /* NULL: none under way */
    uint64_t rv; /* of the pages; 0: no longer of one version */
    size_t next;
};
struct client {
    uint64_t knows[NAMES]; /* a version seen once of each object; 0: none */
    struct watcher w;
    struct pager p;
};
struct play {
    struct sim *s;
    struct rng rng;
    struct model m;
    struct client c[CLIENTS];
    int counter;
};

static size_t draw(struct play *p, size_t n) {
    return (size_t)rng_below(&p->rng, n);
}

static cJSON *call(struct play *p, const char *method, const char *target, const char *body, int want) {
    int status = 0;
    cJSON *v = ask(p->s, method, target, body, &status);
    if (status != want)
        fail_msg("%s %s %s: %d instead of %d: %s", method, target, body ? body : "", status, want,
                 json_str_or(v, "message", ""));
    return v;
}

static uint64_t version(const cJSON *v) {
    return strtoull(json_str_or(json_obj(v, "metadata"), "resourceVersion", "0"), NULL, 10);
}

static struct value value_of(const cJSON *v) {
    struct value ret = {.there = true, .rv = version(v)};
    const char *label = obj_label(v, "l"), *data = json_str_or(json_obj(v, "data"), "k", "");
    ret.label = label ? label[0] : 0;
    snprintf(ret.data, sizeof ret.data, "%s", data);
    return ret;
}

static size_t name_of(const cJSON *v) {
    size_t i = (size_t)(obj_name(v)[1] - '0');
    assert_in_range(i, 0, NAMES - 1);
    return i;
}

static void same(const struct value *have, const struct value *want) {
    assert_int_equal(have->there, want->there);
    if (!want->there) return;
    assert_true(have->rv == want->rv);
    assert_string_equal(have->data, want->data);
    assert_int_equal(have->label, want->label);
}

static struct value fresh(struct play *p) {
    struct value v = {.there = true, .label = draw(p, 2) ? 'x' : 'y'};
    snprintf(v.data, sizeof v.data, "%d", p->counter++);
    return v;
}

/* A version to write with: none, the one that this client has seen, or the present one. */
static uint64_t precondition(struct play *p, const struct client *c, size_t name) {
    switch (draw(p, 3)) {
    case 0: return 0;
    case 1: return c->knows[name];
    default: return now(&p->m, name).rv;
    }
}

static char *body_of(size_t name, const struct value *v, uint64_t rv) {
    cleanup_free char *pre =
        rv ? xasprintf(",'resourceVersion':'%llu'", (unsigned long long)rv) : xstrdup("");
    return xasprintf("{'metadata':{'name':'n%zu','labels':{'l':'%c'}%s},'data':{'k':'%s'}}", name, v->label,
                     pre, v->data);
}

static void wrote(struct play *p, struct client *c, size_t name, const cJSON *answer, struct value want) {
    struct value have = value_of(answer);
    want.rv = have.rv;
    same(&have, &want);
    changed(&p->m, name, have.rv, want);
    c->knows[name] = have.rv;
}

/* ---- what they do ---- */
static void create(struct play *p, struct client *c, size_t name) {
    struct value v = fresh(p);
    bool there = now(&p->m, name).there;
    cleanup_free char *body = body_of(name, &v, 0);
    cJSON *a = call(p, "POST", CMS, body, there ? 409 : 201);
    if (there)
        assert_string_equal(json_str(a, "reason"), "AlreadyExists");
    else
        wrote(p, c, name, a, v);
}

static void update(struct play *p, struct client *c, size_t name) {
    struct value old = now(&p->m, name), v = draw(p, 8) ? fresh(p) : old;
    if (!v.there) v = fresh(p);
    uint64_t rv = precondition(p, c, name);
    cleanup_free char *body = body_of(name, &v, rv), *target = xasprintf(CMS "/n%zu", name);
    int want = !old.there ? 404 : rv && rv != old.rv ? 409 : 200;
    cJSON *a = call(p, draw(p, 2) ? "PUT" : "PATCH", target, body, want);
    if (want == 409) assert_string_equal(json_str(a, "reason"), "Conflict");
    if (want != 200) return;
    if (v.rv == old.rv) { /* nothing new: no new version */
        struct value have = value_of(a);
        same(&have, &old);
    } else {
        wrote(p, c, name, a, v);
    }
}

static void delete (struct play *p, struct client *c, size_t name) {
    struct value old = now(&p->m, name);
    uint64_t rv = precondition(p, c, name);
    cleanup_free char *target = xasprintf(CMS "/n%zu", name),
                      *body = rv ? xasprintf("{'preconditions':{'resourceVersion':'%llu'}}",
                                             (unsigned long long)rv)
                                 : xstrdup("{}");
    int want = !old.there ? 404 : rv && rv != old.rv ? 409 : 200;
    call(p, "DELETE", target, body, want);
    if (want != 200) return;
    cJSON *list = call(p, "GET", CMS "?labelSelector=none", NULL, 200); /* which version that was */
    changed(&p->m, name, version(list), (struct value){0});
}

static void read_one(struct play *p, struct client *c, size_t name) {
    struct value want = now(&p->m, name);
    cleanup_free char *target = xasprintf(CMS "/n%zu", name);
    cJSON *a = call(p, "GET", target, NULL, want.there ? 200 : 404);
    if (!want.there) return;
    struct value have = value_of(a);
    same(&have, &want);
    c->knows[name] = have.rv;
}

static size_t first_from(const struct model *m, size_t next, uint64_t rv) {
    while (next < NAMES && !at(m, next, rv).there) next++;
    return next;
}

/* The items are the state at rv, from `next` on, and all of it if there is no more. Returns where to go
 * on. */
static size_t check_items(struct play *p, const cJSON *list, uint64_t rv, size_t next, bool more) {
    for (const cJSON *i = json_arr(list, "items")->child; i; i = i->next) {
        next = first_from(&p->m, next, rv);
        assert_int_equal(name_of(i), next);
        struct value have = value_of(i), want = at(&p->m, next++, rv);
        same(&have, &want);
    }
    assert_true(more == (first_from(&p->m, next, rv) < NAMES));
    return next;
}

static bool pinned(const struct play *p, uint64_t rv) {
    for (size_t i = 0; i < p->m.npins; i++) {
        if (p->m.pin[i].rv == rv && sim_now_ns(p->s) < p->m.pin[i].until) return true;
    }
    return false;
}

static void read_page(struct play *p, struct client *c, cJSON *list) {
    const char *token = json_str_or(json_obj(list, "metadata"), "continue", "");
    uint64_t rv = c->p.rv ? c->p.rv : p->m.rv;
    assert_true(version(list) == rv);
    c->p.next = check_items(p, list, rv, c->p.next, token[0] != '\0');
    free(c->p.token);
    c->p.token = token[0] ? xstrdup(token) : NULL;
    if (!c->p.token || !c->p.rv || pinned(p, rv)) return;
    assert_in_range(p->m.npins, 0, PINS - 1);
    p->m.pin[p->m.npins].rv = rv;
    p->m.pin[p->m.npins++].until = sim_now_ns(p->s) + PINNED_NS;
}

static void page(struct play *p, struct client *c) {
    size_t limit = draw(p, 3) + 1;
    if (!c->p.token) {
        c->p = (struct pager){.rv = p->m.rv};
        cleanup_free char *first = xasprintf(CMS "?limit=%zu", limit);
        cJSON *list = call(p, "GET", first, NULL, 200);
        read_page(p, c, list);
        return;
    }
    cleanup_free char *target = xasprintf(CMS "?limit=%zu&continue=%s", limit, c->p.token);
    bool gone = c->p.rv && c->p.rv < p->m.floor && !pinned(p, c->p.rv);
    cJSON *a = call(p, "GET", target, NULL, gone ? 410 : 200);
    if (!gone) {
        read_page(p, c, a);
        return;
    }
    free(c->p.token); /* the rest as it is now is still to be had */
    c->p.token = xstrdup(json_str_or(json_obj(a, "metadata"), "continue", ""));
    c->p.rv = 0;
}

static uint64_t some_version(struct play *p) { /* of the log, sometimes none that there is yet */
    if (draw(p, 20) == 0) return p->m.rv + 1;
    return p->m.n ? p->m.log[draw(p, p->m.n)].rv : p->m.rv;
}

static void the_past(struct play *p) {
    uint64_t rv = some_version(p);
    cleanup_free char *target =
        xasprintf(CMS "?resourceVersion=%llu&resourceVersionMatch=Exact", (unsigned long long)rv);
    cJSON *a = call(p, "GET", target, NULL, rv > p->m.rv ? 504 : rv < p->m.floor ? 410 : 200);
    if (rv > p->m.rv || rv < p->m.floor) return;
    assert_true(version(a) == rv);
    check_items(p, a, rv, 0, false);
}

/* ---- watching ---- */
static void watch(struct play *p, struct client *c) {
    struct watcher *w = &c->w;
    answer_free(&w->a);
    *w = (struct watcher){.on = true, .label = draw(p, 2) ? 'x' : 0};
    uint64_t from = draw(p, 4) ? some_version(p) : 0;
    if (from > p->m.rv) from = p->m.rv;
    const char *label = w->label ? "&labelSelector=l%3Dx" : "";
    cleanup_free char *target =
        from ? xasprintf(CMS "?watch=1&resourceVersion=%llu%s", (unsigned long long)from, label)
             : xasprintf(CMS "?watch=1&allowWatchBookmarks=1%s", label);
    send_as(p->s, "GET", target, NULL, NULL, SL(""), &w->a);
    assert_int_equal(w->a.status, 200);
    for (size_t i = 0; from && i < NAMES; i++) {
        struct value v = at(&p->m, i, from);
        if (v.there && (!w->label || v.label == w->label)) w->seen[i] = v;
    }
    w->last = from;
    if (!from || from >= p->m.floor) return;
    cJSON *v = watch_next(&w->a);
    assert_string_equal(json_str(v, "type"), "ERROR");
    assert_int_equal(json_i64(json_obj(v, "object"), "code", 0), 410);
    assert_true(w->a.ended && !w->a.cut);
    w->on = false;
}

static void take_event(struct watcher *w, const cJSON *event) {
    const char *type = json_str(event, "type");
    const cJSON *o = json_obj(event, "object");
    uint64_t rv = version(o);
    if (strcmp(type, "BOOKMARK") == 0) {
        assert_true(rv >= w->last);
        w->last = rv;
        return;
    }
    struct value v = value_of(o), *seen = &w->seen[name_of(o)];
    assert_int_equal(seen->there, strcmp(type, "ADDED") != 0);
    if (strcmp(type, "DELETED") == 0)
        v = (struct value){0};
    else if (strcmp(type, "ADDED") != 0)
        assert_string_equal(type, "MODIFIED");
    /* The state at the start comes in order of names; after it, changes in order of versions. */
    if (w->last) assert_true(rv > w->last);
    if (w->last) w->last = rv;
    *seen = v;
}

/* All that a watch has got so far comes to exactly what there is. */
static void check_watch(struct play *p, struct watcher *w) {
    if (!w->on) return;
    assert_false(w->a.ended);
    for (cJSON *e = watch_next(&w->a); e; e = watch_next(&w->a)) {
        take_event(w, e);
    }
    if (!w->last) w->last = p->m.rv;
    for (size_t i = 0; i < NAMES; i++) {
        struct value want = now(&p->m, i);
        if (w->label && want.label != w->label) want = (struct value){0};
        same(&w->seen[i], &want);
    }
}

/* Open watches end with 410. */
static void compact(struct play *p) {
    sim_compact(p->s);
    p->m.floor = p->m.rv;
    p->m.npins = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        struct watcher *w = &p->c[i].w;
        if (!w->on) continue;
        cJSON *v = watch_next(&w->a);
        assert_string_equal(json_str_or(v, "type", ""), "ERROR");
        assert_int_equal(json_i64(json_obj(v, "object"), "code", 0), 410);
        assert_true(w->a.ended);
        w->on = false;
    }
}

static void step(struct play *p) {
    struct client *c = &p->c[draw(p, CLIENTS)];
    size_t name = draw(p, NAMES);
    size_t what = draw(p, 20); /* the first whose bound it is below */
    if (what < 4) {
        create(p, c, name);
    } else if (what < 9) {
        update(p, c, name);
    } else if (what < 11) {
        delete (p, c, name);
    } else if (what < 13) {
        read_one(p, c, name);
    } else if (what < 16) {
        page(p, c);
    } else if (what < 17) {
        the_past(p);
    } else if (what < 19) {
        watch(p, c);
    } else if (draw(p, 4) == 0) {
        compact(p);
    } else {
        run_ms(p->s, 40 * 1000); /* bookmarks */
    }
    for (size_t i = 0; i < CLIENTS; i++) check_watch(p, &p->c[i].w);
}

static void play(uint64_t seed) {
    struct play *p = xcalloc(1, sizeof *p);
    p->rng = (struct rng){seed * UINT64_C(0x9e3779b97f4a7c15)};
    p->s = sim_new(&(struct sim_config){
        .seed = seed, .wall_ns = WALL, .history = HISTORY, .trees = 1, .min_watch_ns = 24 * 3600 * NS_PER_S});
    cJSON *list = call(p, "GET", CMS, NULL, 200);
    p->m.rv = version(list);
    for (int i = 0; i < STEPS; i++) step(p);
    for (size_t i = 0; i < CLIENTS; i++) {
        answer_free(&p->c[i].w.a);
        free(p->c[i].p.token);
    }
    sim_free(p->s);
    free(p);
}

CASE(schedules) {
    for (struct seeds s = seeds(SCHEDULES); s.from <= s.to; s.from++) {
        print_message("seed %llu\n", (unsigned long long)s.from);
        play(s.from);
    }
}
