/* Continue tokens of lists: base64 of {"v":"meta.k8s.io/v1","rv":N,"start":"ns/name"}, as Kubernetes makes them,
 * and "left":N of our own. */
#ifndef SIM_LIST_TOKEN_H
#define SIM_LIST_TOKEN_H
#include "store/api_status.h"

struct list_token {
    bool set, inconsistent; /* inconsistent: at the present state, not at rv */
    uint64_t rv;
    char *ns, *name; /* go on behind this; owned */
    int64_t left;    /* objects behind it, as the page before it said; 0: not known */
};
char *list_token_make(const char *ns, const char *name, uint64_t rv, bool inconsistent,
                      int64_t left); /* free() */
int list_token_read(const char *text, struct list_token *ret, struct api_status *f);
void list_token_free(struct list_token *t);
int list_token_expired(const struct list_token *t, struct api_status *f); /* 410 with a token to go on with */
#endif
