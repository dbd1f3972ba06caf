/* A delete of a collection: what the dry run says that would go, but as the overlay has it, and what only the overlay has. */
#include "overlay_write.h"
#include "overlay_merge.h"
#include "overlay_make.h"
#include "base/json_raw.h"

struct collection {
    struct overlay_write *w;
    struct overlay_filter filter;
    char *kind, *api_version; /* of the items, which do not say so */
    struct buf items;         /* that go, for the answer */
    bool orphans;             /* what they own stays */
    bool full;
};

static void listed(struct collection *c, struct slice text) {
    if (c->items.n) buf_addc(&c->items, ',');
    buf_add(&c->items, text);
}

/* It goes, or begins to. base empty: it has an entry. */
static struct overlay_entry *gone(struct overlay_write *w, const struct overlay_peek *it, struct slice text,
                                  struct slice base, cJSON *obj) {
    struct buf b = BUF(OVERLAY_BODY_MAX);
    struct overlay_put p = {.ns = it->ns,
                            .name = it->name,
                            .version = w->r->version,
                            .live = w->live,
                            .based = base.n != 0,
                            .base_rv = it->live,
                            .base = base,
                            .text = text,
                            .now = w->now};
    bool waits = merge_has_finalizers(obj);
    if (waits) {
        overlay_mark_deleted(obj, w->now);
        json_tree_print(obj, &b);
        p.text = buf_slice(&b);
    }
    struct overlay_entry *e = waits ? overlay_put(w->o, w->res, &p) : overlay_delete(w->o, w->res, &p);
    buf_free(&b);
    return e;
}

static void take(struct collection *c, const struct overlay_peek *it, struct slice text, struct slice base) {
    struct overlay_write *w = c->w;
    cleanup_json cJSON *obj = overlay_tree(text);
    if (!obj || (merge_has_finalizers(obj) && json_str(json_obj(obj, "metadata"), "deletionTimestamp")))
        return;
    struct overlay_entry *e = gone(w, it, text, base, obj);
    if (!e) {
        c->full = true;
        return;
    }
    listed(c, overlay_slice(e->text));
    w->o->counts.last_write_ns = w->now;
    e->orphan = c->orphans;
    cleanup_free char *uid = xstrdup(e->state == ENTRY_DELETED && !c->orphans ? e->uid : "");
    overlay_cascade(w->o, uid, w->now);
}

static void live_item(struct collection *c, struct slice raw) {
    struct overlay_write *w = c->w;
    struct overlay_peek it;
    if (!overlay_peek(raw, &it) || !it.live) return;
    overlay_seen(w->res, it.live);
    struct overlay_entry *e = overlay_find(w->o, w->res, it.ns, it.name);
    bool stands = e && (e->personal || (e->state != ENTRY_PASSED && (e->based || e->state == ENTRY_PRESENT)));
    if (stands && !e->personal && overlay_newer(e, &it, true)) {
        overlay_drop(w->o, e, it.live, raw, false, NULL, w->now);
        stands = false;
    }
    if (stands) return; /* by its own state, below */
    struct buf base = BUF(OVERLAY_BODY_MAX);
    cleanup_json cJSON *obj = overlay_tree(raw);
    if (obj && c->kind[0]) json_tree_set_str(obj, "kind", c->kind);
    if (obj && c->api_version[0]) json_tree_set_str(obj, "apiVersion", c->api_version);
    if (obj) json_tree_print(obj, &base);
    take(c, &it, buf_slice(&base), buf_slice(&base));
    buf_free(&base);
}

/* Names of entries that are there and selected, with a NUL behind each namespace and name. */
static void collect(struct collection *c, struct buf *names) {
    list_each(at, &c->w->res->entries) {
        const struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        if (e->state != ENTRY_PRESENT || e->personal || !overlay_filter_place(&c->filter, e) ||
            !overlay_filter_match(&c->filter, overlay_slice(e->text)))
            continue;
        buf_add(names, slice_make(e->ns, strlen(e->ns) + 1));
        buf_add(names, slice_make(e->name, strlen(e->name) + 1));
    }
}

static void overlaid(struct collection *c, struct slice names) {
    struct slice ns, name;
    while (slice_cut(names, '\0', &ns, &names) && slice_cut(names, '\0', &name, &names)) {
        const struct overlay_entry *e = overlay_find(c->w->o, c->w->res, ns, name);
        struct overlay_peek it;
        if (!e || e->state != ENTRY_PRESENT) continue; /* it went with another one */
        struct buf text = BUF(OVERLAY_BODY_MAX);
        buf_add(&text, overlay_slice(e->text));
        if (overlay_peek(buf_slice(&text), &it)) take(c, &it, buf_slice(&text), SL(""));
        buf_free(&text);
    }
}

static char *string_of(struct slice body, const char *key) {
    struct slice v = SL("\"\"");
    json_raw_get(body, slice_of(key), &v);
    return v.n >= 2 ? slice_dup(slice_make(v.p + 1, v.n - 2)) : xstrdup("");
}

static void answer(struct collection *c, const char *list_kind) {
    struct buf b = BUF(OVERLAY_BODY_MAX);
    buf_addf(&b, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"", list_kind,
             c->api_version);
    overlay_version_add(&b, (struct overlay_version){overlay_now(c->w->res).live, 0});
    buf_adds(&b, "\"},\"items\":[");
    buf_add(&b, buf_slice(&c->items));
    buf_adds(&b, "]}");
    if (c->full || b.full) {
        write_full(c->w);
    } else {
        write_pass(c->w, 200, buf_slice(&b));
    }
    buf_free(&b);
}

static void answered(struct overlay_write *w, int status, struct slice body) {
    struct slice items = SL("[]");
    if (status != 200 || w->r->dry_run) {
        write_pass(w, status, body);
        return;
    }
    cleanup_free char *list = string_of(body, "kind");
    size_t n = strlen(list);
    struct collection c = {
        .w = w, .items = BUF(OVERLAY_BODY_MAX), .api_version = string_of(body, "apiVersion")};
    cleanup_json cJSON *options = overlay_tree(w->r->delete_options);
    c.orphans = write_orphans(w, options);
    c.kind = slice_dup(slice_make(list, n > 4 ? n - 4 : 0)); /* PodList */
    overlay_filter_init(&c.filter, w->r);
    struct buf names = BUF(OVERLAY_BODY_MAX);
    collect(&c, &names);
    json_raw_get(body, SL("items"), &items);
    struct json_raw_it it = json_raw_each(items);
    while (json_raw_next(&it)) live_item(&c, it.value);
    overlaid(&c, buf_slice(&names));
    answer(&c, list);
    buf_free(&names);
    buf_free(&c.items);
    overlay_filter_free(&c.filter);
    free(c.kind);
    free(c.api_version);
}

void write_collection(struct overlay_write *w) {
    write_dry_run(w, UPSTREAM_DRY_DELETE, SL(""), SL(""), w->r->delete_options.n ? GATE_JSON : GATE_NO_BODY,
                  w->r->delete_options, answered);
}
