/* Lets a target go: the annotation that opts it in is taken away, and it is waited for until Handover has given back what it changed. */
#ifndef CLI_RELEASE_H
#define CLI_RELEASE_H
#include "status_report.h"

enum release_outcome {
    RELEASE_WAITING,
    RELEASE_DONE,       /* nothing of Handover's is left on it */
    RELEASE_REFUSED,    /* it would ship a version that is not in service */
    RELEASE_TAKEN_BACK, /* the annotation is there again: a manifest has it */
};
/* r: of the target by name, after the annotation was taken away. Pure. */
enum release_outcome release_outcome(const struct status_row *r, bool forced);
/* The merge patch. force: also the user command that ships what spec says; value: of action_value(). */
void release_patch(const struct status_row *r, const char *force, struct buf *out);

struct release_spec {
    struct status_spec status; /* with the target's name */
    bool force;
    int64_t timeout_ns;
    const char *manager; /* field manager */
};
struct release_run;
typedef void (*release_done)(void *ctx, const struct err *err); /* err NULL: it is released */
/* Exactly one callback, never inside this call; then release_end(). */
struct release_run *release_start(struct kube *k, const struct release_spec *spec, release_done done,
                                  void *ctx);
void release_end(struct release_run *r);
#endif
