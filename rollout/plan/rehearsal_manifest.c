/* The ReplicaSets of a rehearsal: bare, as a canary's is, and nothing of them is the target's. */
#include "api/selector.h"
#include "base/json_raw.h"
#include "plan/canary.h"
#include "plan/rehearsal.h"
#include <errno.h>

char *rehearsal_name(const char *id, enum rehearsed of, const char *hash) {
    cleanup_free char *suffix = xasprintf("%s-rehearsal%s-%s", workload_of(id)->infix,
                                          of == REHEARSED_CONTROL ? "-control" : "", hash);
    return obs_name_with(workload_name(id), suffix);
}

static bool matches(const struct selector *sel, struct slice labels) {
    cleanup_json cJSON *l = json_parse(labels, NULL);
    return selector_match(sel, l);
}

/* A selector that asks for nothing that is there would make a rehearsal's pod one of the target's. */
static int check_selector(const struct obs_target *t, struct slice labels, struct slice pod_labels,
                          struct err *err) {
    CLEANUP(selector) struct selector *sel = NULL;
    struct err why = {0};
    cleanup_json cJSON *spec = json_parse(slice_of(t->selector), NULL);
    if (selector_from_spec(spec, &sel, &why) < 0)
        return err_set(err, ERR_CONFIG, -EINVAL, "spec.selector: %s", why.msg);
    if (matches(sel, labels) || matches(sel, pod_labels))
        return err_set(err, ERR_CONFIG, -EINVAL,
                       HANDOVER_PREFIX
                       "rehearse: spec.selector matches the rehearsal's pods (%.*s), which must not be "
                       "the target's; allowed: a selector that asks for a label of its own",
                       SLF(pod_labels));
    return 0;
}

int rehearsal_manifest(const struct obs_target *t, const struct rehearsal_pod *p, struct buf *out,
                       struct err *err) {
    cleanup_buf struct buf labels = BUF(1024), pod = BUF(256), tmpl = BUF(8 << 20);
    cleanup_free char *name = rehearsal_name(t->id, p->of, p->hash);
    buf_addf(&pod, "\"" LABEL_REHEARSAL "\":\"%s%s\"}", p->hash,
             p->of == REHEARSED_CONTROL ? "-control" : "");
    buf_adds(&labels, "{\"app.kubernetes.io/managed-by\":\"handover\",\"" LABEL_TARGET "\":");
    buf_add_json(&labels, slice_of(t->uid));
    buf_addf(&labels, ",%s", buf_str(&pod));
    cleanup_free char *own = xasprintf("{%s", buf_str(&pod));
    int rc = rehearsal_template(p, &tmpl, err);
    if (rc == 0) rc = check_selector(t, buf_slice(&labels), slice_of(own), err);
    if (rc < 0) return rc;
    buf_adds(out, "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":");
    buf_add_json(out, slice_of(name));
    buf_adds(out, ",\"namespace\":");
    buf_add_json(out, slice_of(t->ns));
    buf_adds(out, ",\"labels\":");
    buf_add(out, buf_slice(&labels));
    buf_adds(out, ",\"ownerReferences\":");
    canary_owner(t, out);
    buf_addf(out, "},\"spec\":{\"replicas\":1,\"selector\":{\"matchLabels\":%s},\"template\":", own);
    buf_add(out, buf_slice(&tmpl));
    buf_adds(out, "}}");
    return out->full || tmpl.full ? err_set(err, ERR_CONFIG, -E2BIG,
                                            "the rehearsal's ReplicaSet is larger than %zu bytes", out->max)
                                  : 0;
}
