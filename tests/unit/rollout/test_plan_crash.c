/* Killed anywhere: whichever step the process dies before or after, the next one comes to the same end. */
#include "scene.h"

static struct model *begin(void) {
    struct model *m = m_new(1, 3);
    m->direct = true;
    m_annotate(m, "soak", "5s");
    m_begin(m);
    return m;
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
    static const struct {
        const char *name, *steps;
    } v[] = {{"good", "image 1|run 60"},
             {"bad", "fails 1|image 1|run 60"},
             {"crashing", "crashes 1|image 1|run 60"},
             {"two in a row", "image 1|run 6|image 2|run 70"},
             {"taken back", "image 1|run 8|image 0|run 40"},
             {"unpaused", "fails 1|image 1|run 4|unpause|tick 2|run 80"},
             {"aborted", "image 1|run 8|act promote 1|run 4|act abort 1|run 60"},
             {"left", "image 1|run 8|unset canary-percent|run 20|image 0|run 20"},
             {"superseded", "image 1|run 8|act promote 1|run 3|image 2|run 80"}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_model struct model *whole = begin();
        int from = whole->steps;
        m_play(whole, v[i].steps);
        cleanup_free char *want = end_of(whole);
        for (int at = 2 * from; at < 2 * whole->steps; at++) {
            cleanup_model struct model *m = begin();
            m->fail_at = at;
            m_play(m, v[i].steps);
            cleanup_free char *got = end_of(m);
            if (strcmp(want, got) || m->crashes != 1)
                fail_msg("%s, killed %s step %d: %s\n instead of %s\n %s", v[i].name,
                         at % 2 ? "after" : "before", at / 2 - from, got, want,
                         m->state ? m_s(m)->message : "");
        }
        print_message("%s: %d places to die at, always: %s\n", v[i].name, 2 * (whole->steps - from), want);
    }
}

CASES("rollout/plan_crash")
