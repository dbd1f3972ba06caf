/* How a canary of Handover's own knows that it is one: it contests its Lease only where that names it. */
#ifndef ROLLOUT_OWN_H
#define ROLLOUT_OWN_H

/* In the environment of its containers. */
#define OWN_TRACK        "HANDOVER_TRACK"
#define OWN_TRACK_CANARY "canary"
#endif
