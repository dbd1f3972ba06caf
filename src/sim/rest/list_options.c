/* resourceVersion, resourceVersionMatch, continue, limit, sendInitialEvents: what goes together and what does
 * not, after apimachinery's pkg/apis/meta/internalversion (validation.go, defaults.go). */
#include "rest/list_options.h"
#include <inttypes.h>

#define MATCH "resourceVersionMatch"

struct given { /* as they stand in the query; NULL: absent or empty */
    const char *rv, *match, *more;
    bool watch, initial_set, initial;
    enum sim_release server;
};

static const char *param(const struct call *c, const char *key) {
    const char *v = request_uri_param(&c->t, key);
    return v && v[0] ? v : NULL;
}

static void forbidden(struct call *c, const char *field, const char *why) {
    api_status_cause(&c->f, "FieldValueForbidden", field, "Forbidden: %s", why);
}

static void not_supported(struct call *c, const char *match, const char *allowed) {
    api_status_cause(&c->f, "FieldValueNotSupported", MATCH,
                     "Unsupported value: \"%.80s\": supported values: %s", match, allowed);
}

static bool is(const char *match, const char *what) {
    return match && !strcmp(match, what);
}

/* Of a list; and of a watch before 1.27, which forbids one more. */
static void check_list(struct call *c, const struct given *g) {
    bool known = g->server == SIM_RELEASE_1_33 || g->server == SIM_RELEASE_1_37;
    if (g->match) {
        if (g->watch) forbidden(c, MATCH, MATCH " is forbidden for watch");
        if (!g->rv) forbidden(c, MATCH, MATCH " is forbidden unless resourceVersion is provided");
        if (g->more) forbidden(c, MATCH, MATCH " is forbidden when continue is provided");
        if (!is(g->match, "Exact") && !is(g->match, "NotOlderThan"))
            not_supported(c, g->match, "\"Exact\", \"NotOlderThan\", \"\"");
        if (is(g->match, "Exact") && is(g->rv, "0"))
            forbidden(c, MATCH, MATCH " \"exact\" is forbidden for resourceVersion \"0\"");
    }
    if (known && g->initial_set) forbidden(c, "sendInitialEvents", "sendInitialEvents is forbidden for list");
}

static void check_watch(struct call *c, const struct given *g) {
    if (g->initial_set) {
        if (!is(g->match, "NotOlderThan"))
            forbidden(c, MATCH, "sendInitialEvents requires setting " MATCH " to NotOlderThan");
        if (g->server != SIM_RELEASE_1_37) {
            forbidden(
                c, "sendInitialEvents",
                "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
        }
    }
    if (!g->match) return;
    if (!g->initial_set)
        forbidden(c, MATCH, MATCH " is forbidden for watch unless sendInitialEvents is provided");
    if (!is(g->match, "NotOlderThan")) not_supported(c, g->match, "\"NotOlderThan\"");
    if (g->more) forbidden(c, MATCH, MATCH " is forbidden when continue is provided");
}

static int check(struct call *c, const struct given *g) {
    static const struct sim_type options = {"meta.k8s.io", "v1", "listoptions", "ListOptions", "", "",
                                            .custom = true};
    bool ignored = g->watch && g->server == SIM_RELEASE_1_18;
    if (!g->watch || g->server == SIM_RELEASE_1_20) {
        check_list(c, g);
    } else if (!ignored) {
        check_watch(c, g);
    }
    return api_status_invalid(&c->f, &options, "");
}

static int number(struct call *c, const char *key, int64_t min, int64_t *ret) {
    const char *text = param(c, key);
    if (!text) return 0;
    if (slice_i64(slice_of(text), ret) == 0 && *ret >= min) return 0;
    return api_status_set(&c->f, 400, "BadRequest", "strconv.ParseInt: parsing \"%.80s\": invalid syntax",
                          text);
}

/* How a watch begins. */
static int set_start(struct call *c, const struct given *g, struct list_options *ret) {
    bool serve = g->server == SIM_RELEASE_1_37, any = !g->rv || is(g->rv, "0");
    bool asked = serve && g->initial_set;
    ret->state = asked ? g->initial : any;
    /* A server that knows initial events sends them, and their end, to the watches that have always had them. */
    ret->end_mark = serve && ret->state && ret->bookmarks;
    if (asked && ret->state && ret->rv > c->s->rv) return list_options_too_large(c, ret->rv);
    if (!ret->state && any) ret->rv = c->s->rv;
    return 0;
}

int list_options_too_large(struct call *c, uint64_t rv) {
    api_status_cause(&c->f, "ResourceVersionTooLarge", "", "Too large resource version");
    c->f.retry_after_s = 1;
    return api_status_set(&c->f, 504, "Timeout", "Too large resource version: %" PRIu64 ", current: %" PRIu64,
                          rv, c->s->rv);
}

int list_options_read(struct call *c, bool watch, struct list_options *ret) {
    struct given g = {.rv = param(c, "resourceVersion"),
                      .match = param(c, MATCH),
                      .more = param(c, "continue"),
                      .watch = watch,
                      .initial_set = request_uri_param(&c->t, "sendInitialEvents") != NULL,
                      .initial = request_uri_flag(&c->t, "sendInitialEvents"),
                      .server = c->s->cfg.release};
    struct list_options o = {.more = g.more,
                             .exact = !watch && is(g.match, "Exact"), /* 1.18 reads none of a watch */
                             .bookmarks = request_uri_flag(&c->t, "allowWatchBookmarks")};
    int r = number(c, "limit", 0, &o.limit);
    if (r == 0) r = number(c, "timeoutSeconds", INT64_MIN, &o.timeout_s);
    if (r == 0) r = check(c, &g);
    if (r == 0) r = rest_version(g.rv, &o.rv, &c->f);
    if (r == 0 && !watch && g.more && o.rv) {
        r = api_status_set(&c->f, 400, "BadRequest",
                           "specifying resource version is not allowed when using continue");
    }
    if (r == 0 && watch) r = set_start(c, &g, &o);
    if (r == 0) *ret = o;
    return r;
}
