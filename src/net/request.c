/* One request from start to end. libcurl's callbacks run inside its own calls and only note what is to be
 * done; what changes a transfer (adding, removing, unpausing it) is done by request_work() in the lane's next
 * turn. */
#include "net_impl.h"
#include <errno.h>

enum { HEAD_CAP = 64 * 1024, AROUND_CAP = 128 * 1024, LINES_MAX = 256 };

static void free_head(struct request *r) {
    if (!r->head) return;
    buf_free(&r->head->text);
    free(r->head);
    r->head = NULL;
}

void request_free(struct request *r) {
    list_remove(&r->node);
    list_remove(&r->todo);
    timer_free(r->deadline);
    if (r->added) curl_multi_remove_handle(r->lane->multi, r->easy);
    curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->headers);
    curl_slist_free_all(r->connect_to);
    tls_put(r->tls);
    free_head(r);
    free(r->method);
    free(r->url);
    free(r->shown);
    free(r->host);
    free(r->body);
    free(r);
}

/* The one end. r is gone before the callback runs, so that nothing it does can reach r. */
static void end(struct request *r, const struct err *err) {
    struct http_client_cb cb = r->cb;
    void *ctx = r->ctx;
    int status = r->status;
    request_free(r);
    cb.end(ctx, err, status);
}

static void fail(struct request *r, enum err_kind kind, int neg_errno, const char *why) {
    struct err err = {0};
    err_set(&err, kind, neg_errno, "%s %s: %s", r->method, r->shown, why);
    end(r, &err);
}

static void deliver(struct request *r) {
    if (r->fenced) {
        fail(r, ERR_FENCED, -EPERM, "not sent: this process may not change anything at this moment");
    } else if (r->resend) {
        fail(r, ERR_TRANSPORT, -ECONNRESET,
             "connection lost before an answer came; it may have been carried out");
    } else if (r->too_large) {
        struct err err = {0};
        err_set(&err, ERR_PROTOCOL, -EFBIG,
                "%s %s: the answer is larger than the %zu bytes that are allowed for it", r->method, r->shown,
                r->cap);
        end(r, &err);
    } else if (r->flooded) {
        struct err err = {0};
        err_set(
            &err, ERR_PROTOCOL, -EFBIG,
            "%s %s: status lines, headers, trailers and chunk framing of the answer exceed %d bytes or %d "
            "lines beside its body",
            r->method, r->shown, AROUND_CAP, LINES_MAX);
        end(r, &err);
    } else if (r->odd_head) {
        fail(r, ERR_PROTOCOL, -EPROTO, "the head of the answer is malformed or larger than 64 KiB");
    } else if (r->result == CURLE_OK) {
        end(r, NULL);
    } else {
        struct err err = {0};
        long os_errno = 0;
        curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_errno);
        const struct curl_error f = {.code = r->result,
                                     .os_errno = (int)os_errno,
                                     .text = r->text,
                                     .method = r->method,
                                     .url = r->shown,
                                     .host = r->host,
                                     .sent = r->sent,
                                     .connect_ns = r->connect_ns};
        curl_error_explain(&f, &err);
        end(r, &err);
    }
}

void request_finished(struct request *r, CURLcode rc) {
    curl_multi_remove_handle(r->lane->multi, r->easy);
    r->added = false;
    r->result = rc;
    if (r->cancelled) {
        request_free(r);
    } else if (r->held) {
        r->finished = true; /* the receiver is not done with what it has: the end waits for it */
    } else {
        deliver(r);
    }
}

void request_work(struct request *r) {
    if (r->cancelled) {
        request_free(r);
    } else if (r->flooded) {
        deliver(r);
    } else if (r->finished) {
        if (!r->held) deliver(r);
    } else if (!r->added) {
        r->added = true;
        if (curl_multi_add_handle(r->lane->multi, r->easy) != CURLM_OK) {
            r->added = false;
            fail(r, ERR_TRANSPORT, -ENOMEM, "libcurl did not take the request");
        }
    } else if (r->paused && !r->held) {
        r->paused = false;
        r->resumes = true;
        CURLcode rc =
            curl_easy_pause(r->easy, CURLPAUSE_CONT); /* delivers what was held back, and may pause again */
        r->resumes = false;
        if (rc != CURLE_OK) request_finished(r, rc);
    }
}

