/* A small model of what surrounds the plan: a Deployment with its controller, ReplicaSets, pods, the
 * ConfigMap, and an edge that observes, scrapes, plans and applies. Objects go through their JSON text, as in
 * life. One tick is a second. */
#ifndef TEST_ROLLOUT_MODEL_H
#define TEST_ROLLOUT_MODEL_H
#include "api/rfc3339.h"
#include "api/template.h"
#include "base/rand.h"
#include "base/time.h"
#include "rollout/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

enum { MAX_RS = 24, MAX_PODS = 160, VERSIONS = 10 };
#define T0 (INT64_C(1795457793) * NS_PER_S)

/* How a version's pods behave. */
enum behaviour {
    GOOD,
    FAILS /* every reconcile */,
    CRASHES,
    NO_IMAGE,
    NO_REGISTRY /* it does not answer */,
    NEVER_READY,
    UNSCHEDULABLE,
    SILENT /* no metrics */,
    STANDBY,
    IDLE /* ready, metrics, no work */
};

struct mrs {
    bool there, canary;
    char name[64], uid[32], quarantined[200];
    int rv, version, replicas;
    int64_t created;
};
struct mpod {
    bool there, ready, terminating;
    char uid[32];
    int crashed;        /* the tick; 0: never */
    int rs, born, left; /* left: ticks until a terminating pod is gone */
    uint32_t restarts;
    uint64_t errors, total;
};
struct model {
    int tick, serial;
    struct rng rng;
    /* the Deployment */
    bool exists, deleting, paused;
    int uid, rv, generation, observed, replicas, version, st_updated, st_replicas, st_available, st_ready;
    int64_t deadline_s;
    bool recreate;
    cJSON *annotations;
    struct mrs rs[MAX_RS];
    struct mpod pod[MAX_PODS];
    /* the ConfigMap */
    char *facts, *state;
    int cm_rv;
    bool no_quota;
    enum behaviour behaviour[VERSIONS];
    bool outage; /* every reconcile of every version fails */
    char hash[VERSIONS][11];
    /* the edge: one process's memory */
    struct {
        bool held;
        struct state s;
        int rv;
        int64_t scraped_ns, scrape_every_ns, round_began_ns;
        bool history_known, probe;
        uint64_t history_errors, history_total;
        int64_t look_again_ns;
    } edge;
    bool release, force;
    enum quiet quiet;
    /* what the tests look at */
    int fail_at; /* the step at which the process dies: before it (even) or after it (odd); -1: never */
    int steps;   /* carried out so far */
    int crashes;
    char events[16384]; /* their reasons */
    char said[1200];    /* the last one's message */
    int plans, writes;
    /* between the steps of a plan; false: the answer was lost (the step may have been carried out). NULL:
     * nothing happens */
    bool (*between)(struct model *m, bool after);
    bool moved; /* the world has changed since it was observed: a race that no precondition covers is forgiven
                 */
    bool asked[VERSIONS]; /* a person asked for its promotion, or forced it otherwise */
    bool direct;          /* many runs: fill what is observed without the way through JSON, and plan once */
};

static inline int64_t m_now(const struct model *m) {
    return T0 + m->tick * NS_PER_S;
}

static inline char *m_template(int version, bool rs) {
    return xasprintf("{\"metadata\":{\"labels\":{\"app\":\"op\"%s}},\"spec\":{\"containers\":[{\"name\":"
                     "\"c\",\"image\":\"op:v%d\",\"n\":9007199254740993}]}}",
                     rs ? ",\"pod-template-hash\":\"x\"" : "", version);
}

static inline void m_annotate(struct model *m, const char *name, const char *value) {
    char key[128];
    snprintf(key, sizeof key, HANDOVER_PREFIX "%s", name);
    cJSON_DeleteItemFromObjectCaseSensitive(m->annotations, key);
    if (value) cJSON_AddStringToObject(m->annotations, key, value);
    m->rv++;
    m->generation++;
}

static inline const char *m_annotation(const struct model *m, const char *name) {
    char key[128];
    snprintf(key, sizeof key, HANDOVER_PREFIX "%s", name);
    return json_str(m->annotations, key);
}

static inline void m_init(struct model *m, uint64_t seed, int replicas) {
    *m = (struct model){.rng = {seed},
                        .exists = true,
                        .uid = 1,
                        .rv = 1,
                        .generation = 1,
                        .replicas = replicas,
                        .deadline_s = 600,
                        .fail_at = -1,
                        .quiet = QUIET_NOW};
    m->annotations = cJSON_CreateObject();
    m->edge.look_again_ns = 0;
    for (int v = 0; v < VERSIONS; v++) {
        cleanup_free char *t = m_template(v, false);
        assert_int_equal(template_hash(slice_of(t), m->hash[v], NULL), 0);
    }
    m_annotate(m, "canary-percent", "20");
    m_annotate(m, "soak", "20s");
    m_annotate(m, "max-error-rate", "10%");
    m_annotate(m, "deadline", "10m");
}

