/* The report: rows in their order, and what else was seen. */
#include "base/hash.h"
#include "base/json_raw.h"
#include "report_impl.h"
#include <errno.h>

static const char *const kind_names[REPORT_KINDS] = {[REPORT_CREATES] = "creates",
                                                     [REPORT_CHANGES] = "changes",
                                                     [REPORT_DELETES] = "deletes",
                                                     [REPORT_RESTARTS] = "restarts",
                                                     [REPORT_STOPS] = "stops",
                                                     [REPORT_PODS] = "pods",
                                                     [REPORT_VOLUMES] = "volumes",
                                                     [REPORT_NAMESPACES] = "namespaces",
                                                     [REPORT_CRDS] = "crds",
                                                     [REPORT_CUSTOM] = "custom",
                                                     [REPORT_RBAC] = "rbac",
                                                     [REPORT_WEBHOOKS] = "webhooks",
                                                     [REPORT_FINALIZERS] = "finalizers",
                                                     [REPORT_HOT] = "hot",
                                                     [REPORT_REFUSED] = "refused",
                                                     [REPORT_FAILED] = "failed"};
const char *const report_effect_names[EFFECTS] = {"", "restart", "finalizer", "unserved", "stop"};
const char *const report_held_names[3] = {"", "paused", "OnDelete"};

const char *report_kind_name(enum report_kind k) {
    return k < REPORT_KINDS ? kind_names[k] : "";
}

bool report_kind_parse(struct slice name, enum report_kind *ret) {
    for (unsigned k = 0; k < REPORT_KINDS; k++) {
        if (!slice_eqs(name, kind_names[k])) continue;
        *ret = (enum report_kind)k;
        return true;
    }
    return false;
}

void report_id(struct slice text, char ret[17]) {
    char hex[65];
    sha256_hex(text, hex);
    memcpy(ret, hex, 16);
    ret[16] = '\0';
}

/* ---- rows ---- */

void report_field_free(struct field *f) {
    free(f->path);
    free(f->from);
    free(f->to);
}

struct row *report_row_new(void) {
    return xcalloc(1, sizeof(struct row));
}

void report_row_free(struct row *r) {
    if (!r) return;
    char *const texts[] = {r->group,       r->version,  r->resource, r->kind,          r->ns,
                           r->name,        r->generate, r->owner,    r->restart.group, r->restart.kind,
                           r->restart.name};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) free(texts[i]);
    for (size_t i = 0; i < r->n; i++) report_field_free(&r->field[i]);
    free(r->field);
    free(r);
}

int report_row_cmp(const void *a, const void *b) {
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    const char *const of_x[] = {x->kind, x->group, x->ns, x->name}, *const of_y[] = {y->kind, y->group, y->ns,
                                                                                     y->name};
    for (size_t i = 0; i < ARRAY_LEN(of_x); i++) {
        int c = strcmp(of_x[i], of_y[i]);
        if (c) return c;
    }
    return memcmp(x->sum, y->sum, sizeof x->sum);
}

/* The last row is counted and goes. */
static void drop_last(struct report *r) {
    struct row *row = r->row[--r->n];
    struct unlisted *u = &r->unlisted;
    u->objects += !row->met;
    u->times += report_row_moves_only(row);
    for (unsigned k = 0; k < REPORT_KINDS; k++) u->counts[k] += row->kinds >> k & 1;
    if (row->kinds & 1U << REPORT_RESTARTS) u->counts[REPORT_PODS] += (uint64_t)row->restart.pods;
    if (row->kinds & 1U << REPORT_STOPS) u->counts[REPORT_PODS] += (uint64_t)row->stop.pods;
    for (int k = 0; k < 2; k++) u->sum[k] += row->sum[k];
    r->bytes -= row->bytes;
    report_row_free(row);
}

