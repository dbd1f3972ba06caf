/* The query: names that are known for what is asked, each at most once. Others are dropped from reads, and refused on what writes: there
 * is none that could not mean something to some server. */
#include "gate_impl.h"
#include "api/url.h"
#include "rehearse/version.h"
#include <errno.h>
#include <strings.h>

static int split(struct gate_ctx *c, struct slice query, struct gate_query *q) {
    struct slice part, name, value;
    while (query.n) {
        slice_cut(query, '&', &part, &query);
        if (!part.n) continue;
        if (q->n == GATE_PARAMS)
            return gate_refuse(c, 400, "the query has more than %d parameters", GATE_PARAMS);
        slice_cut(part, '=', &name, &value);
        int e = gate_unescape(c, name, &q->param[q->n].name);
        if (e == 0) e = gate_unescape(c, value, &q->param[q->n].value);
        if (e < 0) return e;
        q->n++;
    }
    return 0;
}

/* The value, and takes it. *ret stays where there is none. */
static int take(struct gate_ctx *c, struct gate_query *q, const char *name, struct slice *ret) {
    bool found = false;
    for (size_t i = 0; i < q->n; i++) {
        if (!slice_eqs(q->param[i].name, name)) continue;
        if (found) return gate_refuse(c, 400, "query parameter %s is given twice", name);
        found = q->param[i].taken = true;
        *ret = q->param[i].value;
    }
    return 0;
}

static int take_bool(struct gate_ctx *c, struct gate_query *q, const char *name, bool *ret) {
    struct slice v = SL("false");
    int e = take(c, q, name, &v);
    if (e < 0) return e;
    *ret = slice_eqs(v, "true") || slice_eqs(v, "1");
    if (!*ret && !slice_eqs(v, "false") && !slice_eqs(v, "0"))
        return gate_refuse(c, 400, "query parameter %s: true or false is allowed", name);
    return 0;
}

static int take_number(struct gate_ctx *c, struct gate_query *q, const char *name, struct slice *ret) {
    struct slice v = {0};
    int e = take(c, q, name, &v);
    if (e < 0) return e;
    struct slice rest = v;
    slice_digits(&rest);
    if (v.n > 18 || rest.n) return gate_refuse(c, 400, "query parameter %s: a number is allowed", name);
    *ret = v;
    return 0;
}

static int take_version(struct gate_ctx *c, struct gate_query *q) {
    struct slice live;
    unsigned change;
    int e = take(c, q, "resourceVersion", &c->r->rv);
    if (e == 0 && version_in(c->r->rv, &live, &change) < 0)
        return gate_refuse(c, 400, "resourceVersion \"%.*s\" is not one of this rehearsal", SLF(c->r->rv));
    return e;
}

/* Exactly "All", once, or no dry run; nothing that some reader might take for the other. */
static int dry_run(struct gate_ctx *c, struct gate_query *q) {
    unsigned n = 0;
    for (size_t i = 0; i < q->n; i++) {
        struct slice name = q->param[i].name;
        if (name.n < 6) continue;
        bool like = false;
        for (size_t k = 0; k + 6 <= name.n; k++) like = like || strncasecmp(name.p + k, "dryrun", 6) == 0;
        if (!like) continue;
        if (!slice_eqs(name, "dryRun") || !slice_eqs(q->param[i].value, "All") || ++n > 1)
            return gate_refuse(c, 400, "dryRun=All, once, is the only dryRun that is allowed");
        q->param[i].taken = true;
    }
    c->r->dry_run = n == 1;
    return 0;
}

static int selection(struct gate_ctx *c, struct gate_query *q) {
    struct gate_request *r = c->r;
    struct slice shard = {0};
    int e = take(c, q, "labelSelector", &r->labels);
    if (e == 0) e = take(c, q, "fieldSelector", &r->fields);
    if (e == 0) e = take(c, q, "continue", &r->token);
    if (e == 0) e = take(c, q, "resourceVersionMatch", &r->rv_match);
    if (e == 0) e = take(c, q, "shardSelector", &shard);
    if (e == 0) e = take_number(c, q, "limit", &r->limit);
    if (e == 0) e = take_number(c, q, "timeoutSeconds", &r->timeout);
    if (e == 0) e = take_version(c, q);
    if (e < 0) return e;
    if (shard.n) return gate_refuse(c, 501, "shardSelector cannot be rehearsed");
    if (r->rv_match.n && !slice_eqs(r->rv_match, "Exact") && !slice_eqs(r->rv_match, "NotOlderThan"))
        return gate_refuse(c, 400, "resourceVersionMatch: Exact or NotOlderThan is allowed");
    return 0;
}

