/* What a rehearsal is made of: two bare ReplicaSets with a pod each, and the ConfigMap that keeps the report. */
#include "plan/rehearsal.h"
#include "plan/canary.h"
#include "plan/plan_ctx.h"

#define TAKEN_NS (30 * NS_PER_S) /* between tries to create one whose name is taken */

static const enum rehearsed sides[2] = {REHEARSED_NEW, REHEARSED_CONTROL};

/* ---- what is there ---- */

/* Of this very rehearsal: the template's hash is a label, and the key is nobody else's. */
static bool is_of(const struct state *s, const struct obs_rs *r) {
    size_t n = strlen(r->made);
    return n == 10 && !strncmp(r->made, s->rehearsal.key, n) && plan_same_hash(s->hash, r->hash);
}

static const struct obs_rs *rs_of(const struct observed *o, int side) {
    const struct state *s = o->state;
    for (size_t i = 0; s && i < o->nrehearsals; i++) {
        const struct obs_rs *r = &o->rehearsals[i];
        if (r->rehearsed == sides[side] && !r->deleting && is_of(s, r)) return r;
    }
    return NULL;
}

/* The oldest that runs: another one is made only where that is on its way out. */
static const struct obs_pod *pod_of(const struct observed *o, const struct obs_rs *rs) {
    const struct obs_pod *best = NULL;
    for (size_t i = 0; rs && i < o->nrehearsal_pods; i++) {
        const struct obs_pod *p = &o->rehearsal_pods[i];
        if (!p->rs_uid || strcmp(p->rs_uid, rs->uid) != 0 || p->terminating || p->finished) continue;
        bool better = !best || p->created_ns < best->created_ns ||
                      (p->created_ns == best->created_ns && strcmp(p->name, best->name) < 0);
        if (better) best = p;
    }
    return best;
}

void plan_rehearsal_pair(const struct observed *o, struct rehearsal_pair *ret) {
    *ret = (struct rehearsal_pair){.rs = {NULL, NULL}};
    for (int k = 0; k < 2; k++) {
        ret->rs[k] = rs_of(o, k);
        ret->pod[k] = pod_of(o, ret->rs[k]);
    }
}

uint64_t plan_rehearsal_run(const struct rehearsal_pair *p) {
    uint64_t h = 0;
    if (!p->pod[0]) return 0;
    for (int k = 0; k < 2; k++) {
        const struct obs_pod *pod = p->pod[k];
        if (!pod) continue;
        cleanup_free char *text = xasprintf("%d %s %u", k, pod->uid, pod->sidecar_restarts);
        h = slice_hash(slice_of(text), h);
    }
    return (h & INT64_MAX) | 1;
}

size_t plan_rehearsal_tracks(const struct observed *o, struct obs_pod *ret, size_t n) {
    struct rehearsal_pair p;
    size_t out = 0;
    plan_rehearsal_pair(o, &p);
    for (size_t i = 0; i < o->nrehearsal_pods && out < n; i++)
        for (int k = 0; k < 2; k++) {
            const struct obs_pod *pod = &o->rehearsal_pods[i];
            if (!p.rs[k] || !pod->rs_uid || strcmp(pod->rs_uid, p.rs[k]->uid) != 0) continue;
            ret[out] = *pod;
            ret[out++].track = k == 0 ? TRACK_CANARY : TRACK_STABLE;
            break;
        }
    return out;
}

bool plan_has_rehearsal(const struct plan_ctx *c) {
    return c->o->nrehearsals > 0;
}

/* ---- made, and taken away ---- */

static bool name_taken(struct plan_ctx *c, const char *name) {
    if (!c->o->canary_taken) return false;
    plan_revisit(c, c->now + TAKEN_NS);
    plan_hold(
        c, HOLD_NAME_CONFLICT, TEXT_KEPT,
        "ReplicaSet %s has the name of the rehearsal's and is not one that Handover makes; it begins when "
        "that is gone: kubectl delete replicaset/%s -n %s",
        name, name, c->t->ns);
    return true;
}

