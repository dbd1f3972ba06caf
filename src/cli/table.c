/* Tables of the command line; see table.h. */
#include "table.h"
#include "text.h"

enum {
    GAP = 2,
    NOTE_INDENT = 4,
    CUT_MIN = 6 /* a column is not cut below this */,
    PAIR_MIN = 12,
    PAIR_MAX = 20 /* nor a pair below its short form, up to this */
};

struct cell {
    char *text;
    const char *colour;
};
struct line { /* a row, or a note below one */
    struct cell *cells;
    size_t n;
    bool note, brief; /* brief: cut, not wrapped */
};
struct table {
    const struct table_style *style;
    const struct table_column *columns;
    size_t ncolumns;
    struct line *lines;
    size_t n, cap;
};

struct table *table_new(const struct table_style *style, const struct table_column *columns, size_t n) {
    struct table *t = xcalloc(1, sizeof *t);
    *t = (struct table){.style = style, .columns = columns, .ncolumns = n};
    return t;
}

void table_free(struct table *t) {
    if (!t) return;
    for (size_t i = 0; i < t->n; i++) {
        for (size_t c = 0; c < t->lines[i].n; c++) free(t->lines[i].cells[c].text);
        free(t->lines[i].cells);
    }
    free(t->lines);
    free(t);
}

static struct line *add_line(struct table *t, bool note) {
    t->lines = xgrow(t->lines, &t->cap, t->n + 1, sizeof *t->lines);
    struct line *l = &t->lines[t->n++];
    *l = (struct line){.note = note, .cells = xcalloc(note ? 1 : t->ncolumns, sizeof *l->cells)};
    return l;
}

static void add_cell(struct table *t, struct line *l, const char *colour, const char *text) {
    l->cells[l->n++] = (struct cell){.text = text_cleaned(text, t->style->utf8), .colour = colour};
}

void table_cell(struct table *t, const char *colour, const char *text) {
    struct line *l = t->n ? &t->lines[t->n - 1] : NULL;
    if (!l || l->note || l->n == t->ncolumns) l = add_line(t, false);
    add_cell(t, l, colour, text);
}

void table_note(struct table *t, const char *colour, const char *text) {
    add_cell(t, add_line(t, true), colour, text);
}

void table_brief_note(struct table *t, const char *colour, const char *text) {
    table_note(t, colour, text);
    t->lines[t->n - 1].brief = true;
}

static void paint(const struct table_style *style, struct buf *out, const char *colour, struct slice text) {
    bool painted = style->colour && colour;
    if (painted) buf_adds(out, colour);
    buf_add(out, text);
    if (painted) buf_adds(out, "\x1b[0m");
}

static unsigned least(const struct table *t, size_t column) {
    unsigned most = PAIR_MIN;
    if (t->columns[column].cut != TABLE_CUT_PAIR) return CUT_MIN;
    for (size_t i = 0; i < t->n && most < PAIR_MAX; i++) {
        const struct line *l = &t->lines[i];
        unsigned w = l->note || column >= l->n
                         ? 0
                         : text_pair_columns(slice_of(l->cells[column].text), t->style->utf8);
        if (w > most) most = w < PAIR_MAX ? w : PAIR_MAX;
    }
    return most;
}

/* Takes columns from the widest that may be cut, one at a time, until all fit. */
static void shrink(const struct table *t, unsigned *width) {
    unsigned sum = GAP * (unsigned)(t->ncolumns - 1);
    cleanup_free unsigned *floor = xcalloc(t->ncolumns, sizeof *floor);
    for (size_t c = 0; c < t->ncolumns; c++) {
        sum += width[c];
        floor[c] = least(t, c);
    }
    while (sum > t->style->width) {
        size_t widest = t->ncolumns;
        for (size_t c = 0; c < t->ncolumns; c++)
            if (t->columns[c].cut != TABLE_WHOLE && width[c] > floor[c] &&
                (widest == t->ncolumns || width[c] >= width[widest]))
                widest = c;
        if (widest == t->ncolumns) return;
        width[widest]--;
        sum--;
    }
}

static void measure(const struct table *t, unsigned *width) {
    for (size_t c = 0; c < t->ncolumns; c++)
        width[c] = text_columns(slice_of(t->columns[c].title), t->style->utf8);
    for (size_t i = 0; i < t->n; i++) {
        const struct line *l = &t->lines[i];
        for (size_t c = 0; !l->note && c < l->n; c++) {
            unsigned w = text_columns(slice_of(l->cells[c].text), t->style->utf8);
            if (w > width[c]) width[c] = w;
        }
    }
    if (t->style->width) shrink(t, width);
}

