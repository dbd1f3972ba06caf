/* The informer's cache: records by namespace/name with indexes by value. Pure. What of an object is kept is
 * the user's choice (a projection), so that a cached target takes less than 1 KiB. */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H
#include "api/meta.h"

struct store_rec {
    const char *ns, *name, *uid, *rv; /* owned by the store */
    int64_t generation;
    bool deleting;    /* has a deletionTimestamp */
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
    bool no_managers; /* of the text that is kept, metadata.managedFields is empty: as long as much else */
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
/* Puts an object of a list or an event (raw: its text, obj: its tree). change is called with the old and the
 * new record (old stays valid during the call). An object with the uid and resourceVersion of the record is
 * that record: no change. A record never goes back: an object with a smaller resourceVersion than the
 * record's is ignored (versions that cannot be compared are accepted). One with another uid is reported as a
 * deletion and an addition. change sees the store as it is afterwards, and must not change it. NULL is fine. */
typedef void (*store_change)(void *ctx, const struct store_rec *old, const struct store_rec *now);
int store_put(struct store *s, struct slice raw, const cJSON *obj, store_change change, void *ctx,
              struct err *err);
/* The same with the answer to a write of ours. It does not count as listed by a relist in progress. */
int store_wrote(struct store *s, struct slice raw, const cJSON *obj, store_change change, void *ctx,
                struct err *err);
/* A DELETED event; ignored when its resourceVersion is smaller than the record's. obj: its tree. */
void store_delete(struct store *s, const cJSON *obj, store_change change, void *ctx);
/* A delete of ours was executed: the record with this uid goes, and earlier versions of it do not come back. One
 * with a deletionTimestamp does (a finalizer or a grace period holds the object), and where the record already
 * has it, its DELETED event is waited for. */
void store_deleted(struct store *s, struct slice ns, struct slice name, struct slice uid, store_change change,
                   void *ctx);
/* During a relist: is the object here with this resourceVersion (not empty) or a later one? Then it counts as
 * put, and need not be parsed. */
bool store_touch(struct store *s, struct slice ns, struct slice name, struct slice rv);
/* A relist: begin, put each, end (which deletes what was not put since begin, but for records newer than rv, the
 * list's version: writes of ours). Begin again: a relist that was given up, what it put stays. replace: the
 * server's history is another one (it was restored from a backup): versions are not compared, and the store
 * becomes the list. */
void store_relist_begin(struct store *s, bool replace);
void store_relist_end(struct store *s, const char *rv, store_change change, void *ctx);
#endif
