/* A request as it arrives. What could be understood in two ways is refused: both lengths, odd encodings, odd
 * names. */
#include "http_in.h"

static int refuse(struct http_in *in, int status, const char *why) {
    if (!in->refused) {
        in->refused = status;
        in->why = why;
    }
    return -1;
}

bool http_is_token(struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c)) return false;
    }
    return s.n > 0;
}

static int add_head(struct http_in *in, const char *p, size_t n) {
    if (buf_add(&in->head, slice_make(p, n)) < 0)
        return refuse(in, 431, "the request's head is larger than 64 KiB");
    return 0;
}

static int on_url(http_parser *p, const char *at, size_t n) {
    struct http_in *in = p->data;
    in->ntarget += n;
    return add_head(in, at, n);
}

static int on_field(http_parser *p, const char *at, size_t n) {
    struct http_in *in = p->data;
    if (in->headers_done) return 0; /* trailers: of no interest, and limited by the parser */
    if (in->n == 0 || in->in_value) {
        if (in->n == HTTP_MAX_HEADERS) return refuse(in, 431, "more than 64 headers");
        in->n++;
        in->at[in->n - 1].name = in->head.n;
        in->at[in->n - 1].nname = in->at[in->n - 1].nvalue = 0;
        in->in_value = false;
    }
    in->at[in->n - 1].nname += n;
    return add_head(in, at, n);
}

static int on_value(http_parser *p, const char *at, size_t n) {
    struct http_in *in = p->data;
    if (in->headers_done || in->n == 0) return 0;
    if (!in->in_value) in->at[in->n - 1].value = in->head.n;
    in->in_value = true;
    in->at[in->n - 1].nvalue += n;
    return add_head(in, at, n);
}

/* The only header of that name, {NULL,0} if absent; *ret_n how many there are. */
static struct slice one(const struct http_headers *h, const char *name, size_t *ret_n) {
    struct slice value = {0};
    *ret_n = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (!http_name_eq(h->v[i].name, slice_of(name))) continue;
        if ((*ret_n)++ == 0) value = h->v[i].value;
    }
    return value;
}

/* How long is the body? Two answers to that are how requests are smuggled past a proxy. */
static int check_length(struct http_in *in, const struct http_headers *h) {
    size_t encodings, lengths;
    struct slice encoding = one(h, "Transfer-Encoding", &encodings);
    one(h, "Content-Length", &lengths);
    if (encodings > 0 && lengths > 0) return refuse(in, 400, "both Content-Length and Transfer-Encoding");
    if (encodings > 1 || lengths > 1) return refuse(in, 400, "the length of the body is given twice");
    if (encodings > 0 && in->parser.http_minor == 0) return refuse(in, 400, "Transfer-Encoding in HTTP/1.0");
    if (encodings > 0 && !http_name_eq(encoding, SL("chunked")))
        return refuse(in, 501, "only chunked is understood");
    if (lengths > 0 && in->parser.content_length > in->body.max)
        return refuse(in, 413, "the body is too large");
    return 0;
}

static int check_head(struct http_in *in, const struct http_headers *h) {
    size_t hosts, expects;
    for (size_t i = 0; i < h->n; i++)
        if (!http_is_token(h->v[i].name))
            return refuse(in, 400, "a header's name has a character that is not allowed");
    one(h, "Host", &hosts);
    if (hosts > 1 || (hosts == 0 && in->parser.http_minor > 0))
        return refuse(in, 400, "exactly one Host is needed");
    if (check_length(in, h) < 0) return -1;
    struct slice target = http_in_target(in), expect = one(h, "Expect", &expects);
    if (target.n == 0 || (target.p[0] != '/' && !slice_eqs(target, "*")))
        return refuse(in, 400, "the target is not a path");
    if (expects > 0 && !http_name_eq(expect, SL("100-continue")))
        return refuse(in, 417, "only 100-continue is understood");
    in->want_continue = expects > 0 && in->parser.http_minor > 0;
    return 0;
}

