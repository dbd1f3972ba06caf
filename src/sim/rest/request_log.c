/* A ring of the last requests, and counts per verb and path. */
#include "rest/request_log.h"
#include "api/rfc3339.h"
#include <stdio.h>
#include <uthash.h>

enum { RING = 1024, MAX_COUNTS = 10000, MAX_TEXT = 512 };

struct entry {
    int64_t at;
    char *method, *target, *agent;
    int status;
};
struct count {
    UT_hash_handle hh;
    uint64_t n;
    char *key;
};
struct request_log {
    struct entry ring[RING];
    size_t total; /* since the last clear; slot = total % RING */
    struct count *counts;
};

struct request_log *request_log_new(void) {
    return xcalloc(1, sizeof(struct request_log));
}

void request_log_clear(struct request_log *l) {
    for (size_t i = 0; i < RING; i++) {
        free(l->ring[i].method);
        free(l->ring[i].target);
        free(l->ring[i].agent);
        l->ring[i] = (struct entry){0};
    }
    struct count *c = NULL, *tmp = NULL;
    HASH_ITER(hh, l->counts, c, tmp) {
        HASH_DEL(l->counts, c);
        free(c->key);
        free(c);
    }
    l->total = 0;
}

void request_log_free(struct request_log *l) {
    if (!l) return;
    request_log_clear(l);
    free(l);
}

static char *short_dup(struct slice s) {
    return slice_dup(slice_make(s.p, s.n < MAX_TEXT ? s.n : MAX_TEXT));
}

static void count(struct request_log *l, const struct sim_request *req) {
    struct slice path, query, method = req->method;
    slice_cut(req->target, '?', &path, &query);
    if (method.n > 16) method.n = 16;
    if (path.n > MAX_TEXT) path.n = MAX_TEXT;
    /* A watch is another kind of request than the list of the same path. */
    bool watch =
        query.n && (memmem(query.p, query.n, "watch=true", 10) || memmem(query.p, query.n, "watch=1", 7));
    cleanup_free char *key = xasprintf("%.*s %.*s", SLF(watch ? SL("WATCH") : method), SLF(path));
    struct count *c = NULL;
    HASH_FIND_STR(l->counts, key, c);
    if (!c && HASH_COUNT(l->counts) < MAX_COUNTS) {
        c = xcalloc(1, sizeof *c);
        c->key = xstrdup(key);
        HASH_ADD_KEYPTR(hh, l->counts, c->key, strlen(c->key), c);
    }
    if (c) c->n++;
}

size_t request_log_add(struct request_log *l, int64_t now, const struct sim_request *req) {
    if (slice_starts(req->target, SL("/sim/"))) return SIZE_MAX; /* the observer is not the observed */
    struct entry *e = &l->ring[l->total % RING];
    free(e->method);
    free(e->target);
    free(e->agent);
    *e = (struct entry){now, short_dup(req->method), short_dup(req->target), short_dup(req->user_agent), 0};
    count(l, req);
    return l->total++;
}

void request_log_status(struct request_log *l, size_t slot, int status) {
    if (slot == SIZE_MAX || slot >= l->total || l->total - slot > RING) return;
    l->ring[slot % RING].status = status;
}

void request_log_write(const struct request_log *l, struct buf *out) {
    buf_addf(out, "{\"total\":%zu,\"counts\":{", l->total);
    for (const struct count *c = l->counts; c; c = c->hh.next) {
        buf_adds(out, c == l->counts ? "" : ",");
        buf_add_json(out, slice_of(c->key));
        buf_addf(out, ":%llu", (unsigned long long)c->n);
    }
    buf_adds(out, "},\"last\":[");
    size_t n = l->total < RING ? l->total : RING;
    for (size_t i = l->total - n; i < l->total; i++) {
        const struct entry *e = &l->ring[i % RING];
        char at[40];
        rfc3339_micro(e->at, at);
        buf_addf(out, "%s{\"time\":\"%s\",\"method\":", i == l->total - n ? "" : ",", at);
        buf_add_json(out, slice_of(e->method));
        buf_adds(out, ",\"target\":");
        buf_add_json(out, slice_of(e->target));
        buf_adds(out, ",\"userAgent\":");
        buf_add_json(out, slice_of(e->agent));
        buf_addf(out, ",\"status\":%d}", e->status);
    }
    buf_adds(out, "]}");
}