static void insert(struct report *r, struct row *row) {
    report_row_seal(row);
    r->row = xgrow(r->row, &r->cap, r->n + 1, sizeof *r->row);
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (report_row_cmp(&r->row[mid], &row) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    memmove(&r->row[low + 1], &r->row[low], (r->n - low) * sizeof(struct row *));
    r->row[low] = row;
    r->n++;
    r->bytes += row->bytes;
    while (r->n > r->limits.objects || (r->bytes > REPORT_BYTES && r->n > 1)) drop_last(r);
}

void report_sort(struct report *r) {
    r->bytes = 0;
    for (size_t i = 0; i < r->n; i++) {
        report_row_seal(r->row[i]);
        r->bytes += r->row[i]->bytes;
    }
    if (r->n > 1) qsort(r->row, r->n, sizeof(struct row *), report_row_cmp);
}

/* ---- the report ---- */

struct report *report_new(const struct report_limits *limits) {
    struct report *r = xcalloc(1, sizeof *r);
    if (limits) r->limits = *limits;
    if (!r->limits.objects) r->limits.objects = 5000;
    if (!r->limits.fields) r->limits.fields = 50;
    if (!r->limits.value) r->limits.value = 200;
    if (r->limits.value > REPORT_VALUE_MAX) r->limits.value = REPORT_VALUE_MAX;
    return r;
}

void report_said_free(struct said *s) {
    free(s->what);
    free(s->why);
}

static void said_list_free(struct said_list *l) {
    for (size_t i = 0; i < l->n; i++) report_said_free(&l->v[i]);
    free(l->v);
}

void report_event_free(struct event *e) {
    char *const texts[] = {e->type, e->reason, e->message, e->kind, e->ns, e->name};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) free(texts[i]);
}

void report_free(struct report *r) {
    if (!r) return;
    for (size_t i = 0; i < r->n; i++) report_row_free(r->row[i]);
    for (size_t i = 0; i < r->nevents; i++) report_event_free(&r->event[i]);
    free(r->row);
    said_list_free(&r->refusals);
    said_list_free(&r->failures);
    free(r->event);
    free(r->run_image);
    free(r);
}

static int object_check(struct slice json, const char *which, const struct report_object *o,
                        struct err *err) {
    if (!json.n) return 0;
    if (json.n > REPORT_OBJECT_MAX)
        return err_set(err, ERR_PROTOCOL, -EFBIG, "the %s %.*s is larger than %d bytes", which, SLF(o->kind),
                       REPORT_OBJECT_MAX);
    int rc = json_raw_check(json, err);
    if (rc < 0) return err_wrap(err, "the %s %.*s", which, SLF(o->kind));
    struct json_raw_it it = json_raw_each(json);
    return it.object ? 0
                     : err_set(err, ERR_PROTOCOL, -EINVAL, "the %s %.*s is no object", which, SLF(o->kind));
}

static char *name_text(struct slice s) {
    return slice_dup_text(s, REPORT_NAME);
}

int report_add(struct report *r, const struct report_object *o, struct err *err) {
    if (!o->kind.n || !o->name.n)
        return err_set(err, ERR_PROTOCOL, -EINVAL, "an object without kind or name");
    if (!o->live.n && !o->rehearsed.n)
        return err_set(err, ERR_PROTOCOL, -EINVAL, "neither a live nor a rehearsed %.*s", SLF(o->kind));
    int rc = object_check(o->live, "live", o, err);
    if (rc == 0) rc = object_check(o->rehearsed, "rehearsed", o, err);
    if (rc < 0) return rc;
    struct slice live = slice_trim(o->live), rehearsed = slice_trim(o->rehearsed);
    struct row *row = report_row_new();
    row->group = name_text(o->group);
    row->version = name_text(o->version);
    row->resource = name_text(o->resource);
    row->kind = name_text(o->kind);
    row->ns = name_text(o->ns);
    row->name = name_text(o->name);
    row->writes = o->writes > INT32_MAX ? INT32_MAX : o->writes;
    /* In whole microseconds, as they are written: what was read back is hot as well. */
    row->met = o->met;
    row->first_ns = o->first_ns > 0 ? o->first_ns / 1000 * 1000 : 0;
    row->last_ns = o->last_ns > 0 ? o->last_ns / 1000 * 1000 : 0;
    row->orphans = o->orphans;
    report_row_facts(row, live, rehearsed);
    if (row->change != ROW_DELETED || row->waits) report_diff(row, &r->limits, live, rehearsed);
    if (row->change == ROW_CHANGED && row->n == 0 && row->more.fields == 0) {
        report_row_calm(row);
    }
    report_row_seal(row);
    if (row->change == ROW_NONE && !row->kinds)
        report_row_free(row);
    else
        insert(r, row);
    return 0;
}