static int on_headers_complete(http_parser *p) {
    struct http_in *in = p->data;
    struct http_headers h;
    in->headers_done = true;
    if (p->http_major != 1) return refuse(in, 505, "only HTTP/1.0 and HTTP/1.1 are understood");
    if (p->method == HTTP_CONNECT) return refuse(in, 405, "not a proxy");
    http_in_headers(in, &h);
    if (check_head(in, &h) < 0) return -1;
    p->upgrade = 0; /* offers to speak another protocol are not taken up */
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t n) {
    struct http_in *in = p->data;
    in->want_continue = false;
    if (buf_add(&in->body, slice_make(at, n)) < 0) return refuse(in, 413, "the body is too large");
    return 0;
}

static int on_complete(http_parser *p) {
    struct http_in *in = p->data;
    in->complete = true;
    in->want_continue = false;
    in->keep_alive = http_should_keep_alive(p) != 0;
    http_parser_pause(p, 1); /* what follows belongs to the next request */
    return 0;
}

static void start(struct http_in *in) {
    http_parser_init(&in->parser, HTTP_REQUEST);
    in->parser.data = in;
}

void http_in_init(struct http_in *in, size_t body_cap) {
    *in = (struct http_in){0};
    buf_init(&in->head, HTTP_IN_HEAD_CAP);
    buf_init(&in->body, body_cap);
    start(in);
}

/* An idle connection keeps no memory of the last request's body. */
void http_in_reset(struct http_in *in) {
    struct buf head = in->head;
    size_t body_cap = in->body.max;
    if (head.cap > 4096) buf_free(&head);
    buf_clear(&head);
    buf_free(&in->body);
    *in = (struct http_in){.head = head};
    buf_init(&in->body, body_cap);
    start(in);
}

void http_in_free(struct http_in *in) {
    buf_free(&in->head);
    buf_free(&in->body);
}

size_t http_in_feed(struct http_in *in, struct slice data) {
    static const http_parser_settings settings = {
        .on_url = on_url,
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_headers_complete = on_headers_complete,
        .on_body = on_body,
        .on_message_complete = on_complete,
    };
    if (in->complete || in->refused || data.n == 0) return 0;
    size_t used = 0;
    if (!in->begun) { /* empty lines before a request are skipped (RFC 9112, 2.2) and do not make it begin */
        while (used < data.n && (data.p[used] == '\r' || data.p[used] == '\n')) used++;
        if (used == data.n) return used;
        in->begun = true;
    }
    used += http_parser_execute(&in->parser, &settings, data.p + used, data.n - used);
    enum http_errno e = HTTP_PARSER_ERRNO(&in->parser);
    if (e == HPE_HEADER_OVERFLOW) refuse(in, 431, "the request's head is too large");
    if (e != HPE_OK && e != HPE_PAUSED) refuse(in, 400, http_errno_description(e));
    return used;
}

struct slice http_in_method(const struct http_in *in) {
    return slice_of(http_method_str((enum http_method)in->parser.method));
}

struct slice http_in_target(const struct http_in *in) {
    struct slice t = slice_make(in->head.p, in->ntarget);
    if (!slice_starts(t, SL("http://")) && !slice_starts(t, SL("https://"))) return t;
    size_t i = t.p[4] == 's' ? 8 : 7;
    while (i < t.n && t.p[i] != '/') i++;
    return i < t.n ? slice_make(t.p + i, t.n - i) : SL("/");
}

void http_in_headers(const struct http_in *in, struct http_headers *ret) {
    ret->n = 0;
    for (size_t i = 0; i < in->n; i++)
        http_headers_add(ret, slice_make(in->head.p + in->at[i].name, in->at[i].nname),
                         slice_trim(slice_make(in->head.p + in->at[i].value, in->at[i].nvalue)));
}
