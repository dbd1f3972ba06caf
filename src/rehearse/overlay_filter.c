/* What a list or a watch is about: namespace, API version, selectors; and in which form. */
#include "overlay_impl.h"

void overlay_filter_init(struct overlay_filter *f, const struct gate_request *r) {
    *f = (struct overlay_filter){.ns = slice_dup(r->ns),
                                 .version = slice_dup(r->version),
                                 .partial = r->metadata_only,
                                 .partial_version =
                                     slice_dup(r->metadata_version.n ? r->metadata_version : SL("v1"))};
    const struct slice parts[] = {r->group, r->resource, r->version, r->ns, r->labels, r->fields};
    f->hash = r->metadata_only;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) f->hash = slice_hash(parts[i], f->hash + i);
    if (r->labels.n && selector_parse(r->labels, &f->labels, NULL) < 0) f->unknown = true;
    if (r->fields.n && field_selector_parse(r->fields, &f->fields, NULL) < 0) f->unknown = true;
}

void overlay_filter_free(struct overlay_filter *f) {
    free(f->ns);
    free(f->version);
    free(f->partial_version);
    selector_free(f->labels);
    field_selector_free(f->fields);
}

bool overlay_filter_place(const struct overlay_filter *f, const struct overlay_entry *e) {
    return strcmp(f->version, e->version) == 0 && (!f->ns[0] || strcmp(f->ns, e->ns) == 0);
}

bool overlay_filter_match(const struct overlay_filter *f, struct slice text) {
    if (f->unknown || !text.n) return false;
    if (!overlay_filter_selects(f)) return true;
    cleanup_json cJSON *v = overlay_tree(text);
    if (f->labels && !selector_match(f->labels, json_obj(json_obj(v, "metadata"), "labels"))) return false;
    return !f->fields || field_selector_match(f->fields, v);
}

bool overlay_filter_extra(const struct overlay_filter *f, const struct overlay_entry *e) {
    return e->state == ENTRY_PRESENT && overlay_filter_place(f, e) &&
           overlay_filter_match(f, overlay_slice(e->text)) &&
           (e->personal || !e->based || !overlay_filter_match(f, overlay_slice(e->base)));
}