/* Text of others, without what looks like a secret. */
static char *safe_text(struct slice s) {
    char *cut = name_text(s);
    if (!report_secret_text(s) && !report_secret_text(slice_make(cut, strlen(cut)))) return cut;
    free(cut);
    return xstrdup(REPORT_HIDDEN);
}

static uint64_t capped(uint64_t n) {
    return n > INT32_MAX ? INT32_MAX : n;
}

static int said_cmp(const void *a, const void *b) {
    const struct said *x = a, *y = b;
    int c = strcmp(x->what, y->what);
    return c ? c : strcmp(x->why, y->why);
}

/* what and why are taken. */
static void say(struct said_list *l, char *what, char *why, uint64_t count) {
    struct said s = {.what = what, .why = why, .count = capped(count)};
    for (size_t i = 0; i < l->n; i++) {
        if (said_cmp(&l->v[i], &s) != 0) continue;
        l->v[i].count = capped(l->v[i].count + s.count);
        report_said_free(&s);
        return;
    }
    if (l->n == REPORT_LINES) {
        report_said_free(&s);
        return;
    }
    l->v = xgrow(l->v, &l->cap, l->n + 1, sizeof *l->v);
    l->v[l->n++] = s;
    qsort(l->v, l->n, sizeof *l->v, said_cmp);
}

void report_refusal(struct report *r, struct slice what, struct slice why, uint64_t count) {
    say(&r->refusals, safe_text(what), safe_text(why), count);
}

void report_failure(struct report *r, struct slice what, struct slice why, uint64_t count) {
    say(&r->failures, safe_text(what), report_safe_why(what, why), count);
}

static int event_cmp(const void *a, const void *b) {
    const struct event *x = a, *y = b;
    const char *const of_x[] = {x->type, x->reason, x->kind, x->ns, x->name, x->message};
    const char *const of_y[] = {y->type, y->reason, y->kind, y->ns, y->name, y->message};
    int c = 0;
    for (size_t i = 0; c == 0 && i < ARRAY_LEN(of_x); i++) c = strcmp(of_x[i], of_y[i]);
    return c;
}

void report_event(struct report *r, struct slice type, struct slice reason, struct slice message,
                  struct slice kind, struct slice ns, struct slice name, unsigned count) {
    struct event e = {.type = name_text(type),
                      .reason = name_text(reason),
                      .message = safe_text(message),
                      .kind = name_text(kind),
                      .ns = name_text(ns),
                      .name = name_text(name),
                      .count = capped(count)};
    if (r->nevents == REPORT_LINES) {
        report_event_free(&e);
        return;
    }
    r->event = xgrow(r->event, &r->events_cap, r->nevents + 1, sizeof *r->event);
    r->event[r->nevents++] = e;
    qsort(r->event, r->nevents, sizeof *r->event, event_cmp);
}

void report_set_run(struct report *r, const struct report_run *run) {
    free(r->run_image);
    r->run = *run;
    r->run_image = run->image ? name_text(slice_of(run->image)) : NULL;
    r->run.image = r->run_image;
    r->has_run = true;
}
