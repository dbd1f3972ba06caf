/* What a plan says: steps with their JSON bodies, Events, metrics. */
#include "base/json_raw.h"
#include "plan/canary.h"
#include "plan/plan_ctx.h"
#include <stdio.h>

struct step *plan_step_add(struct plan_ctx *c, enum step_kind kind, enum step_verb verb,
                           const struct gvr *gvr, const char *name, const char *why) {
    /* A full plan leaves the rest to the next one, which is made after these steps. Step 0 is the state's. */
    if (c->plan->nsteps >= PLAN_MAX_STEPS - 1) return NULL;
    struct step *s = &c->plan->step[c->plan->nsteps++];
    *s = (struct step){.kind = kind, .verb = verb, .gvr = gvr, .name = xstrdup(name)};
    snprintf(s->why, sizeof s->why, "%s", why);
    return s;
}

static void body(struct step *s, struct buf *b) {
    if (s) s->body = buf_take(b);
    buf_free(b);
}

void plan_step_scale(struct plan_ctx *c, const struct obs_rs *rs, int32_t replicas, const char *why) {
    struct buf b = BUF(1024);
    buf_adds(&b, "{\"metadata\":{\"uid\":");
    buf_add_json(&b, slice_of(rs->uid));
    buf_addf(&b, "},\"spec\":{\"replicas\":%d}}", replicas);
    struct step *s = plan_step_add(c, STEP_RS, VERB_PATCH_MERGE, &gvr_replicasets, rs->name, why);
    if (s) s->gone_ok = true;
    body(s, &b);
}

void plan_step_scale_checked(struct plan_ctx *c, const struct obs_rs *rs, int32_t replicas, const char *why) {
    struct buf b = BUF(1024);
    buf_adds(&b, "{\"metadata\":{\"uid\":");
    buf_add_json(&b, slice_of(rs->uid));
    buf_adds(&b, ",\"resourceVersion\":");
    buf_add_json(&b, slice_of(rs->rv));
    buf_addf(&b, "},\"spec\":{\"replicas\":%d}}", replicas);
    body(plan_step_add(c, STEP_RS, VERB_PATCH_MERGE, &gvr_replicasets, rs->name, why), &b);
}

void plan_step_quarantine(struct plan_ctx *c, const struct obs_rs *rs, const char *why) {
    struct buf b = BUF(8192);
    buf_adds(&b, "{\"metadata\":{\"uid\":");
    buf_add_json(&b, slice_of(rs->uid));
    buf_adds(&b, ",\"annotations\":{\"" ANNOTATION_QUARANTINED "\":");
    buf_add_json(&b, slice_of(why));
    buf_adds(&b, "}},\"spec\":{\"replicas\":0}}");
    struct step *s =
        plan_step_add(c, STEP_RS, VERB_PATCH_MERGE, &gvr_replicasets, rs->name, "canary to zero");
    if (s) s->gone_ok = true;
    body(s, &b);
}

/* "key":null for a label that the selector asks for, but for those that are ours. */
static void drop_label(struct buf *b, struct slice key) {
    if (json_raw_string_is(key, SL("app.kubernetes.io/managed-by")) ||
        json_raw_string_is(key, SL(LABEL_TARGET)) || json_raw_string_is(key, SL(LABEL_TEMPLATE)))
        return;
    buf_addc(b, ',');
    buf_add(b, key);
    buf_adds(b, ":null");
}

static void drop_selector_labels(struct buf *b, struct slice selector) {
    struct slice part, key;
    if (json_raw_get(selector, SL("matchLabels"), &part)) {
        struct json_raw_it it = json_raw_each(part);
        while (json_raw_next(&it)) drop_label(b, it.key);
    }
    if (!json_raw_get(selector, SL("matchExpressions"), &part) || json_raw_type(part) != JR_ARRAY) return;
    struct json_raw_it it = json_raw_each(part);
    while (json_raw_next(&it))
        if (json_raw_get(it.value, SL("key"), &key)) drop_label(b, key);
}

void plan_step_detach(struct plan_ctx *c, const struct obs_rs *rs, const char *why) {
    struct buf b = BUF(64 << 10);
    buf_adds(&b, "{\"metadata\":{\"uid\":");
    buf_add_json(&b, slice_of(rs->uid));
    buf_adds(&b, ",\"resourceVersion\":");
    buf_add_json(&b, slice_of(rs->rv));
    buf_adds(&b,
             ",\"annotations\":{\"" ANNOTATION_DETACHED
             "\":\"true\"},\"labels\":{\"app.kubernetes.io/managed-by\":\"handover\",\"" LABEL_TARGET "\":");
    buf_add_json(&b, slice_of(c->t->uid));
    buf_addf(&b, ",\"" LABEL_TEMPLATE "\":\"%s\"", rs->hash);
    drop_selector_labels(&b, slice_of(c->t->selector));
    buf_adds(&b, "},\"ownerReferences\":");
    canary_owner(c->t, &b);
    buf_adds(&b, "}}");
    struct step *s = plan_step_add(c, STEP_RS, VERB_PATCH_MERGE, &gvr_replicasets, rs->name, why);
    if (s) s->gone_ok = true;
    body(s, &b);
}

