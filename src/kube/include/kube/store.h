/* The informer's cache: records by namespace/name with indexes by value. Pure. What of an object is kept is
 * the user's choice (a projection), so that a cached target takes less than 1 KiB. */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H
#include "api/meta.h"

struct store_rec {
    const char *ns, *name, *uid, *rv; /* owned by the store */
    int64_t generation;
    void *data;       /* what the projection made of the object; NULL without projection */
    struct slice raw; /* the object's text if keep_raw, else empty */
};
struct store_spec {
    /* Makes the data of an object from its raw text and its parsed tree. NULL: none. Return NULL for nothing
     * to keep. */
    void *(*project)(void *ctx, struct slice raw, const cJSON *obj);
    void (*unproject)(void *ctx, void *data); /* frees it */
    /* Which objects are kept at all; NULL: all. One that is no longer kept counts as deleted. */
    bool (*keep)(void *ctx, const cJSON *obj);
    /* Index values of an object: calls add() any number of times, per index 0..nindexes-1. */
    void (*index)(void *ctx, unsigned index, const cJSON *obj, void (*add)(void *to, struct slice value),
                  void *to);
    unsigned nindexes; /* at most 4 */
    bool keep_raw;
    void *ctx;
};
struct store;
struct store *store_new(const struct store_spec *spec);
void store_free(struct store *s);
size_t store_len(const struct store *s);
size_t store_bytes(const struct store *s); /* memory held, about */
const struct store_rec *store_get(const struct store *s, struct slice ns,
                                  struct slice name); /* NULL if absent */
/* Return false to stop. The store must not be changed meanwhile. */
void store_each(const struct store *s, bool (*fn)(void *ctx, const struct store_rec *r), void *ctx);
void store_each_indexed(const struct store *s, unsigned index, struct slice value,
                        bool (*fn)(void *, const struct store_rec *), void *ctx);
/* Puts an object (raw: its text, obj: its tree). change is told old and new records (old stays valid during
 * the call). An object with the uid and resourceVersion of the record is that record: no change. One with
 * another uid is told as a deletion and an addition. change sees the store as it is afterwards, and must not
 * change it. NULL is fine. */
typedef void (*store_change)(void *ctx, const struct store_rec *old, const struct store_rec *now);
int store_put(struct store *s, struct slice raw, const cJSON *obj, store_change change, void *ctx,
              struct err *err);
void store_delete(struct store *s, struct slice ns, struct slice name, store_change change, void *ctx);
/* During a relist: is the object here with this resourceVersion (not empty)? Then it counts as put, and
 * nobody has to parse it. */
bool store_touch(struct store *s, struct slice ns, struct slice name, struct slice rv);
/* A relist: begin, put each, end (which deletes what was not put since begin). Begin again: a relist
 * that was given up, what it put stays. */
void store_relist_begin(struct store *s);
void store_relist_end(struct store *s, store_change change, void *ctx);
#endif
