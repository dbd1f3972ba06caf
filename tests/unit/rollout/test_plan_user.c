/* What a user may ask for in the middle: promote, pause, resume, abort, retry; once each, and only for this
 * template. */
#include "../each.h"
#include "plan/plan_ctx.h"
#include "scene.h"

PLAY(promote, m_soaking(3),
     "act promote 1|run 1|phase Promoting|absent promote|until Stable 30|own 1 3|reason by a user")

PLAY(promote_a_quarantined_one, m_soaking(3),
     "fails 1|until RolledBack 30|asked 1|act promote 1|until Stable 40|run 3|own 1 3|canary 1 0|trusted 1")

PLAY(promote_at_zero, m_start(0), "image 1|run 3|act promote 1|run 20|is Stable|paused|scale 2|run 6|own 1 2")

/* 900 s: beyond soak and deadline, neither of which goes on. */
PLAY(pause_and_resume, m_soaking(3),
     "act pause 1|run 900|is Soaking PausedByUser|canary 1 1|act resume 1|until Stable 60|own 1 3")

PLAY(harm_is_stopped_in_a_pause, m_soaking(3), "act pause 1|run 5|fails 1|until RolledBack 60")

PLAY(pause_a_promotion, m_soaking(3),
     "until Promoting 80|run 1|act pause 1|run 700|is Promoting PausedByUser|paused|active 2|act resume 1|"
     "until Stable 40|own 1 3")

CASE(abort_it) {
    for (int promoting = 0; promoting < 6; promoting++) {
        cleanup_model struct model *m = m_soaking(3);
        if (promoting) m_play(m, "until Promoting 80");
        m_run(m, promoting - 1);
        m_play(m, "act abort 1|until RolledBack 60|run 10|paused|own 0 3|own 1 0|canary 1 0|ended aborted|"
                  "act retry 1|until Soaking 20|until Stable 120|own 1 3");
    }
}

/* A manifest in Git puts it back again and again: no replay, and no fight; another request is one. */
SCENE(retry_once_for_a_value, m_soaking(3)) {
    m_play(m, "fails 1|until RolledBack 30|act retry 1|until Starting 5|until RolledBack 30");
    for (int i = 0; i < 5; i++) {
        m_play(m, "act retry 1|run 5|phase RolledBack");
        assert_non_null(m_annotation(m, "retry"));
    }
    cleanup_free char *again = xasprintf("%s@2026-11-23T18:16:33Z", m->hash[1]);
    m_annotate(m, "retry", again);
    m_play(m, "good 1|until Soaking 20|until Stable 120");
}

/* A user may change sides again and again: what follows the @ makes it another request. */
SCENE(abort_again, m_soaking(3)) {
    for (int i = 0; i < 3; i++) {
        cleanup_free char *value = xasprintf("%s@2026-11-23T18:16:33.00000%dZ", m->hash[1], i);
        m_annotate(m, "abort", value);
        m_play(m, "until RolledBack 60|ended aborted|run 5|absent abort");
        m_annotate(m, "retry", value);
        m_play(m, "until Soaking 60");
    }
}

/* Empty and strange ones are refused like the others, and the next leader can read that. Reported once. */
SCENE(wrong_hash, m_soaking(3)) {
    m_play(m, "act abort 2|act promote 0|set retry nonsense|set pause |set resume \x01 too strange|run 5|"
              "phase Soaking|event ActionIgnored|killed");
    m->events[0] = '\0';
    m_play(m, "idle 5|no-event ActionIgnored");
}

SCENE(nothing_to_do, m_start(3)) {
    static const char *const all[] = {"promote", "pause", "resume", "abort", "retry"};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        m_act(m, all[i], 0);
        m_play(m, "run 2|phase Stable|event ActionIgnored");
        assert_null(m_annotation(m, all[i]));
        m->events[0] = '\0';
    }
}

SCENE(resume_gives_another_deadline, m_soaking(3)) {
    m_play(m, "silent 1|run 650|is Soaking Inconclusive|act resume 1|run 2");
    assert_int_not_equal(m_s(m)->hold, HOLD_INCONCLUSIVE);
    m_play(m, "good 1|until Stable 100");
}

/* After the deadline with on-inconclusive: pause a person decides, evidence or not; but harm is still
 * stopped. */
PLAY(inconclusive_waits_for_a_person, m_soaking(3),
     "silent 1|run 650|good 1|run 200|is Soaking Inconclusive|fails 1|until RolledBack 200")

/* The field manager of the annotation says who it was; without one, or from `handover` without a name, it is a user. */
CASE(who_has_said_it) {
    static const struct {
        const char *annotations, *managers, *who;
    } cases[] = {
        {"{'handover.dev/abort':'x'}", NULL, "a user"},
        {"{'handover.dev/abort':'x'}", "{'handover.dev/pause':'kubectl'}", "a user"},
        {"{'handover.dev/abort':'x'}", "{'handover.dev/abort':'kubectl-annotate'}",
         "a user (kubectl-annotate)"},
        {"{'handover.dev/abort':'x'}", "{'handover.dev/abort':'handover-cli'}", "a user"},
        {"{'handover.dev/abort':'x'}", "{'handover.dev/abort':'handover-cli:'}", "a user (handover-cli:)"},
        {"{'handover.dev/abort':'x'}", "{'handover.dev/abort':'handover-cli:alice'}", "alice"},
        {"{'handover.dev/abort':'x'}", "{'handover.dev/abort':'handover-client'}",
         "a user (handover-client)"},
        {"{'handover.dev/pause':'x'}", "{'handover.dev/abort':'handover-cli:alice'}",
         "a user"}, /* gone by now */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_free char *notes = quoted(xstrdup(cases[i].annotations)),
                          *managers = cases[i].managers ? quoted(xstrdup(cases[i].managers)) : NULL;
        struct obs_target t = {.annotations = json_parse(slice_of(notes), NULL),
                               .managers = managers ? json_parse(slice_of(managers), NULL) : NULL};
        struct plan_ctx c = {.t = &t};
        assert_string_equal(plan_who(&c, ACTION_ABORT).text, cases[i].who);
        cJSON_Delete(t.annotations);
        cJSON_Delete(t.managers);
    }
}

CASES("rollout/plan_user")
