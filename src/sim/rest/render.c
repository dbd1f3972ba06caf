/* Objects, lists and bookmarks in the form that the client asked for. */
#include "rest/render.h"
#include "rest/event_view.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* ---- Accept ---- */
static bool param_of(struct slice range, const char *key, struct slice *ret) {
    struct slice one, rest = range, k, v;
    slice_cut(rest, ';', &one, &rest); /* the media type */
    while (rest.n) {
        slice_cut(rest, ';', &one, &rest);
        if (!slice_cut(one, '=', &k, &v) || !slice_eqs(slice_trim(k), key)) continue;
        *ret = slice_trim(v);
        return true;
    }
    return false;
}

static bool range_fits(struct slice range, struct render *ret) {
    struct slice media, params, as = {0}, g = {0}, v = {0};
    slice_cut(range, ';', &media, &params);
    media = slice_trim(media);
    if (!slice_eqs(media, "application/json") && !slice_eqs(media, "*/*") &&
        !slice_eqs(media, "application/*"))
        return false;
    ret->form = FORM_FULL;
    ret->beta = false;
    if (!param_of(range, "as", &as)) return true;
    if (!param_of(range, "g", &g) || !slice_eqs(g, "meta.k8s.io") || !param_of(range, "v", &v)) return false;
    if (!slice_eqs(v, "v1") && !slice_eqs(v, "v1beta1")) return false;
    ret->beta = slice_eqs(v, "v1beta1");
    if (slice_eqs(as, "Table")) {
        ret->form = FORM_TABLE;
    } else if (slice_eqs(as, "PartialObjectMetadata") || slice_eqs(as, "PartialObjectMetadataList")) {
        ret->form = FORM_META;
    } else {
        return false;
    }
    return true;
}

int render_choose(struct slice accept, const char *include, struct render *ret, struct api_status *f) {
    struct render r = {0};
    struct slice rest = accept, range;
    bool found = accept.n == 0;
    while (rest.n && !found) {
        slice_cut(rest, ',', &range, &rest);
        found = range_fits(range, &r);
    }
    if (!found) {
        return api_status_set(f, 406, "NotAcceptable",
                              "only the following media types are accepted: application/json");
    }
    if (include && r.form == FORM_TABLE) {
        r.include = !strcmp(include, "None")     ? INCLUDE_NONE
                    : !strcmp(include, "Object") ? INCLUDE_OBJECT
                                                 : INCLUDE_META;
    }
    *ret = r;
    return 0;
}

/* ---- objects ---- */
static void write_full(const struct sim_type *t, const struct json_doc *d, struct render r, struct buf *out) {
    char version[128];
    if (r.events_view)
        event_view_write(d, true, out);
    else
        json_doc_write(d, type_api_version(t, version), t->kind, out);
}

static const char *full_version(const struct sim_type *t, struct render r, char ret[128]) {
    return r.events_view ? EVENT_VIEW_VERSION : type_api_version(t, ret);
}

static const char *meta_version(struct render r) {
    return r.beta ? "meta.k8s.io/v1beta1" : "meta.k8s.io/v1";
}

static void write_partial(const struct json_doc *d, struct render r, struct buf *out) {
    buf_addf(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"%s\",\"metadata\":", meta_version(r));
    buf_add(out, json_doc_metadata(d));
    buf_addc(out, '}');
}

static void write_row(const struct sim *s, const struct sim_type *t, const struct json_doc *d,
                      struct render r, struct buf *out) {
    cleanup_json cJSON *obj = json_tree_parse_checked(slice_make(d->text, d->n));
    buf_adds(out, "{\"cells\":[");
    printer_of(t)->cells(s, obj, out);
    buf_addc(out, ']');
    if (r.include != INCLUDE_NONE) {
        buf_adds(out, ",\"object\":");
        if (r.include == INCLUDE_OBJECT) {
            write_full(t, d, r, out);
        } else {
            write_partial(d, r, out);
        }
    }
    buf_addc(out, '}');
}

