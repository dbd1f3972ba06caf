/* A report back from its JSON, whatever that says: everything is checked and capped, what can be derived is derived anew. */
#include "api/rfc3339.h"
#include "base/json_raw.h"
#include "report_impl.h"
#include <errno.h>

enum {
    MAX_BYTES = 64 << 20,
    MAX_OBJECTS = 50000,
    MAX_FIELDS = 1000000, /* of all objects */
    MAX_TEXT = 64 << 10
};

/* The first fault stays. */
struct reader {
    struct err *err;
    int rc;
    const char *in; /* "objects[3]", for the message */
    size_t fields;
};

static void bad(struct reader *rd, int rc, const char *name, const char *why) {
    if (rd->rc == 0)
        rd->rc = err_set(rd->err, ERR_PROTOCOL, rc, "the report's %s: %s: %s", rd->in, name, why);
}

static struct slice get(struct slice obj, const char *name, enum json_raw_type type, struct reader *rd) {
    struct slice v;
    if (!json_raw_get(obj, slice_of(name), &v) || json_raw_type(v) == JR_NULL) return (struct slice){0};
    if (json_raw_type(v) == type) return v;
    bad(rd, -EINVAL, name, "of another type");
    return (struct slice){0};
}

/* NULL: absent, or bad. */
static char *text(struct reader *rd, struct slice obj, const char *name) {
    struct slice v = get(obj, name, JR_STRING, rd);
    if (!v.n) return NULL;
    if (v.n > MAX_TEXT) {
        bad(rd, -EFBIG, name, "too long");
        return NULL;
    }
    size_t n;
    char *s = report_unescaped(v, &n);
    if (strlen(s) == n) return s;
    bad(rd, -EINVAL, name, "a NUL in it");
    free(s);
    return NULL;
}

static char *text_or(struct reader *rd, struct slice obj, const char *name, bool required) {
    char *s = text(rd, obj, name);
    if (required && (!s || !s[0])) bad(rd, -EINVAL, name, "missing");
    return s ? s : xstrdup("");
}

static uint64_t number(struct reader *rd, struct slice obj, const char *name, int64_t max) {
    struct slice v = get(obj, name, JR_NUMBER, rd);
    int64_t n = 0;
    if (v.n && (slice_i64(v, &n) < 0 || n < 0 || n > max)) bad(rd, -EINVAL, name, "no such number");
    return rd->rc ? 0 : (uint64_t)n;
}

static bool flag(struct reader *rd, struct slice obj, const char *name) {
    struct slice v;
    if (!json_raw_get(obj, slice_of(name), &v)) return false;
    enum json_raw_type t = json_raw_type(v);
    if (t != JR_TRUE && t != JR_FALSE && t != JR_NULL) bad(rd, -EINVAL, name, "of another type");
    return t == JR_TRUE;
}

static int64_t when(struct reader *rd, struct slice obj, const char *name) {
    cleanup_free char *s = text(rd, obj, name);
    int64_t ns = 0;
    if (s && rfc3339_parse(slice_of(s), &ns) < 0) bad(rd, -EINVAL, name, "no time");
    return ns / 1000 * 1000;
}

static unsigned one_of(struct reader *rd, struct slice obj, const char *name, const char *const *names,
                       unsigned n) {
    cleanup_free char *s = text(rd, obj, name);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(s ? s : "", names[i]) == 0) return i;
    bad(rd, -EINVAL, name, "not known");
    return 0;
}

