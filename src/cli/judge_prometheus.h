/* Asks a Prometheus server for the history that `handover judge --from-prometheus` replays. */
#ifndef CLI_JUDGE_PROMETHEUS_H
#define CLI_JUDGE_PROMETHEUS_H
#include "common.h"
#include "judge_history.h"

struct prometheus_source {
    const char *url;            /* of the server, without a slash at its end */
    const char *ca, *token;     /* files; NULL: the system's certificates, no token */
    const char *query, *errors; /* errors NULL: those of query with result="error" */
    int64_t start_ns, end_ns, step_ns;
};
/* Runs the loop until the answers are there. judge_history_free() in any case. Errors are those of the transport, of the files
 * (ERR_CONFIG), and of judge_history_add(). */
int judge_prometheus(struct cli_world *w, const struct prometheus_source *s, struct judge_history *ret,
                     struct err *err);
#endif