static inline void m_forget(struct model *m) { /* the process dies */
    if (m->edge.held) state_free(&m->edge.s);
    memset(&m->edge, 0, sizeof m->edge);
}

static inline void m_free(struct model *m) {
    m_forget(m);
    cJSON_Delete(m->annotations);
    free(m->facts);
    free(m->state);
}

/* ---- the controllers ---- */
static inline int m_add_rs(struct model *m, int version, bool canary, const char *name, int replicas) {
    for (int i = 0; i < MAX_RS; i++) {
        struct mrs *r = &m->rs[i];
        if (r->there) continue;
        *r = (struct mrs){.there = true,
                          .canary = canary,
                          .version = version,
                          .replicas = replicas,
                          .rv = 1,
                          .created = m_now(m)};
        m->serial++;
        if (name)
            snprintf(r->name, sizeof r->name, "%s", name);
        else
            snprintf(r->name, sizeof r->name, "op-%d-%d", version, m->serial);
        snprintf(r->uid, sizeof r->uid, "rs-%d", m->serial);
        return i;
    }
    fail_msg("too many ReplicaSets");
    return -1;
}

static inline bool m_available(const struct mpod *p) {
    return p->there && p->ready && !p->terminating;
}

static inline int m_pods(const struct model *m, int rs, bool available) {
    int n = 0;
    for (int i = 0; i < MAX_PODS; i++)
        n += m->pod[i].there && !m->pod[i].terminating && m->pod[i].rs == rs &&
             (!available || m_available(&m->pod[i]));
    return n;
}

static inline int m_new_rs(const struct model *m) {
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && !m->rs[i].canary && m->rs[i].version == m->version) return i;
    }
    return -1;
}

static inline void m_set(struct model *m, int rs, int replicas) {
    if (m->rs[rs].replicas == replicas) return;
    m->rs[rs].replicas = replicas < 0 ? 0 : replicas;
    m->rs[rs].rv++;
}

/* dc.scale() of a paused Deployment, as in Kubernetes' source. */
static inline void m_scale_paused(struct model *m) {
    int fresh = m_new_rs(m), active = 0, last = -1, newest = -1, total = 0;
    for (int i = 0; i < MAX_RS; i++) {
        if (!m->rs[i].there || m->rs[i].canary) continue;
        if (newest < 0 || m->rs[i].created > m->rs[newest].created) newest = i;
        if (m->rs[i].replicas > 0) {
            active++;
            last = i;
            total += m->rs[i].replicas;
        }
    }
    int pick = active == 1 ? last : active == 0 ? (fresh >= 0 ? fresh : newest) : -1;
    if (pick >= 0) {
        m_set(m, pick, m->replicas);
        return;
    }
    if (active < 2) return;
    bool saturated =
        fresh >= 0 && m->rs[fresh].replicas == m->replicas && m_pods(m, fresh, true) == m->replicas;
    int allowed = m->replicas ? m->replicas + 1 : 0, over = total - allowed;
    for (int i = 0; i < MAX_RS; i++) {
        struct mrs *r = &m->rs[i];
        if (!r->there || r->canary || !r->replicas) continue;
        if (saturated && i != fresh)
            m_set(m, i, 0);
        else if (!saturated && over > 0) { /* roughly in proportion */
            int cut = r->replicas < over ? r->replicas - 1 : over;
            if (m->replicas == 0) cut = r->replicas;
            m_set(m, i, r->replicas - cut);
            over -= cut;
        } else if (!saturated && over < 0 && i == last) {
            m_set(m, i, r->replicas - over);
            over = 0;
        }
    }
}

static inline void m_roll(struct model *m) {
    int fresh = m_new_rs(m), total = 0, available = 0, surge = 1;
    if (fresh < 0) fresh = m_add_rs(m, m->version, false, NULL, 0);
    for (int i = 0; i < MAX_RS; i++) {
        if (!m->rs[i].there || m->rs[i].canary) continue;
        total += m->rs[i].replicas;
        available += m_pods(m, i, true);
    }
    int old = total - m->rs[fresh].replicas;
    if (m->recreate) {
        bool pods = false;
        for (int i = 0; i < MAX_RS; i++) {
            if (!m->rs[i].there || m->rs[i].canary || i == fresh) continue;
            m_set(m, i, 0);
            for (int k = 0; k < MAX_PODS; k++) pods = pods || (m->pod[k].there && m->pod[k].rs == i);
        }
        if (!pods) m_set(m, fresh, m->replicas);
        return;
    }
    if (m->rs[fresh].replicas > m->replicas)
        m_set(m, fresh, m->replicas);
    else if (total < m->replicas + surge) {
        int room = m->replicas + surge - total, wish = m->replicas - m->rs[fresh].replicas;
        m_set(m, fresh, m->rs[fresh].replicas + (room < wish ? room : wish));
    }
    int spare = available - m->replicas;
    for (int i = 0; i < MAX_RS && old > 0; i++) {
        if (!m->rs[i].there || m->rs[i].canary || i == fresh || !m->rs[i].replicas) continue;
        int sick = m->rs[i].replicas - m_pods(m, i, true);
        int fresh_sick = m->rs[fresh].replicas - m_pods(m, fresh, true),
            clean = total - m->replicas - fresh_sick;
        int cut = sick < clean ? sick : clean;
        if (cut > 0) m_set(m, i, m->rs[i].replicas - cut);
        if (spare > 0 && m->rs[i].replicas > 0) {
            int n = spare < m->rs[i].replicas ? spare : m->rs[i].replicas;
            m_set(m, i, m->rs[i].replicas - n);
            spare -= n;
        }
    }
}

