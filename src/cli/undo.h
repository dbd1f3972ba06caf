/* handover undo: a former template is written into spec.template again, as text, from the ReplicaSet that has it: kubectl's undo is
 * refused while the Deployment is paused. */
#ifndef CLI_UNDO_H
#define CLI_UNDO_H
#include "status_report.h"

/* A template that one of the Deployment's own ReplicaSets has. */
struct undo_version {
    char *rs, *image, *tmpl; /* tmpl: its text, without the label pod-template-hash */
    char hash[11];
    int64_t revision; /* deployment.kubernetes.io/revision */
};
enum { UNDO_VERSIONS = 100 };
struct undo_versions {
    struct undo_version v[UNDO_VERSIONS];
    size_t n;
};
/* Takes a ReplicaSet of the namespace, if it is the target's own. raw: its text, which obj was parsed from. */
int undo_take(struct undo_versions *all, const struct obs_target *t, struct slice raw, const cJSON *obj,
              struct err *err);
void undo_versions_free(struct undo_versions *all);

/* Is there anything to go back from, as the target is? Else err says why not. to_hash NULL: the former one. Pure. */
bool undo_applies(const struct status_row *r, const char *to_hash, struct err *err);
/* Which one: the one in service while another template waits, is on trial or was rolled back; else the newest before it that was not
 * rolled back. err: there is none, and which there are. Pure. */
const struct undo_version *undo_choose(const struct status_row *r, struct undo_versions *all,
                                       const char *to_hash, struct err *err);
/* The JSON patch, refused unless the Deployment is as it was read. promote: the value of that annotation; NULL: none. Pure. */
void undo_patch(const struct status_row *r, const struct undo_version *v, const char *promote,
                struct buf *out);
/* Has Handover taken it up? Pure. */
bool undo_taken_up(const struct status_row *r, const char *hash);

struct undo_spec {
    struct status_spec status; /* with the target's name */
    const char *to_hash;       /* NULL: the former one */
    bool now;                  /* without a trial, by a person's word */
    int64_t timeout_ns;        /* how long it is waited for until Handover has taken it up */
    const char *manager;       /* field manager, as of struct action_spec */
};
struct undo_run;
/* err NULL: taken up, v is what was written; r is valid during the callback. */
typedef void (*undo_done)(void *ctx, const struct err *err, const struct undo_version *v,
                          const struct status_report *r);
/* Exactly one callback, never inside this call; then undo_end(). */
struct undo_run *undo_start(struct kube *k, const struct undo_spec *spec, undo_done done, void *ctx);
void undo_end(struct undo_run *u);
#endif
