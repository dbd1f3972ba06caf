/* What the readers of the several kinds share. */
#ifndef ROLLOUT_OBSERVE_IMPL_H
#define ROLLOUT_OBSERVE_IMPL_H
#include "observe/objects.h"

int64_t observe_created(const cJSON *obj);                   /* wall clock ns; 0 when it is not given */
void observe_template_label(const cJSON *obj, char ret[11]); /* "" when it is not there, or not ours */
/* crashes and what belongs to them; restarts. */
void observe_pod_ends(const cJSON *pod, struct obs_pod *p);
/* cause, no_image, started_ns, ended_ns; trouble where it says more. Needs scheduled, ready, finished, terminating. */
void observe_pod_cause(const cJSON *pod, struct obs_pod *p);
#endif
