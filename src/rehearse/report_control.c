/* What the control (the version in service, rehearsed beside) would do as well is not the update's doing, and is taken away. */
#include "report_impl.h"

/* ---- which rows are the same ---- */

static int by_kind(const struct row *x, const struct row *y) {
    int c = strcmp(x->kind, y->kind);
    if (c == 0) c = strcmp(x->group, y->group);
    return c ? c : strcmp(x->ns, y->ns);
}
static int by_name(const struct row *x, const struct row *y) {
    int c = by_kind(x, y);
    return c ? c : strcmp(x->name, y->name);
}
/* Of what the API server names: the same maker, and the same beginning of the name. */
static int by_maker(const struct row *x, const struct row *y) {
    int c = by_kind(x, y);
    if (c == 0) c = strcmp(x->generate, y->generate);
    if (c == 0) c = strcmp(x->owner ? x->owner : "", y->owner ? y->owner : "");
    return c ? c : (x->change > y->change) - (x->change < y->change);
}
static int by_content(const struct row *x, const struct row *y) {
    int c = by_maker(x, y);
    return c ? c : memcmp(x->sum, y->sum, sizeof x->sum);
}
/* Among equals in an order that does not depend on where they stood. */
static int sort_name(const void *a, const void *b) {
    int c = by_name(*(struct row *const *)a, *(struct row *const *)b);
    return c ? c : report_row_cmp(a, b);
}
static int sort_content(const void *a, const void *b) {
    int c = by_content(*(struct row *const *)a, *(struct row *const *)b);
    return c ? c : report_row_cmp(a, b);
}

/* ---- fields ---- */

/* Both are in the order of the walk, which is not that of the texts of the paths: sorted here. */
static int by_path(const void *a, const void *b) {
    return strcmp((*(struct field *const *)a)->path, (*(struct field *const *)b)->path);
}

static struct field **sorted(const struct row *row) {
    struct field **v = xmalloc((row->n + 1) * sizeof *v);
    for (size_t i = 0; i < row->n; i++) v[i] = &row->field[i];
    if (row->n > 1) qsort(v, row->n, sizeof(struct field *), by_path);
    return v;
}

static char *copy(const char *s) {
    return s ? xstrdup(s) : NULL;
}

/* What the control gives its object, and ours lacks. */
static void add_missing(struct row *row, const struct field *c) {
    row->field = xgrow(row->field, &row->cap, row->n + 1, sizeof *row->field);
    row->field[row->n++] = (struct field){.path = xstrdup(c->path), .from = copy(c->to)};
}

/* Takes from row the fields that the control has with the same value; how many. Of objects that both make, whatever differs stays, shown from
 * the control's to ours. */
static uint64_t take_fields(struct row *row, const struct row *control) {
    bool made = row->change == ROW_CREATED || row->change == ROW_RECREATED;
    struct field **mine = sorted(row), **theirs = sorted(control),
                 **missing = xmalloc((control->n + 1) * sizeof *missing);
    size_t n = row->n, kept = 0, nmissing = 0;
    bool *taken = xcalloc(n + 1, sizeof *taken);
    uint64_t count = 0;
    for (size_t i = 0, j = 0; i < n || j < control->n;) {
        int c = i == n ? 1 : j == control->n ? -1 : strcmp(mine[i]->path, theirs[j]->path);
        if (c > 0) {
            missing[nmissing++] = theirs[j++];
            continue;
        }
        if (c == 0) {
            bool same = strcmp(mine[i]->id, theirs[j]->id) == 0 || (mine[i]->moves && theirs[j]->moves);
            taken[mine[i] - row->field] = same;
            count += same;
            if (!same && made) {
                free(mine[i]->from);
                mine[i]->from = copy(theirs[j]->to);
            }
            j++;
        }
        i++;
    }
    for (size_t i = 0; i < n; i++) {
        if (taken[i])
            report_field_free(&row->field[i]);
        else
            row->field[kept++] = row->field[i];
    }
    row->n = kept;
    for (size_t i = 0; made && i < nmissing; i++) add_missing(row, missing[i]);
    if (row->more.fields && row->more.fields == control->more.fields &&
        strcmp(row->more.id, control->more.id) == 0) {
        count += row->more.fields;
        row->more = (struct more){0};
    }
    free(taken);
    free(mine);
    free(theirs);
    free(missing);
    return count;
}

static void forget_fields(struct row *row) {
    for (size_t i = 0; i < row->n; i++) report_field_free(&row->field[i]);
    row->n = 0;
    row->more = (struct more){0};
}

/* ---- rows ---- */

/* The row goes, but for what is to be said of it all the same. */
static void take_all(struct report *r, struct row *row, bool hot) {
    if (hot) {
        row->met = false;
        forget_fields(row);
        report_row_calm(row);
    } else {
        row->taken = true;
        if (row->met)
            r->taken_met++;
        else
            r->taken_objects++;
    }
}

