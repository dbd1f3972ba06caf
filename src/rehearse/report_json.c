/* The report as JSON; see docs/reference/rehearsal.md. */
#include "api/rfc3339.h"
#include "report_impl.h"

static const char *change_text(const struct row *row) {
    static const char *const texts[] = {"none", "created", "changed", "deleted", "recreated"};
    return report_row_moves_only(row) ? "times" : texts[row->change];
}

/* ,"key": before a value; no comma at the beginning of an object. */
static void key(struct buf *out, const char *name) {
    if (out->n && out->p[out->n - 1] != '{') buf_addc(out, ',');
    buf_addf(out, "\"%s\":", name);
}
static void text(struct buf *out, const char *name, const char *value) {
    if (!value) return;
    key(out, name);
    buf_add_json(out, slice_of(value));
}
static void some(struct buf *out, const char *name, const char *value) { /* not if empty */
    if (value && value[0]) text(out, name, value);
}
static void number(struct buf *out, const char *name, uint64_t n) {
    key(out, name);
    buf_addf(out, "%llu", (unsigned long long)n);
}
static void flag(struct buf *out, const char *name, bool is) {
    if (!is) return;
    key(out, name);
    buf_adds(out, "true");
}
static void when(struct buf *out, const char *name, int64_t ns) {
    if (ns <= 0) return;
    char s[40];
    rfc3339_micro(ns, s);
    text(out, name, s);
}
static void effects(struct buf *out, unsigned bits) {
    if (!(bits & ~1U)) return;
    key(out, "effects");
    buf_addc(out, '[');
    for (unsigned e = 1, n = 0; e < EFFECTS; e++)
        if (bits & 1U << e) buf_addf(out, "%s\"%s\"", n++ ? "," : "", report_effect_names[e]);
    buf_addc(out, ']');
}

static void field(struct buf *out, const struct field *f) {
    char plain[17] = "";
    if (f->to) report_id(slice_of(f->to), plain);
    buf_addc(out, '{');
    text(out, "path", f->path);
    text(out, "old", f->from);
    text(out, "new", f->to);
    flag(out, "volatile", f->moves);
    some(out, "effect", report_effect_names[f->effect]);
    if (strcmp(f->id, plain) != 0) text(out, "id", f->id);
    buf_addc(out, '}');
}

static void restart(struct buf *out, const struct restart *re) {
    if (!re->kind) return;
    key(out, "restart");
    buf_addc(out, '{');
    some(out, "group", re->group);
    text(out, "kind", re->kind);
    text(out, "name", re->name);
    number(out, "pods", (uint64_t)re->pods);
    some(out, "held", report_held_names[re->held]);
    buf_addc(out, '}');
}

static void stop(struct buf *out, const struct stop *s) {
    if (!s->pods) return;
    key(out, "stop");
    buf_addc(out, '{');
    number(out, "pods", (uint64_t)s->pods);
    if (s->left) number(out, "left", (uint64_t)s->left);
    buf_addc(out, '}');
}

static void object(struct buf *out, const struct row *row) {
    buf_addc(out, '{');
    text(out, "change", change_text(row));
    some(out, "group", row->group);
    some(out, "version", row->version);
    some(out, "resource", row->resource);
    text(out, "kind", row->kind);
    some(out, "namespace", row->ns);
    text(out, "name", row->name);
    text(out, "generateName", row->generate);
    text(out, "owner", row->owner);
    flag(out, "waitsForFinalizers", row->waits);
    flag(out, "met", row->met);
    flag(out, "orphans", row->orphans);
    flag(out, "differsFromControl", row->differs);
    restart(out, &row->restart);
    stop(out, &row->stop);
    number(out, "writes", row->writes);
    when(out, "firstWrite", row->first_ns);
    when(out, "lastWrite", row->last_ns);
    if (row->n) {
        key(out, "fields");
        for (size_t i = 0; i < row->n; i++) {
            buf_addc(out, i ? ',' : '[');
            field(out, &row->field[i]);
        }
        buf_addc(out, ']');
    }
    if (row->more.fields) {
        key(out, "more");
        buf_addc(out, '{');
        number(out, "fields", row->more.fields);
        effects(out, row->more.effects);
        text(out, "id", row->more.id);
        buf_addc(out, '}');
    }
    buf_addc(out, '}');
}

