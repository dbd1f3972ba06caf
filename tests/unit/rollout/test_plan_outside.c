/* An outside cause that stops pods, in whatever phase, is named with its text, is reported once, is never a verdict, and when it is gone
 * the rollout goes on by itself. */
#include "scene.h"

struct cause {
    const char *what;
    enum behaviour pods; /* of the version; GOOD: they are refused, */
    const char *refused; /* like this */
    enum hold hold;
    const char *text; /* part of what is said */
};
static const struct cause causes[] = {
    {"a quota", GOOD, "exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4", HOLD_NOT_CREATED,
     "is forbidden: exceeded quota: q, requested: pods=1"},
    {"PodSecurity", GOOD, "violates PodSecurity restricted:latest: allowPrivilegeEscalation != false",
     HOLD_NOT_CREATED, "violates PodSecurity restricted:latest"},
    {"an admission policy", GOOD, "ValidatingAdmissionPolicy p with binding b denied request: no",
     HOLD_NOT_CREATED, "ValidatingAdmissionPolicy p with binding b denied request"},
    {"a webhook", GOOD, "admission webhook w.example.com denied the request: no", HOLD_NOT_CREATED,
     "admission webhook w.example.com denied the request"},
    {"a webhook that is down", GOOD, "Internal error occurred: failed calling webhook w: connection refused",
     HOLD_NOT_CREATED, "failed calling webhook w"},
    {"a LimitRange", GOOD, "maximum memory usage per Container is 1Gi, but limit is 2Gi", HOLD_NOT_CREATED,
     "maximum memory usage per Container"},
    {"no service account", GOOD, "error looking up service account ns/op: serviceaccount op not found",
     HOLD_NOT_CREATED, "serviceaccount op not found"},
    {"no node", UNSCHEDULABLE, NULL, HOLD_UNSCHEDULABLE, "find no node: no node fits"},
    {"a scheduling gate", GATED, NULL, HOLD_UNSCHEDULABLE, "find no node: SchedulingGated"},
    {"no registry", NO_REGISTRY, NULL, HOLD_IMAGE,
     "cannot get their image: dial tcp 10.0.0.9:443: connect: connection refused"},
    {"no ConfigMap", NO_CONFIG, NULL, HOLD_NOT_STARTED, "cannot be started: configmap settings not found"},
    {"no volume", NO_VOLUME, NULL, HOLD_NOT_STARTED, "cannot be started: ContainerCreating"},
    {"no node any more", NODE_LOST, NULL, HOLD_DISRUPTED,
     "are disrupted: its containers are ready and the Pod is not"},
    {"evictions", EVICTED, NULL, HOLD_DISRUPTED, "one was ended: Evicted: low on memory"},
};

/* Of new pods of version 1, and of the Deployment's own ones too. */
static void strikes(struct model *m, const struct cause *k, bool own) {
    m->behaviour[1] = k->pods;
    m->no_pods = k->refused;
    m->none_at_all = own;
}

static void passes(struct model *m) {
    m->behaviour[1] = GOOD;
    m->no_pods = NULL;
    m->none_at_all = false;
}

/* All pods of it go; what is made anew meets the cause. */
static void lose_pods(struct model *m, bool canary) {
    for (int k = 0; k < MAX_PODS; k++) {
        if (!m->pod[k].there || m->pod[k].ended || m->rs[m->pod[k].rs].canary != canary) continue;
        m->pod[k].terminating = true;
        m->pod[k].left = 1;
    }
}

static int count(const struct model *m, enum hold h) {
    cleanup_free char *word = xasprintf("%s ", hold_name(h));
    int n = 0;
    for (const char *p = m->events; (p = strstr(p, word)); p++) n += p == m->events || p[-1] == ' ';
    return n;
}

static bool flaps(const struct cause *k) {
    return k->pods == EVICTED; /* between two evictions it runs */
}

