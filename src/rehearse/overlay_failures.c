/* What could not be rehearsed and what failed: which requests, why, and how often. */
#include "overlay_impl.h"
#include "api/status.h"
#include "base/json_raw.h"
#include <ctype.h>

enum { TEXT = 512, MESSAGE = 1 << 20 };

/* At a blank: half of a URL is not seen to have a password. */
static struct slice shortened(struct slice s) {
    if (s.n <= TEXT) return s;
    s.n = TEXT;
    while (s.n && s.p[s.n] != ' ') s.n--;
    return s;
}

static void note(struct overlay_note **at, uint64_t *full, struct slice what, struct slice why) {
    size_t n = 0;
    what = shortened(what);
    why = shortened(why);
    for (; *at; at = &(*at)->next, n++) {
        if (!slice_eqs(what, (*at)->what) || !slice_eqs(why, (*at)->why)) continue;
        (*at)->count++;
        return;
    }
    if (n == OVERLAY_NOTES) {
        ++*full;
        return;
    }
    *at = xcalloc(1, sizeof **at);
    **at = (struct overlay_note){.what = slice_dup(what), .why = slice_dup(why), .count = 1};
}

void overlay_notes_free(struct overlay_note *n) {
    for (struct overlay_note *next; n; n = next) {
        next = n->next;
        free(n->what);
        free(n->why);
        free(n);
    }
}

static void each(const struct overlay_note *n,
                 void (*fn)(void *ctx, struct slice what, struct slice why, uint64_t count), void *ctx) {
    for (; n; n = n->next) fn(ctx, slice_of(n->what), slice_of(n->why), n->count);
}

void overlay_refused(struct overlay *o, struct slice what, struct slice why) {
    uint64_t full = 0;
    o->counts.refused++;
    note(&o->refusals, &full, what, why);
    if (full) o->counts.full = true;
}

void overlay_refusals(struct overlay *o,
                      void (*fn)(void *ctx, struct slice what, struct slice why, uint64_t count), void *ctx) {
    each(o->refusals, fn, ctx);
}

void overlay_failures(struct overlay *o,
                      void (*fn)(void *ctx, struct slice what, struct slice why, uint64_t count), void *ctx) {
    each(o->failures, fn, ctx);
}

/* ---- what is asked ---- */

void overlay_what(const struct gate_request *r, struct buf *out) {
    static const char *const verbs[] = {
        [GATE_PASS] = "get",      [GATE_REVIEW] = "create",
        [GATE_GET] = "get",       [GATE_LIST] = "list",
        [GATE_WATCH] = "watch",   [GATE_CREATE] = "create",
        [GATE_UPDATE] = "update", [GATE_PATCH] = "patch",
        [GATE_DELETE] = "delete", [GATE_DELETE_COLLECTION] = "deletecollection"};
    buf_addf(out, "%s ", verbs[r->kind]);
    if (r->resource.n)
        buf_addf(out, "%.*s%s%.*s%s%.*s", SLF(r->resource), r->group.n ? "." : "", SLF(r->group),
                 r->sub.n ? "/" : "", SLF(r->sub));
    else
        buf_add(out, r->group.n ? r->group : r->path);
}

/* ---- why it failed ---- */

struct answer {
    struct slice reason, name; /* of details: raw */
    struct buf message;
};

static bool is_name(struct slice s, const struct gate_request *r, struct slice name, struct slice generate) {
    enum { MADE = 5 }; /* characters that the API server adds to generateName */
    bool made = generate.n && s.n == generate.n + MADE && slice_starts(s, generate);
    return s.n && (slice_eq(s, name) || slice_eq(s, r->ns) || made);
}