static inline void m_deployment_controller(struct model *m) {
    if (!m->exists) return;
    if (m->paused)
        m_scale_paused(m);
    else
        m_roll(m);
    int fresh = m_new_rs(m), replicas = 0, available = 0;
    for (int i = 0; i < MAX_RS; i++) {
        if (!m->rs[i].there || m->rs[i].canary) continue;
        replicas += m_pods(m, i, false);
        available += m_pods(m, i, true);
    }
    int updated = fresh >= 0 ? m_pods(m, fresh, false) : 0;
    bool same = m->observed == m->generation && m->st_updated == updated && m->st_replicas == replicas &&
                m->st_available == available;
    m->observed = m->generation;
    m->st_updated = updated;
    m->st_replicas = replicas;
    m->st_available = m->st_ready = available;
    if (!same) m->rv++;
}

static inline void m_rs_controller(struct model *m) {
    for (int i = 0; i < MAX_RS; i++) {
        int have = m_pods(m, i, false), want = m->rs[i].there ? m->rs[i].replicas : 0;
        for (int k = 0; k < MAX_PODS && have < want && m->rs[i].there && !(m->no_quota && m->rs[i].canary);
             k++) {
            if (m->pod[k].there) continue;
            m->pod[k] = (struct mpod){.there = true, .rs = i, .born = m->tick};
            snprintf(m->pod[k].uid, sizeof m->pod[k].uid, "pod-%d", ++m->serial);
            have++;
        }
        for (int pass = 0; pass < 2; pass++) { /* those that are not ready go first */
            for (int k = 0; k < MAX_PODS && have > want; k++) {
                struct mpod *p = &m->pod[k];
                if (!p->there || p->terminating || p->rs != i || (pass == 0 && p->ready)) continue;
                p->terminating = true;
                p->left = 2;
                have--;
            }
        }
    }
}

static inline void m_kubelet(struct model *m) {
    for (int k = 0; k < MAX_PODS; k++) {
        struct mpod *p = &m->pod[k];
        if (!p->there) continue;
        if (p->terminating) {
            if (p->left-- <= 0) p->there = false;
            continue;
        }
        enum behaviour b = m->behaviour[m->rs[p->rs].version];
        int age = m->tick - p->born;
        if (b == CRASHES && age >= 2) p->restarts = age / 3 > 5 ? 5 : (uint32_t)(age / 3);
        p->ready = age >= 2 && b != CRASHES && b != NO_IMAGE && b != NO_REGISTRY && b != NEVER_READY &&
                   b != UNSCHEDULABLE;
        if (!p->ready || b == STANDBY || b == IDLE) continue;
        p->total += 5;
        if (b == FAILS || m->outage) p->errors += 5;
    }
}

static inline void m_tick(struct model *m) {
    m->tick++;
    m_deployment_controller(m);
    m_rs_controller(m);
    m_kubelet(m);
    m_deployment_controller(m);
}

/* ---- objects as text, and back through the readers ---- */
static inline void m_fill_target(const struct model *m, struct obs_target *ret) {
    *ret = (struct obs_target){.ns = xstrdup("ns"),
                               .name = xstrdup("op"),
                               .uid = xasprintf("d-%d", m->uid),
                               .rv = xasprintf("%d", m->rv),
                               .deleting = m->deleting,
                               .generation = m->generation,
                               .observed_generation = m->observed,
                               .replicas = m->replicas,
                               .paused = m->paused,
                               .deadline_s = m->deadline_s,
                               .st_replicas = m->st_replicas,
                               .st_updated = m->st_updated,
                               .st_ready = m->st_ready,
                               .st_available = m->st_available,
                               .selector = xstrdup("{\"matchLabels\":{\"app\":\"op\"}}"),
                               .tmpl = m_template(m->version, false),
                               .image = xasprintf("op:v%d", m->version),
                               .status = xstrdup_null(m_annotation(m, "status")),
                               .annotations = cJSON_Duplicate(m->annotations, true)};
    memcpy(ret->hash, m->hash[m->version], sizeof ret->hash);
}

