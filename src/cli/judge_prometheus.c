/* One or two range queries, one after the other; see judge_prometheus.h. */
#include "judge_prometheus.h"
#include "api/url.h"
#include "base/mem.h"
#include "base/time.h"
#include "judge/promapi.h"
#include "judge/promql.h"
#include "world/http_client.h"
#include <errno.h>

enum { TOKEN_CAP = 16384, CA_CAP = 1 << 20, FORM_CAP = 256 << 10, TIMEOUT_S = 120 };

struct asking {
    struct cli_world *w;
    const struct prometheus_source *s;
    struct judge_history *h;
    char *url;
    struct buf ca, token, answer;
    struct http_req *req;
    bool errors; /* the second query */
    struct err *err;
};

static void ask(struct asking *a);

static int refused(struct asking *a, int status) {
    char words[400];
    const char *name = http_status_text(status);
    if (!promapi_explain(buf_slice(&a->answer), words)) snprintf(words, sizeof words, "%s", name ? name : "");
    return err_set(a->err, ERR_REJECTED, -EPROTO, "%s: %d %s", a->url, status, words);
}

static int take(struct asking *a, int status) {
    if (status != 200) return refused(a, status);
    enum judge_history_kind kind = a->errors      ? HISTORY_ERRORS
                                   : a->s->errors ? HISTORY_ALL
                                                  : HISTORY_BY_RESULT;
    if (judge_history_add(a->h, kind, buf_slice(&a->answer), a->err) == 0) return 0;
    return err_wrap(a->err, "%s: query %s", a->url, a->errors ? a->s->errors : a->s->query);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct asking *a = ctx;
    buf_add(&a->answer, data); /* body_cap ends a longer one */
    return HTTP_MORE;
}

static void on_end(void *ctx, const struct err *err, int status) {
    struct asking *a = ctx;
    a->req = NULL;
    if (err) *a->err = *err;
    int rc = err ? err_wrap(a->err, "%s", a->url) : take(a, status);
    if (rc == 0 && a->s->errors && !a->errors) {
        a->errors = true;
        ask(a);
        return;
    }
    loop_stop(a->w->loop);
}

static void ask(struct asking *a) {
    static const struct http_client_cb cb = {.body = on_body, .end = on_end};
    cleanup_buf struct buf form = BUF(FORM_CAP), bearer = BUF(TOKEN_CAP + 16);
    const struct prometheus_source *s = a->s;
    buf_adds(&form, "query=");
    url_escape(&form, slice_of(a->errors ? s->errors : s->query));
    promql_time("start", s->start_ns, &form);
    promql_time("end", s->end_ns, &form);
    promql_time("step", s->step_ns, &form);
    struct http_headers headers = {0};
    http_headers_add(&headers, SL("Content-Type"), SL("application/x-www-form-urlencoded"));
    if (a->token.n) {
        buf_addf(&bearer, "Bearer %.*s", SLF(slice_trim(buf_slice(&a->token))));
        http_headers_add(&headers, SL("Authorization"), buf_slice(&bearer));
    }
    struct http_tls tls = {.id = 1, .ca = buf_slice(&a->ca)};
    struct http_spec spec = {.lane = LANE_SCRAPE,
                             .method = "POST",
                             .url = a->url,
                             .headers = &headers,
                             .body = buf_slice(&form),
                             .total_ns = TIMEOUT_S * NS_PER_S,
                             .body_cap = HISTORY_MAX_ANSWER,
                             .tls = &tls};
    buf_clear(&a->answer);
    if (http_start(a->w->world, &spec, &cb, a, &a->req, a->err) < 0) loop_stop(a->w->loop);
}

int judge_prometheus(struct cli_world *w, const struct prometheus_source *s, struct judge_history *ret,
                     struct err *err) {
    struct asking a = {.w = w, .s = s, .h = ret, .err = err};
    a.url = xasprintf("%s/api/v1/query_range", s->url);
    buf_init(&a.ca, CA_CAP);
    buf_init(&a.token, TOKEN_CAP);
    buf_init(&a.answer, HISTORY_MAX_ANSWER);
    int rc = s->ca ? world_read_file(w->world, s->ca, CA_CAP, &a.ca, err) : 0;
    if (rc == 0 && s->token) rc = world_read_file(w->world, s->token, TOKEN_CAP, &a.token, err);
    if (rc == 0) {
        ask(&a);
        if (!err->kind) loop_run(w->loop);
        rc = err->kind ? err->errnum : 0;
    }
    free(a.url);
    buf_free(&a.ca);
    buf_free(&a.token);
    buf_free(&a.answer);
    return rc;
}
