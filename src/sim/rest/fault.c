/* Which requests go wrong, and how. */
#include "rest/fault.h"
#include "rest/rest_watch.h"
#include <errno.h>
#include <fnmatch.h>

enum { MAX_FAULTS = 256 };

struct fault {
    struct list link;
    char *method, *path, *query, *agent; /* NULL: any */
    int64_t count;                       /* < 0: for ever */
    double probability;
    struct effect fx;
    char *body;
};
struct faults {
    struct list all;
    size_t n;
};

struct faults *faults_new(void) {
    struct faults *f = xcalloc(1, sizeof *f);
    list_init(&f->all);
    return f;
}

static void drop(struct faults *all, struct fault *f) {
    list_remove(&f->link);
    all->n--;
    free(f->method);
    free(f->path);
    free(f->query);
    free(f->agent);
    free(f->body);
    free(f);
}

static void clear(struct faults *f) {
    list_each_safe(it, tmp, &f->all) drop(f, container_of(it, struct fault, link));
}

void faults_free(struct faults *f) {
    if (!f) return;
    clear(f);
    free(f);
}

static bool pattern_fits(const char *pattern, struct slice text) {
    if (!pattern) return true;
    cleanup_free char *t = slice_dup(text);
    return fnmatch(pattern, t, 0) == 0;
}

static bool has_text(struct slice text, const char *what) {
    size_t n = what ? strlen(what) : 0;
    return n == 0 || (text.n >= n && memmem(text.p, text.n, what, n) != NULL);
}

static bool fits(const struct fault *f, struct slice method, struct slice target, struct slice agent) {
    struct slice path, query;
    slice_cut(target, '?', &path, &query);
    return pattern_fits(f->method, method) && pattern_fits(f->path, path) && pattern_fits(f->agent, agent) &&
           has_text(query, f->query);
}

/* Does it strike this time? Used up faults are forgotten. */
static bool fires(struct sim *s, struct fault *f) {
    if (f->probability < 1 && rng_unit(&s->rng) >= f->probability) return false;
    if (f->count > 0) f->count--;
    return true;
}

void faults_match(struct sim *s, const struct sim_request *req, struct effect *ret) {
    /* The way to take faults back must stay open. */
    if (slice_starts(req->target, SL("/sim/"))) return;
    list_each_safe(it, tmp, &s->faults->all) {
        struct fault *f = container_of(it, struct fault, link);
        if (f->count == 0) {
            drop(s->faults, f);
            continue;
        }
        if (!fits(f, req->method, req->target, req->user_agent) || !fires(s, f)) continue;
        *ret = f->fx;
        ret->body = f->body;
        return;
    }
}

/* Watches that are open already fall silent as well, or are cut. */
static void strike_open(struct sim *s, struct fault *f) {
    list_each_safe(it, tmp, &s->exchanges) {
        struct sim_exchange *x = container_of(it, struct sim_exchange, link);
        if (!x->watch || x->quiet || f->count == 0) continue;
        if (!fits(f, SL("GET"), rest_watch_target(x->watch), rest_watch_agent(x->watch)) || !fires(s, f))
            continue;
        if (f->fx.silent) {
            x->fx.silent = x->quiet = true;
        } else {
            exchange_end(x, true);
        }
    }
}

static int bad(struct err *err, const char *what) {
    return err_set(err, ERR_CONFIG, -EINVAL, "fault: %s", what);
}

static int check(const cJSON *v, struct err *err) {
    static const char *const known[] = {
        "match", "count",         "probability", "latencyMs", "answerLatencyMs", "status", "retryAfter",
        "body",  "cutAfterBytes", "dropBefore",  "dropAfter", "silent",          "open"};
    for (const cJSON *c = v->child; c; c = c->next) {
        bool ok = false;
        for (size_t i = 0; i < ARRAY_LEN(known) && !ok; i++) ok = !strcmp(c->string, known[i]);
        if (!ok) return err_set(err, ERR_CONFIG, -EINVAL, "fault: unknown member \"%s\"", c->string);
    }
    int64_t status = json_i64(v, "status", 0);
    if (status != 0 && (status < 200 || status > 599)) return bad(err, "status is 200..599");
    double p = json_num(v, "probability", 1);
    if (!(p >= 0 && p <= 1)) return bad(err, "probability is 0..1");
    if (json_i64(v, "latencyMs", 0) < 0 || json_i64(v, "answerLatencyMs", 0) < 0 ||
        json_i64(v, "latencyMs", 0) > 86400000 || json_i64(v, "answerLatencyMs", 0) > 86400000) {
        return bad(err, "a latency is 0 ms to a day");
    }
    return 0;
}

int faults_add(struct sim *s, struct slice json, struct err *err) {
    cleanup_json cJSON *v = json_parse(json, err);
    if (!v) return -EINVAL;
    if (!cJSON_IsObject(v)) return bad(err, "an object is expected");
    if (json_bool(v, "clear", false)) {
        clear(s->faults);
        return 0;
    }
    int r = check(v, err);
    if (r < 0) return r;
    if (s->faults->n >= MAX_FAULTS) return bad(err, "too many");
    struct fault *f = xcalloc(1, sizeof *f);
    const cJSON *m = json_obj(v, "match");
    f->method = xstrdup_null(json_str(m, "method"));
    f->path = xstrdup_null(json_str(m, "path"));
    f->query = xstrdup_null(json_str(m, "query"));
    f->agent = xstrdup_null(json_str(m, "userAgent"));
    f->count = json_i64(v, "count", 1);
    f->probability = json_num(v, "probability", 1);
    f->body = xstrdup_null(json_str(v, "body"));
    f->fx = (struct effect){.latency_ns = json_i64(v, "latencyMs", 0) * NS_PER_MS,
                            .answer_ns = json_i64(v, "answerLatencyMs", 0) * NS_PER_MS,
                            .status = (int)json_i64(v, "status", 0),
                            .retry_after_s = (int)json_i64(v, "retryAfter", -1),
                            .cut_after = json_i64(v, "cutAfterBytes", -1),
                            .drop_before = json_bool(v, "dropBefore", false),
                            .drop_after = json_bool(v, "dropAfter", false),
                            .silent = json_bool(v, "silent", false)};
    list_push(&s->faults->all, &f->link);
    s->faults->n++;
    if (json_bool(v, "open", f->fx.silent) && (!f->method || fnmatch(f->method, "GET", 0) == 0))
        strike_open(s, f);
    return 0;
}
