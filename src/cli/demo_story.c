/* The demo's story: a good version is promoted, a bad one rolled back, the leader is stopped in the middle of
 * the third. */
#include "demo.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

enum { STEP_LEADER, STEP_ADOPT, STEP_GOOD, STEP_BAD, STEP_STOP, STEPS };
const size_t demo_steps = STEPS;

static const struct {
    const char *title;
    int timeout_s;
} steps[STEPS] = {
    [STEP_LEADER] = {"two instances start, one acquires the Lease", 15},
    [STEP_ADOPT] = {"the operator's Deployment is adopted", 15},
    [STEP_GOOD] = {"image v2: canary at 25 %, then 50 %, then promoted", 40},
    [STEP_BAD] = {"image v3-bad: rolled back, stable pods keep running", 40},
    [STEP_STOP] = {"image v4: the leader stops mid-rollout, its successor finishes", 40},
};

const char *demo_step_title(size_t i) {
    return steps[i].title;
}

void demo_fail(struct demo *d, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->failure, sizeof d->failure, fmt, ap);
    va_end(ap);
    d->failed = d->over = true;
    loop_stop(d->world.loop);
}

/* ---- actions ---- */

static void create_target(struct demo *d) {
    static const char body[] =
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"" DEMO_TARGET
        "\",\"annotations\":{"
        "\"handover.dev/canary-percent\":\"25,50\",\"handover.dev/soak\":\"4s\",\"handover.dev/"
        "max-error-rate\":\"5%\","
        "\"handover.dev/quiet\":\"1s\"}},"
        "\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"" DEMO_TARGET
        "\"}},\"template\":{\"metadata\":{\"labels\":"
        "{\"app\":\"" DEMO_TARGET
        "\"}},\"spec\":{\"containers\":[{\"name\":\"operator\",\"image\":\"example.com/widget:v1\","
        "\"ports\":[{\"name\":\"metrics\",\"containerPort\":8080}]}]}}}}";
    struct kube_spec spec = {.verb = KUBE_CREATE,
                             .lane = LANE_CALL,
                             .ref = {.gvr = &gvr_deployments, .ns = SL(DEMO_NS)},
                             .body = slice_of(body)};
    demo_call(d, &spec, "create the Deployment");
}

static void set_image(struct demo *d, const char *tag) {
    cleanup_free char *body = xasprintf("{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":"
                                        "\"operator\",\"image\":\"example.com/widget:%s\"}]}}}}",
                                        tag);
    struct kube_spec spec = {.verb = KUBE_PATCH_STRATEGIC,
                             .lane = LANE_CALL,
                             .ref = {.gvr = &gvr_deployments, .ns = SL(DEMO_NS), .name = SL(DEMO_TARGET)},
                             .body = slice_of(body)};
    memcpy(d->pods_before, d->pods_now, sizeof d->pods_before);
    d->canary_most = d->canary_pods;
    demo_call(d, &spec, "update the image");
}

static struct demo_instance *leader(struct demo *d, const struct status_report *b) {
    for (size_t i = 0; i < DEMO_INSTANCES; i++)
        if (b->holder && strncmp(b->holder, d->instance[i].name, strlen(d->instance[i].name)) == 0)
            return &d->instance[i];
    return NULL;
}

static void stop_leader(struct demo *d, const struct status_report *b) {
    struct demo_instance *l = leader(d, b);
    if (!l) return;
    snprintf(d->old_leader, sizeof d->old_leader, "%s", l->name);
    demo_line(d, "SIGTERM to the leader, %s", l->name);
    l->stopped = true;
    d->signalled_ns = world_mono_ns(d->world.world);
    child_signal(&l->child, SIGTERM);
    timer_in(d->lease_timer, 0);
}

void demo_lease_poll(struct demo *d) {
    cleanup_buf struct buf text = BUF(1 << 20);
    sim_peek(sim_host_sim(d->host), "leases", DEMO_NS, "handover", &text);
    cleanup_json cJSON *lease = json_parse(buf_slice(&text), NULL);
    const char *holder = json_str_or(json_obj(lease, "spec"), "holderIdentity", "");
    int64_t now = world_mono_ns(d->world.world);
    if (!*holder && !d->free_ns) d->free_ns = now;
    if (*holder && strncmp(holder, d->old_leader, strlen(d->old_leader)) != 0) {
        d->taken_ns = now;
        snprintf(d->new_leader, sizeof d->new_leader, "%.*s", (int)strcspn(holder, "_"), holder);
        if (!d->free_ns) d->free_ns = now; /* it passed between two polls */
        demo_line(d, "%s leads", d->new_leader);
        return;
    }
    timer_in(d->lease_timer, NS_PER_MS);
}

/* ---- what is waited for ---- */

static const struct status_row *row_of(const struct status_report *b) {
    return b->n && b->rows[0].has_state ? &b->rows[0] : NULL;
}

