/* Random schedules: users, other controllers, crashes, lost answers and races at every moment. Whatever
 * happened: stable was never stopped by us, nothing was let loose without a verdict or a person, and once the
 * world is calm it comes to an end. Each seed is a schedule; HANDOVER_SCHEDULES=N runs more of them. */
#include "scene.h"
#include <math.h>

static void user_image(struct model *m) {
    static const int likely[] = {0, 1, 1, 2, 3, 4, 5, 6, 7, 8};
    m_image(m, likely[rng_below(&m->rng, ARRAY_LEN(likely))]);
}
static void user_scale(struct model *m) {
    m_scale(m, (int)rng_below(&m->rng, 6));
}
static void user_unpauses(struct model *m) {
    m->asked[m->version] = true; /* as good as asking: it may be in service before we can undo it */
    m_user_paused(m, false);
}
static void user_replaces(struct model *m) {
    m_play(m, "replace");
    m->deadline_s = 60;
    m->asked[m->version] = true;
}
static void user_steps(struct model *m) {
    static const char *const v[] = {"10", "50", "5,20,50", "100"};
    if (m_annotation(m, "canary-percent")) m_annotate(m, "canary-percent", v[rng_below(&m->rng, 4)]);
}
static void user_acts(struct model *m) {
    static const char *const v[] = {"promote", "pause", "resume", "abort", "retry", "release"};
    size_t a = rng_below(&m->rng, ARRAY_LEN(v));
    int version = rng_below(&m->rng, 4) ? m->version : (int)rng_below(&m->rng, 4);
    if (a == 0 || a == 5) m->asked[version] = true;
    char value[64];
    snprintf(value, sizeof value, "%s@%d", m->hash[version], (int)rng_below(&m->rng, 3));
    m_annotate(m, v[a], value);
}
/* What no reader may stumble over: empty, blank, control characters, no UTF-8, long. */
static char *hostile_text(struct model *m) {
    static const char *const v[] = {"", " ", "@", "\"\\", "\x01\x02\x1b[31m", "\xff\xc3", "{\"a\":[", "0"};
    if (rng_below(&m->rng, 3)) return xstrdup(v[rng_below(&m->rng, ARRAY_LEN(v))]);
    size_t n = rng_below(&m->rng, 5000);
    char *text = xmalloc(n + 1);
    for (size_t i = 0; i < n; i++) text[i] = (char)(1 + rng_below(&m->rng, 255));
    text[n] = '\0';
    return text;
}
static void user_annotates_anything(struct model *m) {
    static const char *const v[] = {"promote", "pause", "resume", "abort",          "retry",   "approve",
                                    "release", "soak",  "status", "max-error-rate", "rehearse"};
    cleanup_free char *text = hostile_text(m);
    m_annotate(m, v[rng_below(&m->rng, ARRAY_LEN(v))], text);
}
static void hostile_world(struct model *m) {
    static const double started[] = {0, -1, 1.7e9, 1e308, INFINITY, NAN};
    static char text[6000];
    cleanup_free char *fresh = hostile_text(m);
    snprintf(text, sizeof text, "%s", fresh);
    m->hostile = rng_below(&m->rng, 2) ? text : NULL;
    m->started_s = started[rng_below(&m->rng, ARRAY_LEN(started))];
}
static void delete_some_rs(struct model *m, bool canary) {
    for (int i = 0; i < MAX_RS; i++) {
        if (!m->rs[i].there || m->rs[i].canary != canary || rng_below(&m->rng, 2)) continue;
        m->rs[i].there = false;
        m_collect(m);
        return;
    }
}
static void objects_change(struct model *m) {
    int i = (int)rng_below(&m->rng, MAX_OBJECTS);
    struct mobject *o = &m->object[i];
    switch (rng_below(&m->rng, 5)) {
    case 0: o->there = false; break;
    case 1: o->never = !o->never, o->rv++; break;
    case 2: o->first = !o->first, o->rv++; break;
    case 3: o->rv++; break; /* a status */
    default: m_add_object(m);
    }
}
static void user_changes_mode(struct model *m) {
    m->by_objects = !m->by_objects;
    m_annotate(m, "mode", m->by_objects ? "objects" : "replicas");
    m_annotate(m, "objects", m->by_objects ? "widgets.v1.example.com" : NULL);
}
static void user_deletes_canary(struct model *m) {
    delete_some_rs(m, true);
}
static void user_deletes_rs(struct model *m) {
    if (rng_below(&m->rng, 4) == 0) delete_some_rs(m, false);
}
static void user_deletes_state(struct model *m) {
    if (rng_below(&m->rng, 4) || !m->state || strstr(m->state, "\"slice\":")) return; /* its finalizer */
    /* The quarantine that only the state knew is lost with it, so a version may be judged again, and so on.
     */
    free(m->facts);
    free(m->state);
    m->facts = m->state = NULL;
}
static void rehearsals_find(struct model *m) {
    m->finds[REPORT_RESTARTS] = rng_below(&m->rng, 2);
    m->mute = rng_below(&m->rng, 3) == 0;
    m->no_template = rng_below(&m->rng, 4) == 0;
    if (m->edge.held && m->edge.s.rehearsal.digest[0]) m_annotate(m, "approve", m->edge.s.rehearsal.digest);
}
static void world_changes(struct model *m) {
    switch (rng_below(&m->rng, 4)) {
    case 0: m->outage = !m->outage; break;
    case 1: m->no_pods = m->no_pods ? NULL : "exceeded quota"; break;
    case 2: m->quiet = (enum quiet)rng_below(&m->rng, 3); break;
    default: m->recreate = !m->recreate;
    }
}

