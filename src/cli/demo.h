/* The demo's inside: an embedded API server in this process, two real `handover run` processes, and a story
 * that is carried out and checked step by step. */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H
#include "status_report.h"
#include "child.h"
#include "common.h"
#include "sim/host.h"

enum { DEMO_INSTANCES = 2, DEMO_REPLICAS = 3 };
#define DEMO_NS     "demo"
#define DEMO_TARGET "widget-operator"

struct demo_instance {
    char name[32];
    struct child child;
    bool stopped; /* by the story */
};
struct demo {
    struct cli_world world;
    struct table_style style;
    bool keep_logs;
    char *program; /* handover */
    char dir[64];  /* the instances' logs */
    struct sim_host *host;
    struct kube_config *config;
    struct metrics *metrics;
    struct kube *kube;
    struct demo_instance instance[DEMO_INSTANCES];
    struct timer *poll_timer, *lease_timer, *stop_timer;
    int64_t stopping_ns;
    struct status_poll *poll;
    struct kube_op *op, *pods_op;
    const char *op_what;              /* what op is to do, for the message when it fails */
    struct status_report poll_report; /* borrowed from the poll under way */
    struct status_spec status_spec;

    size_t step; /* of the story */
    bool begun;
    int64_t start_ns, step_ns; /* mono */
    char pods_before[4096];    /* uids and restarts of the stable pods */
    char pods_now[4096];
    /* the pods themselves, as the API server has them: the story does not rest on the status alone */
    size_t stable_pods, canary_pods;
    char stable_tag[32]; /* of the image that all of stable's pods run; "several" if they differ */
    size_t canary_most;  /* the largest canary of the step */
    char last_line[256];

    /* what was measured */
    int64_t took_ns[8];                      /* each step */
    int64_t canary_ns;                       /* image update to the canary's first pod */
    int64_t rollback_ns;                     /* image update of the bad version to the canary at zero */
    int64_t signalled_ns, free_ns, taken_ns; /* mono: SIGTERM, the lease was released, the other one has it */
    char old_leader[64], new_leader[64];
    char failure[512];
    bool over, failed;
};

/* demo_story.c */
extern const size_t demo_steps;
const char *demo_step_title(size_t i);
/* Advances the story as far as the report allows. */
void demo_story_step(struct demo *d, const struct status_report *b);
void demo_fail(struct demo *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void demo_lease_poll(struct demo *d); /* every millisecond while leadership passes */
/* demo_screen.c */
void demo_draw(struct demo *d, const struct status_report *b);
void demo_line(struct demo *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))); /* plain output only */
void demo_summary(struct demo *d);
/* demo.c */
/* A failure fails the demo, with "to WHAT: " before the reason; what lives as long as the demo. */
void demo_call(struct demo *d, const struct kube_spec *spec, const char *what);
#endif