/* One of a former rehearsal, which plan_sweep_rehearsals() ends. */
static bool is_in_the_way(const struct plan_ctx *c, const char *name) {
    for (size_t i = 0; i < c->o->nrehearsals; i++)
        if (!strcmp(c->o->rehearsals[i].name, name)) return true;
    return false;
}

static void make(struct plan_ctx *c, int side) {
    const struct rehearsal_seen *seen = c->o->rehearsal;
    struct err e = {0};
    struct buf b = BUF(8 << 20);
    const struct rehearsal_pod pod = {.of = sides[side],
                                      .hash = c->s->hash,
                                      .tmpl = side ? seen->tmpl : c->t->tmpl,
                                      .claims = c->t->claims,
                                      .image = seen->image,
                                      .groups = seen->groups,
                                      .key = c->s->rehearsal.key};
    cleanup_free char *name = rehearsal_name(c->t->id, sides[side], c->s->hash);
    if (is_in_the_way(c, name) || name_taken(c, name)) return;
    if (rehearsal_manifest(c->t, &pod, &b, &e) < 0) {
        plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "%s", e.msg);
        buf_free(&b);
        return;
    }
    struct step *s = plan_step_add(c, STEP_REHEARSAL, VERB_CREATE, &gvr_replicasets, name,
                                   side ? "rehearse stable's version beside it" : "rehearse the new version");
    if (s) s->exists_ok = true;
    if (s) s->body = buf_take(&b);
    buf_free(&b);
}

