/* The model's rehearsals: their ReplicaSets and pods, what their sidecars report, and the ConfigMap that keeps it. */
#include "model.h"

#define KEY REHEARSAL_KEY "\",\"value\":\""

enum behaviour m_behaviour(const struct model *m, int rs) {
    const struct mrs *r = &m->rs[rs];
    int side = r->rehearsed == REHEARSED_CONTROL;
    return r->rehearsed && m->staged[side] ? m->stage[side] : m->behaviour[r->version];
}

int m_rehearsals(const struct model *m) {
    int n = 0;
    for (int i = 0; i < MAX_RS; i++) n += m->rs[i].there && m->rs[i].rehearsed;
    return n;
}

static int version_with(const struct model *m, struct slice hash) {
    for (int v = 0; v < VERSIONS; v++)
        if (slice_eqs(hash, m->hash[v])) return v;
    fail_msg("no version has the hash %.*s", SLF(hash));
    return 0;
}

int m_create_rehearsal(struct model *m, const struct step *s, const cJSON *body) {
    struct slice hash, rest;
    const char *label = json_str(json_at(body, "metadata/labels"), LABEL_REHEARSAL), *image;
    if (m->state && (!strstr(m->state, "\"phase\":\"Rehearsing\"") || strstr(m->state, "\"over\":true")))
        fail_msg("a rehearsal was started in %s", m->state);
    if (m_find_rs(m, s->name) || (m->taken && !strcmp(m->taken, s->name))) return CONFLICT;
    bool control = slice_cut(slice_of(label), '-', &hash, &rest);
    image = json_str(json_arr(json_at(body, "spec/template/spec"), "containers")->child, "image");
    int version = -1;
    assert_int_equal(sscanf(image, "op:v%d", &version), 1);
    assert_int_equal(json_i64(json_get(body, "spec"), "replicas", -1), 1);
    int i = m_add_rs(m, version, true, s->name, 1);
    m->rs[i].rehearsed = control ? REHEARSED_CONTROL : REHEARSED_NEW;
    m->rs[i].of = version_with(m, hash);
    /* stable's is the control, and the template on trial is what is rehearsed */
    if (!control) assert_int_equal(version, m->rs[i].of);
    if (control && !m->moved) assert_string_equal(m->hash[version], m->edge.s.stable_hash);
    const char *key = strstr(s->body, KEY);
    assert_non_null(key);
    snprintf(m->rs[i].made, sizeof m->rs[i].made, "%.10s", key + strlen(KEY));
    return OK;
}

int m_apply_report(struct model *m, const struct step *s, const cJSON *body) {
    char rv[16];
    snprintf(rv, sizeof rv, "%d", m->map.rv);
    assert_string_equal(s->name, m->set ? "op-statefulset-handover-rehearsal" : "op-handover-rehearsal");
    const char *had = json_str_or(json_get(body, s->verb == VERB_DELETE ? "preconditions" : "metadata"),
                                  "resourceVersion", "");
    if (s->verb == VERB_CREATE && m->map.there) return CONFLICT;
    if (s->verb != VERB_CREATE && !m->map.there) return GONE;
    if (s->verb != VERB_CREATE && strcmp(had, rv) != 0) return CONFLICT;
    if (m->map.foreign) fail_msg("a ConfigMap of another's is written over");
    m->map.rv++;
    m->map.there = s->verb != VERB_DELETE;
    if (s->verb == VERB_DELETE) return OK;
    if (m->state && (!strstr(m->state, "\"phase\":\"Rehearsing\"") || !strstr(m->state, "\"reported\":true")))
        fail_msg("a report is written in %s", m->state);
    const cJSON *data = json_get(body, "data");
    snprintf(m->map.digest, sizeof m->map.digest, "%s",
             json_str(json_at(body, "metadata/annotations"), ANNOTATION_DIGEST));
    m->map.run = strtoull(json_str(json_at(body, "metadata/annotations"), ANNOTATION_RUN), NULL, 10);
    snprintf(m->map.of, sizeof m->map.of, "%s", json_str(json_at(body, "metadata/labels"), LABEL_REHEARSAL));
    assert_string_equal(json_str(data, "digest"), m->map.digest);
    assert_string_equal(json_str(data, "report"), "{\"a\":1}");
    return OK;
}

