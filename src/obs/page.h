/* The page of the admin port: page.c says who may read it and serves its files, page_stream.c sends what there is to see.
 * Private. */
#ifndef OBS_PAGE_H
#define OBS_PAGE_H
#include "admin_impl.h"

enum {
    PAGE_VISITORS =
        16, /* of the 64 connections of the port: streams, and those whose token is being reviewed */
    PAGE_BYTES = 4 << 20, /* of all items together: what is beyond is left out */
};
struct page;
struct page_visitor {
    struct page *page;
    struct http_exchange *x; /* NULL: the place is free */
    struct page_review *review;
    const struct admin_page_entry *text; /* what was asked for; NULL: the stream */
    bool streaming;
    uint64_t seen; /* version of the items that it has */
    int64_t until_ns, quiet_ns,
        behind_ns; /* boot: the stream's end; the last bytes; unread bytes since, 0: none */
};
struct page_items {
    struct buf text; /* of all items, one after the other */
    struct page_item {
        char *key;
        size_t at, n; /* of text */
        uint64_t hash, version;
        bool here; /* in this round */
    } * v;         /* by key, ascending; new ones at the end until page_items_end() */
    size_t n, cap, sorted;
    uint64_t version; /* of the last change */
};
struct page {
    struct admin *admin;
    enum page_mode mode;
    struct page_source src;
    struct page_visitor visitor[PAGE_VISITORS];
    struct page_items items;
    struct timer *tick;
    int64_t looked_ns; /* boot: when the items were asked for last */
    struct metric *readers;
    struct metric_family *refused;
};
/* A file of the page, as it was built. */
struct page_asset {
    const char *path, *type, *etag;
    const unsigned char *gz; /* one gzip member */
    size_t n;
};
extern const struct page_asset page_assets[3];

struct page *page_new(struct admin *a, enum page_mode mode, const struct page_source *src);
void page_free(struct page *p); /* when the listener is closed; NULL is fine */
/* GET or HEAD of "/", the page's files, its stream. False: nothing of it, x is as it was. */
bool page_request(struct page *p, struct http_exchange *x, struct slice path);
/* The same of a text page. */
void page_guard(struct page *p, struct http_exchange *x, const struct admin_page_entry *text);

/* page_stream.c */
void page_stream_begin(struct page_visitor *v); /* v->x may read it */
void page_stream_tick(void *page);
void page_items_free(struct page_items *i); /* to be filled anew */
#endif