/* For three times the rollout's deadline, and the promotion's. Held for all the while, named, reported once. */
static void holds(struct model *m, const struct cause *k, enum phase phase) {
    bool named = false;
    m->events[0] = '\0';
    m_run(m, 40);
    for (int i = 0; i < 140; i++) {
        m_run(m, 1);
        const struct state *s = m_s(m);
        bool held = s->phase == phase && s->hold == k->hold;
        if (s->phase != phase || (!held && !flaps(k)))
            fail_msg("%s: %s %s: %s", k->what, phase_name(s->phase), hold_name(s->hold), s->message);
        named = named || (held && strstr(s->message, k->text));
    }
    if (!named) fail_msg("%s is not named: %s", k->what, m_s(m)->message);
    assert_int_equal(m_s(m)->nhistory, 0);
    if (flaps(k)) return;
    cleanup_free char *status = xasprintf("%s (%s): ", phase_name(phase), hold_name(k->hold));
    if (strncmp(m_annotation(m, "status"), status, strlen(status)) != 0 || count(m, k->hold) != 1)
        fail_msg("%s: events %s, status %s", k->what, m->events, m_annotation(m, "status"));
}

static void goes_on(struct model *m) {
    passes(m);
    m_play(m, "until Stable 120|run 3|all 1 2|ended promoted");
    assert_int_equal(m_s(m)->nhistory, 1);
}

/* The deadlines are short, and make a verdict if they may. */
static struct model *begun(void) {
    struct model *m = m_new(1, 2);
    m->deadline_s = 60;
    m_begin(m);
    m_play(m,
           "set canary-percent 50|set on-inconclusive rollback|set deadline 60s|set soak 10s|set quiet 1s");
    return m;
}

CASE(a_canary_that_cannot_start) {
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        if (flaps(&causes[i])) continue; /* it starts */
        cleanup_model struct model *m = begun();
        strikes(m, &causes[i], false);
        m_image(m, 1);
        holds(m, &causes[i], PHASE_STARTING);
        m_play(m, "all 0 2");
        goes_on(m);
    }
}

CASE(a_canary_that_is_lost_while_it_soaks) {
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        cleanup_model struct model *m = begun();
        m_play(m, "set min-events 100000|image 1|until Soaking 20|run 5");
        strikes(m, &causes[i], false);
        if (causes[i].pods != NODE_LOST) lose_pods(m, true);
        holds(m, &causes[i], PHASE_SOAKING);
        m_play(m, "set min-events 10");
        goes_on(m);
    }
}

CASE(a_promotion_that_cannot_go_on) {
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        if (flaps(&causes[i])) continue; /* it goes on between two of them */
        cleanup_model struct model *m = begun();
        m_play(m, "image 1|until Promoting 60");
        strikes(m, &causes[i], true);
        holds(m, &causes[i], PHASE_PROMOTING);
        m_play(m, "own 0 2|message ; the promotion waits"); /* stable serves */
        goes_on(m);
    }
}

/* The canary's pods fill the quota: they make room, as many as are needed, and nothing is rolled back. */
CASE(a_canary_that_fills_the_quota_makes_room) {
    static const struct {
        int replicas, quota, least; /* canary pods that are left at least when the promotion is through */
    } v[] = {{2, 4, 1}, {2, 3, 0}, {4, 8, 3}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_model struct model *m = m_start(v[i].replicas);
        m->quota = v[i].quota;
        m_play(m, "set canary-percent 50|image 1");
        if (v[i].quota < 2 * v[i].replicas) /* not all of the canary fits */
            m_play(m, "run 60|is Starting PodsNotCreated|asked 1|act promote 1");
        m_play(m, "until Promoting 100");
        int least = v[i].replicas, named = 0;
        for (int k = 0; k < 120 && m_phase(m) == PHASE_PROMOTING; k++) {
            m_run(m, 1);
            int canary = m_running(m, 1, true);
            if (m_phase(m) == PHASE_PROMOTING && canary < least) least = canary;
            if (m_phase(m) != PHASE_PROMOTING || m_s(m)->hold != HOLD_NOT_CREATED) continue;
            named++;
            m_play(m, "message exceeded quota: q, requested: pods=1, used: pods=");
            m_play(m, "message ; the promotion waits, and the canary makes room for it");
        }
        if (!named || least != v[i].least)
            fail_msg("case %zu: named %d, %d canary pods left", i, named, least);
        m_play(m, "until Stable 30|run 3|ended promoted");
        m_assert_all(m, 1, v[i].replicas);
    }
}