/* Both do the same to what is the same object: what is left of it is ours alone. */
static void take(struct report *r, struct row *row, const struct row *control) {
    if (row->taken || row->change != control->change) return;
    bool made = row->change == ROW_CREATED || row->change == ROW_RECREATED;
    bool hot = row->kinds & ~control->kinds & 1U << REPORT_HOT;
    bool cut = made && control->more.fields && row->more.fields != control->more.fields;
    r->taken_fields += take_fields(row, control);
    bool left = row->n || row->more.fields || cut;
    if (left && row->change != ROW_DELETED)
        row->differs = made;
    else
        take_all(r, row, hot);
}

struct rows {
    struct row **v;
    size_t n;
};

static struct rows rows_of(const struct report *r) {
    struct rows rows = {xmalloc((r->n + 1) * sizeof(struct row *)), r->n};
    if (r->n) memcpy(rows.v, r->row, r->n * sizeof(struct row *));
    return rows;
}

static void keep_generated(struct rows *rows) {
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->v[i]->generate && rows->v[i]->change != ROW_CHANGED) rows->v[kept++] = rows->v[i];
    rows->n = kept;
}

/* Each row of ours with one of theirs that is equal by cmp, in the order of sort, which is a finer one. Those without stay in the lists. */
static void pair(struct report *r, struct rows *ours, struct rows *theirs,
                 int (*cmp)(const struct row *, const struct row *),
                 int (*sort)(const void *, const void *)) {
    size_t i = 0, j = 0, left = 0, over = 0;
    if (ours->n > 1) qsort(ours->v, ours->n, sizeof(struct row *), sort);
    if (theirs->n > 1) qsort(theirs->v, theirs->n, sizeof(struct row *), sort);
    while (i < ours->n || j < theirs->n) {
        int c = i == ours->n ? 1 : j == theirs->n ? -1 : cmp(ours->v[i], theirs->v[j]);
        if (c < 0)
            ours->v[left++] = ours->v[i++];
        else if (c > 0)
            theirs->v[over++] = theirs->v[j++];
        else
            take(r, ours->v[i++], theirs->v[j++]);
    }
    ours->n = left;
    theirs->n = over;
}

static void take_rows(struct report *r, const struct report *control) {
    struct rows ours = rows_of(r), theirs = rows_of(control);
    pair(r, &ours, &theirs, by_name, sort_name);
    keep_generated(&ours);
    keep_generated(&theirs);
    pair(r, &ours, &theirs, by_content, sort_content);
    pair(r, &ours, &theirs, by_maker, sort_content);
    free(ours.v);
    free(theirs.v);
}

static void drop_taken(struct report *r) {
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->row[i]->taken)
            report_row_free(r->row[i]);
        else
            r->row[kept++] = r->row[i];
    }
    r->n = kept;
}

/* ---- the rest ---- */

static bool has(const struct said_list *l, const struct said *s) {
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].what, s->what) == 0 && strcmp(l->v[i].why, s->why) == 0) return true;
    return false;
}

static uint64_t take_said(struct said_list *l, const struct said_list *control) {
    size_t kept = 0, before = l->n;
    for (size_t i = 0; i < before; i++) {
        if (has(control, &l->v[i]))
            report_said_free(&l->v[i]);
        else
            l->v[kept++] = l->v[i];
    }
    l->n = kept;
    return before - kept;
}

/* Whatever its message: it may name a time, or a number of tries. */
static bool said(const struct report *control, const struct event *e) {
    for (size_t i = 0; i < control->nevents; i++) {
        const struct event *c = &control->event[i];
        if (strcmp(c->type, e->type) == 0 && strcmp(c->reason, e->reason) == 0 &&
            strcmp(c->kind, e->kind) == 0 && strcmp(c->ns, e->ns) == 0 && strcmp(c->name, e->name) == 0)
            return true;
    }
    return false;
}

static uint64_t take_events(struct report *r, const struct report *control) {
    size_t kept = 0, before = r->nevents;
    for (size_t i = 0; i < before; i++) {
        if (said(control, &r->event[i]))
            report_event_free(&r->event[i]);
        else
            r->event[kept++] = r->event[i];
    }
    r->nevents = kept;
    return before - kept;
}

static void take_lines(struct report *r, const struct report *control) {
    r->taken_others += take_said(&r->refusals, &control->refusals);
    r->taken_others += take_said(&r->failures, &control->failures);
    r->taken_others += take_events(r, control);
    if (r->run.unnamed <= control->run.unnamed) r->run.unnamed = 0;
}

static void take_control(struct report *r, const struct report *control) {
    take_rows(r, control);
    take_lines(r, control);
    if (r->unlisted.objects && memcmp(&r->unlisted, &control->unlisted, sizeof r->unlisted) == 0) {
        r->taken_objects += r->unlisted.objects;
        r->unlisted = (struct unlisted){0};
    }
}

void report_subtract(struct report *r, const struct report *control) {
    for (size_t i = 0; i < r->n; i++) {
        if (r->row[i]->met) take_all(r, r->row[i], r->row[i]->kinds & 1U << REPORT_HOT);
    }
    if (control) take_control(r, control);
    drop_taken(r);
    report_sort(r);
}
