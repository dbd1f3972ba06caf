/* The rollback window: what goes back into service without a trial, and what never does. */
#include "scene.h"

/* Adopted at version 0, then 1, 2 and 3 were judged and put into service. */
static struct model *m_at_three(void) {
    struct model *m = m_start(3);
    m_play(m, "set rollback-window 2");
    for (int v = 1; v <= 3; v++) {
        m_image(m, v);
        m_until(m, PHASE_SOAKING, 30);
        m_until(m, PHASE_STABLE, 300);
        m_assert_all(m, v, 3);
    }
    m->events[0] = '\0';
    return m;
}

PLAY(the_last_version_goes_back_at_once, m_at_three(),
     "image 2|run 1|phase Promoting|until Stable 60|all 2 3|event WithinRollbackWindow|no-event "
     "RolloutStarted|"
     "event Promoted|ended promoted|reason within the rollback window|held|"
     /* and what it came back from is tried anew */
     "image 3|until Soaking 30|until Stable 300|all 3 3")
PLAY(as_many_versions_back_as_the_window_has, m_at_three(),
     "image 1|run 1|phase Promoting|until Stable 60|all 1 3|ended promoted")
PLAY(further_back_is_tried, m_at_three(), "set rollback-window 1|image 1|until Soaking 30|no-event Within")
PLAY(without_a_window_it_is_tried, m_at_three(),
     "unset rollback-window|image 2|until Soaking 30|no-event Within")
PLAY(a_window_of_none, m_at_three(), "set rollback-window 0|image 2|until Soaking 30|no-event Within")
/* Nobody has judged what was there before Handover. */
PLAY(what_was_adopted_is_tried, m_at_three(),
     "set rollback-window 10|image 0|until Soaking 30|no-event Within")
PLAY(during_a_trial, m_at_three(),
     "set soak 60s|image 4|until Soaking 30|image 2|run 1|event RolloutCancelled|until Promoting 30|canary 4 "
     "0|"
     "until Stable 60|all 2 3")
PLAY(after_a_rollback, m_at_three(),
     "fails 4|image 4|until RolledBack 90|image 2|until Promoting 30|until Stable 60|all 2 3|quarantined 4|"
     "image 4|run 5|is RolledBack")
/* Stable's own template is not gone back to: its trial ends. */
PLAY(stables_template_is_no_way_back, m_at_three(),
     "set soak 60s|image 4|until Soaking 30|image 3|until Stable 30|all 3 3|no-event Within")
PLAY(a_version_that_failed_since_is_tried, m_at_three(),
     "unset rollback-window|fails 2|image 2|until RolledBack 90|good 2|set rollback-window 2|act retry 2|"
     "until Soaking 30|no-event Within|until Stable 300|all 2 3")
PLAY(
    a_version_in_quarantine_stays_there, m_at_three(),
    "unset rollback-window|fails 2|image 2|until RolledBack 90|image 3|until Stable 30|set rollback-window 2|"
    "image 2|run 5|is RolledBack|event Quarantined|no-event Within|all 3 3")
/* Stable was adopted, and is in service again: the history does not say since when. */
PLAY(the_ages_of_the_replicasets_count_too, m_start(3),
     "set rollback-window 2|image 1|until Soaking 30|until Stable 300|all 1 3|image 0|until Soaking 30|"
     "until Stable 300|all 0 3|image 1|until Soaking 30|no-event Within")
/* By a person, without a verdict: that is their word. */
PLAY(what_a_person_promoted_counts, m_at_three(),
     "set soak 60s|asked 4|image 4|until Soaking 30|act promote 4|until Stable 60|image 5|act promote "
     "5|asked 5|"
     "run 30|is Stable|all 5 3|image 4|run 1|phase Promoting|until Stable 60|all 4 3")
/* It came into service because somebody unpaused the Deployment. */
PLAY(what_nobody_promoted_does_not_count, m_at_three(),
     "asked 4|image 4|unpause|tick 30|run 30|is Stable|all 4 3|ended unmanaged|image 5|until Soaking 30|"
     "until Stable 300|all 5 3|image 4|until Soaking 30|no-event Within|"
     "image 3|until Stable 90|all 3 3|event Within")
PLAY(a_way_back_that_does_not_come_up, m_at_three(),
     "never-ready 2|asked 2|set soak 60s|image 2|until Promoting 10|until RolledBack 900|all 3 3|quarantined "
     "2|"
     "ended stuck|good 2|act retry 2|until Soaking 60")
PLAY(at_zero, m_at_three(), "scale 0|run 5|image 2|until Stable 60|ended promoted|scale 3|run 20|all 2 3")

