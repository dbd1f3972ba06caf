/* Events as events.k8s.io/v1 has them: the same objects as in core/v1, under other names of their members. */
#ifndef SIM_EVENT_VIEW_H
#define SIM_EVENT_VIEW_H
#include "store/core.h"

#define EVENT_VIEW_GROUP   "events.k8s.io"
#define EVENT_VIEW_VERSION "events.k8s.io/v1"
/* From core/v1 to events.k8s.io/v1. obj is a whole object. */
void event_view_show(cJSON *obj);
/* And back. What events.k8s.io/v1 does not know goes. 400: obj says that it is of another version. */
int event_view_take(cJSON *obj, struct api_status *f);
/* What the API server asks of an Event written in this version beyond what validate() does; both in core/v1. old: NULL for a new
 * one. 422 */
int event_view_check(const cJSON *obj, const cJSON *old, struct api_status *f);
/* The whole object's text, with apiVersion and kind or as an item of a list. */
void event_view_write(const struct json_doc *d, bool named, struct buf *out);
char *event_view_selector(const char *fields); /* a field selector in core/v1's names; NULL stays NULL */
#endif
