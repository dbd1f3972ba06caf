/* See event_view.h; after pkg/apis/events/v1/conversion.go and pkg/apis/core/validation/events.go. */
#include "rest/event_view.h"

static const struct {
    const char *core, *view;
} names[] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"reportingComponent", "reportingController"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
};

static void rename_members(cJSON *obj, bool to_view) {
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *from = to_view ? names[i].core : names[i].view,
                   *to = to_view ? names[i].view : names[i].core;
        cJSON *v = cJSON_DetachItemFromObjectCaseSensitive(obj, from);
        json_tree_set(obj, to, v);
    }
}

void event_view_show(cJSON *obj) {
    rename_members(obj, true);
    if (json_str(obj, "apiVersion")) json_tree_set_str(obj, "apiVersion", EVENT_VIEW_VERSION);
}

int event_view_take(cJSON *obj, struct api_status *f) {
    const char *version = json_str_or(obj, "apiVersion", EVENT_VIEW_VERSION);
    if (strcmp(version, EVENT_VIEW_VERSION) != 0) {
        return api_status_set(f, 400, "BadRequest",
                              "the API version in the data (%.80s) does not match the expected API version "
                              "(" EVENT_VIEW_VERSION ")",
                              version);
    }
    rename_members(obj, false);
    json_tree_set_str(obj, "apiVersion", "v1");
    return 0;
}

static void unset(const cJSON *obj, const char *member, struct api_status *f) {
    const cJSON *v = json_get(obj, member);
    bool zero = !v || cJSON_IsNull(v) || (cJSON_IsObject(v) && !v->child) ||
                (cJSON_IsNumber(v) && v->valuedouble == 0); /* NOLINT(clang-diagnostic-float-equal) */
    if (!zero) api_status_cause(f, "FieldValueInvalid", member, "Invalid value: \"\": needs to be unset");
}

static void immutable(const cJSON *obj, const cJSON *old, const char *member, struct api_status *f) {
    const cJSON *a = json_get(obj, member), *b = json_get(old, member);
    if (cJSON_IsNull(a)) a = NULL;
    if (cJSON_IsNull(b)) b = NULL;
    if (a == b || (a && b && json_tree_equal(a, b))) return;
    api_status_cause(f, "FieldValueInvalid", member, "Invalid value: field is immutable");
}

int event_view_check(const cJSON *obj, const cJSON *old, struct api_status *f) {
    static const char *const old_ways[] = {"firstTimestamp", "lastTimestamp", "count", "source"};
    static const char *const fixed[] = {
        "involvedObject", "reason", "message",  "firstTimestamp",     "lastTimestamp",
        "count",          "source", "related",  "reportingComponent", "reportingInstance",
        "action",         "type",   "eventTime"};
    const cJSON *series = json_obj(obj, "series");
    if (series && json_i64(series, "count", 0) < 2)
        api_status_cause(f, "FieldValueInvalid", "series.count", "Invalid value: %lld: should be at least 2",
                         (long long)json_i64(series, "count", 0));
    if (series && !json_str(series, "lastObservedTime"))
        api_status_cause(f, "FieldValueRequired", "series.lastObservedTime", "Required value");
    if (old) {
        for (size_t i = 0; i < ARRAY_LEN(fixed); i++) immutable(obj, old, fixed[i], f);
    } else {
        const char *type = json_str_or(obj, "type", "");
        if (!json_str(obj, "eventTime"))
            api_status_cause(f, "FieldValueRequired", "eventTime", "Required value");
        if (strcmp(type, "Normal") != 0 && strcmp(type, "Warning") != 0)
            api_status_cause(f, "FieldValueInvalid", "type", "Invalid value: \"\": has invalid value: %.80s",
                             type);
        for (size_t i = 0; i < ARRAY_LEN(old_ways); i++) unset(obj, old_ways[i], f);
    }
    return api_status_invalid(f, sim_type_find("", "events"),
                              json_str_or(json_obj(obj, "metadata"), "name", ""));
}

void event_view_write(const struct json_doc *d, bool named, struct buf *out) {
    cleanup_json cJSON *v =
        named ? json_doc_parse(d, "v1", "Event") : json_tree_parse_checked(slice_make(d->text, d->n));
    event_view_show(v);
    json_tree_print(v, out);
}

char *event_view_selector(const char *fields) {
    if (!fields) return NULL;
    struct buf b = BUF(64 << 10);
    struct slice rest = slice_of(fields), one;
    while (rest.n) {
        slice_cut(rest, ',', &one, &rest);
        if (b.n) buf_addc(&b, ',');
        struct slice t = slice_trim(one);
        if (slice_starts(t, SL("regarding."))) {
            buf_adds(&b, "involvedObject.");
            one = slice_make(t.p + strlen("regarding."), t.n - strlen("regarding."));
        } else if (slice_starts(t, SL("reportingController"))) {
            buf_adds(&b, "reportingComponent");
            one = slice_make(t.p + strlen("reportingController"), t.n - strlen("reportingController"));
        }
        buf_add(&b, one);
    }
    char *ret = buf_take(&b);
    return ret ? ret : xstrdup("");
}