/* Each as likely as its weight says: a function, or one of the steps. */
static const struct {
    unsigned weight;
    void (*fn)(struct model *m);
    const char *steps[4];
} happenings[] = {
    {3, user_image, {NULL}},
    {1, user_scale, {NULL}},
    {1, user_unpauses, {NULL}},
    {1, NULL, {"pause"}},
    {1, user_replaces, {NULL}},
    {1, NULL, {"set soak 5s", "set soak 10s", "set soak soon", "set soak 3s"}},
    {1, user_steps, {NULL}},
    {1, NULL, {"unset canary-percent"}},
    {2, NULL, {"set canary-percent 25"}},
    {2, NULL, {"set rehearse 10s", "set rehearse 15s", "set max-changes restarts=0", "unset rehearse"}},
    {1, rehearsals_find, {NULL}},
    {1, NULL, {"set on-inconclusive pause", "set on-inconclusive rollback"}},
    {1, NULL, {"set rollback-window 0", "set rollback-window 1", "set rollback-window 3"}},
    {3, user_acts, {NULL}},
    {2, user_annotates_anything, {NULL}},
    {1, hostile_world, {NULL}},
    {1, user_deletes_canary, {NULL}},
    {1, user_deletes_rs, {NULL}},
    {1, user_deletes_state, {NULL}},
    {1, NULL, {"policy", "no-policy"}},
    {1, NULL, {"notation", "notation", "leaves-with 0", "leaves-with 1"}},
    {4, world_changes, {NULL}},
};

static void happen(struct model *m) {
    if (m->objects_come && rng_below(&m->rng, 3) == 0) {
        if (rng_below(&m->rng, 12))
            objects_change(m);
        else
            user_changes_mode(m);
        return;
    }
    size_t i = 0, n = 0;
    for (uint64_t k = rng_below(&m->rng, 32); k >= happenings[i].weight; i++) k -= happenings[i].weight;
    while (n < 4 && happenings[i].steps[n]) n++;
    if (happenings[i].fn)
        happenings[i].fn(m);
    else
        m_play(m, happenings[i].steps[rng_below(&m->rng, n)]);
    m->moved = true;
}

static bool between(struct model *m, bool after) {
    switch (rng_below(&m->rng, 60)) {
    case 0:
        m_deployment_controller(m);
        m->moved = true;
        return true;
    case 1:
        m_tick(m);
        m->moved = true;
        return true;
    case 2: happen(m); return true;
    case 3: m_forget(m); return false; /* dies */
    case 4: return !after;             /* the answer is lost */
    default: return true;
    }
}

static bool opted_in(const struct model *m) {
    return m_annotation(m, "canary-percent") != NULL;
}

