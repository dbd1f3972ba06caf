/* What the admin port's files share. Private. */
#ifndef OBS_ADMIN_IMPL_H
#define OBS_ADMIN_IMPL_H
#include "obs/obs.h"

struct admin_check_entry {
    const char *name;
    bool readyz_only;
    bool (*fn)(void *ctx, struct buf *why);
    void *ctx;
};
struct admin_page_entry {
    const char *path, *content_type;
    void (*fn)(void *ctx, struct buf *out);
    void *ctx;
};
struct admin {
    struct world *world;
    struct metrics *metrics;
    struct log *log;
    struct http_listener *listener;
    struct admin_check_entry *checks;
    size_t nchecks, checks_cap;
    struct admin_page_entry *pages;
    size_t npages, pages_cap;
    struct metric *requests[6]; /* by hundreds of the status */
    struct page *page;          /* NULL: off */
    bool was_failing[2];        /* healthz, readyz: so that a change is logged, not each probe */
};
enum { ADMIN_PAGE_CAP = 16 << 20, ADMIN_WHY_CAP = 1024 };
bool admin_run_check(const struct admin_check_entry *c, struct buf *why); /* why: one line */
/* The answer to /healthz or /readyz with its query; the status to answer it with. */
int health_write(struct admin *a, bool readyz, struct slice query, struct buf *out);
int health_write_one(struct admin *a, bool readyz, struct slice name,
                     struct buf *out); /* 404: there is none */
/* Content-Type and body with what all answers have: they are not stored, sniffed, framed or embedded. extra may be NULL. */
void admin_answer(struct admin *a, struct http_exchange *x, int status, const char *type,
                  const struct http_headers *extra, struct slice body);
/* The same headers alone, for an answer that is begun elsewhere. */
void admin_headers(struct http_headers *h, const char *cache_control);
void admin_count(struct admin *a, int status);
void admin_text_page(struct admin *a, struct http_exchange *x, const struct admin_page_entry *p);
#endif
