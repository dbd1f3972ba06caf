/* The canary's ReplicaSet: bare, so that nothing adopts it; the template byte for byte the user's. */
#include "plan/canary.h"
#include "api/selector.h"
#include "api/template.h"
#include "base/json_raw.h"
#include "observe/track_selector.h"
#include "plan/plan.h"
#include <errno.h>

char *canary_name(const char *id, const char *hash) {
    cleanup_free char *suffix = xasprintf("%s-canary-%s", workload_of(id)->infix, hash);
    return obs_name_with(workload_name(id), suffix);
}

static bool matches(const struct selector *sel, struct slice labels) {
    cleanup_json cJSON *l = json_parse(labels, NULL);
    return selector_match(sel, l);
}

/* Would the target's controller take our ReplicaSet for one of its own? Then it would scale it, and all
 * others with it. And are the canary's pods among those that the selector finds? That is how we see them. */
static int check_selector(const struct obs_target *t, struct slice labels, struct slice tmpl,
                          struct err *err) {
    CLEANUP(selector) struct selector *sel = NULL;
    struct err why = {0};
    struct slice pod_labels = SL("{}");
    cleanup_json cJSON *spec = json_parse(slice_of(t->selector), NULL);
    if (selector_from_spec(spec, &sel, &why) < 0)
        return err_set(err, ERR_CONFIG, -EINVAL, "spec.selector: %s", why.msg);
    if (matches(sel, labels))
        return err_set(
            err, ERR_CONFIG, -EINVAL,
            "spec.selector matches the canary's ReplicaSet (%.*s): it must ask for a label of its own",
            SLF(labels));
    json_raw_at(tmpl, "metadata/labels", &pod_labels);
    if (!matches(sel, pod_labels))
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "spec.selector does not match the canary's pods (%.*s): it must not reference "
                       "handover.dev/* labels",
                       SLF(pod_labels));
    return 0;
}

static bool is_ours(struct slice key) {
    return json_raw_string_is(key, SL(LABEL_TRACK)) || json_raw_string_is(key, SL(LABEL_TEMPLATE)) ||
           json_raw_string_is(key, SL(LABEL_POD_HASH));
}

void canary_selector(const struct obs_target *t, const char *labels, struct buf *out) {
    struct slice selector = slice_of(t->selector), part;
    buf_addf(out, "{\"matchLabels\":{%s", labels);
    if (json_raw_get(selector, SL("matchLabels"), &part)) {
        struct json_raw_it it = json_raw_each(part);
        while (json_raw_next(&it)) {
            if (is_ours(it.key)) continue;
            buf_addc(out, ',');
            buf_add(out, it.key);
            buf_addc(out, ':');
            buf_add(out, it.value);
        }
    }
    buf_addc(out, '}');
    if (json_raw_get(selector, SL("matchExpressions"), &part) && json_raw_type(part) == JR_ARRAY) {
        buf_adds(out, ",\"matchExpressions\":");
        buf_add(out, part);
    }
    buf_addc(out, '}');
}

void canary_owner(const struct obs_target *t, struct buf *out) {
    buf_addf(out, "[{\"apiVersion\":\"apps/v1\",\"kind\":\"%s\",\"name\":", t->kind->gvr->kind);
    buf_add_json(out, slice_of(t->name));
    buf_adds(out, ",\"uid\":");
    buf_add_json(out, slice_of(t->uid));
    buf_adds(out, ",\"controller\":false,\"blockOwnerDeletion\":false}]");
}

static void write_metadata(const struct obs_target *t, struct slice labels, struct buf *out) {
    cleanup_free char *name = canary_name(t->id, t->hash);
    buf_adds(out, "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":");
    buf_add_json(out, slice_of(name));
    buf_adds(out, ",\"namespace\":");
    buf_add_json(out, slice_of(t->ns));
    buf_adds(out, ",\"labels\":");
    buf_add(out, labels);
    buf_adds(out, ",\"ownerReferences\":");
    canary_owner(t, out);
    buf_addc(out, '}');
}

/* In mode objects the canary's selector is the other half of stable's. */
static int select_slice(struct slice tmpl, struct buf *out, struct err *err) {
    if (track_selector_replace(tmpl, out) > 0) return 0;
    return err_set(err, ERR_CONFIG, -EINVAL,
                   "mode objects: the template does not say which objects are the operator's; have its "
                   "containers' args, command or env "
                   "select them by the labels \"" TRACK_SELECTOR_STABLE
                   "\", which becomes \"" TRACK_SELECTOR_CANARY "\" in the canary");
}

int canary_manifest(const struct obs_target *t, const struct spec *spec, int32_t replicas, struct buf *out,
                    struct err *err) {
    const char *pairs[] = {LABEL_TRACK, "canary", LABEL_TEMPLATE, t->hash};
    cleanup_buf struct buf labels = BUF(1024), selected = BUF(4 << 20), emptied = BUF(4 << 20),
                           placed = BUF(4 << 20), changed = BUF(4 << 20), tmpl = BUF(4 << 20);
    struct slice text = slice_of(t->tmpl);
    bool objects = spec && spec->mode == MODE_OBJECTS;
    buf_adds(&labels, "{\"app.kubernetes.io/managed-by\":\"handover\",\"" LABEL_TARGET "\":");
    buf_add_json(&labels, slice_of(t->uid));
    buf_addf(&labels, ",\"" LABEL_TEMPLATE "\":\"%s\"}", t->hash);
    int rc = 0;
    if (objects) rc = select_slice(text, &selected, err);
    if (objects) text = buf_slice(&selected);
    bool empty = rc == 0 && spec && spec->empty_volumes;
    if (empty) rc = template_with_empty_volumes(text, slice_of(t->claims), &emptied, err);
    if (empty) text = buf_slice(&emptied);
    if (rc == 0) rc = template_with_nodes(text, spec ? spec->canary_nodes : NULL, t->hash, &placed, err);
    if (rc < 0) return rc;
    template_with_overrides(buf_slice(&placed), spec ? spec->canary_args : NULL,
                            spec ? spec->canary_env : NULL, &changed);
    rc = template_with_labels(buf_slice(&changed), pairs, 2, &tmpl, err);
    if (rc == 0) rc = check_selector(t, buf_slice(&labels), buf_slice(&tmpl), err);
    if (rc < 0) return rc;
    write_metadata(t, buf_slice(&labels), out);
    buf_addf(out, ",\"spec\":{\"replicas\":%d,\"selector\":", replicas);
    cleanup_free char *ours =
        xasprintf("\"" LABEL_TRACK "\":\"canary\",\"" LABEL_TEMPLATE "\":\"%s\"", t->hash);
    canary_selector(t, ours, out);
    buf_adds(out, ",\"template\":");
    buf_add(out, buf_slice(&tmpl));
    buf_adds(out, "}}");
    return out->full ? err_set(err, ERR_CONFIG, -E2BIG, "the canary's ReplicaSet is larger than %zu bytes",
                               out->max)
                     : 0;
}
