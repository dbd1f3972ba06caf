/* Leases of other namespaces than their targets', by name: an informer for each, of that one object alone, as long as a target asks for
 * it and a while after. */
#ifndef ROLLOUT_FOREIGN_LEASES_H
#define ROLLOUT_FOREIGN_LEASES_H
#include "kube/client.h"
#include "observe/objects.h"

struct foreign_leases;
struct foreign_lease;
/* changed: it has another holder, lets others use it, has come, is gone, or cannot be seen. */
struct foreign_leases *
foreign_leases_new(struct kube *k, void (*changed)(void *ctx, const struct foreign_lease *l), void *ctx);
void foreign_leases_free(struct foreign_leases *all);
/* name: "NAMESPACE/NAME". Never NULL; foreign_lease_release(). */
struct foreign_lease *foreign_lease_hold(struct foreign_leases *all, const char *name);
void foreign_lease_release(struct foreign_lease *l); /* NULL is fine */
bool foreign_lease_is(const struct foreign_lease *l, const char *name);
/* False: not listed yet. *ret: NULL where there is none; its name is the whole one. *ret_trouble: why it cannot be seen, or NULL. Both
 * are the cache's. */
bool foreign_lease_look(const struct foreign_lease *l, const struct obs_lease **ret,
                        const char **ret_trouble);
void foreign_lease_wrote(struct foreign_lease *l, struct slice raw); /* the answer to a write of ours */
#endif