static void write_columns(const struct sim_type *t, struct buf *out) {
    const struct printer *tab = printer_of(t);
    buf_adds(out, "\"columnDefinitions\":[");
    for (size_t i = 0; i < tab->n; i++) {
        const struct column *c = &tab->columns[i];
        buf_addf(out,
                 "%s{\"name\":\"%s\",\"type\":\"%s\",\"format\":\"%s\",\"description\":\"\",\"priority\":%d}",
                 i ? "," : "", c->name, c->type, c->format, c->priority);
    }
    buf_adds(out, "],");
}

void render_one(const struct sim *s, const struct sim_type *t, const struct json_doc *d, struct render r,
                bool columns, struct buf *out) {
    if (r.form == FORM_FULL) {
        write_full(t, d, r, out);
    } else if (r.form == FORM_META) {
        write_partial(d, r, out);
    } else {
        buf_addf(out,
                 "{\"kind\":\"Table\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%" PRIu64
                 "\"},",
                 meta_version(r), d->rv);
        if (columns) {
            write_columns(t, out);
        } else {
            buf_adds(out, "\"columnDefinitions\":null,");
        }
        buf_adds(out, "\"rows\":[");
        write_row(s, t, d, r, out);
        buf_adds(out, "]}");
    }
}

/* ---- lists ---- */
void render_list_head(const struct sim_type *t, struct render r, uint64_t rv, const char *more,
                      int64_t remaining, struct buf *out) {
    char version[128];
    if (r.form == FORM_FULL) {
        buf_addf(out, "{\"kind\":\"%sList\",\"apiVersion\":\"%s\"", t->kind, full_version(t, r, version));
    } else {
        buf_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\"",
                 r.form == FORM_META ? "PartialObjectMetadataList" : "Table", meta_version(r));
    }
    buf_addf(out, ",\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"", rv);
    if (more) {
        buf_adds(out, ",\"continue\":");
        buf_add_json(out, slice_of(more));
        if (remaining >= 0) buf_addf(out, ",\"remainingItemCount\":%" PRId64, remaining);
    }
    buf_adds(out, "},");
    if (r.form == FORM_TABLE) write_columns(t, out);
    buf_adds(out, r.form == FORM_TABLE ? "\"rows\":[" : "\"items\":[");
}

void render_item(const struct sim *s, const struct sim_type *t, const struct json_doc *d, struct render r,
                 struct buf *out) {
    if (r.form == FORM_META) {
        write_partial(d, r, out);
    } else if (r.form == FORM_TABLE) {
        write_row(s, t, d, r, out);
    } else if (r.events_view) {
        event_view_write(d, false, out);
    } else if (t->custom) {
        write_full(t, d, r, out);
    } else {
        buf_add(out, slice_make(d->text, d->n)); /* items of built-in types do not name their kind */
    }
}

void render_list_tail(struct buf *out) {
    buf_adds(out, "]}");
}

/* ---- bookmarks ---- */
void render_bookmark(const struct sim_type *t, struct render r, uint64_t rv, bool initial_end,
                     struct buf *out) {
    char version[128];
    const char *end = initial_end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "";
    const char *kind = r.form == FORM_FULL ? t->kind : "PartialObjectMetadata";
    const char *api = r.form == FORM_FULL ? full_version(t, r, version) : meta_version(r);
    if (r.form == FORM_TABLE) {
        buf_addf(out,
                 "{\"kind\":\"Table\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%" PRIu64
                 "\"},\"columnDefinitions\":null,\"rows\":[{\"cells\":[],\"object\":",
                 api, rv);
    }
    buf_addf(out,
             "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%" PRIu64
             "\",\"creationTimestamp\":null%s}}",
             kind, api, rv, end);
    if (r.form == FORM_TABLE) buf_adds(out, "}]}");
}
