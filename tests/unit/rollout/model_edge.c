/* The model's edge: scrapes, steps carried out as the server would, passes; and what a user does. */
#include "model.h"
#include "base/json_raw.h"

/* ---- the edge ---- */
static void m_page(const struct model *m, const struct mpod *p, int version, struct prom_page *ret) {
    bool writes = m->sign[version] == WRITES_MUCH, panics = m->sign[version] == PANICS;
    *ret = (struct prom_page){.samples = 9};
    ret->v[PROM_TOTAL] = (struct prom_value){true, 1, (double)p->total};
    ret->v[PROM_REQUESTS] = (struct prom_value){true, 1, (double)p->total * 4};
    ret->v[PROM_WRITES] = (struct prom_value){true, 1, writes ? (double)p->total * 3 : 0};
    ret->v[PROM_PANICS] = (struct prom_value){true, 1, panics ? (double)p->total : 0};
    ret->v[PROM_DEPTH] = (struct prom_value){true, 1, 0};
}

static void m_scrape(struct model *m) {
    struct pod_sample s[MAX_PODS];
    static struct prom_page page[MAX_PODS];
    size_t n = 0;
    if (!m->edge.held || m->edge.scrape_every_ns <= 0 ||
        m_now(m) < m->edge.scraped_ns + m->edge.scrape_every_ns)
        return;
    for (int k = 0; k < MAX_PODS; k++) {
        const struct mpod *p = &m->pod[k];
        if (!p->there) continue;
        const struct mrs *r = &m->rs[p->rs];
        enum behaviour b = m_behaviour(m, p->rs);
        if ((r->rehearsed != REHEARSED_NONE) != (m->edge.s.phase == PHASE_REHEARSING)) continue;
        if (m_is_canary(r) && !r->detached && strcmp(r->made, m->edge.s.made) != 0)
            continue; /* plan_own_pods() */
        s[n++] = (struct pod_sample){
            .uid = slice_of(p->uid),
            .restarts = p->restarts,
            .started_s = m->started_s,
            .track =
                r->canary && !r->detached && r->rehearsed != REHEARSED_CONTROL ? TRACK_CANARY : TRACK_STABLE,
            .created_ns = T0 + p->born * NS_PER_S,
            .terminating = p->terminating,
            .scraped = p->ready && b != SILENT,
            .present = p->ready && b != SILENT && b != STANDBY && (!m->elects || p->total > 0),
            .errors = p->errors,
            .total = p->total};
        if (s[n - 1].present && !p->ended) { /* pods that are over are not asked */
            m_page(m, p, r->version, &page[k]);
            s[n - 1].page = &page[k];
        }
    }
    evidence_history(s, n, TRACK_STABLE, &m->edge.history_errors, &m->edge.history_total);
    m->edge.history_known = true;
    plan_feed(&m->edge.s, &m->edge.turns, m_now(m), s, n);
    plan_feed_signals(&m->edge.s, &m->edge.signals, &m->edge.turns, m_now(m), s, n, m->own);
    m->edge.scraped_ns = m_now(m);
}

/* What starts by our unpausing is in service already, or was judged good, or a person wanted it; or nothing was adopted yet, and it is the
 * policy's hold that is lifted. */
static void m_check_unpause(struct model *m) {
    cleanup_json cJSON *facts = json_parse(slice_of(m->facts), NULL);
    enum behaviour b = m->behaviour[m->version];
    if (!json_get(facts, "stable")) return;
    bool stable = !strcmp(json_str_or(json_get(facts, "stable"), "hash", ""), m->hash[m->version]);
    if (!stable && (b != GOOD || m->sign[m->version] != SOUND) && !m->asked[m->version])
        fail_msg("version %d was let loose: %s", m->version, m->state);
}

