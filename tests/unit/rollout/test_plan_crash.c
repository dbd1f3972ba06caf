/* Killed anywhere: each story runs whole, in each mode; then again for its writes, the process killed before one or after it, with
 * informers that are up to date, that lag, and with a process that sleeps through most of what happens. The end is always that
 * of the whole one. Mode replicas: at every place, with the three in turn, beginning with another one in each story. The other modes:
 * so where a version is good (mode leader: where it is bad, too), and at each every-th place of the other stories. HANDOVER_PLACES=all visits every
 * place of every story with each of the three (minutes). */
#include "scene.h"

enum { IN_REPLICAS = 1, IN_LEADER = 2, IN_OBJECTS = 4, BY_POLICY = 8, OF_SET = 16, ANY_MODE = 31 };
static const struct mode {
    const char *name;
    int rest;         /* ticks in which every story comes to its end */
    int every;        /* prime to the three, and to before and after */
    unsigned densely; /* the first of so many stories are visited at each place */
} modes[] = {{"replicas", 110, 1, 0},
             {"leader", 330, 13, 2},
             {"objects", 200, 11, 1},
             {"held by the policy", 110, 11, 1},
             {"a StatefulSet", 160, 23, 1}};

static const struct story {
    const char *name, *steps;
    unsigned modes;
} stories[] = {
    {"good", "image 1", ANY_MODE},
    {"bad", "fails 1|image 1", ANY_MODE},
    {"crashing", "crashes 1|image 1", ANY_MODE},
    {"two in a row", "image 1|until Starting 20|image 2", ANY_MODE},
    {"changed in the middle", "image 1|until Soaking 60|image 2", ANY_MODE},
    {"taken back", "image 1|until Soaking 60|image 0", ANY_MODE},
    {"paused and resumed", "image 1|until Soaking 60|act pause 1|run 20|act resume 1", ANY_MODE},
    {"aborted", "image 1|until Soaking 60|act abort 1", ANY_MODE},
    {"aborted in promotion", "image 1|until Soaking 60|asked 1|act promote 1|until Promoting 60|act abort 1",
     ANY_MODE},
    {"promoted by hand", "fails 1|image 1|until Starting 60|asked 1|act promote 1", ANY_MODE},
    {"superseded in promotion", "image 1|until Soaking 60|asked 1|act promote 1|until Promoting 60|image 2",
     ANY_MODE},
    {"back while promoted", "image 1|until Soaking 60|asked 1|act promote 1|until Promoting 60|image 0",
     ANY_MODE},
    {"tried again", "fails 1|image 1|until RolledBack 300|good 1|act retry 1", ANY_MODE},
    {"scaled", "image 1|until Soaking 60|scale 4", ANY_MODE},
    {"unpaused by another", "fails 1|image 1|until Starting 60|unpause|tick 2",
     IN_REPLICAS | BY_POLICY | OF_SET},
    {"of a user's own partition", "image 1|until Soaking 60|partition 1|run 40|image 1|run 100|partition 0",
     OF_SET},
    {"scaled to zero", "fails 1|image 1|until Starting 60|scale 0|run 20|scale 2", OF_SET},
    {"released", "image 1|until Soaking 60|act release 1", ANY_MODE},
    {"left", "image 1|until Soaking 60|unset canary-percent|run 60|image 0", ANY_MODE},
    {"checked, and it passes", "check pass|set check https://c.example.com/|image 1",
     IN_REPLICAS | IN_LEADER},
    {"checked, and it fails", "check fail|set check https://c.example.com/|image 1", IN_REPLICAS},
    {"rehearsed, and good", "set rehearse 10s|finds creates 3|image 1", ANY_MODE},
    {"rehearsed, and too much", "set rehearse 10s|set max-changes restarts=0|finds restarts 1|image 1|run 60",
     IN_REPLICAS | OF_SET},
    {"rehearsed, and approved",
     "set rehearse 10s|set max-changes restarts=0|finds restarts 1|image 1|run 60|approve", IN_REPLICAS},
    {"crashing in its rehearsal", "set rehearse 20s|plays new crashes|image 1", IN_REPLICAS | OF_SET},
    {"changed in a rehearsal", "set rehearse 10s|image 1|until Rehearsing 20|run 4|image 2",
     IN_REPLICAS | IN_LEADER},
    {"taken back in a rehearsal", "set rehearse 10s|image 1|until Rehearsing 20|run 4|image 0",
     IN_REPLICAS | BY_POLICY},
    {"aborted in a rehearsal", "set rehearse 10s|image 1|until Rehearsing 20|run 4|act abort 1", IN_REPLICAS},
    {"promoted in a rehearsal", "set rehearse 30s|image 1|until Rehearsing 20|asked 1|act promote 1",
     IN_REPLICAS},
    {"without its rehearsal", "set rehearse 30s|image 1|until Rehearsing 20|run 4|unset rehearse",
     IN_REPLICAS},
    {"left in a rehearsal",
     "set rehearse 10s|image 1|until Rehearsing 20|run 14|image 0|unset canary-percent", IN_REPLICAS},
    {"fails once it has objects", "image 1|until Soaking 60|fails 1", IN_OBJECTS},
    {"left with another image", "leaves-with 1|run 20|image 0", BY_POLICY},
    {"another notation", "notation|run 5|image 1", BY_POLICY},
    {"policy deleted", "no-policy|run 5|image 1", BY_POLICY},
    {"policy deleted in a trial", "fails 1|image 1|run 6|no-policy", BY_POLICY},
    {"policy installed", "policy|run 5|image 1", IN_REPLICAS},
    {"policy installed in a trial", "image 1|run 6|policy", IN_REPLICAS},
    {"policy there and gone", "policy|run 5|image 1|run 4|no-policy", IN_REPLICAS},
};