static inline void m_fill_rs(const struct model *m, int i, struct obs_rs *ret) {
    const struct mrs *r = &m->rs[i];
    *ret = (struct obs_rs){.name = xstrdup(r->name),
                           .uid = xstrdup(r->uid),
                           .rv = xasprintf("%d", r->rv),
                           .owner_uid = xasprintf("d-%d", m->uid),
                           .canary = r->canary,
                           .created_ns = r->created,
                           .replicas = r->replicas,
                           .st_replicas = m_pods(m, i, false),
                           .st_ready = m_pods(m, i, true),
                           .st_available = m_pods(m, i, true),
                           .quarantined = r->quarantined[0] ? xstrdup(r->quarantined) : NULL,
                           .failure = m->no_quota && r->canary ? xstrdup("exceeded quota") : NULL};
    memcpy(ret->hash, m->hash[r->version], sizeof ret->hash);
}

static inline void m_fill_pod(const struct model *m, int k, struct obs_pod *ret) {
    const struct mpod *p = &m->pod[k];
    const struct mrs *r = &m->rs[p->rs];
    enum behaviour b = m->behaviour[r->version];
    *ret = (struct obs_pod){.ns = xstrdup("ns"),
                            .name = xstrdup(p->uid),
                            .uid = xstrdup(p->uid),
                            .rs_uid = xstrdup(r->uid),
                            .track = r->canary ? TRACK_CANARY : TRACK_STABLE,
                            .created_ns = T0 + p->born * NS_PER_S,
                            .terminating = p->terminating,
                            .ready = p->ready && !p->terminating,
                            .scheduled = b != UNSCHEDULABLE,
                            .restarts = p->restarts,
                            .crashed_ns = p->crashed ? T0 + p->crashed * NS_PER_S : 0};
    if (r->canary) memcpy(ret->hash, m->hash[r->version], sizeof ret->hash);
    if (b == CRASHES && p->restarts >= 2) ret->waiting = xstrdup("CrashLoopBackOff");
    if (b == NO_IMAGE) {
        ret->waiting = xstrdup("ErrImagePull");
        ret->trouble = xstrdup("op:v1: not found");
    }
}

static inline void m_read_target(const struct model *m, struct obs_target *ret) {
    if (m->direct) {
        m_fill_target(m, ret);
        return;
    }
    cleanup_free char *t = m_template(m->version, false), *a = json_print(m->annotations);
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"op\",\"namespace\":\"ns\",\"uid\":\"d-%d\",\"resourceVersion\":\"%d\","
        "\"generation\":%d,\"annotations\":%s%s},"
        "\"spec\":{\"replicas\":%d,\"paused\":%s,\"progressDeadlineSeconds\":%lld,\"selector\":{"
        "\"matchLabels\":{\"app\":\"op\"}},\"template\":%s},"
        "\"status\":{\"observedGeneration\":%d,\"replicas\":%d,\"updatedReplicas\":%d,\"readyReplicas\":%d,"
        "\"availableReplicas\":%d}}",
        m->uid, m->rv, m->generation, a, m->deleting ? ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"" : "",
        m->replicas, m->paused ? "true" : "false", (long long)m->deadline_s, t, m->observed, m->st_replicas,
        m->st_updated, m->st_ready, m->st_available);
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_target_read(obj, slice_of(raw), ret, &e) < 0) fail_msg("%s", e.msg);
}

static inline void m_read_rs(const struct model *m, int i, struct obs_rs *ret) {
    const struct mrs *r = &m->rs[i];
    if (m->direct) {
        m_fill_rs(m, i, ret);
        return;
    }
    cleanup_free char *t = m_template(r->version, true);
    cleanup_free char *labels =
        r->canary ? xasprintf("{\"handover.dev/target\":\"d-%d\",\"handover.dev/template\":\"%s\"}", m->uid,
                              m->hash[r->version])
                  : xstrdup("{\"app\":\"op\"}");
    cleanup_free char *raw =
        xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"resourceVersion\":\"%"
                  "d\",\"creationTimestamp\":\"2026-11-23T%02d:%02d:%02dZ\","
                  "\"labels\":%s,\"annotations\":{%s%s%s},\"ownerReferences\":[{\"uid\":\"d-%d\","
                  "\"controller\":%s}]},\"spec\":{\"replicas\":%d,\"template\":%s},"
                  "\"status\":{\"replicas\":%d,\"readyReplicas\":%d,\"availableReplicas\":%d%s}}",
                  r->name, r->uid, r->rv, i % 24, 0, 0, labels,
                  r->quarantined[0] ? "\"handover.dev/quarantined\":\"" : "", r->quarantined,
                  r->quarantined[0] ? "\"" : "", m->uid, r->canary ? "false" : "true", r->replicas, t,
                  m_pods(m, i, false), m_pods(m, i, true), m_pods(m, i, true),
                  m->no_quota && r->canary ? ",\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":"
                                             "\"True\",\"message\":\"exceeded quota\"}]"
                                           : "");
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_rs_read(obj, slice_of(raw), ret, &e) < 0) fail_msg("%s in %s", e.msg, raw);
    ret->created_ns = r->created;
}

