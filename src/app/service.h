/* An instance as a service of its host: what the service manager receives and when, and the watchdog.
 * Nothing of it happens where there is no service manager. docs/reference/systemd.md has the texts. */
#ifndef APP_SERVICE_H
#define APP_SERVICE_H
#include "app/leadership.h"
#include "rollout/rollout.h"

struct service;
/* Both must be there until service_free(). Before leadership_start(). */
struct service *service_new(struct world *w, const struct leadership *l, const struct rollout *r);
void service_free(struct service *s);  /* NULL is fine */
void service_ready(struct service *s); /* the caches are warm */
void service_leading(struct service *s);
void service_draining(struct service *s, enum drain_phase phase, int64_t left_ns);
#endif
