/* What is gone back to, and what is written for it; see undo.h. Pure. */
#include "undo.h"
#include "api/meta.h"
#include "api/template.h"
#include "base/json_raw.h"
#include <errno.h>

static bool same(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

int undo_take(struct undo_versions *all, const struct obs_target *t, struct slice raw, const cJSON *obj,
              struct err *err) {
    struct obs_rs rs;
    struct slice tmpl;
    cleanup_buf struct buf text = BUF(4 << 20), image = BUF(4096);
    if (obs_rs_read(obj, raw, &rs, err) < 0) return -EINVAL;
    bool own = !rs.canary && !rs.deleting && rs.owner_uid && same(rs.owner_uid, t->uid);
    if (own && all->n < UNDO_VERSIONS && json_raw_at(raw, "spec/template", &tmpl) &&
        template_without_pod_hash(tmpl, &text, NULL) == 0 && !text.full) {
        struct undo_version *v = &all->v[all->n++];
        const char *revision = obj_annotation(obj, "deployment.kubernetes.io/revision");
        template_image(tmpl, &image);
        *v = (struct undo_version){
            .rs = xstrdup(rs.name), .image = xstrdup(buf_str(&image)), .tmpl = buf_take(&text)};
        memcpy(v->hash, rs.hash, sizeof v->hash);
        slice_i64(slice_of(revision ? revision : ""), &v->revision);
    }
    obs_rs_free(&rs);
    return 0;
}

void undo_versions_free(struct undo_versions *all) {
    for (size_t i = 0; i < all->n; i++) {
        free(all->v[i].rs);
        free(all->v[i].image);
        free(all->v[i].tmpl);
    }
    all->n = 0;
}

bool undo_applies(const struct status_row *r, const char *to_hash, struct err *err) {
    const struct state *s = &r->state;
    const struct state_quarantine *q;
    if (workload_of(r->name) ==
        &workload_statefulset) { /* kubectl writes a revision's template, and that is held */
        err_set(err, ERR_CONFIG, -EINVAL,
                "%s: kubectl rollout undo %s -n %s --to-revision=N, of kubectl rollout history %s; Handover "
                "holds "
                "that template, and it gets its canary",
                r->name, r->name, r->ns, r->name);
    } else if (!r->has_state && r->problem.kind) {
        err_set(err, ERR_CONFIG, -EINVAL, "deployment/%s: %s", r->name, r->problem.msg);
    } else if (!r->has_state || !s->stable_uid || s->phase == PHASE_IDLE || s->phase == PHASE_ADOPTING ||
               s->phase == PHASE_RELEASING) {
        err_set(err, ERR_CONFIG, -ENOENT,
                "deployment/%s: Handover does not hold it%s%s: kubectl rollout undo deployment/%s -n %s",
                r->name, r->has_state ? ", it is in phase " : "", r->has_state ? phase_name(s->phase) : "",
                r->name, r->ns);
    } else if (to_hash && same(to_hash, r->target.hash)) {
        err_set(err, ERR_CONFIG, -EINVAL, "deployment/%s: template %s is the one that it has", r->name,
                to_hash);
    } else if (to_hash && state_quarantined(s, to_hash, &q)) {
        err_set(
            err, ERR_CONFIG, -EINVAL,
            "deployment/%s: template %s was rolled back (%s); to try it again, set its image, then: handover "
            "retry %s -n %s",
            r->name, to_hash, q->reason ? q->reason : "", r->name, r->ns);
    } else {
        return true;
    }
    return false;
}

static struct undo_version *find(struct undo_versions *all, const char *hash) {
    struct undo_version *best = NULL;
    for (size_t i = 0; i < all->n; i++)
        if (same(all->v[i].hash, hash) && (!best || all->v[i].revision > best->revision)) best = &all->v[i];
    return best;
}

/* Stable's ReplicaSet may be gone, and its template be kept in the state. */
static struct undo_version *stable(const struct status_row *r, struct undo_versions *all) {
    const struct state *s = &r->state;
    struct undo_version *v = find(all, s->stable_hash);
    if (v || !s->stable_template || all->n == UNDO_VERSIONS) return v;
    cleanup_buf struct buf image = BUF(4096);
    template_image(slice_of(s->stable_template), &image);
    v = &all->v[all->n++];
    *v = (struct undo_version){.rs = xstrdup(s->stable_name),
                               .image = xstrdup(buf_str(&image)),
                               .tmpl = xstrdup(s->stable_template)};
    memcpy(v->hash, s->stable_hash, sizeof v->hash);
    return v;
}

static bool is_former(const struct status_row *r, const struct undo_version *v) {
    const struct state *s = &r->state;
    return !same(v->hash, s->stable_hash) && !same(v->hash, r->target.hash) &&
           !state_quarantined(s, v->hash, NULL);
}

static const struct undo_version *newest_former(const struct status_row *r, const struct undo_versions *all) {
    const struct undo_version *best = NULL;
    for (size_t i = 0; i < all->n; i++)
        if (is_former(r, &all->v[i]) && (!best || all->v[i].revision > best->revision)) best = &all->v[i];
    return best;
}

static void none(const struct status_row *r, const struct undo_versions *all, const char *hash,
                 struct err *err) {
    cleanup_buf struct buf there = BUF(500);
    for (size_t i = 0; i < all->n && !there.full; i++)
        if (is_former(r, &all->v[i]) ||
            (!same(all->v[i].hash, r->target.hash) && same(all->v[i].hash, r->state.stable_hash)))
            buf_addf(&there, "%s%s (%.80s)", there.n ? ", " : "", all->v[i].hash, all->v[i].image);
    err_set(
        err, ERR_NOTFOUND, -ENOENT,
        "deployment/%s: no ReplicaSet of it has %s%s: it was never in service here, or its ReplicaSet was "
        "deleted (spec.revisionHistoryLimit: %d); set its image instead; there are: %s",
        r->name, hash ? "template " : "a former template", hash ? hash : "", r->target.history,
        there.n ? buf_str(&there) : "none");
}

const struct undo_version *undo_choose(const struct status_row *r, struct undo_versions *all,
                                       const char *to_hash, struct err *err) {
    const struct state *s = &r->state;
    const char *hash = to_hash ? to_hash : !same(r->target.hash, s->stable_hash) ? s->stable_hash : NULL;
    const struct undo_version *v = !hash                        ? newest_former(r, all)
                                   : same(hash, s->stable_hash) ? stable(r, all)
                                                                : find(all, hash);
    if (!v) none(r, all, hash, err);
    return v;
}

void undo_patch(const struct status_row *r, const struct undo_version *v, const char *promote,
                struct buf *out) {
    buf_adds(out, "[{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":");
    buf_add_json(out, slice_of(r->target.rv));
    buf_adds(out, "},{\"op\":\"replace\",\"path\":\"/spec/template\",\"value\":");
    buf_adds(out, v->tmpl);
    buf_addc(out, '}');
    if (promote) {
        buf_adds(out, ",{\"op\":\"add\",\"path\":\"/metadata/annotations/handover.dev~1promote\",\"value\":");
        buf_add_json(out, slice_of(promote));
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

bool undo_taken_up(const struct status_row *r, const char *hash) {
    const struct state *s = &r->state;
    if (!r->has_state) return false;
    if (same(s->stable_hash, hash)) return s->phase == PHASE_STABLE || s->phase == PHASE_CANCELLING;
    return same(s->hash, hash) &&
           (state_on_trial(s) || s->phase == PHASE_PROMOTING || s->phase == PHASE_FINISHING);
}
