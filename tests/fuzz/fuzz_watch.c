/* An API server that sends anything, and an operator that watches, lists, reads and writes through the overlay meanwhile. The first byte says in
 * what pieces the server's bytes come, and how small the overlay's limits are; then each line is one step:
 *   w0 TARGET        the operator opens watch 0 (of four); W0: of metadata alone
 *   r0               it closes the watch and opens it again from the last version that it got; c0: it closes it
 *   e0 BYTES         the server sends these, and a line end, to watch 0, or e*: to all; E0, E*: without a line end
 *   l TARGET         the operator lists; L: metadata alone; b BYTES: the server's answer, B: without a line end;
 *                    n: one more of what only the overlay has; k: the rest, and its end
 *   g STATUS TARGET BODY         the operator reads an object, and that is the server's answer
 *   o METHOD TARGET BODY         it writes; APPLY, OPS, STRATEGIC are patches
 *   a STATUS BODY    the server's answer to the oldest write under way
 *   t SECONDS        time goes by
 * Whatever comes, the operator gets whole events with versions of the overlay, none beyond what the server has said; the overlay
 * stays within its limits; and of what it has not it says what the server says. */
#include "watch_kit.h"
#include <errno.h>

static void hear(void *ctx, struct slice event) {
    struct watch *w = ctx;
    struct slice type, obj = {0}, v;
    FUZZ_CHECK(!w->over && event.n > 1 && event.p[event.n - 1] == '\n');
    whole(event);
    w->events++;
    if (w->item.n && slice_eq(w->item, slice_make(event.p, event.n - 1))) {
        w->passed++;
        return;
    }
    if (x.foul) return;
    FUZZ_CHECK(json_raw_get(event, SL("type"), &type) && json_raw_get(event, SL("object"), &obj));
    if (json_raw_string_is(type, SL("ERROR"))) {
        w->over = !w->item.n;
        return;
    }
    bool bookmark = json_raw_string_is(type, SL("BOOKMARK"));
    FUZZ_CHECK(bookmark || json_raw_string_is(type, SL("ADDED")) ||
               json_raw_string_is(type, SL("MODIFIED")) || json_raw_string_is(type, SL("DELETED")));
    if (!regular(obj)) return;
    struct overlay_version at = version_of(obj);
    /* Who goes on from a bookmark misses nothing. */
    if (bookmark && !json_raw_at(obj, "metadata/annotations", &v)) FUZZ_CHECK(!later(w->most, at));
    if (later(at, w->most)) w->most = at;
    FUZZ_CHECK(version_find(obj, &v) && v.n < sizeof w->last);
    memcpy(w->last, v.p, v.n);
    w->last[v.n] = '\0';
}

/* ---- watches ---- */
static void watch_close(struct watch *w) {
    if (!w->w) return;
    overlay_watch_close(w->w);
    splitter_free(&w->split);
    w->w = NULL;
}

/* As the proxy opens it: what the server is asked is a request that the rehearsal makes. */
static void watch_begin(struct watch *w) {
    struct buf rv = BUF(256);
    struct upstream u;
    struct gate_request r = w->r;
    int e = overlay_watch_from(x.o, &w->r, &rv);
    FUZZ_CHECK(e == 0 || w->r.rv.n >= 200); /* no version that anybody has given */
    if (e < 0) {
        buf_free(&rv);
        return;
    }
    r.rv = buf_slice(&rv);
    if (!overlay_is_private(&r)) {
        FUZZ_CHECK(upstream_read(&r, &u) == 0);
        upstream_free(&u);
    }
    buf_free(&rv);
    w->item = (struct slice){0};
    w->over = false;
    w->most = (struct overlay_version){0};
    splitter_init(&w->split, SPLIT_WATCH, ITEM_MAX);
    w->w = overlay_watch_open(x.o, &w->r, hear, w);
}

/* What only the overlay has, by itself: it goes when the operator deletes it, and with no event of a life before. */
static const struct overlay_entry *alone_here(const struct overlay_res *res, struct slice obj) {
    struct overlay_peek it;
    if (!obj.n || !overlay_peek(obj, &it)) return NULL;
    const struct overlay_entry *e = overlay_find(x.o, res, it.ns, it.name);
    return e && e->state == ENTRY_PRESENT && !e->based && !e->owners[0] ? e : NULL;
}