void plan_step_rs_delete(struct plan_ctx *c, const struct obs_rs *rs, const char *why) {
    struct buf b = BUF(1024);
    buf_adds(&b, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Background\","
                 "\"preconditions\":{\"uid\":");
    buf_add_json(&b, slice_of(rs->uid));
    buf_adds(&b, "}}");
    struct step *s = plan_step_add(c, STEP_RS_DELETE, VERB_DELETE, &gvr_replicasets, rs->name, why);
    if (s) s->gone_ok = true;
    if (s) s->uid = xstrdup(rs->uid);
    body(s, &b);
}

static void add_data(const struct state *s, struct buf *b) {
    struct buf facts = BUF(STATE_MAX_TEXT), text = BUF(STATE_MAX_TEXT);
    state_write_facts(s, &facts);
    state_write(s, &text);
    buf_adds(b, "\"data\":{\"facts\":");
    buf_add_json(b, buf_slice(&facts));
    buf_adds(b, ",\"state\":");
    buf_add_json(b, buf_slice(&text));
    buf_addc(b, '}');
    buf_free(&facts);
    buf_free(&text);
}

/* As long as objects may be labelled the ConfigMap stays, even when its Deployment is deleted. */
static void add_finalizer(const struct plan_ctx *c, struct buf *b) {
    bool had = c->o->state && plan_by_objects(c->o->state);
    if (plan_by_objects(c->s))
        buf_adds(b, "\"finalizers\":[\"" STATE_FINALIZER "\"],");
    else if (had)
        buf_adds(b, "\"finalizers\":null,");
}

void plan_step_state(struct plan_ctx *c) {
    struct buf b = BUF((size_t)4 * STATE_MAX_TEXT);
    bool fresh = c->t && !c->o->state_rv;
    cleanup_free char *name = obs_state_name(c->t ? c->t->id : c->o->name);
    if (fresh) {
        buf_adds(&b, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":");
        buf_add_json(&b, slice_of(name));
        buf_adds(&b, ",\"namespace\":");
        buf_add_json(&b, slice_of(c->t->ns));
        buf_adds(&b, ",\"labels\":{\"app.kubernetes.io/"
                     "managed-by\":\"handover\"},\"ownerReferences\":");
        canary_owner(c->t, &b);
        buf_adds(&b, "},");
    } else {
        buf_adds(&b, "{\"metadata\":{");
        add_finalizer(c, &b);
        buf_adds(&b, "\"resourceVersion\":");
        buf_add_json(&b, slice_of(c->o->state_rv));
        buf_adds(
            &b,
            ",\"labels\":{\"app.kubernetes.io/managed-by\":\"handover\"}},"); /* our informer finds it by that */
    }
    add_data(c->s, &b);
    buf_addc(&b, '}');
    /* always the first */
    struct plan *p = c->plan;
    memmove(&p->step[1], &p->step[0], p->nsteps++ * sizeof p->step[0]);
    p->step[0] = (struct step){.kind = STEP_STATE,
                               .verb = fresh ? VERB_CREATE : VERB_PATCH_MERGE,
                               .gvr = &gvr_configmaps,
                               .name = xstrdup(name),
                               .body = buf_take(&b)};
    snprintf(p->step[0].why, sizeof p->step[0].why, "write the state: %s", phase_name(c->s->phase));
}

void plan_step_state_delete(struct plan_ctx *c) {
    const char *target = c->t ? c->t->id : c->o->name;
    if (!c->o->state_rv || !target) return;
    struct buf b = BUF(1024);
    cleanup_free char *name = obs_state_name(target);
    buf_adds(&b, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"resourceVersion\":");
    buf_add_json(&b, slice_of(c->o->state_rv));
    buf_adds(&b, "}}");
    struct step *s =
        plan_step_add(c, STEP_STATE_DELETE, VERB_DELETE, &gvr_configmaps, name, "forget the target");
    if (s) s->gone_ok = true;
    body(s, &b);
}