/* How the process learns of what happens. */
static const struct eyes {
    const char *name;
    unsigned lag;
    int doze;
} eyes[] = {{"up to date", 0, 0}, {"stale caches", 4, 0}, {"skipped events", 0, 3}};

static struct model *begin(const struct mode *mode) {
    unsigned in = 1U << (mode - modes);
    struct model *m = in == IN_LEADER    ? m_electing(2, false)
                      : in == IN_OBJECTS ? m_by_objects(1, 20)
                      : in == BY_POLICY  ? m_start_by_policy(3)
                      : in == OF_SET     ? m_start_set(3)
                                         : m_new(1, 3);
    if (in == IN_REPLICAS || in == IN_OBJECTS) m_begin(m);
    if (in != IN_LEADER) m_annotate(m, "soak", in == IN_OBJECTS ? "10s" : "5s");
    m_run(m, 1);
    m->direct = true;
    return m;
}

static char *end_of(struct model *m) {
    int own[3], canary = 0;
    for (int v = 0; v < 3; v++) {
        own[v] = m_running(m, v, false);
        canary += m_running(m, v, true);
    }
    const struct state *s = m->state ? m_s(m) : NULL;
    return xasprintf("%s %s rehearses %d kept %d paused %d at %d marked %d replicas %d deadline %lld leader "
                     "%d pods %d %d %d canaries %d "
                     "labelled %d quarantine %d last %s",
                     s ? phase_name(s->phase) : "none", s ? hold_name(s->hold) : "", m_rehearsals(m),
                     m->map.there, m->paused, m->partition, m_annotation(m, "held") != NULL, m->replicas,
                     (long long)m->deadline_s, m->elects ? m_leader(m, NULL) : -1, own[0], own[1], own[2],
                     canary, m_owned(m, OWNER_CANARY) + m_owned(m, OWNER_NONE),
                     s && state_quarantined(s, m->hash[1], NULL),
                     s && s->nhistory ? ended_name(s->history[0].ended) : "-");
}

/* Until nothing has been written for a while, and somebody leads. */
static void rest(struct model *m, int most) {
    int still = 0, writes = m->writes;
    for (int i = 0; i < most && still < 16; i++) {
        m_run(m, 1);
        bool led = !m->elects || m_leader(m, NULL) >= 0;
        still = m->writes == writes && led ? still + 1 : 0;
        writes = m->writes;
    }
}

/* at: twice the write, counted from the story's beginning, plus one for after it; -1: whole. */
static char *end_after(const struct mode *mode, const struct story *t, const struct eyes *e, int at,
                       int *ret_writes) {
    cleanup_model struct model *m = begin(mode);
    int from = m->steps;
    if (at >= 0) m->fail_at = 2 * from + at;
    m->lag = e->lag;
    m->doze = e->doze;
    if (e->lag) m_see(m, SEEN_ALL);
    m_play(m, t->steps);
    rest(m, mode->rest);
    *ret_writes = m->steps - from;
    char *end = end_of(m);
    if (m->crashes != (at >= 0))
        fail_msg("%s, %s, %s: killed %d times for place %d", mode->name, t->name, e->name, m->crashes, at);
    return end;
}

/* Returns how often it was killed. */
static int killed_at(const struct mode *mode, const struct story *t, size_t eye, const char *want, int begin,
                     int every) {
    int writes, n, times = 0;
    cleanup_free char *whole = end_after(mode, t, &eyes[eye], -1, &writes);
    if (strcmp(want, whole) != 0)
        fail_msg("%s, %s, %s: %s\n instead of %s", mode->name, t->name, eyes[eye].name, whole, want);
    for (int at = begin; at < 2 * writes; at += every, times++) {
        cleanup_free char *got = end_after(mode, t, &eyes[eye], at, &n);
        if (strcmp(want, got) != 0)
            fail_msg("%s, %s, %s, killed %s write %d of %d: %s\n instead of %s", mode->name, t->name,
                     eyes[eye].name, at % 2 ? "after" : "before", at / 2, writes, got, want);
    }
    return times;
}

static void killed(const struct mode *mode) {
    const char *env = getenv("HANDOVER_PLACES");
    bool all = env && !strcmp(env, "all");
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        const struct story *t = &stories[i];
        int writes, times = 0;
        if (!(t->modes & 1U << (mode - modes))) continue;
        cleanup_free char *want = end_after(mode, t, &eyes[0], -1, &writes);
        int every = i < mode->densely ? 1 : mode->every;
        for (size_t k = 0; k < ARRAY_LEN(eyes); k++)
            times += killed_at(mode, t, k, want, all ? 0 : (int)((i + k) % 3) * every, all ? 1 : 3 * every);
        print_message("%s, %s: %d writes, killed %d times, always: %s\n", mode->name, t->name, writes, times,
                      want);
    }
}

CASE(killed_anywhere_in_mode_replicas) {
    killed(&modes[0]);
}
CASE(killed_anywhere_in_mode_leader) {
    killed(&modes[1]);
}
CASE(killed_anywhere_in_mode_objects) {
    killed(&modes[2]);
}
CASE(killed_anywhere_held_by_the_policy) {
    killed(&modes[3]);
}

CASE(killed_anywhere_as_a_stateful_set) {
    killed(&modes[4]);
}

CASES("rollout/plan_crash")