static void on_deadline(void *ctx) {
    struct request *r = ctx;
    char limit[32], why[96];
    int64_t tens = (r->total_ns + 5 * NS_PER_MS) / (10 * NS_PER_MS); /* what is left of 5 s reads as 5 s */
    duration_format(tens ? tens * 10 * NS_PER_MS : r->total_ns, limit);
    snprintf(why, sizeof why, r->status ? "the answer did not end within %s" : "no answer within %s", limit);
    fail(r, ERR_TIMEOUT, r->sent ? -ETIMEDOUT : -EHOSTUNREACH, why);
}

/* Just before the bytes leave, on new and on reused connections. A second time means that the first
 * connection died without an answer: what is not idempotent may have been carried out, and whether to repeat
 * it is not ours to say. */
static int on_prereq(void *ctx, char *peer, char *local, int peer_port, int local_port) {
    struct request *r = ctx;
    (void)peer, (void)local, (void)peer_port, (void)local_port;
    if (r->cancelled) return CURL_PREREQFUNC_ABORT;
    if (r->sent && !r->idempotent) {
        r->resend = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (r->may_send && !r->may_send(r->may_send_ctx)) {
        r->fenced = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (r->cancelled) return CURL_PREREQFUNC_ABORT;
    r->sent = true;
    return CURL_PREREQFUNC_OK;
}

static bool begin_head(struct request *r, struct slice line) {
    struct slice version, rest, code;
    int64_t status = 0;
    if (!slice_cut(line, ' ', &version, &rest)) return false;
    slice_cut(slice_trim(rest), ' ', &code, &rest);
    if (slice_i64(code, &status) < 0 || status < 100 || status > 999) return false;
    free_head(r);
    r->head = xcalloc(1, sizeof *r->head);
    buf_init(&r->head->text, HEAD_CAP);
    r->head->status = (int)status;
    return true;
}

static bool add_to_head(struct head *h, struct slice line) {
    struct slice name, value;
    if (!slice_cut(line, ':', &name, &value)) return true; /* libcurl let it pass: no header */
    value = slice_trim(value);
    if (h->n == HTTP_MAX_HEADERS) return true;
    size_t at = h->text.n;
    buf_add(&h->text, name);
    buf_add(&h->text, value);
    if (h->text.full) return false;
    h->at[h->n].name = at;
    h->at[h->n].nname = name.n;
    h->at[h->n].value = at + name.n;
    h->at[h->n].nvalue = value.n;
    h->n++;
    return true;
}

static void end_head(struct request *r) {
    struct head *h = r->head;
    if (h->status < 200) return; /* 100 Continue and its like: the answer is still to come */
    struct http_headers headers = {.n = 0};
    for (size_t i = 0; i < h->n; i++)
        http_headers_add(&headers, slice_make(h->text.p + h->at[i].name, h->at[i].nname),
                         slice_make(h->text.p + h->at[i].value, h->at[i].nvalue));
    r->status = h->status;
    if (r->cb.head) r->cb.head(r->ctx, r->status, &headers);
    free_head(r);
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx) {
    struct request *r = ctx;
    size_t n = size * count;
    struct slice line = slice_trim(slice_make(data, n));
    if (r->cancelled) return 0;
    if (++r->lines > LINES_MAX || r->flooded) {
        r->flooded = true;
        return 0;
    }
    if (r->status) return n; /* trailers */
    bool ok = true;
    if (slice_starts(line, SL("HTTP/"))) {
        ok = begin_head(r, line);
    } else if (!r->head) {
        ok = false;
    } else if (line.n > 0) {
        ok = add_to_head(r->head, line);
    } else {
        end_head(r);
    }
    if (!ok) r->odd_head = true;
    return ok && !r->cancelled ? n : 0;
}

/* HTTP_HOLD takes the bytes at hand; the next ones are left with libcurl, which pauses the transfer then. So it does
 * when the lane's turn is over: libcurl would read 100 buffers in a row otherwise. */
static size_t on_body(char *data, size_t size, size_t count, void *ctx) {
    struct request *r = ctx;
    size_t n = size * count;
    if (r->cancelled) return CURL_WRITEFUNC_ERROR;
    if (r->held || lane_spent(r->lane)) {
        r->paused = true;
        if (!r->held) lane_todo(r);
        return CURL_WRITEFUNC_PAUSE;
    }
    if (r->cap && n > r->cap - r->received) {
        r->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    r->received += n;
    if (r->resumes) r->lane->handled += n;
    enum http_pull pull = r->cb.body ? r->cb.body(r->ctx, slice_make(data, n)) : HTTP_MORE;
    if (r->cancelled) return CURL_WRITEFUNC_ERROR;
    if (pull == HTTP_HOLD && !lane_http2(r->lane)) r->held = true;
    return n;
}

static void resume(struct http_req *base) {
    struct request *r = container_of(base, struct request, base);
    if (!r->held) return;
    r->held = false;
    if (r->paused || r->finished) lane_todo(r);
}

static void cancel(struct http_req *base) {
    struct request *r = container_of(base, struct request, base);
    r->cancelled = true;
    r->cb = (struct http_client_cb){0};
    r->may_send = NULL;
    timer_stop(r->deadline);
    lane_todo(r);
}

/* Sees every byte of an answer before libcurl decodes it. The only place that does: framing and trailers reach
 * no other callback, and libcurl keeps trailers without a limit. Nothing may be aborted here. */
static int on_trace(CURL *easy, curl_infotype type, char *data, size_t n, void *ctx) {
    struct request *r = ctx;
    (void)easy, (void)data;
    if (type != CURLINFO_HEADER_IN && type != CURLINFO_DATA_IN) return 0;
    /* The bytes at hand are not decoded yet, and so are judged with the next ones. As much as the body: a chunk is
     * framed. */
    if (r->wire - r->received > AROUND_CAP + r->received && !r->flooded && !r->cancelled) {
        r->flooded = true;
        lane_todo(r);
    }
    r->wire += n;
    r->lane->handled += n;
    return 0;
}

static void set_callbacks(struct request *r) {
    curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->text);
    curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_PREREQFUNCTION, on_prereq);
    curl_easy_setopt(r->easy, CURLOPT_PREREQDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_DEBUGFUNCTION, on_trace);
    curl_easy_setopt(r->easy, CURLOPT_DEBUGDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_VERBOSE, 1L); /* for on_trace() */
}

int request_start(struct world *w, const struct http_spec *spec, const struct http_client_cb *cb, void *ctx,
                  struct http_req **ret, struct err *err) {
    struct net *n = net_of(w);
    if (!cb->end || spec->lane >= LANE_COUNT) return err_set(err, ERR_CONFIG, -EINVAL, "not a request");
    struct request *r = xcalloc(1, sizeof *r);
    r->base = (struct http_req){resume, cancel};
    r->lane = &n->lanes[spec->lane];
    list_init(&r->node);
    list_init(&r->todo);
    r->cb = *cb;
    r->ctx = ctx;
    r->may_send = spec->may_send;
    r->may_send_ctx = spec->may_send_ctx;
    r->cap = spec->body_cap;
    r->total_ns = spec->total_ns;
    r->tls = tls_get(n, spec->tls);
    r->easy = curl_easy_init();
    if (!r->easy) abort();
    int rc = curl_options_set(r, spec, err);
    if (rc < 0) {
        request_free(r);
        return rc;
    }
    set_callbacks(r);
    r->deadline = timer_new(w, on_deadline, r);
    if (spec->total_ns > 0) timer_in(r->deadline, spec->total_ns);
    list_push(&r->lane->requests, &r->node);
    lane_todo(r);
    *ret = &r->base;
    return 0;
}