static bool of_a_name(char c) {
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

/* "object (shop/web; apps/v1, Kind=Deployment)", of one without a namespace "(web; ...": as the API server names objects in errors of an apply. */
static void without_paths(struct slice message, const struct gate_request *r, struct slice name,
                          struct buf *out) {
    cleanup_free char *path = xasprintf("%.*s/%.*s", SLF(r->ns), SLF(name)),
                      *alone = xasprintf("(%.*s; ", SLF(name));
    struct slice whole = slice_of(r->ns.n ? path : alone), rest = message;
    const char *at;
    while (name.n && rest.n && (at = memmem(rest.p, rest.n, whole.p, whole.n)) != NULL) {
        size_t before = (size_t)(at - rest.p), end = before + whole.n;
        bool word =
            !r->ns.n || ((!before || !of_a_name(at[-1])) && (end == rest.n || !of_a_name(rest.p[end])));
        buf_add(out, slice_make(rest.p, before));
        buf_add(out, !word ? whole : r->ns.n ? SL("*") : SL("(*; "));
        rest = slice_make(rest.p + end, rest.n - end);
    }
    buf_add(out, rest);
}

/* Quoted names become "*": one thing that fails for many objects is one failure. */
static void without_names(struct slice message, const struct gate_request *r, struct slice name,
                          struct slice generate, struct buf *out) {
    struct slice part, rest = message;
    while (slice_cut(rest, '"', &part, &rest)) {
        struct slice quoted, behind;
        buf_add(out, part);
        buf_addc(out, '"');
        if (!slice_cut(rest, '"', &quoted, &behind) || !is_name(quoted, r, name, generate)) continue;
        buf_adds(out, "*\"");
        rest = behind;
    }
    buf_add(out, part);
}

/* Is it an object that is quoted: {...}, "{...", core.PodTemplateSpec{...}, map[...? */
static bool is_object(struct slice s) {
    size_t i = 0;
    if (slice_starts(s, SL("map["))) return true;
    while (i < s.n && s.p[i] && (strchr("\"[]&*._", s.p[i]) || isalnum((unsigned char)s.p[i]))) i++;
    return i < s.n && s.p[i] == '{';
}

/* "spec.template: Invalid value: core.PodTemplateSpec{...}: field is immutable", of whatever was between the braces: each object has another text
 * there, and all that it has. */
static void without_objects(struct slice message, struct buf *out) {
    static const char value[] = " value: ";
    struct slice rest = message;
    const char *at;
    while (rest.n && (at = memmem(rest.p, rest.n, value, sizeof value - 1)) != NULL) {
        size_t n = (size_t)(at - rest.p) + sizeof value - 1;
        buf_add(out, slice_make(rest.p, n));
        rest = slice_make(rest.p + n, rest.n - n);
        if (!is_object(rest)) continue;
        size_t end = rest.n;
        while (end > 1 && !(rest.p[end - 1] == ':' && strchr("}]\"", rest.p[end - 2]))) end--;
        buf_adds(out, "{...}");
        rest = end > 1 ? slice_make(rest.p + end - 1, rest.n - end + 1) : SL("");
    }
    buf_add(out, rest);
}

static void read_answer(struct slice body, int status, struct answer *a) {
    struct slice v, text = slice_trim(body), line;
    *a = (struct answer){.reason = slice_of(status_reason(status)), .message = BUF(MESSAGE)};
    if (!json_raw_check(text, NULL) && json_raw_type(text) == JR_OBJECT) {
        if (json_raw_get(text, SL("message"), &v) && json_raw_type(v) == JR_STRING)
            (void)json_raw_unescape(v, &a->message);
        if (json_raw_get(text, SL("reason"), &v) && json_raw_type(v) == JR_STRING && v.n > 2)
            a->reason = slice_make(v.p + 1, v.n - 2);
        if (json_raw_at(text, "details/name", &v) && json_raw_type(v) == JR_STRING)
            a->name = slice_make(v.p + 1, v.n - 2);
    } else if (slice_is_text(text)) {
        slice_cut(text, '\n', &line, &text);
        buf_add(&a->message, line);
    }
}

void overlay_invalid(struct overlay *o, struct slice what, int status, struct slice why) {
    cleanup_buf struct buf b = BUF(4096);
    buf_addf(&b, "%d %s: %.*s", status, status_reason(status), SLF(why));
    o->counts.writes++;
    o->counts.failed++;
    o->counts.lost_writes++;
    note(&o->failures, &o->counts.unnamed, what, buf_slice(&b));
}

static void failed(struct overlay *o, const struct gate_request *r, int status, struct slice name,
                   struct slice generate, const struct answer *a) {
    struct buf what = BUF(4096), why = BUF(MESSAGE + 4096), message = BUF(MESSAGE + 4096),
               plain = BUF(MESSAGE + 4096);
    overlay_what(r, &what);
    buf_addf(&why, "%d %.*s%s", status, SLF(a->reason), a->message.n ? ": " : "");
    without_objects(buf_slice(&a->message), &message);
    without_paths(buf_slice(&message), r, name, &plain);
    without_names(buf_slice(&plain), r, name, generate, &why);
    o->counts.failed++;
    if (gate_mutates(r->kind)) o->counts.lost_writes++;
    note(&o->failures, &o->counts.unnamed, buf_slice(&what), buf_slice(&why));
    buf_free(&what);
    buf_free(&why);
    buf_free(&message);
    buf_free(&plain);
}

void overlay_read_failed(struct overlay *o, const struct gate_request *r, int status, struct slice body) {
    static const int of_the_moment[] = {410, 429, 502, 503, 504};
    bool counts = status >= 400 && (r->kind != GATE_PASS || status == 401 || status == 403);
    for (size_t i = 0; i < ARRAY_LEN(of_the_moment); i++) counts = counts && status != of_the_moment[i];
    if (!counts) return;
    struct answer a;
    read_answer(body, status, &a);
    bool absent = status == 404 && r->name.n && slice_eq(a.name, r->name);
    if (!absent) failed(o, r, status, r->name, SL(""), &a);
    buf_free(&a.message);
}

/* An apply of what another manager owns fails each time. Any other conflict is tried again, or is found to be there. */
void overlay_write_failed(struct overlay *o, const struct gate_request *r, struct slice name,
                          struct slice generate, int status, struct slice body) {
    if (status < 400 || status == 507) return; /* no room: the report is not whole, which is said */
    struct answer a;
    read_answer(body, status, &a);
    struct slice message = buf_slice(&a.message);
    bool again = status == 409 && !(r->form == GATE_APPLY && slice_starts(message, SL("Apply failed")));
    bool gone = status == 404 && r->name.n && slice_eq(a.name, r->name);
    bool webhook = status == 400 && message.p && strstr(message.p, "does not support dry run");
    if (again) {
        o->counts.conflicts++;
        o->counts.lost_writes += !slice_eqs(a.reason, "AlreadyExists"); /* that was found out */
    } else if (webhook) {                                               /* one with side effects */
        o->counts.lost_writes++;
        struct buf what = BUF(4096);
        overlay_what(r, &what);
        overlay_refused(o, buf_slice(&what), message);
        buf_free(&what);
    } else if (!gone) {
        failed(o, r, status, name, generate, &a);
    }
    buf_free(&a.message);
}
