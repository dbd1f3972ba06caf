/* Asks the checks of targets; see check.h. */
#include "act/check.h"
#include "base/list.h"
#include "base/utf8.h"
#include "judge/promapi.h"
#include "judge/promql.h"
#include "world/http_client.h"
#include <errno.h>

enum { CA_CAP = 1 << 20, TOKEN_CAP = 16384, QUERY_ANSWER = 256 << 10, URL_CAP = 4096 };

enum stage { IDLE, WAITING, OPEN };
struct question {
    struct list node; /* in checks.waiting or checks.open */
    struct check_target *t;
    enum check_kind kind;
    enum stage stage;
    uint64_t of;
    struct buf text, body, got;
    struct http_req *req;
    struct err failed;          /* it cannot be asked */
    struct check_answer answer; /* says CHECK_NOTHING: none */
};
struct check_target {
    struct checks *c;
    char *ns;
    world_fn answered;
    void *ctx;
    struct question question[CHECKS];
};
struct checks {
    struct kube *kube;
    struct world *world;
    struct checks_options opt;
    struct list waiting, open;
    struct timer *turn;
    struct metric_family *count;
    bool stopped;
};

/* ---- answers ---- */

static void drop_answer(struct question *q) {
    free(q->answer.message);
    q->answer = (struct check_answer){.says = CHECK_NOTHING};
}

static void rest(struct question *q) {
    if (q->req) http_cancel(q->req);
    q->req = NULL;
    list_remove(&q->node);
    q->stage = IDLE;
    buf_free(&q->text);
    buf_free(&q->body);
    buf_free(&q->got);
}

static char *line(const char *text) {
    cleanup_buf struct buf safe = BUF(8192);
    utf8_add_safe(&safe, slice_of(text));
    return slice_dup_text(buf_slice(&safe), CHECK_MAX_WORDS);
}

/* Takes message over. */
static void end(struct question *q, enum check_says says, char *message) {
    struct check_target *t = q->t;
    const char *name = state_says_name(says);
    rest(q);
    drop_answer(q);
    q->answer = (struct check_answer){
        .of = q->of, .says = says, .message = message, .at_ns = world_wall_ns(t->c->world)};
    q->answer.at_ns -= q->answer.at_ns % NS_PER_US; /* as the state's text keeps it */
    metric_inc(metric_with(t->c->count, &name));
    timer_in(t->c->turn, 0);
    t->answered(t->ctx);
}

static void silent(struct question *q, const struct err *err) {
    end(q, CHECK_SILENT, line(err->msg));
}

static void refused(const struct question *q, int status, struct err *err) {
    char words[400];
    err_set(err, ERR_PROTOCOL, -EPROTO, "it answers %d%s", status,
            status >= 300 && status < 400 ? ", and redirects are not followed" : "");
    if (q->kind == CHECK_QUERY && promapi_explain(buf_slice(&q->got), words))
        err_set(err, ERR_REJECTED, -EINVAL, "%s", words);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct question *q = ctx;
    buf_add(&q->got, data); /* http_spec.body_cap ends it before that is full */
    return HTTP_MORE;
}

static void on_end(void *ctx, const struct err *failure, int status) {
    struct question *q = ctx;
    struct err err = failure ? *failure : (struct err){0};
    enum check_says says = CHECK_SILENT;
    char *message = NULL;
    bool holds = false;
    q->req = NULL;
    if (!failure && status != 200)
        refused(q, status, &err);
    else if (!failure && q->kind == CHECK_URL)
        check_answer_read(buf_slice(&q->got), &says, &message, &err);
    else if (!failure && promapi_read_condition(buf_slice(&q->got), &holds, &err) == 0)
        says = holds ? CHECK_PASS : CHECK_WAIT;
    if (err.kind)
        silent(q, &err);
    else
        end(q, says, message);
}

/* ---- questions ---- */

static int read_file(struct checks *c, const char *path, size_t cap, struct buf *ret, struct err *err) {
    if (!path) return 0;
    int rc = world_read_file(c->world, path, cap, ret, err);
    return rc < 0 || slice_trim(buf_slice(ret)).n ? rc
                                                  : err_set(err, ERR_CONFIG, -ENOENT, "%s is empty", path);
}

/* What a question is sent to, and how much of an answer is read. */
struct request {
    struct buf url, body, ca, authorization;
    const char *type;
    size_t cap;
};

