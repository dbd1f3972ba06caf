/* The steps of a scene. */
#include "model.h"

struct words {
    const char *verb, *text; /* the first, and all that follow */
    const char *w[2];        /* those that follow; "" when there are fewer */
    bool known;
};

static bool is(struct words *w, const char *verb) {
    bool same = !strcmp(w->verb, verb);
    w->known = w->known || same;
    return same;
}

static void must(const struct model *m, bool holds, const struct words *w) {
    if (!holds)
        fail_msg("\"%s %s\": not so; %d replicas, deadline %lld, %spaused; events %s; state %s", w->verb,
                 w->text, m->replicas, (long long)m->deadline_s, m->paused ? "" : "not ", m->events,
                 m->state ? m->state : "none");
}

static int number(const char *word) {
    char *end;
    long n = strtol(word, &end, 10);
    if (!*word || *end || labs(n) > 1000000) fail_msg("\"%s\" is no number", word);
    return (int)n;
}

static int version(const char *word) {
    int n = number(word);
    if (n < 0 || n >= VERSIONS) fail_msg("\"%s\" is no version", word);
    return n;
}

static enum phase phase(const char *word) {
    int p = 0;
    while (p < PHASES && strcmp(word, phase_name((enum phase)p))) p++;
    if (p == PHASES) fail_msg("\"%s\" is no phase", word);
    return (enum phase)p;
}

static enum hold hold(const char *word) {
    int h = 0;
    while (h < HOLDS && strcmp(word, hold_name((enum hold)h))) h++;
    if (h == HOLDS) fail_msg("\"%s\" is no hold", word);
    return (enum hold)h;
}

static void behaves(struct model *m, struct words *w) {
    static const char *const names[] = {
        [GOOD] = "good",
        [FAILS] = "fails",
        [CRASHES] = "crashes",
        [NO_IMAGE] = "no-image",
        [NO_REGISTRY] = "no-registry",
        [NEVER_READY] = "never-ready",
        [UNSCHEDULABLE] = "unschedulable",
        [SILENT] = "silent",
        [STANDBY] = "standby",
        [IDLE] = "workless",
        [HANGS] = "hangs",
        [GATED] = "gated",
        [NO_CONFIG] = "no-config",
        [NO_VOLUME] = "no-volume",
        [NODE_LOST] = "node-lost",
        [EVICTED] = "evicted",
    };
    bool plays = is(w, "plays"), control = plays && !strcmp(w->w[0], "control"), known = false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!plays && is(w, names[i])) m->behaviour[version(w->w[0])] = (enum behaviour)i;
        if (!plays || strcmp(w->w[1], names[i]) != 0) continue;
        m->staged[control] = known = true;
        m->stage[control] = (enum behaviour)i;
    }
    if (plays && !known) fail_msg("no pod plays \"%s\"", w->w[1]);
}

static void lose(struct model *m, int v) {
    for (int i = 0; i < MAX_RS; i++)
        m->rs[i].there = m->rs[i].there && (m->rs[i].canary || m->rs[i].version != v);
    m_collect(m);
}

/* Writes that the policy looks at closely. */
static void under_policy(struct model *m, struct words *w) {
    struct m_write was = m_write_begin(m);
    if (is(w, "notation")) m_write_end(m, &was, true);
    if (is(w, "leaves-with")) {
        m_annotate(m, "canary-percent", NULL);
        m->version = version(w->w[0]);
        m_write_end(m, &was, false);
    }
    if (is(w, "replace")) {
        m->paused = false;
        m->deadline_s = 600;
        m_annotate(m, "status", NULL);
        m_annotate(m, "held", NULL);
        m_write_end(m, &was, false);
    }
}

static enum check_says says(const char *word) {
    int s = CHECK_PASS;
    while (s < CHECK_SAYS && strcmp(word, state_says_name((enum check_says)s))) s++;
    if (s == CHECK_SAYS && strcmp(word, "nothing")) fail_msg("a check does not say \"%s\"", word);
    return s == CHECK_SAYS ? CHECK_NOTHING : (enum check_says)s;
}