/* Why it is right to stand still here; NULL: it is not. */
static const char *at_rest(struct model *m) {
    if (!m->state) return opted_in(m) ? NULL : "left";
    const struct state *s = m_s(m);
    bool trial = state_on_trial(s);
    if (s->hold == HOLD_NO_ACTIVE) return "alarm";
    if (s->phase == PHASE_STABLE && (s->hold == HOLD_NONE || s->hold == HOLD_UNMANAGED))
        return s->hold == HOLD_NONE ? "stable" : NULL;
    if (s->phase == PHASE_STABLE && s->hold == HOLD_USER_PAUSED && m->policy) return "paused by a user";
    if (s->phase == PHASE_ROLLED_BACK && s->hold == HOLD_NONE) return "rolled back";
    if (s->phase == PHASE_IDLE && (s->hold == HOLD_ROLLOUT || s->hold == HOLD_USER_PAUSED)) return "idle";
    if (trial && (s->hold == HOLD_INCONCLUSIVE || s->hold == HOLD_SHARED)) return "inconclusive";
    if (trial && m->by_objects && s->hold == HOLD_NO_DATA) return "no objects";
    if (trial && m->elects && s->hold == HOLD_CONFLICT) return "does not come to lead";
    bool no_node = s->hold == HOLD_UNSCHEDULABLE && m->behaviour[m->version] == UNSCHEDULABLE;
    if ((trial || s->phase == PHASE_PROMOTING) && no_node) return "kept away";
    if (s->phase == PHASE_PROMOTING && (s->hold == HOLD_USER_PAUSED || s->hold == HOLD_STUCK))
        return "promotion held";
    if (s->phase == PHASE_RELEASING && s->hold == HOLD_REFUSED) return "leaving refused";
    return NULL;
}

static void check_rest(struct model *m, const char *rest) {
    bool held = !strcmp(rest, "stable") || !strcmp(rest, "rolled back");
    if (!strcmp(rest, "left")) {
        if (m->deadline_s == 2147483647 || m_annotation(m, "status") || m_annotation(m, "held"))
            fail_msg("left, but something of ours is left");
        for (int i = 0; i < MAX_RS; i++) assert_false(m->rs[i].there && m->rs[i].canary);
    }
    if (!held) return;
    const struct state *s = m_s(m);
    bool open = m->policy && !strcmp(rest, "stable");
    if (m->paused == open)
        fail_msg("%s at rest%s", m->paused ? "paused" : "not paused", m->policy ? " under the policy" : "");
    bool mark = m_annotation(m, "held"), stays = !strcmp(rest, "rolled back") && !m->policy;
    if (!stays && mark != (m->policy && !open)) fail_msg("marked: %d, by the policy: %d", mark, m->policy);
    if (open && m->deadline_s == 2147483647) fail_msg("the deadline is not the user's at rest");
    if (m_active(m) != 1) fail_msg("%d active ReplicaSets at rest", m_active(m));
    int canaries = 0, stable = -1;
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && m->rs[i].canary) canaries += m->rs[i].replicas;
        if (m->rs[i].there && m->rs[i].replicas && !m->rs[i].canary) stable = i;
    }
    if (canaries) fail_msg("a canary, or a rehearsal, runs at rest");
    if (strcmp(m->rs[stable].uid, s->stable_uid))
        fail_msg("%s runs, but %s is stable", m->rs[stable].name, s->stable_name);
    if (m->rs[stable].replicas != m->replicas)
        fail_msg("%d of %d replicas", m->rs[stable].replicas, m->replicas);
    if (!strcmp(rest, "stable") && m->rs[stable].version != m->version)
        fail_msg("at rest with a template that is not stable's");
}

static const char *calm(struct model *m) {
    m->between = NULL;
    m_up_to_date(m);
    m->outage = false;
    m->no_pods = NULL;
    m->mute = false;
    m_annotate(m, "max-changes", NULL);
    const char *rehearse = m_annotation(m, "rehearse");
    if (rehearse && strcmp(rehearse, "10s") != 0) m_annotate(m, "rehearse", "15s");
    m->quiet = QUIET_NOW;
    m->hostile = NULL;
    m_annotate(m, "max-error-rate", "10%");
    if (m->replicas == 0) m_scale(m, 2);
    if (opted_in(m)) m_annotate(m, "soak", "5s");
    char value[64];
    snprintf(value, sizeof value, "%s@end", m->hash[m->version]);
    m_annotate(m, "resume", value);
    const char *rest = NULL;
    int still = 0;
    for (int i = 0; i < 900 && still < 12; i++) {
        m_run(m, 1);
        rest = at_rest(m);
        still = rest ? still + 1 : 0;
    }
    return still >= 12 ? rest : NULL;
}

/* At zero by our doing: no longer than it takes stable's pods to end and a standby to take their Lease, and a crash or two. */
static void check_zero(const struct model *m, int *at_zero) {
    *at_zero = m->replicas == 0 && m_annotation(m, "replicas") ? *at_zero + 1 : 0;
    if (*at_zero > 120) fail_msg("at zero for %d s: %s", *at_zero, m->state ? m->state : "no state");
}

