/* Killed anywhere: whichever step the process dies before or after, the next one comes to the same end. */
#include "../case.h"
#include "model.h"

struct story {
    const char *name;
    void (*play)(struct model *m);
};

static void good(struct model *m) {
    m_image(m, 1);
    m_run(m, 60);
}
static void bad(struct model *m) {
    m->behaviour[1] = FAILS;
    m_image(m, 1);
    m_run(m, 60);
}
static void crashing(struct model *m) {
    m->behaviour[1] = CRASHES;
    m_image(m, 1);
    m_run(m, 60);
}
static void two_in_a_row(struct model *m) {
    m_image(m, 1);
    m_run(m, 6);
    m_image(m, 2);
    m_run(m, 70);
}
static void taken_back(struct model *m) {
    m_image(m, 1);
    m_run(m, 8);
    m_image(m, 0);
    m_run(m, 40);
}
static void unpaused(struct model *m) {
    m->behaviour[1] = FAILS;
    m_image(m, 1);
    m_run(m, 4);
    m_user_paused(m, false);
    m_tick(m);
    m_tick(m);
    m_run(m, 80);
}
static void aborted(struct model *m) {
    m_image(m, 1);
    m_run(m, 8);
    m_act(m, "promote", 1);
    m_run(m, 4);
    m_act(m, "abort", 1);
    m_run(m, 60);
}
static void left(struct model *m) {
    m_image(m, 1);
    m_run(m, 8);
    m_annotate(m, "canary-percent", NULL);
    m_run(m, 20);
    m_image(m, 0);
    m_run(m, 20);
}
static void superseded(struct model *m) {
    m_image(m, 1);
    m_run(m, 8);
    m_act(m, "promote", 1);
    m_run(m, 3);
    m_image(m, 2);
    m_run(m, 80);
}

static void begin(struct model *m) {
    m_init(m, 1, 3);
    m->direct = true;
    m_annotate(m, "soak", "5s");
    m_begin(m);
}

static char *end_of(struct model *m) {
    int own[3], canary = 0;
    for (int v = 0; v < 3; v++) {
        own[v] = m_running(m, v, false);
        canary += m_running(m, v, true);
    }
    const struct state *s = m->state ? m_s(m) : NULL;
    return xasprintf("%s paused %d deadline %lld pods %d %d %d canaries %d quarantine %d last %s",
                     s ? phase_name(s->phase) : "none", m->paused, (long long)m->deadline_s, own[0], own[1],
                     own[2], canary, s && state_quarantined(s, m->hash[1], NULL),
                     s && s->nhistory ? ended_name(s->history[0].ended) : "-");
}

CASE(killed_anywhere) {
    static const struct story stories[] = {{"good", good},
                                           {"bad", bad},
                                           {"crashing", crashing},
                                           {"two in a row", two_in_a_row},
                                           {"taken back", taken_back},
                                           {"unpaused", unpaused},
                                           {"aborted", aborted},
                                           {"left", left},
                                           {"superseded", superseded}};
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        struct model m;
        begin(&m);
        int from = m.steps;
        stories[i].play(&m);
        cleanup_free char *want = end_of(&m);
        int to = m.steps;
        m_free(&m);
        for (int at = 2 * from; at < 2 * to; at++) {
            begin(&m);
            m.fail_at = at;
            stories[i].play(&m);
            cleanup_free char *got = end_of(&m);
            if (strcmp(want, got) || m.crashes != 1) {
                fail_msg("%s, killed %s step %d: %s\n instead of %s\n %s", stories[i].name,
                         at % 2 ? "after" : "before", at / 2 - from, got, want,
                         m.state ? m_s(&m)->message : "");
            }
            m_free(&m);
        }
        print_message("%s: %d places to die at, always: %s\n", stories[i].name, 2 * (to - from), want);
    }
}

CASES("rollout/plan_crash")
