/* What the readers of the several kinds share. */
#ifndef ROLLOUT_OBSERVE_IMPL_H
#define ROLLOUT_OBSERVE_IMPL_H
#include "observe/objects.h"

/* The moment obj[key], wall clock ns. False and 0 when it is absent or no RFC 3339 time. */
bool observe_time(const cJSON *obj, const char *key, int64_t *ret);
int64_t observe_created(const cJSON *obj);                   /* wall clock ns; 0 when it is not given */
void observe_template_label(const cJSON *obj, char ret[11]); /* "" when it is not there, or not ours */
/* Is text (not NULL) one of the given strings? */
#define OBSERVE_IS(text, ...)                                                                                \
    observe_one_of(text, (const char *const[]){__VA_ARGS__},                                                 \
                   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
bool observe_one_of(const char *text, const char *const *list, size_t n);
/* A message for people, of at most OBSERVE_TEXT bytes: of a longer one the beginning and the end, where programs put what went wrong.
 * Owned by the caller; NULL when there is none. */
enum { OBSERVE_TEXT = 300 };
char *observe_text(const char *text);
/* crashes and what belongs to them; restarts; died_ns. */
void observe_pod_ends(const cJSON *pod, struct obs_pod *p);
/* Is this container's status that of ours in a rehearsal? Then sidecar and sidecar_restarts are read from it. */
bool observe_rehearsal_sidecar(const cJSON *status, struct obs_pod *p);
/* cause, no_image, started_ns, ended_ns; trouble where it says more. Needs scheduled, ready, finished, terminating. */
void observe_pod_cause(const cJSON *pod, struct obs_pod *p);
#endif