static void run(struct buf *out, const struct report *r) {
    if (!r->has_run) return;
    key(out, "run");
    buf_addc(out, '{');
    when(out, "from", r->run.from_ns);
    when(out, "to", r->run.to_ns);
    number(out, "reads", r->run.reads);
    number(out, "writes", r->run.writes);
    number(out, "conflicts", r->run.conflicts);
    number(out, "refused", r->run.refused);
    number(out, "failed", r->run.failed);
    if (r->run.unnamed) number(out, "unnamed", r->run.unnamed);
    if (r->run.superseded) number(out, "superseded", r->run.superseded);
    flag(out, "full", r->run.full);
    text(out, "image", r->run.image);
    buf_addc(out, '}');
}

static void counts(struct buf *out, const char *name, const struct report *r) {
    key(out, name);
    buf_addc(out, '{');
    for (unsigned k = 0; k < REPORT_KINDS; k++)
        number(out, report_kind_name((enum report_kind)k), report_count(r, (enum report_kind)k));
    number(out, "times", report_times(r));
    buf_addc(out, '}');
}

static void unlisted(struct buf *out, const struct unlisted *u) {
    if (!u->objects) return;
    key(out, "unlisted");
    buf_addc(out, '{');
    number(out, "objects", u->objects);
    for (unsigned k = 0; k < REPORT_KINDS; k++)
        if (u->counts[k]) number(out, report_kind_name((enum report_kind)k), u->counts[k]);
    if (u->times) number(out, "times", u->times);
    key(out, "sum");
    buf_addf(out, "\"%016llx%016llx\"", (unsigned long long)u->sum[0], (unsigned long long)u->sum[1]);
    buf_addc(out, '}');
}

static void said(struct buf *out, const char *name, const struct said_list *l) {
    for (size_t i = 0; i < l->n; i++) {
        if (i == 0) key(out, name);
        buf_adds(out, i ? ",{" : "[{");
        text(out, "what", l->v[i].what);
        text(out, "why", l->v[i].why);
        number(out, "count", l->v[i].count);
        buf_addc(out, '}');
    }
    if (l->n) buf_addc(out, ']');
}

static void others(struct buf *out, const struct report *r) {
    said(out, "refusals", &r->refusals);
    said(out, "failures", &r->failures);
    for (size_t i = 0; i < r->nevents; i++) {
        const struct event *e = &r->event[i];
        if (i == 0) key(out, "events");
        buf_adds(out, i ? ",{" : "[{");
        text(out, "type", e->type);
        text(out, "reason", e->reason);
        text(out, "message", e->message);
        text(out, "kind", e->kind);
        some(out, "namespace", e->ns);
        text(out, "name", e->name);
        number(out, "count", e->count);
        buf_addc(out, '}');
    }
    if (r->nevents) buf_addc(out, ']');
}

int report_write(const struct report *r, struct buf *out) {
    char digest[17];
    cleanup_buf struct buf line = BUF(4096), b = BUF(out->max - out->n);
    report_digest(r, digest);
    report_line(r, &line);
    buf_addc(&b, '{');
    text(&b, "apiVersion", "handover.dev/v1");
    text(&b, "kind", "RehearsalReport");
    text(&b, "digest", digest);
    text(&b, "summary", buf_str(&line));
    counts(&b, "counts", r);
    run(&b, r);
    if (r->n) {
        key(&b, "objects");
        for (size_t i = 0; i < r->n; i++) {
            buf_addc(&b, i ? ',' : '[');
            object(&b, r->row[i]);
        }
        buf_addc(&b, ']');
    }
    unlisted(&b, &r->unlisted);
    others(&b, r);
    if (r->taken_objects || r->taken_fields || r->taken_others || r->taken_met) {
        key(&b, "taken");
        buf_addc(&b, '{');
        number(&b, "objects", r->taken_objects);
        number(&b, "fields", r->taken_fields);
        number(&b, "others", r->taken_others);
        if (r->taken_met) number(&b, "met", r->taken_met);
        buf_addc(&b, '}');
    }
    buf_addc(&b, '}');
    return b.full ? buf_add(out, slice_make(NULL, SIZE_MAX)) : buf_add(out, buf_slice(&b));
}