static inline void m_read_pod(const struct model *m, int k, struct obs_pod *ret) {
    const struct mpod *p = &m->pod[k];
    const struct mrs *r = &m->rs[p->rs];
    enum behaviour b = m->behaviour[r->version];
    if (m->direct) {
        m_fill_pod(m, k, ret);
        return;
    }
    char waiting[200] = "\"running\":{}", last[160] = "", at[32];
    if (p->crashed) {
        rfc3339_seconds(T0 + p->crashed * NS_PER_S, at);
        snprintf(
            last, sizeof last,
            ",\"lastState\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\",\"finishedAt\":\"%s\"}}",
            at);
    }
    if (b == CRASHES && p->restarts >= 2)
        snprintf(waiting, sizeof waiting,
                 "\"waiting\":{\"reason\":\"CrashLoopBackOff\",\"message\":\"back-off %ds\"}", m->tick);
    if (b == NO_IMAGE || b == NO_REGISTRY) {
        bool once = (m->tick - p->born) % 20 < 5;
        snprintf(waiting, sizeof waiting, "\"waiting\":{\"reason\":\"%s\",\"message\":\"%s\"}",
                 once ? "ErrImagePull" : "ImagePullBackOff",
                 !once           ? "Back-off pulling image op:v1"
                 : b == NO_IMAGE ? "rpc error: code = NotFound desc = failed to resolve op:v1: not found"
                                 : "dial tcp 10.0.0.9:443: connect: connection refused");
    }
    cleanup_free char *labels =
        r->canary
            ? xasprintf("{\"app\":\"op\",\"handover.dev/track\":\"canary\",\"handover.dev/template\":\"%s\"}",
                        m->hash[r->version])
            : xstrdup("{\"app\":\"op\"}");
    cleanup_free char *raw = xasprintf(
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"labels\":%s,"
        "\"ownerReferences\":[{\"uid\":\"%s\",\"controller\":true}]%s},"
        "\"spec\":{%s},\"status\":{\"podIP\":\"10.0.0.1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"%"
        "s\"}%s],"
        "\"containerStatuses\":[{\"name\":\"c\",\"restartCount\":%u,\"state\":{%s}%s}]}}",
        p->uid, p->uid, labels, r->uid,
        p->terminating ? ",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"" : "",
        b == UNSCHEDULABLE ? "" : "\"nodeName\":\"n\"", p->ready ? "True" : "False",
        b == UNSCHEDULABLE ? ",{\"type\":\"PodScheduled\",\"status\":\"False\",\"message\":\"no node fits\"}"
                           : "",
        p->restarts, waiting, last);
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    struct err e = {0};
    if (obs_pod_read(obj, ret, &e) < 0) fail_msg("%s", e.msg);
    ret->created_ns = T0 + p->born * NS_PER_S;
}

struct m_view {
    struct obs_target target;
    struct obs_rs rs[MAX_RS];
    struct obs_pod pods[MAX_PODS];
    size_t nrs, npods;
    struct spec spec;
    struct err spec_err, state_err;
    bool opted;
    char rv[16];
    struct observed o;
};

static inline void m_view_free(struct m_view *v) {
    obs_target_free(&v->target);
    for (size_t i = 0; i < v->nrs; i++) obs_rs_free(&v->rs[i]);
    for (size_t i = 0; i < v->npods; i++) obs_pod_free(&v->pods[i]);
    if (v->opted) spec_free(&v->spec);
    free(v);
}

static inline void m_take_state(struct model *m, struct m_view *v) {
    v->o.state_known = STATE_ABSENT;
    if (!m->state) {
        m_forget(m);
        return;
    }
    snprintf(v->rv, sizeof v->rv, "%d", m->cm_rv);
    v->o.state_rv = v->rv;
    v->o.state_known = STATE_READ;
    if (!m->edge.held || m->edge.rv != m->cm_rv) {
        cleanup_json cJSON *cm = cJSON_CreateObject();
        cJSON *data = cJSON_AddObjectToObject(cm, "data");
        cJSON_AddStringToObject(data, "facts", m->facts);
        cJSON_AddStringToObject(data, "state", m->state);
        m_forget(m);
        if (state_read(cm, &m->edge.s, &v->state_err) < 0) {
            v->o.state_known = STATE_DAMAGED;
            v->o.state_err = &v->state_err;
            return;
        }
        m->edge.held = true;
        m->edge.rv = m->cm_rv;
    }
    v->o.state = &m->edge.s;
}