static void cut_text(const struct table_style *style, enum table_cut how, struct slice text, unsigned width,
                     struct buf *cut) {
    bool utf8 = style->utf8, start = how == TABLE_CUT_START || how == TABLE_CUT_PAIR;
    const char *mark = utf8 ? "…" : "~";
    if (how == TABLE_CUT_PAIR && text_fit_pair(cut, text, width, utf8)) return;
    text = text_fit(text, width - 1, start, utf8);
    if (start) buf_adds(cut, mark);
    buf_add(cut, text);
    if (!start) buf_adds(cut, mark);
}

static void print_cell(const struct table *t, size_t column, unsigned width, const struct cell *cell,
                       struct buf *out) {
    struct slice text = slice_of(cell->text);
    unsigned columns = text_columns(text, t->style->utf8);
    struct buf cut = BUF(1 << 20);
    if (columns > width) {
        cut_text(t->style, t->columns[column].cut, text, width, &cut);
        text = buf_slice(&cut);
        columns = text_columns(text, t->style->utf8);
    }
    paint(t->style, out, cell->colour, text);
    buf_free(&cut);
    if (column + 1 < t->ncolumns) buf_addf(out, "%*s", (int)(width - columns + GAP), "");
}

/* One more line of what is wrapped: as many words as fit, at least one. */
static struct slice take_words(struct slice *rest, unsigned columns, bool utf8) {
    struct slice line = text_fit(*rest, columns, false, utf8);
    if (line.n < rest->n && rest->p[line.n] != ' ') {
        size_t n = line.n;
        while (n && line.p[n - 1] != ' ') n--;
        if (n)
            line.n = n;
        else if (!line.n)
            line.n = rest->n; /* not even a character fits: no line without progress */
    }
    *rest = slice_make(rest->p + line.n, rest->n - line.n);
    while (rest->n && rest->p[0] == ' ') *rest = slice_make(rest->p + 1, rest->n - 1);
    while (line.n && line.p[line.n - 1] == ' ') line.n--;
    return line;
}

static void print_brief(const struct table *t, const struct cell *cell, struct buf *out) {
    struct slice text = slice_of(cell->text);
    unsigned width = t->style->width > NOTE_INDENT ? t->style->width - NOTE_INDENT : 0;
    cleanup_buf struct buf cut = BUF(1 << 20);
    if (width && text_columns(text, t->style->utf8) > width) {
        cut_text(t->style, TABLE_CUT_END, text, width, &cut);
        text = buf_slice(&cut);
    }
    buf_addf(out, "%*s", NOTE_INDENT, "");
    paint(t->style, out, cell->colour, text);
    buf_addc(out, '\n');
}

static void print_note(const struct table *t, const struct cell *cell, struct buf *out) {
    struct slice rest = slice_of(cell->text);
    unsigned width = t->style->width, indent = NOTE_INDENT;
    do {
        struct slice line = rest;
        rest = (struct slice){0};
        if (width > indent) {
            rest = line;
            line = take_words(&rest, width - indent, t->style->utf8);
        }
        buf_addf(out, "%*s", (int)indent, "");
        paint(t->style, out, cell->colour, line);
        buf_addc(out, '\n');
        indent = NOTE_INDENT + 2;
    } while (rest.n);
}

void table_paragraph(const struct table_style *style, struct slice clean, struct buf *out) {
    struct slice rest = clean;
    do {
        struct slice line = rest;
        if (style->width)
            line = take_words(&rest, style->width, style->utf8);
        else
            rest.n = 0;
        buf_add(out, line);
        buf_addc(out, '\n');
    } while (rest.n);
}

void table_line(const struct table_style *style, struct slice clean, struct buf *out) {
    if (style->width && text_columns(clean, style->utf8) > style->width)
        cut_text(style, TABLE_CUT_END, clean, style->width, out);
    else
        buf_add(out, clean);
    buf_addc(out, '\n');
}

static void print_header(const struct table *t, const unsigned *width, struct buf *out) {
    for (size_t c = 0; c < t->ncolumns; c++) {
        cleanup_free char *title = xstrdup(t->columns[c].title);
        print_cell(t, c, width[c], &(struct cell){.text = title, .colour = "\x1b[2m"}, out);
    }
    buf_addc(out, '\n');
}

void table_print(const struct table *t, struct buf *out) {
    unsigned *width = xcalloc(t->ncolumns, sizeof *width);
    measure(t, width);
    if (t->columns[0].title) print_header(t, width, out);
    for (size_t i = 0; i < t->n; i++) {
        const struct line *l = &t->lines[i];
        if (l->note) {
            (l->brief ? print_brief : print_note)(t, &l->cells[0], out);
            continue;
        }
        for (size_t c = 0; c < l->n; c++) print_cell(t, c, width[c], &l->cells[c], out);
        buf_addc(out, '\n');
    }
    free(width);
}
