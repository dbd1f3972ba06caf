/* Identities, and the death certificate: is the process with this identity certainly dead? Pure.
 *
 * A candidate writes its identity to its container's termination log before it contests. The kubelet copies
 * that file into the pod's status when this very container has ended, so that the text there proves it.
 * Phases, deletions and reasons prove nothing: an evicted pod is Failed before it dies, a force-deleted one
 * is gone while it lives. */
#ifndef LEADER_CERTIFICATE_H
#define LEADER_CERTIFICATE_H
#include "base/buf.h"
#include "base/err.h"

enum { IDENTITY_MAX = 400 };
/* "POD_UID_NONCE". Outside a pod: host name, no UID. The nonce tells processes of one container apart. */
struct identity {
    char pod[254];  /* DNS subdomain */
    char uid[64];   /* letters, digits, '-'; may be "" */
    char nonce[33]; /* letters and digits, not "" */
};
int identity_format(const struct identity *id, char ret[IDENTITY_MAX]); /* -EINVAL */
/* -EINVAL if it is not of this form (another program's identity); err (NULL allowed) says what is wrong with
 * it. */
int identity_parse(struct slice text, struct identity *ret, struct err *err);
void identity_make(const char *pod, const char *uid, uint64_t rnd1, uint64_t rnd2,
                   struct identity *ret); /* bad letters become '-' */

/* pod: the text of a Pod object. Dead only if it is the pod that holder names, by name and UID, and a
 * container of it has terminated (state or lastState) with exactly holder as its message and an exit code
 * other than 255 (what a lost shim gives while the process may live). why (NULL allowed) gets a literal: the
 * proof, or what is missing. */
bool certificate_proves_dead(struct slice pod, struct slice holder, const char **why);
#endif
