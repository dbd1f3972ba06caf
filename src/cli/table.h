/* The tables of the command line: columns as wide as their contents, made to fit the terminal. A row's cells
 * are followed by its notes: lines below it, wrapped at blanks. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H
#include "base/buf.h"

struct table_style {
    bool colour, utf8;
    unsigned width;  /* columns of the terminal; 0: no limit, nothing is cut or wrapped */
    unsigned height; /* lines, for what is shown at once and does not scroll; 0: no limit */
};
enum table_cut {
    TABLE_WHOLE,     /* never cut: short by nature */
    TABLE_CUT_END,   /* what does not fit is cut from its end */
    TABLE_CUT_START, /* ... from its start, where the end says more */
    TABLE_CUT_PAIR,  /* "OLD -> NEW", as text_fit_pair() does; what has no arrow: from its start */
};
struct table_column {
    const char *title; /* of the first column NULL: a table without a header */
    enum table_cut cut;
};
struct table;
/* The columns and the style outlive the table. */
struct table *table_new(const struct table_style *style, const struct table_column *columns, size_t n);
void table_free(struct table *t);
/* The next cell, the first of a new row after the last one. text is cleaned (text_clean()) and copied; colour
 * is an escape sequence of ours, static, or NULL. */
void table_cell(struct table *t, const char *colour, const char *text);
/* A line below the row that was begun last. */
void table_note(struct table *t, const char *colour, const char *text);
/* The same in one line: what does not fit is cut. */
void table_brief_note(struct table *t, const char *colour, const char *text);
void table_print(const struct table *t, struct buf *out);
/* Clean text in as many lines of the terminal as it takes, or cut to one. */
void table_paragraph(const struct table_style *style, struct slice clean, struct buf *out);
void table_line(const struct table_style *style, struct slice clean, struct buf *out);
DEFINE_CLEANUP(struct table *, table, table_free)
#define cleanup_table CLEANUP(table)
#endif
