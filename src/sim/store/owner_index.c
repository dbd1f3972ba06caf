/* Who is owned by whom, and which object has a uid: two hash tables that the controllers would else have to
 * search for. */
#include "store/core.h"
#include "api/meta.h"

#define HASH_FUNCTION(keyptr, keylen, hashv)                                                                 \
    do {                                                                                                     \
        (hashv) = (unsigned)slice_hash(slice_make((const char *)(keyptr), (keylen)), 0);                     \
    } while (0)
#include <uthash.h>

struct uid_node {
    UT_hash_handle hh;
    struct sim_obj *obj;
};
/* The objects that name one uid as an owner, oldest link first. */
struct owner_set {
    UT_hash_handle hh;
    char *uid;
    struct list links;
};
struct owner_link {
    struct list link;
    struct owner_set *set;
    struct sim_obj *obj;
    uint64_t seq; /* order of age, so that an iteration can go on after a change */
};

void owner_index_uid_add(struct sim *s, struct sim_obj *o) {
    struct uid_node *n = xcalloc(1, sizeof *n);
    n->obj = o;
    o->in->by_uid = n;
    HASH_ADD_KEYPTR(hh, s->uids, o->in->uid, strlen(o->in->uid), n);
}

void owner_index_uid_drop(struct sim *s, struct sim_obj *o) {
    struct uid_node *n = o->in->by_uid;
    if (!n) return;
    HASH_DEL(s->uids, n);
    free(n);
    o->in->by_uid = NULL;
}

struct sim_obj *sim_store_by_uid(struct sim *s, const char *uid) {
    struct uid_node *n = NULL;
    HASH_FIND(hh, s->uids, uid, strlen(uid), n);
    if (!n) return NULL;
    sim_store_json(s, n->obj);
    return n->obj;
}

static struct owner_set *set_find(struct sim *s, const char *uid) {
    struct owner_set *set = NULL;
    HASH_FIND(hh, s->owners, uid, strlen(uid), set);
    return set;
}

static struct owner_set *set_of(struct sim *s, const char *uid) {
    struct owner_set *set = set_find(s, uid);
    if (set) return set;
    set = xcalloc(1, sizeof *set);
    set->uid = xstrdup(uid);
    list_init(&set->links);
    HASH_ADD_KEYPTR(hh, s->owners, set->uid, strlen(set->uid), set);
    return set;
}

static void set_drop(struct sim *s, struct owner_set *set) {
    if (!list_empty(&set->links)) return;
    /* The analyzer cannot know that every set is in the table. NOLINTNEXTLINE(clang-analyzer-*) */
    HASH_DEL(s->owners, set);
    free(set->uid);
    free(set);
}

void owner_index_drop(struct sim *s, struct sim_obj *o) {
    for (size_t i = 0; i < o->in->nowners; i++) {
        struct owner_link *l = &o->in->owners[i];
        list_remove(&l->link);
        set_drop(s, l->set);
    }
    if (o->in->nowners) s->link_changes++;
    free(o->in->owners);
    o->in->owners = NULL;
    o->in->nowners = 0;
}

static bool same_owners(const struct sim_obj *o, const cJSON *refs) {
    size_t i = 0;
    for (const cJSON *r = refs ? refs->child : NULL; r; r = r->next) {
        const char *uid = json_str(r, "uid");
        if (!uid) continue;
        if (i >= o->in->nowners || strcmp(o->in->owners[i].set->uid, uid) != 0) return false;
        i++;
    }
    return i == o->in->nowners;
}

void owner_index_set(struct sim *s, struct sim_obj *o) {
    const cJSON *refs = json_arr(json_obj(o->json, "metadata"), "ownerReferences");
    if (same_owners(o, refs)) return;
    owner_index_drop(s, o);
    size_t n = 0;
    for (const cJSON *r = refs ? refs->child : NULL; r; r = r->next) n += json_str(r, "uid") != NULL;
    if (!n) return;
    o->in->owners = xcalloc(n, sizeof *o->in->owners);
    for (const cJSON *r = refs->child; r; r = r->next) {
        const char *uid = json_str(r, "uid");
        if (!uid) continue;
        struct owner_link *l = &o->in->owners[o->in->nowners++];
        *l = (struct owner_link){.set = set_of(s, uid), .obj = o, .seq = ++s->link_seq};
        list_push(&l->set->links, &l->link);
    }
}

static struct owner_link *link_after(struct sim *s, const char *uid, uint64_t seq) {
    struct owner_set *set = set_find(s, uid);
    if (!set) return NULL;
    list_each(it, &set->links) {
        struct owner_link *l = container_of(it, struct owner_link, link);
        if (l->seq > seq) return l;
    }
    return NULL;
}

void sim_store_owned(struct sim *s, const char *owner_uid, const struct sim_type *t,
                     bool (*fn)(void *ctx, struct sim_obj *o), void *ctx) {
    cleanup_free char *uid = xstrdup(owner_uid); /* the caller's may go with the object */
    uint64_t seq = 0;
    struct owner_link *l = link_after(s, uid, 0);
    while (l) {
        uint64_t changes = s->link_changes;
        seq = l->seq;
        if (!t || l->obj->type == t) {
            sim_store_json(s, l->obj);
            if (!fn(ctx, l->obj)) return;
        }
        if (changes != s->link_changes) {
            l = link_after(s, uid, seq);
        } else {
            l = l->link.next == &l->set->links ? NULL : container_of(l->link.next, struct owner_link, link);
        }
    }
}

void owner_index_free(struct sim *s) {
    struct owner_set *set = NULL, *tmp = NULL;
    HASH_ITER(hh, s->owners, set, tmp) {
        HASH_DEL(s->owners, set); /* NOLINT(clang-analyzer-*): uthash's head moves on as the first goes */
        free(set->uid);
        free(set);
    }
}
