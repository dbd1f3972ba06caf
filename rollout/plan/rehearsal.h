/* The pods of a rehearsal: a template as it is, but for what puts Handover's own container between its containers and the API server
 * (docs/rehearsal.md). Pure. */
#ifndef ROLLOUT_REHEARSAL_H
#define ROLLOUT_REHEARSAL_H
#include "base/buf.h"
#include "observe/objects.h"

/* Native sidecars: the first release that has them without a feature gate. */
enum { REHEARSAL_MINOR = 29 };
enum { REHEARSAL_PORT = 26443, REHEARSAL_REPORT_PORT = 26444 };
struct rehearsal_pod {
    enum rehearsed of;
    const char *hash;   /* of the new version's template, also for the control */
    const char *tmpl;   /* JSON text, which has passed json_raw_check() */
    const char *claims; /* names of a StatefulSet's volumeClaimTemplates, a JSON array; NULL: none */
    const char *image;  /* of Handover itself */
    const char *groups; /* API groups that honour dry runs beside Kubernetes' own, one a line; NULL: none */
    const char *key;    /* who knows it may read the report */
};
/* NAME-rehearsal-HASH, NAME-rehearsal-control-HASH; free() */
char *rehearsal_name(const char *id, enum rehearsed of, const char *hash);
/* The template's text for a rehearsal, every byte as it was but for: labels; the sidecar, before all other containers; the credentials,
 * which are the sidecar's in all others; volumes with claims, which are empty; readiness gates. -EINVAL (ERR_CONFIG): it cannot be rehearsed. */
int rehearsal_template(const struct rehearsal_pod *p, struct buf *out, struct err *err);
/* The ReplicaSet with one pod, as JSON text. -EINVAL (ERR_CONFIG): also if the target's selector matches what must not be the target's. */
int rehearsal_manifest(const struct obs_target *t, const struct rehearsal_pod *p, struct buf *out,
                       struct err *err);
#endif