static int m_patch_target(struct model *m, const cJSON *body) {
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
        if (m->set && !strcmp(f->string, "updateStrategy")) {
            m_patch_partition(m, f);
            if (!m->paused) m_check_unpause(m);
        } else if (!strcmp(f->string, "paused") && !m->set) {
            m->paused = cJSON_IsTrue(f);
            if (!m->paused) m_check_unpause(m);
        } else if (!strcmp(f->string, "progressDeadlineSeconds") && !m->set)
            m->deadline_s = (int64_t)f->valuedouble;
        else if (!strcmp(f->string, "replicas") && m->elects) {
            m->replicas = (int)f->valuedouble;
            if (!m->replicas && m->facts && /* else a user has deleted it since */
                (!strstr(m->facts, "\"replicas\":") || !strstr(m->state, "\"step\":\"Giving\"")))
                fail_msg("to zero before it is written down: %s %s", m->facts, m->state);
        } else
            fail_msg("spec.%s of the user's was changed", f->string);
    }
    m->generation++;
    m->rv++;
    return OK;
}

struct mrs *m_find_rs(struct model *m, const char *name) {
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && !strcmp(m->rs[i].name, name)) return &m->rs[i];
    }
    return NULL;
}

int m_active(const struct model *m) {
    int n = 0;
    for (int i = 0; i < MAX_RS; i++) n += m->rs[i].there && !m->rs[i].canary && m->rs[i].replicas > 0;
    return n;
}

/* A canary is started while its rollout goes on, and at no other time (without a state, a user has deleted it). */
static void m_check_canary(const struct model *m) {
    if (!m->state || strstr(m->state, "\"phase\":\"Starting\"") || strstr(m->state, "\"phase\":\"Soaking\""))
        return;
    fail_msg("a canary was started in %s", m->state);
}

static int m_patch_rs(struct model *m, const char *name, const cJSON *body) {
    struct mrs *r = m_find_rs(m, name);
    char rv[32];
    if (!r || strcmp(r->uid, json_str_or(json_get(body, "metadata"), "uid", ""))) return GONE;
    m_rs_rv(m, (int)(r - m->rs), rv);
    if (strcmp(json_str_or(json_get(body, "metadata"), "resourceVersion", rv), rv)) return CONFLICT;
    int replicas = (int)json_i64(json_get(body, "spec"), "replicas", r->replicas);
    const cJSON *owners = json_at(body, "metadata/ownerReferences");
    if (owners) { /* it leaves the Deployment: no controller, no label that the selector asks for */
        assert_true(cJSON_IsNull(json_get(json_at(body, "metadata/labels"), "app")) &&
                    !json_bool(owners->child, "controller", true) && !r->canary);
        r->canary = r->detached = true;
        r->rv++;
        return OK;
    }
    int serve = 0; /* by themselves, not by a status of a moment ago */
    for (int i = 0; i < MAX_RS; i++) serve += m->rs[i].there && !m->rs[i].canary ? m_pods(m, i, true) : 0;
    if (r->detached && replicas < r->replicas && !m->moved && serve < m->replicas)
        fail_msg("%s serves, and was scaled down before stable ran", name);
    /* The last active one of the target's own is never scaled down by us. */
    if (!r->canary && r->replicas > 0 && replicas < r->replicas && m->replicas > 0 && !m->moved) {
        if (m_active(m) < 2) fail_msg("%s is the only active ReplicaSet and was scaled down", name);
        if (m->edge.held && m->edge.s.stable_uid && !strcmp(r->uid, m->edge.s.stable_uid))
            fail_msg("stable was scaled down");
    }
    if (m_is_canary(r) && replicas > r->replicas) m_check_canary(m);
    m_set(m, (int)(r - m->rs), replicas);
    const char *q = json_str(json_at(body, "metadata/annotations"), "handover.dev/quarantined");
    if (q) snprintf(r->quarantined, sizeof r->quarantined, "%.100s", "why");
    return OK;
}

static int m_version_of(const struct model *m, const char *hash) {
    for (int v = 0; v < VERSIONS; v++) {
        if (!strcmp(m->hash[v], hash)) return v;
    }
    fail_msg("no version has the hash %s", hash);
    return 0;
}