static char *status_line(const struct state *s, const char *field) {
    bool held = s->hold != HOLD_NONE;
    cleanup_free char *message =
        slice_dup_text(slice_of(s->message), 400); /* the server repairs text: ours must be what it keeps */
    /* One patch adopts: the line says at once what will be true when it is carried out. */
    enum phase phase = s->phase == PHASE_ADOPTING ? PHASE_STABLE : s->phase;
    bool fought = s->unpaused >= STATE_UNPAUSED_OFTEN;
    return xasprintf("%s%s%s%s%s%s%s%s%s", phase_name(phase), held ? " (" : "", hold_name(s->hold),
                     held ? ")" : "", *message ? ": " : "", message, fought ? "; a manifest sets " : "",
                     fought ? field : "", fought ? ": remove it there" : "");
}

static void member(struct buf *b, bool *first, const char *key) {
    buf_addf(b, "%s\"%s\":", *first ? "" : ",", key);
    *first = false;
}

/* replicas: before this patch. */
static void add_annotations(const struct target_patch *p, const char *status, int32_t replicas,
                            struct buf *b) {
    bool first = true;
    buf_adds(b, "\"annotations\":{");
    if (p->drop_status || status) member(b, &first, HANDOVER_PREFIX "status");
    if (p->drop_status)
        buf_adds(b, "null");
    else if (status)
        buf_add_json(b, slice_of(status));
    if (p->mark != MARK_KEEP) member(b, &first, ANNOTATION_HELD);
    if (p->mark != MARK_KEEP) buf_adds(b, p->mark == MARK_SET ? "\"true\"" : "null");
    if (p->replicas >= 0 || p->drop_replicas) member(b, &first, ANNOTATION_REPLICAS);
    if (p->replicas == 0)
        buf_addf(b, "\"%d\"", replicas);
    else if (p->replicas > 0 || p->drop_replicas)
        buf_adds(b, "null");
    for (int a = 0; a < ACTION_N; a++) {
        if (!p->drop_action[a]) continue;
        char key[64];
        snprintf(key, sizeof key, HANDOVER_PREFIX "%s", spec_action_name((enum spec_action)a));
        member(b, &first, key);
        buf_adds(b, "null");
    }
    buf_addc(b, '}');
}

void plan_step_target(struct plan_ctx *c) {
    struct target_patch *p = &c->patch;
    cleanup_free char *line = c->s && !p->drop_status ? status_line(c->s, c->t->kind->field) : NULL;
    bool same = line && c->t->status && !strcmp(line, c->t->status);
    if (!p->any && (!line || same)) return;
    struct buf b = BUF(8192);
    bool first = true;
    buf_adds(&b, "{\"metadata\":{");
    add_annotations(p, same ? NULL : line, c->t->replicas, &b);
    buf_adds(&b, p->checked ? ",\"resourceVersion\":" : ",\"uid\":");
    buf_add_json(&b, slice_of(p->checked ? c->t->rv : c->t->uid));
    buf_adds(&b, "},\"spec\":{");
    if (p->paused != PAUSED_KEEP && plan_is_set(c)) {
        member(&b, &first, "updateStrategy");
        plan_set_partition(c, &b);
    } else if (p->paused != PAUSED_KEEP) {
        member(&b, &first, "paused");
        buf_adds(&b, p->paused == PAUSED_SET ? "true" : "null");
    }
    if (p->deadline_s >= 0) {
        member(&b, &first, "progressDeadlineSeconds");
        buf_addf(&b, "%lld", (long long)p->deadline_s);
    }
    if (p->replicas >= 0) {
        member(&b, &first, "replicas");
        buf_addf(&b, "%d", p->replicas);
    }
    buf_adds(&b, "}}");
    struct step *s = plan_step_add(c, STEP_TARGET, VERB_PATCH_MERGE, c->t->kind->gvr, c->t->name,
                                   p->why ? p->why : "patch the status annotation");
    if (s) s->unpauses = p->paused == PAUSED_DROP && !plan_is_set(c);
    body(s, &b);
}

void plan_event(struct plan_ctx *c, enum plan_reason reason, const char *fmt, ...) {
    if (c->plan->nevents == PLAN_MAX_EVENTS) return;
    struct buf text = BUF(4096);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&text, fmt, ap);
    va_end(ap);
    char *message = buf_take(&text);
    c->plan->event[c->plan->nevents++] = (struct plan_event){
        .reason = reason, .message = message ? message : xstrdup(plan_reason_name(reason))};
}

void plan_count(struct plan_ctx *c, const char *name, const char *label, double value) {
    if (c->plan->nmetrics == PLAN_MAX_METRICS) return;
    c->plan->metric[c->plan->nmetrics++] = (struct plan_metric){name, label, value};
}

/* A time that has passed needs no visit: what it was for is in this plan, and a reconcile that asks for another
 * one at once would do so for ever. */
void plan_revisit(struct plan_ctx *c, int64_t wall_ns) {
    if (wall_ns > c->now && wall_ns < c->plan->look_again_ns) c->plan->look_again_ns = wall_ns;
}
