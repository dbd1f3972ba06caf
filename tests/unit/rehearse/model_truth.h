/* What is true in a random schedule: what the operator wrote over what is live, kept beside the overlay as numbers. */
#ifndef MODEL_TRUTH_H
#define MODEL_TRUTH_H
#include "model_client.h"

enum { NWANT = 128, NINFORMERS = 7, NOPS = 3 };

struct facts {
    bool there, fin, deleting;
    int v, s, replicas;
    char l[8], uid[48];
};
/* What the operator did to an object, and to which live one. */
struct want {
    int res;
    char name[64], owner[48];
    bool used, based, generated;
    uint64_t base, born;
    struct facts f;
};
enum what {
    CREATE,
    UPDATE,
    REPLACE,
    STATUS,
    MERGE,
    OPS,
    MERGE_STATUS,
    APPLY,
    RELABEL,
    RELEASE,
    SCALE,
    SCALE_PATCH,
    DELETE,
    DELETE_IF,
    WHATS
};
struct op {
    bool used, evaluated;
    enum what what;
    int res, v;
    char name[64], label[8], owner[48];
    bool fin, generated;
    struct gate_request r;
    char *body;
    struct overlay_write *w;
    struct overlay_step step;
    struct facts sent;
    /* When what the overlay asked was last answered: */
    struct facts before;
    struct want was;
    uint64_t live, born;
};
struct run {
    struct rng r;
    uint64_t seed;
    struct server s;
    struct overlay *o;
    struct informer x[NINFORMERS];
    struct want want[NWANT];
    struct op op[NOPS];
    struct {
        char owner[48];
        uint64_t rv;
    } twin[NOBJECTS];
    int ntwins;
    char left[16][48]; /* uids of what the operator has deleted, and not read again since */
    unsigned nleft;
    int64_t now;
};

static inline struct facts facts_of(struct slice text) {
    cleanup_json cJSON *v = json_tree_parse(text, NULL);
    struct facts f = {.there = true};
    f.v = (int)json_num(json_obj(v, "spec"), "v", 0);
    f.replicas = (int)json_num(json_obj(v, "spec"), "replicas", 1);
    f.s = (int)json_num(json_obj(v, "status"), "s", 0);
    f.fin = json_arr(meta_of(v), "finalizers") != NULL;
    f.deleting = json_str(meta_of(v), "deletionTimestamp") != NULL;
    snprintf(f.l, sizeof f.l, "%s", json_str_or(json_obj(meta_of(v), "labels"), "l", ""));
    snprintf(f.uid, sizeof f.uid, "%s", json_str_or(meta_of(v), "uid", ""));
    return f;
}

static inline void same_facts(const struct run *x, const char *where, const char *name, struct facts got,
                              struct facts want) {
    bool same = got.there == want.there &&
                (!got.there || (got.v == want.v && got.s == want.s && got.replicas == want.replicas &&
                                got.fin == want.fin && got.deleting == want.deleting &&
                                strcmp(got.l, want.l) == 0 && strcmp(got.uid, want.uid) == 0));
    if (!same)
        fail_seed(x->seed,
                  "%s of %s: there %d v %d s %d r %d fin %d del %d l %s uid %s, want %d %d %d %d %d %d %s %s",
                  where, name, got.there, got.v, got.s, got.replicas, got.fin, got.deleting, got.l, got.uid,
                  want.there, want.v, want.s, want.replicas, want.fin, want.deleting, want.l, want.uid);
}

static inline struct want *want_find(struct run *x, int res, const char *name) {
    for (int i = 0; i < NWANT; i++) {
        if (x->want[i].used && x->want[i].res == res && strcmp(x->want[i].name, name) == 0)
            return &x->want[i];
    }
    return NULL;
}

/* What the operator did counts as long as the live object is the one that it did it to. */
static inline struct want *valid(struct run *x, int res, const char *name) {
    struct want *w = want_find(x, res, name);
    const struct live *l = server_find(&x->s, res, name);
    if (w && (w->based ? !l || l->rv != w->base : l != NULL)) {
        w->used = false;
        return NULL;
    }
    return w;
}

static inline struct facts view(struct run *x, int res, const char *name) {
    const struct want *w = valid(x, res, name);
    const struct live *l = server_find(&x->s, res, name);
    return w ? w->f : l ? facts_of(slice_of(l->text)) : (struct facts){0};
}

static inline int get(struct run *x, int res, const char *name, struct buf *out) {
    struct gate_request r = ask(GATE_GET, resources[res], name);
    struct live *l = server_find(&x->s, res, name);
    buf_clear(out);
    int status = overlay_get(x->o, &r, x->now, l ? 200 : 404,
                             l ? slice_of(l->text) : SL("{\"kind\":\"Status\",\"code\":404}"), out);
    if (status == 200) {
        cleanup_free char *rv = member_of(buf_slice(out), "metadata/resourceVersion");
        given_check(x->seed, res, name, rv, buf_slice(out));
        struct facts f = facts_of(buf_slice(out));
        for (size_t i = 0; i < ARRAY_LEN(x->left); i++) {
            if (strcmp(x->left[i], f.uid) == 0) x->left[i][0] = '\0';
        }
    }
    return status;
}

/* What the overlay alone had may have gone with its owner, or for a live twin. */
static inline bool may_be_gone(struct run *x, const struct want *w) {
    if (!w || w->based || !w->owner[0]) return false;
    for (int i = 0; i < x->ntwins; i++) {
        if (strcmp(x->twin[i].owner, w->owner) != 0 || x->twin[i].rv <= w->born) continue;
        x->twin[i].owner[0] = '\0';
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(x->left);
         i++) { /* others may have brought it back, which nobody has seen */
        if (strcmp(x->left[i], w->owner) == 0) return true;
    }
    bool owned = false;
    for (int i = 0; i < 3; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        struct facts f = view(x, 0, name);
        owned = owned || (f.there && strcmp(f.uid, w->owner) == 0);
    }
    return !owned;
}

static inline void check(struct run *x, int res, const char *name) {
    struct buf out = BUF(1 << 20);
    int status = get(x, res, name, &out);
    struct facts got = status == 200 ? facts_of(buf_slice(&out)) : (struct facts){0};
    struct want *w = valid(x, res, name);
    if (status == 404 && w && w->f.there && may_be_gone(x, w)) w->used = false;
    same_facts(x, "get", name, got, view(x, res, name));
    buf_free(&out);
}
#endif