static int m_delete_rs(struct model *m, const char *name, const cJSON *body) {
    struct mrs *r = m_find_rs(m, name);
    if (!r) return GONE;
    if (strcmp(json_str_or(json_get(body, "preconditions"), "uid", ""), r->uid)) return CONFLICT;
    if (!r->canary && !(m->elects && r->replicas == 0)) fail_msg("%s of the user's was deleted", name);
    for (int k = 0; k < MAX_PODS; k++) {
        if (m->pod[k].there && m->pod[k].rs == (int)(r - m->rs) && !m->pod[k].terminating) {
            m->pod[k].terminating = true;
            m->pod[k].left = m->grace ? m->grace : 2;
        }
    }
    r->there = false;
    return OK;
}

/* Whatever is written must be read by the next leader, and say the same. */
static void m_round_trip(const struct model *m, const struct state *wrote) {
    if (m->older) return; /* what it does not know stands elsewhere in the text */
    cleanup_json cJSON *cm = cJSON_CreateObject();
    cJSON *data = cJSON_AddObjectToObject(cm, "data");
    cJSON_AddStringToObject(data, "facts", m->facts);
    cJSON_AddStringToObject(data, "state", m->state);
    cleanup_state struct state back;
    struct err e = {0};
    state_init(&back);
    if (state_read(cm, &back, &e) < 0) fail_msg("the next leader cannot read it: %s in %s", e.msg, m->state);
    if (!state_same(wrote, &back)) fail_msg("another state is read than was written: %s", m->state);
}

static int m_state(struct model *m, const struct plan *p, const struct step *s, const cJSON *body) {
    char rv[16];
    snprintf(rv, sizeof rv, "%d", m->cm_rv);
    if (s->verb == VERB_CREATE && m->state) return CONFLICT;
    if (s->verb == VERB_PATCH_MERGE &&
        (!m->state || strcmp(json_str_or(json_get(body, "metadata"), "resourceVersion", ""), rv)))
        return CONFLICT;
    const cJSON *data = json_get(body, "data"), *keeps = json_at(body, "metadata/finalizers");
    bool slice = strstr(json_str_or(data, "state", ""), "\"slice\":") != NULL;
    if (s->verb == VERB_PATCH_MERGE && slice != cJSON_IsArray(keeps))
        fail_msg("objects may be labelled, and nothing keeps the state: %s", s->body);
    free(m->facts);
    free(m->state);
    m->facts = xstrdup(json_str(data, "facts"));
    m->state = xstrdup(json_str(data, "state"));
    m->cm_rv++;
    m->writes++;
    m_round_trip(m, p->next);
    return OK;
}

static void m_create_canary(struct model *m, const struct step *s, const cJSON *body) {
    struct slice tmpl;
    bool selects = strstr(s->body, "handover.dev/track=canary") != NULL;
    if (selects != m->by_objects && !m->moved) fail_msg("the canary's template: %s", s->body);
    int version = m_version_of(m, json_str(json_at(body, "metadata/labels"), "handover.dev/template"));
    int i = m_add_rs(m, version, true, s->name, (int)json_i64(json_get(body, "spec"), "replicas", -1));
    assert_true(json_raw_at(slice_of(s->body), "spec/template", &tmpl));
    assert_int_equal(template_hash(tmpl, m->rs[i].made, NULL), 0);
}

/* Stable's, made anew: with stable's own template, and for the Deployment to control. */
static int m_create_own(struct model *m, const struct step *s) {
    struct slice tmpl;
    char hash[11];
    if (m_find_rs(m, s->name)) return CONFLICT;
    cleanup_json cJSON *body = json_parse(slice_of(s->body), NULL);
    assert_true(json_raw_at(slice_of(s->body), "spec/template", &tmpl) &&
                template_hash(tmpl, hash, NULL) == 0);
    assert_string_equal(hash, m->edge.s.stable_hash);
    assert_true(json_bool(json_at(body, "metadata/ownerReferences")->child, "controller", false));
    m_add_rs(m, m_version_of(m, hash), false, s->name, (int)json_i64(json_get(body, "spec"), "replicas", -1));
    return OK;
}