static inline struct m_view *m_observe(struct model *m) {
    struct m_view *v = xcalloc(1, sizeof *v);
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there) m_read_rs(m, i, &v->rs[v->nrs++]);
    }
    for (int k = 0; k < MAX_PODS; k++) {
        if (m->pod[k].there) m_read_pod(m, k, &v->pods[v->npods++]);
    }
    v->o = (struct observed){.name = "op",
                             .known = true,
                             .rs = v->rs,
                             .nrs = v->nrs,
                             .pods = v->pods,
                             .npods = v->npods,
                             .release = m->release,
                             .force_release = m->force,
                             .quiet = m->quiet};
    m_take_state(m, v);
    if (m->exists) {
        m_read_target(m, &v->target);
        v->o.target = &v->target;
        v->opted = spec_opted_in(v->target.annotations);
        if (v->opted) {
            spec_parse(v->target.annotations, &v->spec, &v->spec_err);
            v->o.spec = &v->spec;
            v->o.spec_err = &v->spec_err;
        }
    }
    if (m->edge.held && m->edge.s.began_ns != m->edge.round_began_ns) { /* rounds belong to one rollout */
        m->edge.round_began_ns = m->edge.s.began_ns;
        m->edge.scraped_ns = 0;
        m->edge.history_known = false;
    }
    v->o.scraped_ns = m->edge.scraped_ns;
    v->o.history_known = m->edge.history_known;
    v->o.history_errors = m->edge.history_errors;
    v->o.history_total = m->edge.history_total;
    return v;
}

/* ---- the edge ---- */
static inline void m_scrape(struct model *m) {
    struct pod_sample s[MAX_PODS];
    size_t n = 0;
    if (!m->edge.held || m->edge.scrape_every_ns <= 0 ||
        m_now(m) < m->edge.scraped_ns + m->edge.scrape_every_ns)
        return;
    for (int k = 0; k < MAX_PODS; k++) {
        const struct mpod *p = &m->pod[k];
        if (!p->there) continue;
        const struct mrs *r = &m->rs[p->rs];
        enum behaviour b = m->behaviour[r->version];
        s[n++] = (struct pod_sample){.uid = slice_of(p->uid),
                                     .restarts = p->restarts,
                                     .track = r->canary ? TRACK_CANARY : TRACK_STABLE,
                                     .created_ns = T0 + p->born * NS_PER_S,
                                     .terminating = p->terminating,
                                     .scraped = p->ready && b != SILENT,
                                     .present = p->ready && b != SILENT && b != STANDBY,
                                     .errors = p->errors,
                                     .total = p->total};
    }
    evidence_history(s, n, TRACK_STABLE, &m->edge.history_errors, &m->edge.history_total);
    m->edge.history_known = true;
    plan_feed(&m->edge.s, s, n);
    m->edge.scraped_ns = m_now(m);
}

enum { OK = 0, CONFLICT = -1, GONE = -2 };

/* What starts by our unpausing is in service already, or was judged good, or a person wanted it. */
static inline void m_check_unpause(struct model *m) {
    cleanup_json cJSON *facts = json_parse(slice_of(m->facts), NULL);
    enum behaviour b = m->behaviour[m->version];
    bool stable = !strcmp(json_str_or(json_get(facts, "stable"), "hash", ""), m->hash[m->version]);
    if (!stable && b != GOOD && !m->asked[m->version])
        fail_msg("version %d was let loose: %s", m->version, m->state);
}

static inline int m_patch_target(struct model *m, const cJSON *body) {
    char uid[32], rv[32];
    const cJSON *meta = json_get(body, "metadata"), *spec = json_get(body, "spec");
    snprintf(uid, sizeof uid, "d-%d", m->uid);
    snprintf(rv, sizeof rv, "%d", m->rv);
    if (!m->exists) return GONE;
    if (strcmp(json_str_or(meta, "uid", uid), uid) || strcmp(json_str_or(meta, "resourceVersion", rv), rv))
        return CONFLICT;
    for (const cJSON *a = json_get(meta, "annotations") ? json_get(meta, "annotations")->child : NULL; a;
         a = a->next) {
        assert_int_equal(strncmp(a->string, HANDOVER_PREFIX, strlen(HANDOVER_PREFIX)), 0);
        m_annotate(m, a->string + strlen(HANDOVER_PREFIX), cJSON_GetStringValue(a));
    }
    for (const cJSON *f = spec->child; f; f = f->next) {
        if (!strcmp(f->string, "paused")) {
            m->paused = cJSON_IsTrue(f);
            if (!m->paused) m_check_unpause(m);
        } else if (!strcmp(f->string, "progressDeadlineSeconds"))
            m->deadline_s = (int64_t)f->valuedouble;
        else
            fail_msg("spec.%s of the user's was changed", f->string);
    }
    m->generation++;
    m->rv++;
    return OK;
}