static int read_query(struct gate_ctx *c, struct gate_query *q) {
    struct gate_request *r = c->r;
    bool watch = false;
    int e = take_bool(c, q, "watch", &watch);
    if (e < 0) return e;
    if (r->kind == GATE_GET) {
        if (watch)
            return gate_refuse(c, 400,
                               "an object is watched by its collection and fieldSelector=metadata.name=NAME");
        return take_version(c, q);
    }
    e = selection(c, q);
    if (e == 0) e = take_bool(c, q, "sendInitialEvents", &r->initial_events);
    if (e == 0) e = take_bool(c, q, "allowWatchBookmarks", &r->bookmarks);
    if (e == 0 && watch) r->kind = GATE_WATCH;
    return e;
}

/* DeleteOptions: from the query if there is no body; gate_body.c looks whether there is one. */
static int delete_query(struct gate_ctx *c, struct gate_query *q) {
    struct delete_options *o = &c->in_query;
    struct slice orphan = {0};
    int e = take(c, q, "gracePeriodSeconds", &o->grace);
    if (e == 0) e = take(c, q, "propagationPolicy", &o->propagation);
    if (e == 0) e = take(c, q, "uid", &o->uid);
    if (e == 0) e = take(c, q, "orphanDependents", &orphan);
    if (e == 0 && c->r->kind == GATE_DELETE_COLLECTION) e = selection(c, q);
    if (e < 0) return e;
    if (orphan.n && !slice_eqs(orphan, "true") && !slice_eqs(orphan, "false"))
        return gate_refuse(c, 400, "orphanDependents: true or false is allowed");
    o->orphan = orphan;
    return 0;
}

static int write_query(struct gate_ctx *c, struct gate_query *q) {
    static const char *const harmless[] = {"pretty", "timeout", "timeoutSeconds"};
    struct gate_request *r = c->r;
    int e = dry_run(c, q);
    if (e == 0 && (r->kind == GATE_DELETE || r->kind == GATE_DELETE_COLLECTION)) {
        e = delete_query(c, q);
    } else if (e == 0) {
        e = take(c, q, "fieldManager", &r->manager);
        if (e == 0) e = take(c, q, "fieldValidation", &r->validation);
        if (e == 0 && r->kind == GATE_PATCH) e = take_bool(c, q, "force", &r->force);
    }
    for (size_t i = 0; e == 0 && i < q->n; i++) {
        bool known = q->param[i].taken;
        for (size_t k = 0; k < ARRAY_LEN(harmless); k++)
            known = known || slice_eqs(q->param[i].name, harmless[k]);
        if (!known) e = gate_refuse(c, 400, "the query has a parameter that is not known for this request");
    }
    return e;
}

/* What is passed by: encoded anew. */
static int pass_query(struct gate_ctx *c, struct gate_query *q) {
    static const char *const names[] = {"container",
                                        "follow",
                                        "previous",
                                        "sinceSeconds",
                                        "sinceTime",
                                        "timestamps",
                                        "tailLines",
                                        "limitBytes",
                                        "stream",
                                        "insecureSkipTLSVerifyBackend",
                                        "pretty",
                                        "verbose",
                                        "exclude",
                                        "hash",
                                        "timeout",
                                        "labelSelector",
                                        "metricLabelSelector"};
    bool first = true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (size_t k = 0; k < q->n; k++) {
            if (slice_eqs(q->param[k].name, names[i]))
                url_query(&c->query, &first, names[i], q->param[k].value);
        }
    }
    if (c->query.n) buf_consume(&c->query, 1); /* the '?' */
    return 0;
}

int gate_query(struct gate_ctx *c, struct slice query) {
    struct gate_query q = {0};
    int e = split(c, query, &q);
    if (e < 0) return e;
    switch (c->r->kind) {
    case GATE_PASS: return pass_query(c, &q);
    case GATE_GET:
    case GATE_LIST: return read_query(c, &q);
    case GATE_REVIEW: return dry_run(c, &q);
    default: return write_query(c, &q);
    }
}