/* A busy canary pod is not stopped in the middle of something, for `quiet` at most. */
SCENE(room_is_made_in_a_quiet_moment, m_start(2)) {
    m->quota = 4;
    m_play(m, "set canary-percent 50|set quiet 40s|image 1|until Promoting 100");
    m->quiet = QUIET_BUSY;
    m_play(m, "run 45|canary 1 2");
    assert_true(m->edge.probe);
    m_play(m, "run 15|canary 1 1");
    m->quiet = QUIET_NOW;
    m_play(m, "until Stable 60");
}

/* What is the version's own is condemned, whatever else waits: its pods run, and are not ready. */
SCENE(own_trouble_beside_an_outside_cause_counts, m_start(2)) {
    m->quota = 3;
    m_play(m, "set canary-percent 50|never-ready 1|image 1|run 60|is Starting NotReady|until RolledBack 400");
}

/* The time until its pods could start is not the version's: it has all of its own after that, half of the deadline. */
PLAY(its_own_time_begins_when_it_starts, m_start(2),
     "no-volume 1|image 1|run 29|never-ready 1|run 295|is Starting NotReady|until RolledBack 20")

/* So it is in a promotion, which has 60 s. */
PLAY(its_own_time_to_be_promoted_begins_when_it_starts, begun(),
     "asked 1|image 1|until Soaking 30|no-volume 1|act promote 1|until Promoting 2|run 27|phase Promoting|"
     "never-ready 1|run 56|is Promoting|until RolledBack 10|ended stuck")

/* Another cause is news; other numbers, and the name of another pod that was refused, are not. */
SCENE(each_cause_is_reported_once, m_start(2)) {
    m->no_pods = "exceeded quota: q, used: pods=4, memory=4Gi";
    m_play(m, "image 1|run 100");
    assert_int_equal(count(m, HOLD_NOT_CREATED), 1);
    for (int i = 5; i < 9; i++) {
        char text[64];
        snprintf(text, sizeof text, "exceeded quota: q, used: pods=%d, memory=%gGi", i, i / 2.0);
        for (int k = 0; k < MAX_RS; k++) m->rs[k].failure[0] = '\0';
        m->no_pods = text;
        m_run(m, 20);
        assert_non_null(strstr(m_s(m)->message, text));
    }
    assert_int_equal(count(m, HOLD_NOT_CREATED), 1);
    m->no_pods = NULL;
    m_play(m, "unschedulable 1|run 100");
    assert_true(count(m, HOLD_NOT_CREATED) == 1 && count(m, HOLD_UNSCHEDULABLE) == 1);
}

/* A node that is short of something has a taint without that name; the kubelet said it when it evicted. */
SCENE(no_node_after_an_eviction_names_its_reason, begun()) {
    m_play(m, "set min-events 100000|image 1|until Soaking 20|run 5|evicted 1|run 9|unschedulable 1");
    lose_pods(m, true);
    m_play(m, "run 40|is Soaking PodsUnschedulable|"
              "message canary pods find no node since one was ended (Evicted: low on memory): no node fits");
}

/* What its own rollout waits for before it is adopted. */
SCENE(adoption_waits_and_says_for_what, m_new(1, 2)) {
    m->no_pods = "violates PodSecurity restricted:latest";
    m->none_at_all = true;
    m_play(m,
           "run 100|is Idle WaitingForRollout|unpaused|message it does not progress (pods op-0-1|"
           "message violates PodSecurity restricted:latest): kubectl describe deployment/op -n ns|idle 10");
    assert_in_range(count(m, HOLD_ROLLOUT), 1, 2);
    m->no_pods = NULL;
    m_play(m, "until Stable 20|held");
}

/* Stable cannot come back after a promotion that failed: said where that is seen, and the user is free to go on. */
SCENE(a_rollback_that_cannot_restore_stable, m_start(2)) {
    m->recreate = true;
    m_play(m, "asked 1|image 1|until Soaking 30");
    m->no_pods = "exceeded quota: q";
    m->none_at_all = true;
    m_play(m,
           "act promote 1|run 30|is Promoting PodsNotCreated|own 0 0|message ; to go back: handover abort");
    m->events[0] = '\0';
    m_play(m, "act abort 1|run 60|is RolledBack PodsNotCreated|"
              "message of 2 pods of stable exist: pods op-0-1 is forbidden: exceeded quota: q");
    assert_int_equal(count(m, HOLD_NOT_CREATED), 1);
    m->no_pods = NULL;
    m_play(m, "run 10|is RolledBack|all 0 2|idle 10");
}

