/* One rehearsal on the command line: the proxy, the operator behind it, how long, and what it comes to. */
#ifndef CLI_REHEARSE_H
#define CLI_REHEARSE_H
#include "common.h"
#include "rehearse/proxy.h"
#include "rehearse/report.h"

enum { REHEARSE_GROUPS = 256 };
#define REHEARSE_SETTLE_NS (2 * NS_PER_S) /* so long mutations wait before a last report */
struct rehearse_options {
    int64_t for_ns, quiet_ns; /* 0: no end */
    const char *listen;       /* NULL: any port of 127.0.0.1 */
    const char *control;      /* a report; NULL: none */
    const char *local_groups[REHEARSE_GROUPS + 1];
    const char *sidecar; /* a folder for what leads the pod's other containers here; NULL: none */
    const char *report;  /* where the report is served; NULL: nowhere */
    bool json;
    char **argv; /* NULL-terminated; argv[0] NULL: no program */
};
/* The exit code. */
int rehearse_run(struct cli_world *w, struct cli_session *s, const struct rehearse_options *o);

/* What the proxy has come to since from_wall_ns; report_free(). */
struct report *rehearse_report(struct world *w, struct proxy *p, int64_t from_wall_ns);

/* Beside an operator in its pod. Writes ca.crt, token and namespace into the folder, as an account's volume has them, for the other containers; and
 * serves /readyz, /metrics, and /report?key=KEY to who knows $HANDOVER_REHEARSAL_KEY; with &settled=true behind the key, when what was written has had
 * the time to come about live. */
struct rehearse_sidecar;
int rehearse_sidecar_start(struct cli_world *w, const struct cli_session *session, struct proxy *p,
                           const struct rehearse_options *o, struct rehearse_sidecar **ret, struct err *err);
void rehearse_sidecar_stop(struct rehearse_sidecar *s); /* NULL is fine */
#endif
