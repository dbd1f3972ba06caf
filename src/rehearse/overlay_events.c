/* The ring of Events, and how they are reported. */
#include "overlay_events.h"
#include "api/rfc3339.h"
#include "overlay_make.h"

enum { EVENT_MAX = 64 << 10 };
struct overlay_ring_event {
    char *group, *ns, *name;
    struct overlay_text text;
    int64_t at_ns;
};

bool overlay_ring_takes(const struct gate_request *r) {
    bool mine = slice_eqs(r->resource, "events") && (!r->group.n || slice_eqs(r->group, "events.k8s.io"));
    return mine && !r->sub.n && (r->kind == GATE_CREATE || r->kind == GATE_UPDATE || r->kind == GATE_PATCH);
}

static void event_free(struct overlay *o, struct overlay_ring_event *e) {
    if (!e) return;
    overlay_set(o, &e->text, SL(""));
    free(e->group);
    free(e->ns);
    free(e->name);
    free(e);
}

void overlay_ring_free(struct overlay *o) {
    for (size_t i = 0; i < o->nevents; i++) event_free(o, o->event[i]);
    free(o->event);
    o->event = NULL;
    o->nevents = 0;
}

static struct overlay_ring_event *find(const struct overlay *o, const struct gate_request *r,
                                       struct slice name) {
    for (size_t i = 0; i < o->nevents; i++) {
        struct overlay_ring_event *e = o->event[i];
        if (slice_eqs(name, e->name) && slice_eqs(r->ns, e->ns) && slice_eqs(r->group, e->group)) return e;
    }
    return NULL;
}

static void keep(struct overlay *o, const struct gate_request *r, const char *name, struct slice text,
                 int64_t now) {
    struct overlay_ring_event *e = find(o, r, slice_of(name));
    if (!e) {
        if (!o->event) o->event = xcalloc(o->limits.events, sizeof(struct overlay_ring_event *));
        struct overlay_ring_event **at = &o->event[o->event_next];
        o->event_next = (o->event_next + 1) % o->limits.events;
        if (o->nevents < o->limits.events) o->nevents++;
        event_free(o, *at);
        *at = e = xcalloc(1, sizeof *e);
        e->group = slice_dup(r->group);
        e->ns = slice_dup(r->ns);
        e->name = xstrdup(name);
    }
    overlay_set(o, &e->text, text);
    e->at_ns = now;
}

int overlay_ring_write(struct overlay *o, const struct gate_request *r, int64_t now, struct slice body,
                       struct buf *out) {
    const struct overlay_ring_event *old = r->kind == GATE_PATCH ? find(o, r, r->name) : NULL;
    if (r->kind == GATE_PATCH && !old) return overlay_not_found(out, r, r->name);
    struct err err = {0};
    cleanup_json cJSON *obj =
        old ? overlay_patched(overlay_slice(old->text), r, body, "Event", &err) : overlay_tree(body);
    if (!obj)
        return overlay_status(out, r, old ? 422 : 400, NULL, "%s",
                              old ? err.msg : "the body is not an Event");
    if (r->kind == GATE_CREATE) overlay_born(o, obj, r, now);
    struct buf text = BUF(OVERLAY_BODY_MAX);
    json_tree_print(obj, &text);
    size_t start = out->n;
    o->event_version = o->event_version % VERSION_CHANGES + 1;
    overlay_object(out, buf_slice(&text), (struct overlay_version){1, o->event_version});
    if (!r->dry_run && text.n <= EVENT_MAX)
        keep(o, r, json_str_or(json_obj(obj, "metadata"), "name", ""),
             slice_make(out->p + start, out->n - start), now);
    buf_free(&text);
    return r->kind == GATE_CREATE ? 201 : 200;
}

void overlay_events(struct overlay *o, void (*fn)(void *ctx, const struct overlay_event *e), void *ctx) {
    size_t first = o->nevents < o->limits.events ? 0 : o->event_next;
    for (size_t i = 0; i < o->nevents; i++) {
        const struct overlay_ring_event *e = o->event[(first + i) % o->limits.events];
        cleanup_json cJSON *v = overlay_tree(overlay_slice(e->text));
        const cJSON *about = json_obj(v, e->group[0] ? "regarding" : "involvedObject");
        int64_t n = json_i64(v, e->group[0] ? "deprecatedCount" : "count", 1);
        n = json_i64(json_obj(v, "series"), "count", n);
        fn(ctx,
           &(struct overlay_event){.type = slice_of(json_str_or(v, "type", "")),
                                   .reason = slice_of(json_str_or(v, "reason", "")),
                                   .message = slice_of(json_str_or(v, e->group[0] ? "note" : "message", "")),
                                   .kind = slice_of(json_str_or(about, "kind", "")),
                                   .ns = slice_of(json_str_or(about, "namespace", "")),
                                   .name = slice_of(json_str_or(about, "name", "")),
                                   .count = n > 0 && n < 1000000000 ? (unsigned)n : 1,
                                   .at_ns = e->at_ns});
    }
}