/* The users' number is back, and nothing says that it is not. */
static void check_replicas(const struct model *m) {
    if (m->users > 0 && m->replicas != m->users)
        fail_msg("%d replicas, and a user wants %d", m->replicas, m->users);
    if (m_annotation(m, "replicas")) fail_msg("annotation replicas is left");
}

/* At rest everything is stable's; where a user is waited for, nothing is on its way. */
static void check_labels(struct model *m, const char *rest) {
    bool trial = m->state && state_on_trial(m_s(m));
    if (m_owned(m, OWNER_NONE)) fail_msg("%d objects have no owner: %s", m_owned(m, OWNER_NONE), rest);
    if (!trial && m_owned(m, OWNER_CANARY) && strcmp(rest, "promotion held"))
        fail_msg("%d objects are labelled: %s", m_owned(m, OWNER_CANARY), rest);
}

enum kind { PLAIN, ELECTS, BY_OBJECTS };
static void schedule(uint64_t seed, enum kind kind, int *ret_steps) {
    bool elects = kind == ELECTS;
    static const enum behaviour behaviour[VERSIONS] = {GOOD,   GOOD,    FAILS,         CRASHES,  NEVER_READY,
                                                       SILENT, STANDBY, UNSCHEDULABLE, NO_IMAGE, GOOD};
    /* All of these start, so that stable can come back. */
    static const enum behaviour electing[VERSIONS] = {GOOD,   GOOD,        FAILS, GOOD, NEVER_LEADS,
                                                      SILENT, NEVER_LEADS, FAILS, GOOD, GOOD};
    cleanup_model struct model *m =
        kind == BY_OBJECTS ? m_by_objects(seed, (int)(seed % MAX_OBJECTS)) : m_new(seed, 1 + (int)(seed % 4));
    m->objects_come = kind == BY_OBJECTS;
    m->direct = true;
    m->elects = elects;
    m->users = m->replicas;
    m->deadline_s = 60;
    m->history = seed % 4 < 2 ? (int)(seed % 4) : 10;
    memcpy(m->behaviour, elects ? electing : behaviour, sizeof behaviour);
    m_annotate(m, "soak", "5s");
    m_annotate(m, "deadline", elects ? "300s" : "60s");
    m_annotate(m, "quiet", "3s");
    if (seed % 3 == 0) m_annotate(m, "rollback-window", "2");
    m->between = between;
    m->lag = 2 + (unsigned)seed % 11;
    if (seed % 5 < 2) m_install(m, true);
    if (seed % 2) m_see(m, SEEN_ALL); /* informers that lag */
    int pace = 3 + (int)rng_below(&m->rng, 30);
    for (int i = 0, at_zero = 0; i < (elects ? 400 : 150); i++) {
        m_tick(m);
        check_zero(m, &at_zero);
        for (int k = 0; k < 12 && m_pass(m); k++) continue;
        if (rng_below(&m->rng, (uint64_t)pace) == 0) happen(m);
    }
    const char *rest = calm(m);
    if (!rest) {
        fail_msg("no rest: %s %s: %s; version %d, %s, replicas %d",
                 m->state ? phase_name(m_s(m)->phase) : "none", m->state ? hold_name(m_s(m)->hold) : "",
                 m->state && m_s(m)->message ? m_s(m)->message : "", m->version,
                 m->paused ? "paused" : "not paused", m->replicas);
    }
    check_rest(m, rest);
    if (elects) check_replicas(m);
    if (kind == BY_OBJECTS) check_labels(m, rest);
    if (getenv("HANDOVER_VERBOSE")) printf("REST %s | %s\n", rest, m->events);
    *ret_steps += m->steps;
}

static void schedules(enum kind kind, uint64_t usual) {
    const char *more = getenv("HANDOVER_SCHEDULES"), *only = getenv("HANDOVER_SEED");
    uint64_t n = more ? strtoull(more, NULL, 10) : usual;
    int steps = 0;
    for (uint64_t seed = only ? strtoull(only, NULL, 10) : 1; seed <= n; seed++) {
        fprintf(stderr, "\rseed %llu ",
                (unsigned long long)seed); /* the last one printed is the one that failed */
        schedule(seed, kind, &steps);
        if (only) break;
    }
    fprintf(stderr, "\n");
    print_message("%llu schedules, %d steps carried out\n", (unsigned long long)n, steps);
}

CASE(random_schedules) {
    schedules(PLAIN, 250);
}
CASE(random_schedules_of_an_operator_that_elects) {
    schedules(ELECTS, 120);
}
CASE(random_schedules_of_objects) {
    schedules(BY_OBJECTS, 60);
}

CASES("rollout/plan_random")
