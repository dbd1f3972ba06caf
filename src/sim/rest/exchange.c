/* Requests come in, faults are applied, answers go out. */
#include "rest/exchange.h"
#include "rest/fault.h"
#include "rest/rest_list.h"
#include "rest/request_log.h"
#include "rest/rest.h"
#include "rest/rest_watch.h"
#include "api/status.h"

enum { MAX_TARGET = 16 << 10, MAX_HEADER = 8 << 10 };

/* ---- the answer ---- */
void exchange_head(struct sim_exchange *x, int status, const char *content_type, int retry_after_s) {
    if (x->over || x->headed) return;
    x->headed = true;
    x->status = status;
    request_log_status(x->s->log, x->log_slot, status);
    x->held_type = content_type;
    x->held_retry = retry_after_s;
    if (x->hold || x->quiet) return;
    x->cb.head(x->ctx, status, content_type, retry_after_s);
}

void exchange_warn(struct sim_exchange *x, struct slice text) {
    if (x->over || x->headed || x->quiet || !x->cb.warning) return;
    x->cb.warning(x->ctx, text);
}

void exchange_body(struct sim_exchange *x, struct slice data) {
    if (x->over || x->quiet || data.n == 0) return;
    if (x->hold) {
        buf_add(&x->held, data);
        return;
    }
    if (x->fx.cut_after < 0 || (uint64_t)x->fx.cut_after >= data.n) {
        if (x->fx.cut_after > 0) x->fx.cut_after -= (int64_t)data.n;
        if (data.n) x->cb.body(x->ctx, data);
        return;
    }
    if (x->fx.cut_after > 0) x->cb.body(x->ctx, slice_make(data.p, (size_t)x->fx.cut_after));
    if (!x->over) exchange_end(x, true);
}

/* Takes it out of everything; nothing of it is called any more. */
static void close_exchange(struct sim_exchange *x) {
    struct sim *s = x->s;
    x->over = true;
    sim_due_cancel(s, &x->due);
    rest_watch_close(x);
    rest_list_close(x);
    list_remove(&x->link);
    list_push(&s->ended, &x->link);
    s->nexchanges--;
}

void exchange_end(struct sim_exchange *x, bool cut) {
    if (x->over) return;
    if (x->hold && !x->s->closing) {
        x->held_end = true;
        x->held_cut = cut;
        return;
    }
    if (x->quiet) { /* silent: for ever, or till the client gives up; lost: the connection breaks */
        if (x->fx.silent && !x->s->closing) return;
        cut = true;
    }
    close_exchange(x);
    x->cb.end(x->ctx, cut);
}

static void free_request(struct sim_exchange *x) {
    if (!x->req_owned) return;
    const struct slice *v[] = {&x->req.method, &x->req.target,        &x->req.content_type, &x->req.accept,
                               &x->req.body,   &x->req.authorization, &x->req.user_agent};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        union {
            const char *c;
            char *m;
        } u = {.c = v[i]->p};
        free(u.m);
    }
    x->req_owned = false;
}

void exchange_sweep(struct sim *s) {
    list_each_safe(it, tmp, &s->ended) {
        struct sim_exchange *x = container_of(it, struct sim_exchange, link);
        if (x->pinned) continue;
        list_remove(&x->link);
        free_request(x);
        buf_free(&x->held);
        free(x->fx_body);
        free(x);
    }
}

void exchange_json(struct sim_exchange *x, int status, struct slice body) {
    exchange_head(x, status, "application/json", -1);
    exchange_body(x, body);
    exchange_end(x, false);
}

void exchange_text(struct sim_exchange *x, int status, struct slice body) {
    exchange_head(x, status, "text/plain; charset=utf-8", -1);
    exchange_body(x, body);
    exchange_end(x, false);
}

void exchange_fail(struct sim_exchange *x, const struct api_status *f) {
    struct buf b = BUF(256 << 10);
    api_status_write(f, &b);
    exchange_head(x, f->code, "application/json", f->retry_after_s > 0 ? f->retry_after_s : -1);
    exchange_body(x, buf_slice(&b));
    exchange_end(x, false);
    buf_free(&b);
}

size_t exchange_unsent(const struct sim_exchange *x) {
    return x->cb.unsent && !x->hold && !x->quiet ? x->cb.unsent(x->ctx) : 0;
}

/* ---- the request ---- */
static void release_answer(struct sim *s, struct due *d) {
    (void)s;
    struct sim_exchange *x = container_of(d, struct sim_exchange, due);
    struct buf held = x->held;
    x->held = BUF(0);
    x->hold = false;
    x->due.fn = NULL;
    if (x->headed && !x->quiet) x->cb.head(x->ctx, x->status, x->held_type, x->held_retry);
    if (!x->over && held.n) exchange_body(x, buf_slice(&held));
    if (!x->over && x->held_end) exchange_end(x, x->held_cut);
    buf_free(&held);
}