static bool is_hex(const char *s, size_t n) {
    return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

static void id(struct reader *rd, struct slice obj, bool required, char ret[17]) {
    cleanup_free char *s = text(rd, obj, "id");
    if (!s && !required) return;
    if (!s || !is_hex(s, 16)) {
        bad(rd, -EINVAL, "id", "not 16 hex digits");
        return;
    }
    memcpy(ret, s, 17);
}

/* ---- objects ---- */

static void field(struct reader *rd, struct row *row, struct slice obj) {
    if (++rd->fields > MAX_FIELDS) {
        bad(rd, -EFBIG, "fields", "too many");
        return;
    }
    row->field = xgrow(row->field, &row->cap, row->n + 1, sizeof *row->field);
    struct field *f = &row->field[row->n++];
    *f = (struct field){.path = text_or(rd, obj, "path", true),
                        .from = text(rd, obj, "old"),
                        .to = text(rd, obj, "new"),
                        .moves = flag(rd, obj, "volatile")};
    f->effect = (enum field_effect)one_of(rd, obj, "effect", report_effect_names, EFFECTS);
    if (f->to) report_id(slice_of(f->to), f->id);
    if (f->to) id(rd, obj, false, f->id);
}

static void more(struct reader *rd, struct row *row, struct slice obj) {
    if (!obj.n) return;
    row->more.fields = number(rd, obj, "fields", INT32_MAX);
    if (!row->more.fields) bad(rd, -EINVAL, "more", "none");
    id(rd, obj, true, row->more.id);
    struct json_raw_it it = json_raw_each(get(obj, "effects", JR_ARRAY, rd));
    while (json_raw_next(&it))
        for (unsigned e = 1; e < EFFECTS; e++)
            if (json_raw_string_is(it.value, slice_of(report_effect_names[e]))) row->more.effects |= 1U << e;
}

static void restart(struct reader *rd, struct row *row, struct slice obj) {
    if (!obj.n) return;
    row->restart = (struct restart){.group = text_or(rd, obj, "group", false),
                                    .kind = text_or(rd, obj, "kind", true),
                                    .name = text_or(rd, obj, "name", true),
                                    .pods = (int64_t)number(rd, obj, "pods", INT32_MAX)};
    row->restart.held =
        (enum restart_held)one_of(rd, obj, "held", report_held_names, ARRAY_LEN(report_held_names));
}

static void stop(struct reader *rd, struct row *row, struct slice obj) {
    if (!obj.n) return;
    row->stop = (struct stop){(int64_t)number(rd, obj, "pods", INT32_MAX),
                              (int64_t)number(rd, obj, "left", INT32_MAX)};
    if (!row->stop.pods) bad(rd, -EINVAL, "stop", "none");
}

static struct row *object(struct reader *rd, struct slice obj) {
    static const char *const changes[] = {"none", "created", "changed", "deleted", "recreated", "times"};
    struct row *row = report_row_new();
    unsigned change = one_of(rd, obj, "change", changes, ARRAY_LEN(changes));
    row->change = change == 5 ? ROW_CHANGED : (enum row_change)change;
    row->group = text_or(rd, obj, "group", false);
    row->version = text_or(rd, obj, "version", false);
    row->resource = text_or(rd, obj, "resource", false);
    row->kind = text_or(rd, obj, "kind", true);
    row->ns = text_or(rd, obj, "namespace", false);
    row->name = text_or(rd, obj, "name", true);
    row->generate = text(rd, obj, "generateName");
    row->owner = text(rd, obj, "owner");
    row->waits = flag(rd, obj, "waitsForFinalizers");
    row->met = flag(rd, obj, "met");
    row->orphans = flag(rd, obj, "orphans");
    row->differs = flag(rd, obj, "differsFromControl");
    row->writes = (unsigned)number(rd, obj, "writes", INT32_MAX);
    row->first_ns = when(rd, obj, "firstWrite");
    row->last_ns = when(rd, obj, "lastWrite");
    restart(rd, row, get(obj, "restart", JR_OBJECT, rd));
    stop(rd, row, get(obj, "stop", JR_OBJECT, rd));
    struct json_raw_it it = json_raw_each(get(obj, "fields", JR_ARRAY, rd));
    while (rd->rc == 0 && json_raw_next(&it)) field(rd, row, it.value);
    more(rd, row, get(obj, "more", JR_OBJECT, rd));
    return row;
}

static void objects(struct reader *rd, struct report *r, struct slice list) {
    struct json_raw_it it = json_raw_each(list);
    rd->in = "objects";
    while (rd->rc == 0 && json_raw_next(&it)) {
        if (r->n == MAX_OBJECTS) {
            bad(rd, -EFBIG, "objects", "too many");
            return;
        }
        r->row = xgrow(r->row, &r->cap, r->n + 1, sizeof *r->row);
        r->row[r->n++] = object(rd, it.value);
    }
}

/* ---- the rest ---- */

static void unlisted(struct reader *rd, struct unlisted *u, struct slice obj) {
    if (!obj.n) return;
    rd->in = "unlisted";
    u->objects = number(rd, obj, "objects", INT32_MAX);
    u->times = number(rd, obj, "times", INT32_MAX);
    if (!u->objects) bad(rd, -EINVAL, "objects", "none");
    for (unsigned k = 0; k < REPORT_KINDS; k++)
        u->counts[k] = number(rd, obj, report_kind_name((enum report_kind)k), INT32_MAX);
    cleanup_free char *sum = text_or(rd, obj, "sum", true);
    if (!is_hex(sum, 32)) {
        bad(rd, -EINVAL, "sum", "not 32 hex digits");
        return;
    }
    u->sum[1] = strtoull(sum + 16, NULL, 16);
    sum[16] = '\0';
    u->sum[0] = strtoull(sum, NULL, 16);
}

static void run(struct reader *rd, struct report *r, struct slice obj) {
    if (!obj.n) return;
    rd->in = "run";
    cleanup_free char *image = text(rd, obj, "image");
    report_set_run(r, &(struct report_run){.from_ns = when(rd, obj, "from"),
                                           .to_ns = when(rd, obj, "to"),
                                           .reads = number(rd, obj, "reads", INT64_MAX),
                                           .writes = number(rd, obj, "writes", INT64_MAX),
                                           .conflicts = number(rd, obj, "conflicts", INT64_MAX),
                                           .refused = number(rd, obj, "refused", INT64_MAX),
                                           .failed = number(rd, obj, "failed", INT64_MAX),
                                           .unnamed = number(rd, obj, "unnamed", INT64_MAX),
                                           .superseded = number(rd, obj, "superseded", INT64_MAX),
                                           .full = flag(rd, obj, "full"),
                                           .image = image});
}

/* The next of a list of lines. */
static bool next(struct reader *rd, struct json_raw_it *it, size_t *n) {
    if (rd->rc || !json_raw_next(it)) return false;
    if (++*n > REPORT_LINES) bad(rd, -EFBIG, "lines", "too many");
    return rd->rc == 0;
}

static void said(struct reader *rd, struct report *r, struct slice doc, const char *name,
                 void (*add)(struct report *r, struct slice what, struct slice why, uint64_t count)) {
    struct json_raw_it it = json_raw_each(get(doc, name, JR_ARRAY, rd));
    size_t n = 0;
    rd->in = name;
    while (next(rd, &it, &n)) {
        cleanup_free char *what = text_or(rd, it.value, "what", true),
                          *why = text_or(rd, it.value, "why", false);
        add(r, slice_of(what), slice_of(why), number(rd, it.value, "count", INT32_MAX));
    }
}

static void others(struct reader *rd, struct report *r, struct slice doc) {
    said(rd, r, doc, "refusals", report_refusal);
    said(rd, r, doc, "failures", report_failure);
    struct json_raw_it it = json_raw_each(get(doc, "events", JR_ARRAY, rd));
    size_t n = 0;
    rd->in = "events";
    while (next(rd, &it, &n)) {
        static const char *const names[] = {"type", "reason", "message", "kind", "namespace", "name"};
        char *s[6];
        for (size_t i = 0; i < 6; i++) s[i] = text_or(rd, it.value, names[i], false);
        report_event(r, slice_of(s[0]), slice_of(s[1]), slice_of(s[2]), slice_of(s[3]), slice_of(s[4]),
                     slice_of(s[5]), (unsigned)number(rd, it.value, "count", INT32_MAX));
        for (size_t i = 0; i < 6; i++) free(s[i]);
    }
}

int report_read(struct slice json, struct report **ret, struct err *err) {
    *ret = NULL;
    struct slice doc = slice_trim(json);
    if (doc.n > MAX_BYTES)
        return err_set(err, ERR_PROTOCOL, -EFBIG, "the report has %zu bytes, at most %d are read", doc.n,
                       MAX_BYTES);
    int rc = json_raw_check(doc, err);
    if (rc < 0) return err_wrap(err, "the report");
    struct reader rd = {.err = err, .in = "head"};
    cleanup_free char *version = text_or(&rd, doc, "apiVersion", true),
                      *kind = text_or(&rd, doc, "kind", true);
    if (strcmp(version, "handover.dev/v1") != 0 || strcmp(kind, "RehearsalReport") != 0)
        return err_set(err, ERR_PROTOCOL, -EINVAL, "this is no RehearsalReport of handover.dev/v1");
    struct report *r = report_new(NULL);
    r->limits.objects = MAX_OBJECTS;
    run(&rd, r, get(doc, "run", JR_OBJECT, &rd));
    objects(&rd, r, get(doc, "objects", JR_ARRAY, &rd));
    unlisted(&rd, &r->unlisted, get(doc, "unlisted", JR_OBJECT, &rd));
    others(&rd, r, doc);
    rd.in = "taken";
    struct slice taken = get(doc, "taken", JR_OBJECT, &rd);
    r->taken_objects = number(&rd, taken, "objects", INT32_MAX);
    r->taken_fields = number(&rd, taken, "fields", INT32_MAX);
    r->taken_others = number(&rd, taken, "others", INT32_MAX);
    r->taken_met = number(&rd, taken, "met", INT32_MAX);
    if (rd.rc < 0) {
        report_free(r);
        return rd.rc;
    }
    report_sort(r);
    *ret = r;
    return 0;
}
