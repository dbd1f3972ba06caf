/* Kubernetes Events: the same thing about the same object counts up one Event, and there is a limit to how
 * many are kept. */
#include "controllers/events.h"

void events_changed(struct ctl *c, struct ctl_obj *co) {
    list_remove(&co->in_ns);
    list_push(&c->events, &co->in_ns);
    if (c->nevents <= CTL_MAX_EVENTS) return;
    struct ctl_obj *oldest = container_of(c->events.next, struct ctl_obj, in_ns);
    oldest->mine = true;
    ctl_at(c, oldest, ctl_now(c)); /* not at once: the caller may be holding it */
}

void events_expire(struct ctl *c, struct ctl_obj *co) {
    sim_store_remove(c->s, co->o);
}

static cJSON *involved(const struct sim_obj *o) {
    cJSON *r = cJSON_CreateObject();
    const cJSON *json = o->json;
    ctl_json_set_str(r, "kind", json_str_or(json, "kind", o->type->kind));
    if (*o->ns) ctl_json_set_str(r, "namespace", o->ns);
    ctl_json_set_str(r, "name", o->name);
    ctl_json_set_str(r, "uid", json_str_or(json_get(json, "metadata"), "uid", ""));
    ctl_json_set_str(r, "apiVersion", json_str_or(json, "apiVersion", o->type->version));
    ctl_json_set_str(r, "resourceVersion", json_str_or(json_get(json, "metadata"), "resourceVersion", ""));
    return r;
}

void ctl_event(struct ctl *c, struct sim_obj *o, const char *component, const char *type, const char *reason,
               const char *fmt, ...) {
    if (!c->event_type) return;
    cleanup_buf struct buf msg = BUF(1024);
    va_list ap;
    va_start(ap, fmt);
    (void)buf_addv(&msg, fmt, ap);
    va_end(ap);

    /* The name says what it is about, so that a repetition finds it. */
    cleanup_buf struct buf key = BUF(4096);
    (void)buf_addf(&key, "%s/%s/%s/%s", obj_uid(o->json), component, reason, buf_str(&msg));
    cleanup_buf struct buf name = BUF(300);
    (void)buf_addf(&name, "%.230s.%016llx", o->name, (unsigned long long)slice_hash(buf_slice(&key), 0));
    const char *ns = *o->ns ? o->ns : "default";
    int64_t now = ctl_now(c);

    struct sim_obj *old = sim_store_get(c->s, c->event_type, ns, buf_str(&name));
    if (old) {
        cJSON *e = ctl_copy(c, old);
        ctl_json_set_i64(e, "count", json_i64(e, "count", 1) + 1);
        ctl_json_set_time(e, "lastTimestamp", now);
        (void)ctl_put(c, old, e, STORE_MAIN);
        return;
    }
    cJSON *e = cJSON_CreateObject();
    ctl_json_set_str(e, "apiVersion", "v1");
    ctl_json_set_str(e, "kind", "Event");
    cJSON *meta = ctl_json_make(e, "metadata");
    ctl_json_set_str(meta, "name", buf_str(&name));
    ctl_json_set_str(meta, "namespace", ns);
    ctl_json_set(e, "involvedObject", involved(o));
    ctl_json_set_str(e, "reason", reason);
    ctl_json_set_str(e, "message", buf_str(&msg));
    ctl_json_set_str(ctl_json_make(e, "source"), "component", component);
    ctl_json_set_time(e, "firstTimestamp", now);
    ctl_json_set_time(e, "lastTimestamp", now);
    ctl_json_set_i64(e, "count", 1);
    ctl_json_set_str(e, "type", type);
    ctl_json_set(e, "eventTime", cJSON_CreateNull());
    ctl_json_set_str(e, "reportingComponent", "");
    ctl_json_set_str(e, "reportingInstance", "");
    (void)sim_store_create(c->s, c->event_type, ns, e, NULL,
                           NULL); /* a namespace on its way out takes none */
}