static bool settled(const struct status_row *r, enum phase phase, enum ended ended, const char *tag) {
    const struct state *s = &r->state;
    if (s->phase != phase || !s->nhistory || s->history[0].ended != ended || !s->history[0].image)
        return false;
    const char *colon = strrchr(s->history[0].image, ':');
    return colon && strcmp(colon + 1, tag) == 0;
}

/* A canary was there and is gone, and every pod of stable runs this version. */
static bool in_service(const struct demo *d, const char *tag) {
    return d->canary_most > 0 && d->canary_pods == 0 && d->stable_pods == DEMO_REPLICAS &&
           strcmp(d->stable_tag, tag) == 0;
}

static bool begin(struct demo *d, const struct status_report *b) {
    (void)b;
    switch (d->step) {
    case STEP_ADOPT: create_target(d); break;
    case STEP_GOOD: set_image(d, "v2"); break;
    case STEP_BAD: set_image(d, "v3-bad"); break;
    case STEP_STOP: set_image(d, "v4"); break;
    default: break;
    }
    return true;
}

static bool stable_untouched(struct demo *d) {
    if (strcmp(d->pods_before, d->pods_now) == 0) return true;
    demo_fail(d, "stable pods changed while the bad version was on trial: before %s, after %s",
              d->pods_before, d->pods_now);
    return false;
}

static bool successor_finished(struct demo *d, const struct status_report *b, const struct status_row *r) {
    if (!d->signalled_ns) {
        if (r->state.phase == PHASE_SOAKING) stop_leader(d, b);
        return false;
    }
    for (size_t i = 0; i < DEMO_INSTANCES; i++) /* with exit code 0: check_instances() */
        if (d->instance[i].stopped && !child_ended(&d->instance[i].child)) return false;
    return d->taken_ns && settled(r, PHASE_STABLE, ENDED_PROMOTED, "v4") && in_service(d, "v4");
}

static bool done(struct demo *d, const struct status_report *b) {
    const struct status_row *r = row_of(b);
    int64_t now = world_mono_ns(d->world.world);
    if (d->step == STEP_LEADER) return leader(d, b) != NULL;
    if (!r) return false;
    switch (d->step) {
    case STEP_ADOPT:
        return r->state.phase == PHASE_STABLE && r->paused && r->ready == r->replicas &&
               d->stable_pods == DEMO_REPLICAS;
    case STEP_GOOD:
        if (!d->canary_ns && r->state.phase == PHASE_SOAKING) d->canary_ns = now - d->step_ns;
        return settled(r, PHASE_STABLE, ENDED_PROMOTED, "v2") && in_service(d, "v2") &&
               d->canary_most > 1; /* 50 % of 3 are more pods than 25 % */
    case STEP_BAD:
        if (!settled(r, PHASE_ROLLED_BACK, ENDED_FAILED, "v3-bad") || !in_service(d, "v2")) return false;
        d->rollback_ns = now - d->step_ns;
        return stable_untouched(d);
    case STEP_STOP: return successor_finished(d, b, r);
    default: return false;
    }
}

static void print_phase(struct demo *d, const struct status_report *b) {
    const struct status_row *r = row_of(b);
    char line[sizeof d->last_line];
    if (!r) return;
    snprintf(line, sizeof line, "%s: %s", phase_name(r->state.phase),
             r->state.message ? r->state.message : "");
    if (strcmp(line, d->last_line) == 0) return;
    memcpy(d->last_line, line, sizeof line);
    demo_line(d, "  %s", line);
}

static void check_instances(struct demo *d) {
    for (size_t i = 0; i < DEMO_INSTANCES && !d->over; i++) {
        struct demo_instance *in = &d->instance[i];
        if (in->child.pid && child_ended(&in->child) && (!in->stopped || child_exit_code(&in->child) != 0))
            demo_fail(d, "%s ended with exit code %d; its log is in %s", in->name,
                      child_exit_code(&in->child), d->dir);
    }
}

void demo_story_step(struct demo *d, const struct status_report *b) {
    int64_t now = world_mono_ns(d->world.world);
    check_instances(d);
    print_phase(d, b);
    if (d->over) return;
    if (!d->begun) {
        demo_line(d, "%zu. %s", d->step + 1, steps[d->step].title);
        d->step_ns = now;
        d->begun = begin(d, b);
        return;
    }
    if (done(d, b)) {
        d->took_ns[d->step] = now - d->step_ns;
        d->begun = false;
        if (++d->step == STEPS) {
            d->over = true;
            loop_stop(d->world.loop);
        }
    } else if (!d->over && now - d->step_ns > steps[d->step].timeout_s * NS_PER_S) {
        demo_fail(d, "\"%s\" did not happen within %d s; last seen: %s", steps[d->step].title,
                  steps[d->step].timeout_s, d->last_line);
    }
}