/* ---- what the API server refuses to Handover itself ---- */

#define DENIED "patch deployments op: 422 Invalid: ValidatingAdmissionPolicy p denied request: no pauses"

/* For three times the deadline. */
static void refused(struct model *m, enum step_kind kind, const char *steps, enum phase phase) {
    m->refuses = DENIED;
    m->refused_kind = kind;
    m->events[0] = '\0';
    m_play(m, steps);
    for (int i = 0; i < 200; i++) {
        m_tick(m);
        m_pass(m);
    }
    if (m_phase(m) != (int)phase || m_s(m)->hold != HOLD_WRITE_REFUSED || count(m, HOLD_WRITE_REFUSED) != 1)
        fail_msg("%s %s: %s; %s", phase_name(m_s(m)->phase), hold_name(m_s(m)->hold), m_s(m)->message,
                 m->events);
    assert_string_equal(m_s(m)->message, "the API server refuses a write: " DENIED);
    int writes = m->writes;
    for (int i = 0; i < 50; i++) m_pass(m);
    assert_true(m->writes - writes <= 1);
    m->refuses = NULL;
}

SCENE(a_pause_that_is_refused, m_new(1, 2)) {
    refused(m, STEP_TARGET, "tick 10", PHASE_ADOPTING);
    m_play(m, "unpaused|no-event Adopted|until Stable 5|event Adopted|held");
}

SCENE(a_canary_that_is_refused, begun()) {
    refused(m, STEP_CANARY, "image 1", PHASE_STARTING);
    goes_on(m);
}

SCENE(a_canary_that_may_not_go_to_zero, begun()) {
    m_play(m, "image 1|until Soaking 30|fails 1");
    refused(m, STEP_RS, "tick 1", PHASE_ROLLING_BACK);
    m_play(m, "until RolledBack 10|all 0 2");
}

SCENE(an_unpause_that_is_refused, begun()) {
    m_play(m, "image 1|until Soaking 30|asked 1|act promote 1");
    refused(m, STEP_TARGET, "tick 1", PHASE_PROMOTING);
    m_play(m, "paused|no-event Promoting");
    goes_on(m);
}

/* A new leader has not tried yet: it neither forgets nor repeats what is known. */
SCENE(a_new_leader_does_not_report_it_again, m_new(1, 2)) {
    m->refuses = DENIED;
    m->refused_kind = STEP_TARGET;
    m_play(m, "tick 10");
    for (int i = 0; i < 20; i++) m_pass(m);
    for (int i = 0; i < 3; i++) {
        m_forget(m);
        for (int k = 0; k < 5; k++) m_pass(m);
    }
    assert_int_equal(count(m, HOLD_WRITE_REFUSED), 1);
    m_play(m, "is Adopting WriteRefused");
}

/* With a claim that may be written to in its template; the plan's Event, or its message. */
static void says_of_claim(struct model *m, bool event, const char *want) {
    struct m_view *v = m_observe(m);
    cleanup_plan struct plan p;
    free(v->target.tmpl);
    v->target.tmpl = xstrdup(
        "{\"spec\":{\"volumes\":[{\"name\":\"d\",\"persistentVolumeClaim\":{\"claimName\":\"cache\"}}]}}");
    plan_make(&v->o, m_now(m), &p);
    const char *said = event ? p.nevents ? p.event[0].message : "" : p.next->message;
    if (want ? !strstr(said, want) : strstr(said, "claim") != NULL) fail_msg("%s", said);
    m_view_free(v);
}

#define SHARED                                                                                               \
    "; the canary mounts stable's claim cache, too: annotation handover.dev/canary-volumes: empty gives it"
SCENE(a_claim_that_the_canary_shares_is_named, begun()) {
    m_play(m, "image 1|tick 1");
    says_of_claim(m, true, SHARED); /* when it begins */
    m_play(m, "no-volume 1|run 40|is Starting PodsNotStarted");
    says_of_claim(m, false, SHARED); /* and where it may be why the pods do not start */
    m_play(m, "no-registry 1|run 40|is Starting ImagePullFailed");
    says_of_claim(m, false, NULL);
    m_play(m, "no-volume 1|set canary-volumes empty|run 40|is Starting PodsNotStarted");
    says_of_claim(m, false, NULL);
}

CASES("rollout/plan_outside")