void exchange_delay(struct sim_exchange *x, int64_t ns) {
    int64_t at = x->s->now + ns;
    if (x->hold && x->due.at > at) return;
    if (!x->hold) x->held = BUF((size_t)256 << 20);
    x->hold = true;
    x->due.fn = release_answer;
    sim_due_cancel(x->s, &x->due);
    sim_due_at(x->s, &x->due, at);
}

static void fault_answer(struct sim_exchange *x) {
    if (x->fx_body) {
        exchange_head(x, x->fx.status, "application/json", x->fx.retry_after_s);
        exchange_body(x, slice_of(x->fx_body));
        exchange_end(x, false);
        return;
    }
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    api_status_set(&f, x->fx.status, status_reason(x->fx.status), "injected: the server answers %d",
                   x->fx.status);
    f.retry_after_s = x->fx.retry_after_s;
    exchange_fail(x, &f);
}

static void carry_out(struct sim_exchange *x, const struct sim_request *req) {
    if (x->fx.status) {
        fault_answer(x);
        return;
    }
    if (x->fx.drop_after) x->quiet = true;
    if (x->fx.answer_ns > 0) exchange_delay(x, x->fx.answer_ns);
    rest_serve(x->s, x, req);
}

static void run_late(struct sim *s, struct due *d) {
    (void)s;
    struct sim_exchange *x = container_of(d, struct sim_exchange, due);
    carry_out(x, &x->req);
}

static struct slice copy(struct slice s) {
    return slice_make(slice_dup(s), s.n);
}

static void keep_request(struct sim_exchange *x, const struct sim_request *r) {
    x->req =
        (struct sim_request){copy(r->method),        copy(r->target), copy(r->content_type), copy(r->accept),
                             copy(r->authorization), copy(r->body),   copy(r->user_agent)};
    x->req_owned = true;
}

static void start(struct sim_exchange *x, const struct sim_request *req) {
    if (x->fx.drop_before) {
        exchange_end(x, true);
    } else if (x->fx.silent) {
        x->quiet = true;
        if (x->fx.drop_after) carry_out(x, req);
    } else if (x->fx.latency_ns > 0) {
        keep_request(x, req);
        x->due.fn = run_late;
        sim_due_at(x->s, &x->due, x->s->now + x->fx.latency_ns);
    } else {
        carry_out(x, req);
    }
}

static int refuse(struct sim *s, const struct sim_request *req, struct api_status *f) {
    if (s->nexchanges >= SIM_MAX_EXCHANGES) {
        f->retry_after_s = 1;
        return api_status_set(f, 429, "TooManyRequests", "too many requests, please try again later");
    }
    if (req->target.n > MAX_TARGET)
        return api_status_set(f, 414, "RequestURITooLong", "the request's target is too long");
    if (req->body.n > SIM_MAX_BODY) {
        return api_status_set(f, 413, "RequestEntityTooLarge", "Request entity too large: limit is %d",
                              SIM_MAX_BODY);
    }
    if (req->method.n > 32 || req->content_type.n > MAX_HEADER || req->accept.n > MAX_HEADER ||
        req->user_agent.n > MAX_HEADER) {
        return api_status_set(f, 431, "RequestHeaderFieldsTooLarge", "the request's headers are too long");
    }
    return 0;
}

struct sim_exchange *sim_handle(struct sim *s, const struct sim_request *req, const struct sim_cb *cb,
                                void *ctx) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    sim_enter(s);
    s->requests++;
    struct sim_exchange *x = xcalloc(1, sizeof *x);
    *x = (struct sim_exchange){.s = s, .cb = *cb, .ctx = ctx, .held = BUF(0)};
    x->fx = (struct effect){.cut_after = -1, .retry_after_s = -1};
    int refused = refuse(s, req, &f);
    list_push(&s->exchanges, &x->link);
    s->nexchanges++;
    x->log_slot = request_log_add(s->log, s->now, req);
    if (refused < 0) {
        exchange_fail(x, &f);
    } else {
        faults_match(s, req, &x->fx);
        x->fx_body = xstrdup_null(x->fx.body);
        start(x, req);
    }
    /* What the flush ends must be known as well: the caller must not get an exchange that is over. */
    bool over = x->over;
    if (s->depth == 1 && !over) {
        x->pinned = true;
        sim_exit(s);
        over = x->over;
        x->pinned = false;
        if (over) exchange_sweep(s);
    } else {
        sim_exit(s);
    }
    return over ? NULL : x;
}

void sim_leave(struct sim_exchange *x) {
    if (!x || x->over) return;
    struct sim *s = x->s;
    sim_enter(s);
    close_exchange(x);
    sim_exit(s);
}