static void watch_event(struct watch *w, struct slice item) {
    struct slice type, obj = {0};
    bool has = json_raw_get(item, SL("type"), &type), error = has && json_raw_string_is(type, SL("ERROR")),
         bookmark = has && json_raw_string_is(type, SL("BOOKMARK"));
    if (json_raw_check(item, NULL) < 0) x.foul = true;
    if (json_raw_get(item, SL("object"), &obj)) say(obj);
    const struct overlay_res *res = w->w->res;
    bool alone = !res->n && list_empty(&res->watches) == false && res->watches.next == res->watches.prev;
    const struct overlay_entry *mine =
        has && json_raw_string_is(type, SL("DELETED")) ? alone_here(res, obj) : NULL;
    w->item = item;
    w->events = w->passed = 0;
    int e = overlay_watch_event(w->w, x.now, item);
    w->item = (struct slice){0};
    FUZZ_CHECK(e == 0 || e == -EPROTO);
    FUZZ_CHECK(!mine || alone_here(res, obj) == mine);
    if (w->over || x.foul) return;
    FUZZ_CHECK(e == 0 || w->passed == 1);
    FUZZ_CHECK(e < 0 || error || !w->passed);
    if (alone && e == 0 && !error && !bookmark) { /* nothing here: as the server says it */
        FUZZ_CHECK(w->events == 1);
        struct overlay_version v;
        struct overlay_peek it;
        if (regular(obj) && overlay_peek(obj, &it))
            FUZZ_CHECK(overlay_version_of(slice_of(w->last), &v) && v.live == it.live && !v.change);
    }
}

static void watch_feed(struct watch *w, struct slice bytes) {
    while (w->w && bytes.n) {
        struct slice in = slice_make(bytes.p, bytes.n < x.piece ? bytes.n : x.piece), item;
        enum split_event ev;
        bytes = slice_make(bytes.p + in.n, bytes.n - in.n);
        while ((ev = splitter_next(&w->split, &in, &item)) == SPLIT_ITEM) watch_event(w, item);
        if (ev == SPLIT_BROKEN) watch_close(w);
    }
}

