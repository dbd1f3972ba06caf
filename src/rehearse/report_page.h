/* Lines for a terminal: what comes from the cluster is escaped, nothing is wider than asked. */
#ifndef REHEARSE_REPORT_PAGE_H
#define REHEARSE_REPORT_PAGE_H
#include "report_impl.h"

enum page_colour { PAGE_PLAIN, PAGE_RED, PAGE_GREEN, PAGE_YELLOW, PAGE_BOLD, PAGE_DIM };
struct page {
    struct buf *out;
    unsigned width; /* 0: any */
    bool colour;
    struct buf line; /* the present one, escaped */
};

void page_add(struct page *p, const char *text); /* to the present line; text of others */
void page_addf(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* of our own */
void page_end(struct page *p, enum page_colour colour); /* the line is cut and written */
/* The same, but what has no room goes on in lines below it, between words, with that many blanks before. */
void page_wrap(struct page *p, unsigned indent, enum page_colour colour);
/* `    PATH: OLD -> NEW` in one line, or in two where it has no room, OLD and NEW cut so that where they differ can be seen. from NULL: no
 * arrow, the value alone. */
void page_change(struct page *p, const char *path, const char *from, const char *to);
#endif
