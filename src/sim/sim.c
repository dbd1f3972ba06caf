/* The sim itself: time, and the order in which things run. */
#include "store/core.h"
#include "rest/exchange.h"
#include "rest/fault.h"
#include "rest/sender.h"
#include "rest/request_log.h"
#include "rest/rest_watch.h"
#include "api/rfc3339.h"
#include <errno.h>

static bool due_before(const struct heap_node *a, const struct heap_node *b) {
    const struct due *x = container_of(a, const struct due, node),
                     *y = container_of(b, const struct due, node);
    return x->at != y->at ? x->at < y->at : x->seq < y->seq;
}

void sim_due_at(struct sim *s, struct due *d, int64_t at) {
    if (d->node.pos && d->at <= at) return;
    bool waits = d->node.pos != 0;
    d->at = at;
    d->seq = s->due_seq++;
    if (waits) {
        heap_update(&s->dues, &d->node);
    } else {
        heap_insert(&s->dues, &d->node);
    }
}

void sim_due_cancel(struct sim *s, struct due *d) {
    heap_remove(&s->dues, &d->node);
}

void sim_time(const struct sim *s, char ret[32]) {
    rfc3339_seconds(s->now, ret);
}

static void make_namespace(struct sim *s, const char *name) {
    cJSON *obj = cJSON_CreateObject();
    json_tree_set_str(json_tree_child(obj, "metadata"), "name", name);
    sim_store_create(s, sim_type_find("", "namespaces"), "", obj, NULL, NULL);
}

struct sim *sim_new(const struct sim_config *cfg) {
    struct sim *s = xcalloc(1, sizeof *s);
    s->cfg = *cfg;
    s->me = s;
    if (!s->cfg.history) s->cfg.history = 1000;
    if (!s->cfg.bookmark_ns) s->cfg.bookmark_ns = 60 * NS_PER_S;
    if (!s->cfg.pod_start_ns) s->cfg.pod_start_ns = 300 * NS_PER_MS;
    if (!s->cfg.min_watch_ns) s->cfg.min_watch_ns = 1800 * NS_PER_S;
    if (!s->cfg.trees) s->cfg.trees = 4096;
    s->rng.s = cfg->seed;
    s->now = cfg->wall_ns;
    list_init(&s->hot);
    list_init(&s->exchanges);
    list_init(&s->ended);
    list_init(&s->paused);
    list_init(&s->pins);
    heap_init(&s->dues, due_before);
    s->namespace_gc.fn = namespace_gc_run;
    s->faults = faults_new();
    s->log = request_log_new();
    types_init(s);
    s->ctl = ctl_new(s);
    sim_enter(s);
    static const char *const namespaces[] = {"default", "kube-system", "kube-public", "kube-node-lease"};
    for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) make_namespace(s, namespaces[i]);
    sim_exit(s);
    return s;
}

void sim_free(struct sim *s) {
    if (!s) return;
    s->closing = true;
    sim_enter(s);
    list_each_safe(it, tmp, &s->exchanges) exchange_end(container_of(it, struct sim_exchange, link), true);
    sim_exit(s);
    pins_drop(s);
    sim_store_free(s);
    ctl_free(s->ctl);
    owner_index_free(s);
    types_free(s);
    faults_free(s->faults);
    request_log_free(s->log);
    heap_free(&s->dues);
    free(s);
}

/* ---- calls into the sim ---- */
void sim_enter(struct sim *s) {
    s->depth++;
}

void sim_exit(struct sim *s) {
    if (s->depth == 1) {
        while (s->fresh && !s->closing) {
            s->fresh = false;
            for (size_t i = 0; i < s->ntables; i++) {
                struct resource_table *h = s->tables[i];
                if (h->fresh) rest_watch_flush(s, h);
            }
        }
        for (size_t i = 0; i < s->ntables && !s->closing; i++) {
            if (s->tables[i]->retired) rest_watch_expire(s, s->tables[i]);
        }
        types_bury(s);
        sim_store_trim(s, s->cfg.trees);
        exchange_sweep(s);
        s->writer = (struct writer){0};
    }
    s->depth--;
    if (s->depth == 0 && s->on_change && !s->advancing && !s->closing) s->on_change(s->on_change_ctx);
}