static void request_free(struct request *r) {
    buf_free(&r->url);
    buf_free(&r->body);
    buf_free(&r->ca);
    buf_free(&r->authorization);
}

static int to_url(struct question *q, struct request *r, struct err *err) {
    struct checks *c = q->t->c;
    struct url u;
    char why[256];
    if (check_url_read(buf_slice(&q->text), &u, why) < 0) return err_set(err, ERR_CONFIG, -EINVAL, "%s", why);
    if (!check_hosts_allow(slice_of(c->opt.hosts), &u))
        return err_set(err, ERR_CONFIG, -EINVAL, "its host is not allowed");
    check_url_write(&u, &r->url);
    buf_add(&r->body, buf_slice(&q->body));
    r->type = "application/json";
    r->cap = CHECK_MAX_ANSWER;
    return read_file(c, c->opt.ca, CA_CAP, &r->ca, err);
}

static int to_prometheus(struct question *q, struct request *r, struct err *err) {
    struct checks *c = q->t->c;
    const struct prometheus_options *p = &c->opt.prometheus;
    cleanup_buf struct buf token = BUF(TOKEN_CAP);
    int rc = read_file(c, p->ca, CA_CAP, &r->ca, err);
    if (rc == 0) rc = read_file(c, p->token, TOKEN_CAP, &token, err);
    if (rc < 0) return rc;
    if (token.n) buf_addf(&r->authorization, "Bearer %.*s", SLF(slice_trim(buf_slice(&token))));
    buf_addf(&r->url, "%s/api/v1/query", p->url);
    promql_form(buf_slice(&q->text), world_wall_ns(c->world), CHECK_TIMEOUT_S * NS_PER_S, &r->body);
    r->type = "application/x-www-form-urlencoded";
    r->cap = QUERY_ANSWER;
    return 0;
}

static int send(struct question *q, struct err *err) {
    static const struct http_client_cb cb = {.body = on_body, .end = on_end};
    struct checks *c = q->t->c;
    __attribute__((cleanup(request_free))) struct request r = {.url = BUF(URL_CAP),
                                                               .body = BUF((size_t)4 * PROMQL_MAX),
                                                               .ca = BUF(CA_CAP),
                                                               .authorization = BUF(TOKEN_CAP + 8)};
    struct http_headers h = {.n = 0};
    int rc = q->kind == CHECK_URL ? to_url(q, &r, err) : to_prometheus(q, &r, err);
    if (rc < 0) return rc;
    http_headers_add(&h, SL("Content-Type"), slice_of(r.type));
    http_headers_add(&h, SL("User-Agent"), SL("handover"));
    if (r.authorization.n) http_headers_add(&h, SL("Authorization"), buf_slice(&r.authorization));
    /* Other certificates are another id, and share no connections. */
    struct http_tls tls = {.id = slice_hash(buf_slice(&r.ca), q->kind) | 1, .ca = buf_slice(&r.ca)};
    struct http_spec spec = {.lane = LANE_CHECK,
                             .method = "POST",
                             .url = buf_str(&r.url),
                             .headers = &h,
                             .body = buf_slice(&r.body),
                             .total_ns = CHECK_TIMEOUT_S * NS_PER_S,
                             .body_cap = r.cap,
                             .tls = r.ca.n ? &tls : NULL};
    buf_init(&q->got, r.cap);
    return http_start(c->world, &spec, &cb, q, &q->req, err);
}

static bool has_room(const struct checks *c, const struct question *q) {
    unsigned all = 0, own = 0;
    list_each(it, &c->open) {
        const struct question *o = container_of(it, struct question, node);
        all++;
        own += strcmp(o->t->ns, q->t->ns) == 0;
    }
    return all < CHECKS_AT_ONCE && own < CHECKS_OF_NAMESPACE;
}

static void on_turn(void *ctx) {
    struct checks *c = ctx;
    list_each_safe(it, tmp, &c->waiting) {
        struct question *q = container_of(it, struct question, node);
        struct err err = {0};
        if (c->stopped || !has_room(c, q)) continue;
        list_remove(&q->node);
        list_push(&c->open, &q->node);
        q->stage = OPEN;
        if (q->failed.kind || send(q, &err) < 0) silent(q, q->failed.kind ? &q->failed : &err);
    }
}

/* ---- targets ---- */

