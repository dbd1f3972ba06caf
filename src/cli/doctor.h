/* Is everything there that Handover needs? Rights, the API server, the Lease, each target's annotations and metrics. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H
#include "status_report.h"

enum doctor_grade { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };
enum { DOCTOR_TARGETS = 50 /* whose metrics are looked at */, DOCTOR_LINES = 10000 };
const char *doctor_grade_name(enum doctor_grade g); /* "ok", "warn", "FAIL" */

struct doctor_line {
    enum doctor_grade grade;
    char *what;  /* "rights", "server", "policy", "lease", "annotations", "metrics", "state" */
    char *about; /* the object that it is about; NULL: none */
    char *text;
};
struct doctor_report {
    struct doctor_line *v;
    size_t n, cap;
};
void doctor_add(struct doctor_report *r, enum doctor_grade grade, const char *what, const char *about,
                const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void doctor_report_free(struct doctor_report *r);
enum doctor_grade doctor_worst(const struct doctor_report *r);

/* What `handover run` sends, as deploy/manifests/10-rbac.yaml grants it (tests/docs.sh compares them). */
struct doctor_right {
    const char *group, *resource, *verbs; /* verbs: between commas */
    const char *name; /* this object alone; NULL: any. "handover" stands for --lease-name */
    bool own;         /* in the Lease's namespace; else where the targets are */
    bool optional;    /* without it something is done in another way */
};
extern const struct doctor_right doctor_rights[];
extern const size_t doctor_nrights;
/* The body of a SelfSubjectAccessReview. ns NULL: all namespaces. */
void doctor_review(const struct doctor_right *r, struct slice verb, const char *ns, const char *name,
                   struct buf *out);
/* 1: allowed; 0: not, and why; -1: the answer is not understood. */
int doctor_allowed(struct slice answer, struct buf *why);

/* Pure: of /version, of the group version's list of resources, of the Lease. */
void doctor_version(struct doctor_report *r, struct slice answer);
void doctor_policy(struct doctor_report *r, const struct err *err, struct slice answer);
void doctor_lease(struct doctor_report *r, const struct status_report *s, const struct status_spec *spec,
                  int64_t now_wall_ns);
/* Of every Deployment that bears an annotation of ours, opted in or not. */
void doctor_annotations(struct doctor_report *r, const char *ns, const char *name, const cJSON *annotations);

struct doctor_spec {
    struct status_spec status; /* ns NULL: all namespaces; name: this target alone */
};
struct doctor;
typedef void (*doctor_done)(void *ctx, const struct doctor_report *r);
/* Exactly one callback, never inside this call; then doctor_end(). */
struct doctor *doctor_start(struct kube *k, const struct doctor_spec *spec, doctor_done done, void *ctx);
void doctor_end(struct doctor *d);
#endif