static int m_apply(struct model *m, const struct plan *p, const struct step *s) {
    cleanup_json cJSON *body = json_parse(slice_of(s->body), NULL);
    if (!body) fail_msg("step %s has no JSON body: %s", s->why, s->body ? s->body : "");
    switch (s->kind) {
    case STEP_STATE: return m_state(m, p, s, body);
    case STEP_STATE_DELETE:
        if (m_owned(m, OWNER_NONE) + m_owned(m, OWNER_CANARY) && !m->moved)
            fail_msg("the state goes, and objects are labelled: %s", m->state ? m->state : "");
        free(m->facts);
        free(m->state);
        m->facts = m->state = NULL;
        return OK;
    case STEP_TARGET: return m_patch_target(m, body);
    case STEP_CANARY:
        if (m_find_rs(m, s->name) || (m->taken && !strcmp(m->taken, s->name))) return CONFLICT;
        m_check_canary(m);
        if (m_rehearsals(m) && !m->moved && !m->cache) fail_msg("a canary beside a rehearsal: %s", m->state);
        m_create_canary(m, s, body);
        return OK;
    case STEP_REHEARSAL: return m_create_rehearsal(m, s, body);
    case STEP_REPORT: return m_apply_report(m, s, body);
    case STEP_RS: return s->verb == VERB_CREATE ? m_create_own(m, s) : m_patch_rs(m, s->name, body);
    case STEP_RS_DELETE: return m_delete_rs(m, s->name, body);
    case STEP_POD_DELETE: return m_delete_pod(m, s->name, body);
    case STEP_LEASE: return m_patch_lease(m, body);
    case STEP_OBJECTS: break;
    }
    return CONFLICT;
}

static void m_tell(struct model *m, const struct plan *p) {
    for (size_t i = 0; i < p->nevents; i++) {
        m_check_claim(m, p->event[i].reason, p->event[i].message);
        size_t n = strlen(m->events);
        snprintf(m->events + n, sizeof m->events - n, "%s ", plan_reason_name(p->event[i].reason));
        snprintf(m->said, sizeof m->said, "%s", p->event[i].message);
    }
}

/* The answer to our own write is in the caches at once; what else has happened is not. */
static void m_see_written(struct model *m, const struct step *s) {
    if (s->kind == STEP_STATE || s->kind == STEP_STATE_DELETE) m_see(m, SEEN_STATE);
    if (s->kind == STEP_TARGET) m_see(m, SEEN_TARGET);
    if (s->kind != STEP_CANARY && s->kind != STEP_REHEARSAL && s->kind != STEP_RS &&
        s->kind != STEP_RS_DELETE)
        return;
    for (int i = 0; i < MAX_RS; i++) {
        struct mrs *now = &m->rs[i], *then = &m->cache->rs[i];
        if (!strcmp(now->name, s->name) || !strcmp(then->name, s->name)) *then = *now;
    }
}

static void m_written(struct model *m, const struct plan *p) {
    if (m->edge.held) state_free(&m->edge.s);
    state_copy(p->next, &m->edge.s);
    m->edge.held = true;
    m->edge.rv = m->cm_rv;
    m->edge.confirmed = true;
    m_tell(m, p);
}

static void m_same_plan(const struct observed *o, int64_t now, const struct plan *p) {
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
bool m_pass(struct model *m) {
    for (unsigned what = 1; m->cache && what <= SEEN_ALL; what <<= 1)
        if (rng_below(&m->rng, m->lag) == 0) m_see(m, what); /* each informer at its own pace */
    m_learn_policy(m);
    m_scrape(m);
    struct m_view *v = m_observe(m);
    cleanup_plan struct plan p;
    m->moved = false;
    m_answer_checks(m, v);
    plan_make(&v->o, m_now(m), &p);
    if (!m->direct || m->plans % 16 == 0) m_same_plan(&v->o, m_now(m), &p);
    m->plans++;
    m_ask_checks(m, &p);
    m_ask_rehearsal(m, &p);
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
            if (after) m_apply(m, &p, &p.step[i]);
            m->crashes++;
            m_forget(m);
            break;
        }
        if (m->refuses && p.step[i].kind == m->refused_kind) {
            m->refused++;
            m->edge.refused = (struct refusal){m->refused_kind, m->refuses};
            m->edge.refused_times++;
            break;
        }
        if (m->edge.refused_times && p.step[i].kind == m->edge.refused.kind) m->edge.refused_times = 0;
        if (m->between && !m->between(m, false)) break;
        int rc = m_apply(m, &p, &p.step[i]);
        if (m->between && !m->between(m, true)) break;
        bool fine = rc == OK || (rc == GONE && p.step[i].gone_ok) || (rc == CONFLICT && p.step[i].exists_ok);
        if (!fine) break;
        if ((p.step[i].kind == STEP_CANARY || p.step[i].kind == STEP_REHEARSAL) && rc == CONFLICT)
            m->edge.taken_tick = m->tick;
        if (p.step[i].kind == STEP_STATE) m_written(m, &p);
        if (m->cache) m_see_written(m, &p.step[i]);
    }
    if (i == p.nsteps) m_yield(m, &p);
    if (any && i == p.nsteps && p.step[0].kind != STEP_STATE) m_tell(m, &p);
    if (i == p.nsteps && m_label(m, &p)) any = true;
    m_view_free(v);
    return any;
}

