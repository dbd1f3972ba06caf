/* What the tests of the overlay share: requests as the gate gives them, objects, watches that keep what they get. */
#ifndef OVERLAY_KIT_H
#define OVERLAY_KIT_H
#include "../case.h"
#include "../each.h"
#include "base/json_raw.h"
#include "base/mem.h"
#include "rehearse/overlay.h"

#define SECOND INT64_C(1000000000)

static inline struct gate_request ask(enum gate_kind kind, const char *resource, const char *name) {
    return (struct gate_request){.kind = kind,
                                 .group = SL("apps"),
                                 .version = SL("v1"),
                                 .resource = slice_of(resource),
                                 .ns = SL("ns"),
                                 .name = slice_of(name)};
}

/* A watch, and what it got: "ADDED web 101000000 blue|..." with the value of the label l behind. */
struct heard {
    struct overlay_watch *w;
    struct buf got, last;
};

static inline void hear(void *ctx, struct slice event) {
    struct heard *h = ctx;
    struct slice v;
    static const char *const paths[] = {"type", "object/metadata/name", "object/metadata/resourceVersion",
                                        "object/metadata/labels/l"};
    assert_int_equal(event.p[event.n - 1], '\n');
    assert_int_equal(json_raw_check(event, NULL), 0);
    if (h->got.n) buf_addc(&h->got, '|');
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (!json_raw_at(event, paths[i], &v)) continue;
        if (i) buf_addc(&h->got, ' ');
        json_raw_unescape(v, &h->got);
    }
    buf_clear(&h->last);
    buf_add(&h->last, event);
}

static inline void heard_open(struct heard *h, struct overlay *o, struct gate_request r, const char *rv) {
    r.kind = GATE_WATCH;
    r.rv = slice_of(rv);
    *h = (struct heard){.got = BUF(1 << 20), .last = BUF(1 << 20)};
    h->w = overlay_watch_open(o, &r, hear, h);
}

static inline void heard_free(struct heard *h) {
    overlay_watch_close(h->w);
    buf_free(&h->got);
    buf_free(&h->last);
}
#define cleanup_heard __attribute__((cleanup(heard_free)))

/* Since the last look. */
#define assert_heard(h, text)                                                                                \
    do {                                                                                                     \
        assert_string_equal(buf_str(&(h).got), text);                                                        \
        buf_clear(&(h).got);                                                                                 \
    } while (0)

/* {"kind":"Deployment",...} of that version and label. Valid until the next but seven. */
static inline struct slice object(const char *name, const char *rv, const char *label) {
    static char text[8][512];
    static unsigned next;
    char *t = text[next++ % 8];
    snprintf(
        t, 512,
        "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/"
        "v1\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\","
        "\"uid\":\"u-%s\",\"resourceVersion\":\"%s\",\"labels\":{\"l\":\"%s\"}},\"spec\":{\"replicas\":1}}",
        name, name, rv, label);
    return slice_of(t);
}

static inline struct slice event(const char *type, struct slice obj) {
    static char text[8][700];
    static unsigned next;
    char *t = text[next++ % 8];
    snprintf(t, 700, "{\"type\":\"%s\",\"object\":%.*s}", type, SLF(obj));
    return slice_of(t);
}

/* One page: items, then what the overlay has; as "name version label|...", the list's version at the end. */
static inline char *page(struct overlay *o, struct gate_request r, const struct slice *items, size_t n,
                         const char *rv, bool last) {
    struct buf all = BUF(1 << 20), one = BUF(1 << 20);
    r.kind = GATE_LIST;
    struct overlay_list *l = overlay_list_begin(o, &r);
    for (size_t i = 0;; i++) {
        static const char *const paths[] = {"metadata/name", "metadata/resourceVersion", "metadata/labels/l"};
        struct slice v;
        buf_clear(&one);
        if (i < n) {
            assert_int_equal(overlay_list_item(l, 0, items[i], &one), 0);
        } else if (!overlay_list_more(l, last, &one)) {
            break;
        }
        if (!one.n) continue;
        assert_int_equal(json_raw_check(buf_slice(&one), NULL), 0);
        for (size_t k = 0; k < ARRAY_LEN(paths); k++) {
            if (!json_raw_at(buf_slice(&one), paths[k], &v)) continue;
            json_raw_unescape(v, &all);
            buf_addc(&all, k == 2 ? '|' : ' ');
        }
    }
    buf_adds(&all, "@");
    assert_int_equal(overlay_list_version(l, slice_of(rv), &all), 0);
    overlay_list_end(l);
    buf_free(&one);
    return buf_take(&all);
}
#define assert_page(o, r, rv, last, want, ...)                                                               \
    do {                                                                                                     \
        const struct slice items_[] = {(struct slice){0}, ##__VA_ARGS__};                                    \
        char *page_ = page(o, r, items_ + 1, ARRAY_LEN(items_) - 1, rv, last);                               \
        assert_string_equal(page_, want);                                                                    \
        free(page_);                                                                                         \
    } while (0)

/* The status and, of an object, "200 version label"; of a Status "404 reason". */
static inline const char *got(struct overlay *o, struct gate_request r, int status, struct slice body) {
    static char text[256];
    struct buf out = BUF(1 << 20), t = BUF(200);
    struct slice v;
    r.kind = GATE_GET;
    int n = overlay_get(o, &r, 0, status, body, &out);
    static const char *const paths[] = {"reason", "metadata/resourceVersion", "metadata/labels/l"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (!json_raw_at(buf_slice(&out), paths[i], &v)) continue;
        buf_addc(&t, ' ');
        json_raw_unescape(v, &t);
    }
    snprintf(text, sizeof text, "%d%s", n, buf_str(&t));
    buf_free(&out);
    buf_free(&t);
    return text;
}
#endif
