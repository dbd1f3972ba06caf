/* A person's word about a rollout: the annotation that says it is set, with the hash of the template that the Deployment has, and
 * it is waited for until Handover has carried it out. */
#ifndef CLI_ACTION_H
#define CLI_ACTION_H
#include "status_report.h"

/* Does the word apply to the target as it is? Else err says in which phase it is and which words do. digest: of the report that an
 * approval is about; NULL: the present one's. Pure. */
bool action_applies(const struct status_row *r, enum spec_action a, const char *digest, struct err *err);
/* Its value for this moment: another moment is another request, even for the same template, or for the same report. free() */
char *action_value(const struct status_row *r, enum spec_action a, int64_t now_wall_ns);
enum action_outcome {
    ACTION_WAITING,  /* not carried out yet */
    ACTION_ACCEPTED, /* and it has had its effect */
    ACTION_REFUSED,  /* it was too late: the phase, or the report, was another one by then */
};
/* before_ns: began_ns of the rollout that the word is about. Pure. */
enum action_outcome action_outcome(const struct status_row *r, enum spec_action a, const char *value,
                                   int64_t before_ns);

struct action_spec {
    struct status_spec status; /* with the target's name */
    enum spec_action action;
    const char *digest;  /* of an approval; NULL: of the present report */
    int64_t timeout_ns;  /* how long it is waited for */
    const char *manager; /* field manager, by which the Event and the history name who said it */
};
struct action_run;
/* err NULL: carried out; r is valid during the callback. r may also be there with an err: as it is. */
typedef void (*action_done)(void *ctx, const struct err *err, const struct status_report *r);
/* It applies, and is about to be said, for the first time: what it is about can be shown. */
typedef void (*action_shown)(void *ctx, const struct status_row *r);
/* Exactly one done, never inside this call; then action_end(). shown: NULL, or before it. */
struct action_run *action_start(struct kube *k, const struct action_spec *spec, action_shown shown,
                                action_done done, void *ctx);
void action_end(struct action_run *a);
#endif