static inline struct mrs *m_find_rs(struct model *m, const char *name) {
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && !strcmp(m->rs[i].name, name)) return &m->rs[i];
    }
    return NULL;
}

static inline int m_active(const struct model *m) {
    int n = 0;
    for (int i = 0; i < MAX_RS; i++) n += m->rs[i].there && !m->rs[i].canary && m->rs[i].replicas > 0;
    return n;
}

static inline int m_patch_rs(struct model *m, const char *name, const cJSON *body) {
    struct mrs *r = m_find_rs(m, name);
    if (!r || strcmp(r->uid, json_str_or(json_get(body, "metadata"), "uid", ""))) return GONE;
    int replicas = (int)json_i64(json_get(body, "spec"), "replicas", r->replicas);
    /* The last active one of the target's own is never scaled down by us. */
    if (!r->canary && r->replicas > 0 && replicas < r->replicas && m->replicas > 0 && !m->moved) {
        if (m_active(m) < 2) fail_msg("%s is the only active ReplicaSet and was scaled down", name);
        if (m->edge.held && m->edge.s.stable_uid && !strcmp(r->uid, m->edge.s.stable_uid))
            fail_msg("stable was scaled down");
    }
    m_set(m, (int)(r - m->rs), replicas);
    const char *q = json_str(json_at(body, "metadata/annotations"), "handover.dev/quarantined");
    if (q) snprintf(r->quarantined, sizeof r->quarantined, "%.100s", "why");
    return OK;
}

static inline int m_version_of(const struct model *m, const char *hash) {
    for (int v = 0; v < VERSIONS; v++) {
        if (!strcmp(m->hash[v], hash)) return v;
    }
    fail_msg("no version has the hash %s", hash);
    return 0;
}

static inline int m_delete_rs(struct model *m, const char *name, const cJSON *body) {
    struct mrs *r = m_find_rs(m, name);
    if (!r) return GONE;
    if (strcmp(json_str_or(json_get(body, "preconditions"), "uid", ""), r->uid)) return CONFLICT;
    if (!r->canary) fail_msg("%s of the user's was deleted", name);
    for (int k = 0; k < MAX_PODS; k++) {
        if (m->pod[k].there && m->pod[k].rs == (int)(r - m->rs) && !m->pod[k].terminating) {
            m->pod[k].terminating = true;
            m->pod[k].left = 2;
        }
    }
    r->there = false;
    return OK;
}

static inline int m_state(struct model *m, const struct step *s, const cJSON *body) {
    char rv[16];
    snprintf(rv, sizeof rv, "%d", m->cm_rv);
    if (s->verb == VERB_CREATE && m->state) return CONFLICT;
    if (s->verb == VERB_PATCH_MERGE &&
        (!m->state || strcmp(json_str_or(json_get(body, "metadata"), "resourceVersion", ""), rv)))
        return CONFLICT;
    const cJSON *data = json_get(body, "data");
    free(m->facts);
    free(m->state);
    m->facts = xstrdup(json_str(data, "facts"));
    m->state = xstrdup(json_str(data, "state"));
    m->cm_rv++;
    m->writes++;
    return OK;
}

static inline int m_apply(struct model *m, const struct step *s) {
    cleanup_json cJSON *body = json_parse(slice_of(s->body), NULL);
    if (!body) fail_msg("step %s has no JSON body: %s", s->why, s->body ? s->body : "");
    switch (s->kind) {
    case STEP_STATE: return m_state(m, s, body);
    case STEP_STATE_DELETE:
        free(m->facts);
        free(m->state);
        m->facts = m->state = NULL;
        return OK;
    case STEP_TARGET: return m_patch_target(m, body);
    case STEP_CANARY:
        if (m_find_rs(m, s->name)) return CONFLICT;
        m_add_rs(m, m_version_of(m, json_str(json_at(body, "metadata/labels"), "handover.dev/template")),
                 true, s->name, (int)json_i64(json_get(body, "spec"), "replicas", -1));
        return OK;
    case STEP_RS: return m_patch_rs(m, s->name, body);
    case STEP_RS_DELETE: return m_delete_rs(m, s->name, body);
    }
    return CONFLICT;
}

static inline void m_tell(struct model *m, const struct plan *p) {
    for (size_t i = 0; i < p->nevents; i++) {
        size_t n = strlen(m->events);
        snprintf(m->events + n, sizeof m->events - n, "%s ", p->event[i].reason);
        snprintf(m->said, sizeof m->said, "%s", p->event[i].message);
    }
}