/* The means to make them: an image of Handover, a server that has sidecars, stable's template. */
static bool prepared(struct plan_ctx *c) {
    const struct rehearsal_seen *seen = c->o->rehearsal;
    c->plan->rehearse.means = true;
    if (seen && seen->minor >= 0 && seen->minor < REHEARSAL_MINOR)
        return plan_hold(
            c, HOLD_CONFIG, TEXT_NEWS,
            "annotation rehearse: needs Kubernetes 1.%d or later, whose pods can have a sidecar that starts "
            "before all else, and the API server is 1.%d; allowed there: without it",
            REHEARSAL_MINOR, seen->minor);
    if (seen && seen->trouble)
        return plan_hold(c, HOLD_CONFIG, TEXT_CAUSE, "annotation rehearse: %s", seen->trouble);
    if (!seen || !seen->image || !seen->groups || seen->minor < 0 || (!seen->tmpl && !seen->no_tmpl)) {
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    return true;
}

bool plan_make_rehearsal(struct plan_ctx *c, const struct rehearsal_pair *p) {
    struct state_rehearsal *x = &c->s->rehearsal;
    bool all = p->rs[0] && (p->rs[1] || x->alone);
    if (!all && !prepared(c)) return false;
    if (!all && c->o->rehearsal->no_tmpl && !p->rs[1]) x->alone = true;
    if (c->s->hold == HOLD_CONFIG || c->s->hold == HOLD_NAME_CONFLICT) plan_unhold(c);
    for (int k = 0; k < (x->alone ? 1 : 2); k++) {
        if (!p->rs[k])
            make(c, k);
        else if (p->rs[k]->replicas != 1)
            plan_step_scale(c, p->rs[k], 1, "one pod of a rehearsal");
    }
    if (!p->rs[0] || (!p->rs[1] && !x->alone)) {
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    return true;
}

void plan_sweep_rehearsals(struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->nrehearsals; i++) {
        const struct obs_rs *r = &c->o->rehearsals[i];
        bool wanted = c->s && c->keeps_rehearsal && is_of(c->s, r);
        if (!wanted && !r->deleting) plan_step_rs_delete(c, r, "end the rehearsal");
    }
}

/* ---- the report ---- */

bool plan_exceeds(const struct state *s, const struct spec *spec, struct buf *out) {
    bool any = false;
    for (int k = 0; k < REPORT_KINDS; k++) {
        if (s->rehearsal.count[k] <= spec->max_changes[k]) continue;
        buf_addf(out, "%s%s=%llu (allowed: %llu)", any ? ", " : "", report_kind_name((enum report_kind)k),
                 (unsigned long long)s->rehearsal.count[k], (unsigned long long)spec->max_changes[k]);
        any = true;
    }
    if (s->rehearsal.full && spec_has_limits(spec)) { /* what is not in it may be anything */
        buf_adds(out, any ? ", the report is not whole" : "the report is not whole");
        any = true;
    }
    return any;
}

char *plan_report_map(const char *id) {
    cleanup_free char *suffix = xasprintf("%s-handover-rehearsal", workload_of(id)->infix);
    return obs_name_with(workload_name(id), suffix);
}

static void member(struct buf *b, const char *before, const char *value) {
    buf_adds(b, before);
    buf_add_json(b, slice_of(value));
}

static void write_map(const struct plan_ctx *c, const struct rehearsal_report *r, const char *name,
                      bool fresh, struct buf *b) {
    const struct rehearsal_seen *seen = c->o->rehearsal;
    buf_adds(b, "{");
    if (fresh) {
        member(b, "\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":", name);
        member(b, ",\"namespace\":", c->t->ns);
        buf_adds(b, ",\"ownerReferences\":");
        canary_owner(c->t, b);
    } else {
        member(b, "\"metadata\":{\"resourceVersion\":", seen->map_rv ? seen->map_rv : "");
    }
    buf_addf(b, ",\"labels\":{\"" LABEL_REHEARSAL "\":\"%s\"}", c->s->hash);
    buf_addf(b, ",\"annotations\":{\"" ANNOTATION_DIGEST "\":\"%s\",\"" ANNOTATION_RUN "\":\"%lld\"}}",
             r->digest, (long long)r->run);
    buf_addf(b, ",\"data\":{\"digest\":\"%s\"", r->digest);
    member(b, ",\"line\":", r->line);
    member(b, ",\"image\":", c->s->image ? c->s->image : "");
    buf_adds(b, ",\"report\":");
    buf_add_json(b, buf_slice(&r->text));
    buf_adds(b, "}}");
}

void plan_step_report(struct plan_ctx *c, const struct rehearsal_report *r) {
    const struct rehearsal_seen *seen = c->o->rehearsal;
    cleanup_free char *name = plan_report_map(c->t->id);
    bool fresh = seen->map == MAP_ABSENT;
    struct buf b = BUF(4 << 20);
    write_map(c, r, name, fresh, &b);
    c->s->reported = true;
    struct step *s = plan_step_add(c, STEP_REPORT, fresh ? VERB_CREATE : VERB_PATCH_MERGE, &gvr_configmaps,
                                   name, "keep the rehearsal's report");
    if (s) s->body = buf_take(&b);
    buf_free(&b);
}

bool plan_report_is_gone(struct plan_ctx *c) {
    const struct rehearsal_seen *seen = c->o->rehearsal;
    if (!c->s->reported) return true;
    c->plan->rehearse.map = true;
    if (!seen || seen->map == MAP_UNKNOWN) return false;
    if (seen->map != MAP_OURS) {
        c->s->reported = false;
        return true;
    }
    cleanup_free char *name = plan_report_map(c->t->id);
    struct buf b = BUF(1024);
    member(&b, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"resourceVersion\":",
           seen->map_rv ? seen->map_rv : "");
    buf_adds(&b, "}}");
    struct step *s =
        plan_step_add(c, STEP_REPORT, VERB_DELETE, &gvr_configmaps, name, "forget the rehearsal's report");
    if (s) s->gone_ok = true;
    if (s) s->body = buf_take(&b);
    buf_free(&b);
    return false;
}
