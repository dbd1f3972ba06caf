/* A ring of Pods that died; see dead_pods.h. */
#include "observe/dead_pods.h"

static void drop(struct dead_pod *p) {
    free(p->ns);
    free(p->name);
    free(p->rs_uid);
    free(p->rs_name);
    *p = (struct dead_pod){0};
}

static struct dead_pod *find(struct dead_pods *d, const struct obs_pod *p) {
    for (size_t i = 0; i < DEAD_PODS_MAX; i++) {
        struct dead_pod *at = &d->pod[i];
        if (at->name && !strcmp(at->name, p->name) && !strcmp(at->ns, p->ns)) return at;
    }
    return NULL;
}

void dead_pods_add(struct dead_pods *d, const struct obs_pod *p) {
    if (!p->died_ns || !p->rs_uid || !p->rs_name) return;
    struct dead_pod *at = find(d, p);
    if (at && at->died_ns == p->died_ns && !strcmp(at->rs_uid, p->rs_uid)) {
        at->over = p->over;
        return;
    }
    if (!at) {
        at = &d->pod[d->next];
        d->next = (d->next + 1) % DEAD_PODS_MAX;
    }
    drop(at);
    *at = (struct dead_pod){xstrdup(p->ns),      xstrdup(p->name), xstrdup(p->rs_uid),
                            xstrdup(p->rs_name), p->died_ns,       p->over};
}

const char *dead_pods_rs(const struct dead_pods *d, const struct obs_lease *l) {
    for (size_t i = 0; i < DEAD_PODS_MAX; i++) {
        const struct dead_pod *p = &d->pod[i];
        if (p->name && !strcmp(p->ns, l->ns) && obs_lease_held_by(l, p->name)) return p->rs_name;
    }
    return NULL;
}

void dead_pods_free(struct dead_pods *d) {
    for (size_t i = 0; i < DEAD_PODS_MAX; i++) drop(&d->pod[i]);
}