void sim_on_change(struct sim *s, void (*fn)(void *ctx), void *ctx) {
    s->on_change = fn;
    s->on_change_ctx = ctx;
}

int64_t sim_now_ns(const struct sim *s) {
    return s->now;
}

int64_t sim_next_ns(const struct sim *s) {
    int64_t next = s->dirty ? s->now : TIME_NEVER;
    const struct heap_node *n = heap_min(&s->dues);
    if (n && container_of(n, const struct due, node)->at < next)
        next = container_of(n, const struct due, node)->at;
    int64_t ctl = ctl_next_ns(s->me);
    if (ctl < next) next = ctl;
    return next < s->now ? s->now : next;
}

/* Runs what is due at the present time. */
static void run_now(struct sim *s) {
    for (int i = 0; i < 100000; i++) { /* a bound on what things due at once may start in their turn */
        struct heap_node *n = heap_min(&s->dues);
        struct due *d = n ? container_of(n, struct due, node) : NULL;
        if (!d || d->at > s->now) break;
        sim_due_cancel(s, d);
        d->fn(s, d);
    }
    if (s->dirty || ctl_next_ns(s) <= s->now) {
        s->dirty = false;
        s->writer = (struct writer){0};
        ctl_run(s);
        s->writer = (struct writer){0};
    }
}

bool sim_advance_some(struct sim *s, int64_t wall_ns, int rounds) {
    if (wall_ns < s->now) wall_ns = s->now;
    bool outer = !s->advancing, done = true;
    s->advancing = true;
    if (outer && !list_empty(&s->paused)) {
        sim_enter(s);
        sender_resume(s);
        sim_exit(s);
    }
    int again = 0; /* rounds in which the clock stood still: a bound on what starts itself over and over */
    for (;;) {
        int64_t next = sim_next_ns(s);
        if (next > wall_ns || again > 1000) break;
        if (rounds-- <= 0) {
            done = false;
            break;
        }
        again = next > s->now ? 0 : again + 1;
        s->now = next;
        sim_enter(s);
        run_now(s);
        sim_exit(s);
    }
    if (done) s->now = wall_ns;
    if (outer) s->advancing = false;
    return done;
}

void sim_advance(struct sim *s, int64_t wall_ns) {
    while (!sim_advance_some(s, wall_ns, 1000000)) continue;
}

/* ---- small things of the interface ---- */
uint64_t sim_rand(struct sim *s) {
    return rng_next(&s->rng);
}

const struct sim_config *sim_cfg(const struct sim *s) {
    return &s->cfg;
}

void *sim_ctl(struct sim *s) {
    return s->ctl;
}

void sim_store_as(struct sim *s, const char *manager) {
    s->writer = (struct writer){.manager = manager, .subresource = ""};
}

uint64_t sim_requests(const struct sim *s) {
    return s->requests;
}

int sim_script(struct sim *s, struct slice json, struct err *err) {
    sim_enter(s);
    int r = ctl_script(s, json, err);
    s->dirty = true;
    sim_exit(s);
    return r;
}

int sim_fault(struct sim *s, struct slice json, struct err *err) {
    sim_enter(s);
    int r = faults_add(s, json, err);
    sim_exit(s);
    return r;
}

void sim_compact(struct sim *s) {
    sim_enter(s);
    pins_drop(s);
    for (size_t i = 0; i < s->ntables; i++) {
        if (s->tables[i]->fresh) rest_watch_flush(s, s->tables[i]);
        history_clear(s, s->tables[i]);
        rest_watch_expire(s, s->tables[i]);
    }
    sim_exit(s);
}

int sim_peek(const struct sim *s, const char *resource, const char *ns, const char *name, struct buf *out) {
    char version[128];
    for (size_t i = 0; i < s->ntables; i++) {
        const struct resource_table *h = s->tables[i];
        if (strcmp(h->type->resource, resource) != 0) continue;
        struct index_node *n = index_find(&h->index, h->type->namespaced ? ns : "", name);
        if (!n) return -ENOENT;
        json_doc_write(n->obj->in->doc, type_api_version(h->type, version), h->type->kind, out);
        return out->full ? -ENOBUFS : 0;
    }
    return -ENOENT;
}