static inline void m_written(struct model *m, const struct plan *p) {
    if (m->edge.held) state_free(&m->edge.s);
    state_copy(p->next, &m->edge.s);
    m->edge.held = true;
    m->edge.rv = m->cm_rv;
    m_tell(m, p);
}

static inline void m_same_plan(const struct observed *o, int64_t now, const struct plan *p) {
    cleanup_plan struct plan q;
    plan_make(o, now, &q);
    assert_true(p->nsteps == q.nsteps && p->nevents == q.nevents && p->look_again_ns == q.look_again_ns &&
                p->scrape_ns == q.scrape_ns);
    for (size_t i = 0; i < p->nsteps; i++) {
        assert_string_equal(p->step[i].body, q.step[i].body);
        assert_string_equal(p->step[i].name, q.step[i].name);
    }
}

/* One pass: observe, plan, carry out. True when something was carried out. */
static inline bool m_pass(struct model *m) {
    m_scrape(m);
    struct m_view *v = m_observe(m);
    cleanup_plan struct plan p;
    m->moved = false;
    plan_make(&v->o, m_now(m), &p);
    if (!m->direct || m->plans % 16 == 0) m_same_plan(&v->o, m_now(m), &p);
    m->plans++;
    m->edge.look_again_ns = p.look_again_ns;
    assert_true(p.look_again_ns > m_now(m)); /* never "at once, for ever" */
    m->edge.scrape_every_ns = p.scrape_ns;
    m->edge.probe = p.probe_quiet;
    bool any = p.nsteps > 0;
    size_t i = 0;
    for (; i < p.nsteps; i++) {
        bool before = m->fail_at == 2 * m->steps, after = m->fail_at == 2 * m->steps + 1;
        m->steps++;
        if (before || after) {
            if (after) m_apply(m, &p.step[i]);
            m->crashes++;
            m_forget(m);
            break;
        }
        if (m->between && !m->between(m, false)) break;
        int rc = m_apply(m, &p.step[i]);
        if (m->between && !m->between(m, true)) break;
        bool fine = rc == OK || (rc == GONE && p.step[i].gone_ok) || (rc == CONFLICT && p.step[i].exists_ok);
        if (!fine) break;
        if (p.step[i].kind == STEP_STATE) m_written(m, &p);
    }
    if (any && i == p.nsteps && !p.next) m_tell(m, &p);
    m_view_free(v);
    return any;
}

/* Passes until nothing is left to do at this moment. */
static inline void m_settle(struct model *m) {
    int n = 0;
    while (m_pass(m)) {
        if (++n > 40) fail_msg("it goes on and on: %s", m->state ? m->state : "");
    }
}

static inline void m_run(struct model *m, int ticks) {
    for (int i = 0; i < ticks; i++) {
        m_tick(m);
        m_settle(m);
    }
}

static inline const struct state *m_s(struct model *m) {
    m_view_free(m_observe(m));
    assert_true(m->edge.held);
    return &m->edge.s;
}

static inline int m_phase(struct model *m) {
    return m->state ? (int)m_s(m)->phase : -1;
}

static inline void m_until(struct model *m, enum phase want, int ticks) {
    for (int i = 0; i < ticks && m_phase(m) != (int)want; i++) m_run(m, 1);
    if (m_phase(m) != (int)want) {
        fail_msg("phase is %s (%s), wanted %s; events %s", m->state ? phase_name(m_s(m)->phase) : "none",
                 m->state ? m_s(m)->message : "", phase_name(want), m->events);
    }
}

/* ---- what a user does ---- */
static inline void m_image(struct model *m, int version) {
    if (m->version == version) return;
    m->version = version;
    m->generation++;
    m->rv++;
}
static inline void m_user_paused(struct model *m, bool paused) {
    m->paused = paused;
    m->generation++;
    m->rv++;
}
static inline void m_scale(struct model *m, int replicas) {
    m->replicas = replicas;
    m->generation++;
    m->rv++;
}
static inline void m_act(struct model *m, const char *action, int version) {
    m_annotate(m, action, m->hash[version]);
}

static inline int m_running(const struct model *m, int version, bool canary) {
    int n = 0;
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && m->rs[i].version == version && m->rs[i].canary == canary)
            n += m_pods(m, i, true);
    }
    return n;
}

static inline bool m_event(const struct model *m, const char *reason) {
    return strstr(m->events, reason) != NULL;
}

/* Adopted at version 0 and quiet. */
static inline void m_begin(struct model *m) {
    m_until(m, PHASE_STABLE, 30);
    m_run(m, 3);
    assert_true(m->paused && m->deadline_s == 2147483647);
    m->events[0] = '\0';
}

static inline void m_start(struct model *m, uint64_t seed, int replicas) {
    m_init(m, seed, replicas);
    m_begin(m);
}
#endif