static struct model *m_at_two(void) {
    struct model *m = m_new(1, 3);
    m->direct = true;
    m_annotate(m, "soak", "5s");
    m_annotate(m, "rollback-window", "1");
    m_begin(m);
    m_play(m, "image 1|until Soaking 30|until Stable 90|image 2|until Soaking 30|until Stable 90|all 2 3");
    return m;
}

/* Before or after each step of the way back. */
CASE(killed_on_the_way_back) {
    static const char way[] = "image 1|run 25|is Stable|all 1 3|ended promoted|reason rollback window|held";
    cleanup_model struct model *whole = m_at_two();
    int from = whole->steps;
    m_play(whole, way);
    for (int at = 2 * from; at < 2 * whole->steps; at++) {
        cleanup_model struct model *m = m_at_two();
        m->fail_at = at;
        m_play(m, way);
        if (m->crashes != 1) fail_msg("killed %d times at %d", m->crashes, at - 2 * from);
    }
    print_message("%d places to die at\n", 2 * (whole->steps - from));
}

/* A command for a template that has just come waits for its rollout, and does nothing to the one before. */
PLAY(
    a_command_with_its_template, m_at_three(),
    "fails 4|image 4|until RolledBack 90|asked 5|image 5|act promote 5|until Stable 90|all 5 3|quarantined 4|"
    "absent promote")
PLAY(a_command_with_its_template_in_a_trial, m_at_three(),
     "set soak 60s|image 4|until Soaking 30|image 5|act pause 5|run 3|"
     "is Starting PausedByUser")

/* ---- the history ---- */
/* "P1 P2" : newest first, a letter for how it ended, then the version. */
static void history(struct state *s, const char *text) {
    state_init(s);
    s->history = xcalloc(STATE_MAX_HISTORY, sizeof *s->history);
    for (; *text; text += text[2] ? 3 : 2) {
        struct state_history *h = &s->history[s->nhistory++];
        h->hash[0] = text[1];
        h->ended = text[0] == 'P'   ? ENDED_PROMOTED
                   : text[0] == 'U' ? ENDED_UNMANAGED
                   : text[0] == 'C' ? ENDED_CANCELLED
                   : text[0] == 'A' ? ENDED_ABORTED
                   : text[0] == 'S' ? ENDED_STUCK
                                    : ENDED_FAILED;
    }
}

CASE(how_many_versions_back) {
    static const struct {
        const char *history, *stable, *hash;
        unsigned back;
    } v[] = {
        {"P3 P2 P1", "3", "2", 1},
        {"P3 P2 P1", "3", "1", 2},
        {"P3 P2 P1", "3", "3", 0},
        {"P3 P2 P1", "3", "4", 0},
        {"P3 F4 P2 P1", "3", "2", 1},
        {"P3 F4 P2 P1", "3", "4", 0},
        {"P3 C2 P2", "3", "2", 1},
        {"P3 F2 P2", "3", "2", 0},
        {"F2 P3 P2", "3", "2", 0},
        {"A2 P3 P2", "3", "2", 0},
        {"S2 P3 P2", "3", "2", 0},
        {"C2 F2 P3 P2", "3", "2", 0},
        {"P3 P2 F2", "3", "2", 1},
        {"P3 U2 P1", "3", "2", 0},
        {"P3 U2 P1", "3", "1", 2},
        {"U3 P2", "3", "2", 1},
        {"P2 P3 P2 P1", "2", "3", 0}, /* what it came back from */
        {"P2 P3 P2 P1", "2", "1", 1},
        {"P3 P2 P2 P1 P2", "3", "1", 2},
        {"P2 P1", "9", "2", 0}, /* it is not known when stable came */
        {"", "9", "2", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_state struct state s;
        history(&s, v[i].history);
        s.stable_hash[0] = v[i].stable[0];
        unsigned got = plan_versions_back(&s, v[i].hash);
        if (got != v[i].back)
            fail_msg("%s, stable %s: %s is %u back", v[i].history, v[i].stable, v[i].hash, got);
        state_quarantine_add(&s, v[i].hash, 1, "bad");
        assert_int_equal(plan_versions_back(&s, v[i].hash), 0);
    }
}

/* A state that says so itself has to have the history for it. */
CASE(a_state_alone_ships_nothing) {
    cleanup_model struct model *m = m_start(3);
    m_play(m, "set rollback-window 2|set soak 60s|image 1|until Soaking 30");
    char *text = m->state;
    m->state =
        xasprintf("{\"version\":1,\"phase\":\"Promoting\",\"since\":\"2026-11-23T18:19:20Z\",\"hash\":\"%s\","
                  "\"startedAt\":\"2026-11-23T18:19:20Z\",\"ending\":\"promoted\",\"withinWindow\":true}",
                  m->hash[1]);
    free(text);
    m->cm_rv++;
    m_play(m, "killed|run 5|event StateDamaged|own 0 3|own 1 0");
}

CASES("rollout/plan_window")