/* Passes until nothing is left to do at this moment. */
void m_settle(struct model *m) {
    int n = 0;
    while (m_pass(m)) {
        if (++n > 40) fail_msg("it goes on and on: %s", m->state ? m->state : "");
    }
}

void m_run(struct model *m, int ticks) {
    for (int i = 0; i < ticks; i++) {
        m_tick(m);
        if (!m->doze || m->tick % m->doze == 0) m_settle(m);
    }
}

const struct state *m_s(struct model *m) {
    m_know_state(m);
    assert_true(m->edge.held);
    return &m->edge.s;
}

int m_phase(struct model *m) {
    return m->state ? (int)m_s(m)->phase : -1;
}

void m_until(struct model *m, enum phase want, int ticks) {
    for (int i = 0; i < ticks && m_phase(m) != (int)want; i++) m_run(m, 1);
    if (m_phase(m) != (int)want) {
        fail_msg("phase is %s (%s), wanted %s; events %s", m->state ? phase_name(m_s(m)->phase) : "none",
                 m->state ? m_s(m)->message : "", phase_name(want), m->events);
    }
}

/* ---- what a user does ---- */
void m_image(struct model *m, int version) {
    if (m->version == version) return;
    struct m_write was = m_write_begin(m);
    m->version = version;
    m_write_end(m, &was, false);
    m->generation++;
    m->rv++;
}
void m_user_paused(struct model *m, bool paused) {
    struct m_write was = m_write_begin(m);
    m->paused = paused;
    if (m->set) m->partition = paused ? HELD_PARTITION : 0;
    m_write_end(m, &was, false);
    m->generation++;
    m->rv++;
}
void m_scale(struct model *m, int replicas) {
    m->replicas = m->users = replicas;
    m->generation++;
    m->rv++;
}
void m_act(struct model *m, const char *action, int version) {
    m_annotate(m, action, m->hash[version]);
}

int m_running(const struct model *m, int version, bool canary) {
    int n = 0;
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && m->rs[i].version == version && m->rs[i].canary == canary && !m->rs[i].rehearsed)
            n += m_pods(m, i, true);
    }
    return n;
}

bool m_event(const struct model *m, const char *reason) {
    return strstr(m->events, reason) != NULL;
}

void m_begin(struct model *m) {
    m_until(m, PHASE_STABLE, 30);
    m_run(m, 3);
    assert_true(m->paused && (m->set || m->deadline_s == 2147483647));
    m->events[0] = '\0';
}

struct model *m_start(int replicas) {
    struct model *m = m_new(1, replicas);
    m_begin(m);
    return m;
}

struct model *m_soaking(int replicas) {
    struct model *m = m_start(replicas);
    m_annotate(m, "soak", "60s");
    m_image(m, 1);
    m_until(m, PHASE_SOAKING, 20);
    m_run(m, 2);
    return m;
}

/* Of this version alone so many pods run, and no canary. */
void m_assert_all(struct model *m, int version, int n) {
    for (int v = 0; v < VERSIONS; v++) {
        if (m_running(m, v, false) != (v == version ? n : 0) || m_running(m, v, true)) {
            fail_msg("%d pods and %d canaries of version %d; %s: %s", m_running(m, v, false),
                     m_running(m, v, true), v, phase_name(m_s(m)->phase), m_s(m)->message);
        }
    }
}