/* What a user does, and what else happens. */
static void happens(struct model *m, struct words *w) {
    const char *a = w->w[0], *b = w->w[1];
    if (is(w, "image")) m_image(m, version(a));
    if (is(w, "scale")) m_scale(m, number(a));
    if (is(w, "pause")) m_user_paused(m, true);
    if (is(w, "unpause")) m_user_paused(m, false);
    if (is(w, "set")) m_annotate(m, a, w->text + strlen(a) + 1);
    if (is(w, "unset")) m_annotate(m, a, NULL);
    if (is(w, "act")) m_act(m, a, version(b));
    if (is(w, "asked")) m->asked[version(a)] = true;
    if (is(w, "run")) m_run(m, number(a));
    if (is(w, "until")) m_until(m, phase(a), number(b));
    if (is(w, "partition")) m_lower(m, strcmp(a, "held") ? number(a) : HELD_PARTITION);
    if (is(w, "lose")) lose(m, version(a));
    under_policy(m, w);
    if (is(w, "writes-much")) m->sign[version(a)] = WRITES_MUCH;
    if (is(w, "panics")) m->sign[version(a)] = PANICS;
    if (is(w, "finds")) {
        m->finds_idle = !strcmp(a, "idle");
        m->finds_cut_off = !strcmp(a, "cut-off");
        for (int k = 0; k < REPORT_KINDS; k++)
            if (!strcmp(report_kind_name((enum report_kind)k), a) || !strcmp(a, "nothing"))
                m->finds[k] = *b ? (uint64_t)number(b) : 0;
    }
    if (is(w, "mute") || is(w, "answers")) m->mute = !strcmp(w->verb, "mute");
    for (int k = 0; k < MAX_PODS && (is(w, "sidecar-ends") || is(w, "sidecar-restarts")); k++) {
        if (!m->pod[k].there || m->rs[m->pod[k].rs].rehearsed != REHEARSED_NEW) continue;
        m->pod[k].there = is(w, "sidecar-restarts");
        m->pod[k].sidecar_restarts++;
    }
    if (is(w, "approve")) m_annotate(m, "approve", *a ? a : m_s(m)->rehearsal.digest);
    if (is(w, "killed")) m_forget(m);
    if (is(w, "check")) m->says[CHECK_URL] = says(a);
    if (is(w, "query")) m->says[CHECK_QUERY] = says(a);
    if (is(w, "policy") || is(w, "no-policy")) m_install(m, !strcmp(w->verb, "policy"));
    if (is(w, "older") || is(w, "newer")) {
        m_forget(m);
        m->older = !strcmp(w->verb, "older");
    }
    for (int i = is(w, "tick") ? number(a) : 0; i > 0; i--) m_tick(m);
}

static const struct state_history *last(struct model *m) {
    assert_true(m_s(m)->nhistory > 0);
    return m_s(m)->history;
}

static void holds(struct model *m, struct words *w) {
    const char *a = w->w[0], *b = w->w[1], *status = m_annotation(m, "status");
    if (is(w, "phase")) must(m, m_phase(m) == (int)phase(a), w);
    if (is(w, "is")) must(m, m_phase(m) == (int)phase(a) && m_s(m)->hold == hold(b), w);
    if (is(w, "paused")) must(m, m->paused, w);
    if (is(w, "unpaused")) must(m, !m->paused, w);
    if (is(w, "held")) must(m, m->paused && (m->set || m->deadline_s == 2147483647), w);
    if (is(w, "at")) must(m, m->partition == number(a), w);
    if (is(w, "current")) must(m, m->current == version(a), w);
    bool mark = m_annotation(m, "held");
    if (is(w, "rests")) must(m, !m->paused && !mark && m->deadline_s == 600, w);
    if (is(w, "marked")) must(m, m->paused && mark && m->deadline_s == 600, w);
    if (is(w, "deadline")) must(m, m->deadline_s == number(a), w);
    if (is(w, "active")) must(m, m_active(m) == number(a), w);
    if (is(w, "own")) must(m, m_running(m, version(a), false) == number(b), w);
    if (is(w, "canary")) must(m, m_running(m, version(a), true) == number(b), w);
    if (is(w, "all")) m_assert_all(m, version(a), number(b));
    if (is(w, "ended")) must(m, !strcmp(ended_name(last(m)->ended), a), w);
    if (is(w, "reason")) must(m, strstr(last(m)->reason, w->text), w);
    if (is(w, "quarantined")) must(m, state_quarantined(m_s(m), m->hash[version(a)], NULL), w);
    if (is(w, "trusted")) must(m, !state_quarantined(m_s(m), m->hash[version(a)], NULL), w);
    if (is(w, "event")) must(m, m_event(m, a), w);
    if (is(w, "no-event")) must(m, !m_event(m, a), w);
    if (is(w, "absent")) must(m, !m_annotation(m, a), w);
    if (is(w, "status")) must(m, status && strstr(status, w->text), w);
    if (is(w, "message")) must(m, m_s(m)->message && strstr(m_s(m)->message, w->text), w);
    if (is(w, "rehearses")) must(m, m_rehearsals(m) == number(a), w);
    if (is(w, "kept")) must(m, m->map.there, w);
    if (is(w, "forgotten")) must(m, !m->map.there, w);
    if (is(w, "asks")) must(m, m->asked_checks[CHECK_URL] == number(a), w);
    if (is(w, "left")) must(m, !m->paused && !m->state && m->deadline_s == 600 && !status && !mark, w);
    if (!is(w, "idle")) return;
    int writes = m->writes;
    m_run(m, number(a));
    must(m, m->writes == writes, w);
}

void m_play(struct model *m, const char *steps) {
    struct slice steps_left = slice_of(steps), one;
    while (steps_left.p) {
        char line[300], words[300], *at = words, *text;
        slice_cut(steps_left, '|', &one, &steps_left);
        snprintf(line, sizeof line, "%.*s", SLF(one));
        if (getenv("HANDOVER_VERBOSE")) print_message("%s\n", line);
        text = line + strcspn(line, " ");
        if (*text) *text++ = '\0';
        snprintf(words, sizeof words, "%s", text);
        const char *first = strtok_r(at, " ", &at), *second = strtok_r(at, " ", &at);
        struct words w = {.verb = line, .text = text, .w = {first ? first : "", second ? second : ""}};
        behaves(m, &w);
        happens(m, &w);
        holds(m, &w);
        if (!w.known) fail_msg("there is no step \"%s\"", w.verb);
    }
}