struct check_target *check_target_new(struct checks *c, const char *ns, world_fn answered, void *ctx) {
    struct check_target *t = xcalloc(1, sizeof *t);
    *t = (struct check_target){.c = c, .ns = xstrdup(ns), .answered = answered, .ctx = ctx};
    for (int k = 0; k < CHECKS; k++) {
        t->question[k] = (struct question){.t = t, .kind = (enum check_kind)k};
        list_init(&t->question[k].node);
    }
    return t;
}

void check_target_free(struct check_target *t) {
    if (!t) return;
    for (int k = 0; k < CHECKS; k++) {
        bool was_open = t->question[k].stage == OPEN;
        rest(&t->question[k]);
        drop_answer(&t->question[k]);
        if (was_open && !t->c->stopped) timer_in(t->c->turn, 0);
    }
    free(t->ns);
    free(t);
}

void check_target_ask(struct check_target *t, enum check_kind kind, uint64_t of, struct slice text,
                      struct slice body) {
    struct question *q = &t->question[kind];
    if (t->c->stopped || (q->stage != IDLE && q->of == of)) return;
    rest(q);
    drop_answer(q);
    q->of = of;
    q->failed = (struct err){0};
    q->stage = WAITING;
    buf_init(&q->text, PROMQL_MAX);
    buf_init(&q->body, PROMQL_MAX);
    buf_add(&q->text, text);
    buf_add(&q->body, body);
    list_push(&t->c->waiting, &q->node);
    timer_in(t->c->turn, 0);
}

void check_target_fail(struct check_target *t, enum check_kind kind, uint64_t of, const struct err *err) {
    check_target_ask(t, kind, of, (struct slice){0}, (struct slice){0});
    t->question[kind].failed = *err; /* or the question that is open fails in its own way */
}

const struct check_answer *check_target_answer(const struct check_target *t, enum check_kind kind) {
    const struct check_answer *a = &t->question[kind].answer;
    return a->says == CHECK_NOTHING ? NULL : a;
}

void check_target_taken(struct check_target *t) {
    for (int k = 0; k < CHECKS; k++) drop_answer(&t->question[k]);
}

/* ---- the process ---- */

struct checks *checks_new(struct kube *k, const struct checks_options *opt) {
    struct checks *c = xcalloc(1, sizeof *c);
    *c = (struct checks){.kube = k, .world = kube_world(k), .opt = *opt};
    list_init(&c->waiting);
    list_init(&c->open);
    c->turn = timer_new(c->world, on_turn, c);
    c->count =
        metrics_family(kube_metrics(k), METRIC_COUNTER, "handover_checks_total",
                       "Total number of answers of checks of targets by what they say", "result", NULL, 0);
    for (int i = CHECK_NOTHING + 1; i < CHECK_SAYS; i++) {
        const char *name = state_says_name((enum check_says)i);
        metric_with(c->count, &name);
    }
    return c;
}

void checks_free(struct checks *c) {
    if (!c) return;
    timer_free(c->turn);
    free(c);
}

void checks_stop(struct checks *c) {
    c->stopped = true;
    timer_stop(c->turn);
    list_each_safe(it, tmp, &c->waiting) rest(container_of(it, struct question, node));
    list_each_safe(it2, tmp2, &c->open) rest(container_of(it2, struct question, node));
}

int checks_allow(const struct checks *c, const struct spec *spec, struct err *err) {
    const struct prometheus_options *p = &c->opt.prometheus;
    cleanup_buf struct buf shown = BUF(1024);
    struct url u;
    char why[256];
    if (spec->check && check_url_read(slice_of(spec->check), &u, why) == 0 &&
        !check_hosts_allow(slice_of(c->opt.hosts), &u)) {
        url_shown(slice_of(spec->check), &shown);
        return err_set(err, ERR_CONFIG, -EINVAL,
                       HANDOVER_PREFIX
                       "check: \"%s\" is not allowed: its host is none of those that handover run "
                       "--check-hosts=LIST names; allowed: %.200s",
                       buf_str(&shown), c->opt.hosts ? c->opt.hosts : "none");
    }
    if (spec->check_query && !(p->url && p->own_queries))
        return err_set(err, ERR_CONFIG, -EINVAL,
                       HANDOVER_PREFIX
                       "check-query: not allowed: a query of a target's own can read the metrics of "
                       "others; handover run --prometheus=URL --prometheus-own-queries=on allows them");
    return 0;
}