static bool ask(struct slice method, struct slice target, struct slice body, const char *type, bool metadata,
                struct gate_request *ret) {
    static const struct gate_groups groups = {0};
    struct gate_header h = {.content_type = body.n ? slice_of(type) : (struct slice){0}};
    if (metadata) h.accept = SL("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    if (metadata && target.n && !memmem(target.p, target.n, "watch", 5))
        h.accept = SL("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
    int status = 0;
    return gate_parse(method, target, &h, body, &groups, ret, &status, NULL) == 0;
}

static void watch_step(char what, struct watch *w, struct slice rest) {
    struct gate_request r;
    if (what == 'r' && w->w && w->last[0]) {
        watch_close(w);
        w->r.rv = slice_of(w->last);
        w->r.initial_events = false;
        watch_begin(w);
    }
    if (what == 'r') return;
    watch_close(w);
    gate_free(&w->r);
    *w = (struct watch){0};
    if (what == 'c' || !ask(SL("GET"), rest, SL(""), "", what == 'W', &r)) return;
    if (r.kind != GATE_WATCH) {
        gate_free(&r);
        return;
    }
    w->r = r;
    watch_begin(w);
}

/* ---- lists ---- */
static void page_free(struct page *p) {
    overlay_list_end(p->l);
    if (p->l) splitter_free(&p->split);
    split_list_free(&p->whole);
    gate_free(&p->r);
    buf_free(&p->out);
    buf_free(&p->names);
    buf_free(&p->given);
    *p = (struct page){0};
}

/* Is it among those that have been seen, each with a line end behind? */
static bool seen(struct buf *names, struct slice obj) {
    struct overlay_peek it;
    if (!regular(obj) || !overlay_peek(obj, &it)) return false;
    cleanup_buf struct buf one = BUF(ITEM_MAX);
    buf_addf(&one, "\n%.*s/%.*s\n", SLF(it.ns), SLF(it.name));
    bool found = names->n && memmem(names->p, names->n, one.p, one.n);
    buf_add(names, buf_slice(&one));
    return found;
}

/* The answer to a write was an object of another name: an operator gets what a server says of its own. */
static bool has_misnamed(const struct overlay_res *res) {
    list_each(at, &res->entries) {
        const struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        struct overlay_peek it;
        if (!overlay_peek(overlay_slice(e->text), &it) || !slice_eqs(it.name, e->name) ||
            !slice_eqs(it.ns, e->ns))
            return true;
    }
    return false;
}

static void page_take(struct page *p, struct slice item) {
    if (!item.n) return;
    whole(item);
    bool again = seen(&p->given, item);
    FUZZ_CHECK(!again || p->twice || x.foul || has_misnamed(overlay_res(x.o, p->r.group, p->r.resource)));
}

static void page_feed(struct page *p, struct slice bytes) {
    while (p->l && bytes.n && !p->ended && !overlay_is_private(&p->r)) { /* of that no server says anything */
        struct slice in = slice_make(bytes.p, bytes.n < x.piece ? bytes.n : x.piece), item;
        enum split_event ev;
        bytes = slice_make(bytes.p + in.n, bytes.n - in.n);
        while ((ev = splitter_next(&p->split, &in, &item)) == SPLIT_ITEM) {
            say(item);
            if (!regular(item) || seen(&p->names, item)) p->twice = true;
            buf_clear(&p->out);
            FUZZ_CHECK(overlay_list_item(p->l, x.now, item, &p->out) == 0 || x.foul);
            page_take(p, buf_slice(&p->out));
        }
        if (ev == SPLIT_END) p->ended = true;
        if (ev == SPLIT_BROKEN) page_free(p);
    }
}

/* What only the overlay has, one at a time. */
static bool page_more(struct page *p) {
    if (!p->l || !(p->ended || overlay_is_private(&p->r))) return false;
    if (!p->read && p->ended && splitter_list(&p->split, &p->whole, NULL) < 0) return false;
    p->read = true;
    buf_clear(&p->out);
    bool more = overlay_list_more(p->l, !p->whole.token || !p->whole.token[0], &p->out);
    page_take(p, buf_slice(&p->out));
    return more;
}

static void page_end(struct page *p) {
    while (page_more(p)) continue;
    if (p->read) {
        struct slice live;
        unsigned change;
        uint64_t at = overlay_live(slice_of(p->whole.rv));
        if (at > x.said) x.said = at;
        buf_clear(&p->out);
        (void)overlay_list_version(p->l, slice_of(p->whole.rv), &p->out);
        if (at) FUZZ_CHECK(version_in(buf_slice(&p->out), &live, &change) == 0 && overlay_live(live) == at);
    }
    page_free(p);
}

static void page_step(struct page *p, bool metadata, struct slice target) {
    page_free(p);
    struct gate_request r;
    if (!ask(SL("GET"), target, SL(""), "", metadata, &r)) return;
    if (r.kind != GATE_LIST) {
        gate_free(&r);
        return;
    }
    *p = (struct page){.r = r, .out = BUF(OUT_MAX), .names = BUF(OUT_MAX), .given = BUF(OUT_MAX)};
    splitter_init(&p->split, SPLIT_LIST, ITEM_MAX);
    p->l = overlay_list_begin(x.o, &p->r);
}

/* ---- writes ---- */
static void write_end(struct writing *w) {
    if (!w->w) return;
    overlay_write_free(w->w);
    gate_free(&w->r);
    *w = (struct writing){0};
}

static void step_of(struct writing *w, const struct overlay_step *step) {
    if (step->answered) {
        FUZZ_CHECK(step->status >= 100 && step->status <= 599);
        whole(step->body);
        write_end(w);
        return;
    }
    const struct upstream *u = step->ask;
    FUZZ_CHECK(upstream_writes_nothing(slice_of(upstream_method(u)), buf_slice(&u->target),
                                       slice_of(u->content_type), buf_slice(&u->body)));
}

static void write_step(struct slice method, struct slice target, struct slice body) {
    static const struct {
        const char *method, *type;
    } patches[] = {{"PATCH", "application/merge-patch+json"},
                   {"APPLY", "application/apply-patch+yaml"},
                   {"OPS", "application/json-patch+json"},
                   {"STRATEGIC", "application/strategic-merge-patch+json"}};
    const char *type = "application/json";
    struct overlay_step step;
    struct writing *w = x.writing;
    while (w < x.writing + WRITES && w->w) w++;
    if (w == x.writing + WRITES) return;
    for (size_t i = 0; i < ARRAY_LEN(patches); i++) {
        if (!slice_eqs(method, patches[i].method)) continue;
        type = patches[i].type;
        method = SL("PATCH");
    }
    if (!ask(method, target, body, type, false, &w->r)) {
        w->r = (struct gate_request){0};
        return;
    }
    if (!gate_mutates(w->r.kind)) {
        gate_free(&w->r);
        w->r = (struct gate_request){0};
        return;
    }
    w->w = overlay_write_begin(x.o, &w->r, x.now, &step);
    step_of(w, &step);
}

static void answer_step(int status, struct slice body) {
    struct overlay_step step;
    for (struct writing *w = x.writing; w < x.writing + WRITES; w++) {
        if (!w->w) continue;
        if (status) say(body);
        overlay_write_feed(w->w, x.now, status, status ? body : SL(""), &step);
        step_of(w, &step);
        return;
    }
}

static void get_step(int status, struct slice target, struct slice body) {
    struct gate_request r;
    cleanup_buf struct buf out = BUF(OUT_MAX);
    if (!ask(SL("GET"), target, SL(""), "", false, &r)) return;
    if (r.kind == GATE_GET) {
        say(body);
        int got = overlay_get(x.o, &r, x.now, status, body, &out);
        FUZZ_CHECK(got == status || got == 200 || got == 404);
        whole(buf_slice(&out));
    }
    gate_free(&r);
}

/* ---- the script ---- */
static struct slice word(struct slice *rest) {
    struct slice one;
    slice_cut(*rest, ' ', &one, rest);
    return one;
}

static int64_t number(struct slice text) {
    int64_t n = 0;
    return slice_i64(text, &n) == 0 && n >= 0 && n < 1000 ? n : 0;
}

static void events(struct slice to, struct slice bytes) {
    for (int i = 0; i < WATCHES; i++) {
        bool asked = x.watch[i].w && !overlay_is_private(&x.watch[i].r); /* else no server says anything */
        if (asked && to.n == 1 && (to.p[0] == '*' || to.p[0] == '0' + i)) watch_feed(&x.watch[i], bytes);
    }
}

/* line: with its end. */
static void one_step(struct slice line) {
    char what = line.p[0];
    struct slice all = slice_make(line.p + 1, line.n - 1), rest = all, first;
    bool ends = line.p[line.n - 1] == '\n';
    if (what == 'e' || what == 'E') {
        first = word(&rest);
        events(first, slice_make(rest.p, rest.n - (what == 'E' && ends && rest.n)));
        return;
    }
    if (what == 'b' || what == 'B') {
        if (rest.n && rest.p[0] == ' ') rest = slice_make(rest.p + 1, rest.n - 1);
        page_feed(&x.page, slice_make(rest.p, rest.n - (what == 'B' && ends && rest.n)));
        return;
    }
    if (ends && rest.n) rest.n--;
    first = word(&rest);
    switch (what) {
    case 'w':
    case 'W':
    case 'r':
    case 'c':
        if (first.n == 1 && first.p[0] >= '0' && first.p[0] < '0' + WATCHES)
            watch_step(what, &x.watch[first.p[0] - '0'], rest);
        break;
    case 'l':
    case 'L': page_step(&x.page, what == 'L', word(&rest)); break;
    case 'n': (void)page_more(&x.page); break;
    case 'k': page_end(&x.page); break;
    case 'g': {
        int status = (int)number(word(&rest));
        first = word(&rest);
        if (status >= 200 && status < 600) get_step(status, first, rest);
        break;
    }
    case 'o': {
        struct slice method = word(&rest), target = word(&rest);
        write_step(method, target, rest);
        break;
    }
    case 'a': {
        int status = (int)number(word(&rest));
        if (!status || (status >= 200 && status < 600)) answer_step(status, rest);
        break;
    }
    case 't': x.now += number(word(&rest)) * SECOND; break;
    default: return;
    }
}

static void on_row(void *ctx, const struct overlay_row *row) {
    (void)ctx;
    FUZZ_CHECK(row->live.n || row->rehearsed.n);
    if (row->live.n) whole(row->live);
    if (row->rehearsed.n) whole(row->rehearsed);
}

FUZZ(in) {
    if (in.n < 2 || in.n > 1 << 16) return;
    unsigned char how = (unsigned char)in.p[0];
    static const struct overlay_limits small = {.bytes = 6000, .entries = 4, .events = 2};
    x = (struct run){.piece = how & 63 ? how & 63 : in.n, .now = 50 * SECOND, .said = 1};
    x.o = overlay_new(how & 64 ? NULL : &small, how);
    in = slice_make(in.p + 1, in.n - 1);
    while (in.n) {
        const char *end = memchr(in.p, '\n', in.n);
        struct slice line = slice_make(in.p, end ? (size_t)(end - in.p) + 1 : in.n);
        in = slice_make(in.p + line.n, in.n - line.n);
        one_step(line);
        overlay_check(x.o);
    }
    overlay_rows(x.o, x.now, on_row, NULL);
    for (int i = 0; i < WATCHES; i++) watch_step('c', &x.watch[i], SL(""));
    for (int i = 0; i < WRITES; i++) write_end(&x.writing[i]);
    page_free(&x.page);
    overlay_check(x.o);
    overlay_free(x.o);
}