/* What both sidecars say by now. */
static void read_report(struct model *m, uint64_t run) {
    static char line[64], text[] = "{\"a\":1}";
    struct rehearsal_report *r = &m->edge.report;
    uint64_t sum = 0;
    for (int k = 0; k < REPORT_KINDS; k++) sum = sum * 31 + m->finds[k];
    *r = (struct rehearsal_report){
        .run = run, .read_ns = m_now(m), .line = line, .empty = !sum, .text = {.p = text, .n = strlen(text)}};
    r->idle = m->finds_idle;
    r->full = m->finds_cut_off;
    memcpy(r->count, m->finds, sizeof r->count);
    snprintf(r->digest, sizeof r->digest, "%016llx", (unsigned long long)sum);
    snprintf(line, sizeof line, "%s", sum ? "it would change something" : "changes nothing");
}

/* It runs, and its report is for who knows the key that it was made with. */
static bool answers(const struct m_view *v, const struct rehearsal_pair *p, int k) {
    return p->pod[k] && p->pod[k]->sidecar &&
           strncmp(p->rs[k]->made, v->o.state->rehearsal.key, strlen(p->rs[k]->made)) == 0;
}

static bool sidecars(const struct m_view *v, const struct rehearsal_pair *p) {
    return answers(v, p, 0) && (v->o.state->rehearsal.alone || answers(v, p, 1));
}

void m_observe_rehearsal(struct model *m, struct m_view *v) {
    struct rehearsal_pair p;
    v->o.rehearsals = v->rehearsals;
    v->o.nrehearsals = v->nrehearsals;
    v->o.rehearsal_pods = v->rehearsal_pods;
    v->o.nrehearsal_pods = v->nrehearsal_pods;
    snprintf(v->o.rehearsal_key, sizeof v->o.rehearsal_key, "%010x%022x", m->tick + 1, m->tick);
    if (!m->edge.means && !m->edge.maps && !m->edge.reports) return;
    struct rehearsal_seen *seen = &v->rehearsal;
    *seen = (struct rehearsal_seen){.minor = -1, .map = MAP_UNKNOWN};
    v->o.rehearsal = seen;
    if (m->edge.means) {
        seen->image = m->lacks ? NULL : "handover:dev";
        seen->groups = "example.com\n";
        seen->trouble = m->lacks;
        seen->minor = m->minor ? m->minor : -1;
        seen->no_tmpl = m->no_template;
        for (int i = 0; i < VERSIONS && v->o.state && !m->no_template; i++)
            if (!strcmp(m->hash[i], v->o.state->stable_hash) && !v->stable_tmpl)
                v->stable_tmpl = m_template(i, true);
        seen->tmpl = v->stable_tmpl;
    }
    if (m->edge.maps) {
        seen->map = !m->map.there ? MAP_ABSENT : m->map.foreign ? MAP_FOREIGN : MAP_OURS;
        snprintf(v->map_rv, sizeof v->map_rv, "%d", m->map.rv);
        seen->map_rv = v->map_rv;
        memcpy(seen->map_digest, m->map.digest, sizeof seen->map_digest);
        seen->map_run = m->map.run;
    }
    if (!m->edge.reports || !v->o.state) return;
    plan_rehearsal_pair(&v->o, &p);
    uint64_t run = plan_rehearsal_run(&p);
    bool due = m_now(m) >= m->edge.report.read_ns + 15 * NS_PER_S ||
               (m_now(m) >= m->edge.until_ns && m->edge.report.read_ns < m->edge.until_ns);
    if (m->mute)
        seen->report_trouble = "connection refused";
    else if (run && sidecars(v, &p) && (due || m->edge.report.run != run))
        read_report(m, run);
    if (m->edge.report.run) seen->report = &m->edge.report; /* the last one that could be read */
}

void m_ask_rehearsal(struct model *m, const struct plan *p) {
    m->edge.means = p->rehearse.means;
    m->edge.maps = p->rehearse.map;
    m->edge.reports = p->rehearse.run != 0;
    m->edge.until_ns = p->rehearse.until_ns;
}
