/* The machine of one mutation: its steps and its answers. */
#include "overlay_write.h"
#include "overlay_events.h"
#include "overlay_merge.h"
#include "base/json_raw.h"
#include <errno.h>

/* ---- answers ---- */
static void answer(struct overlay_write *w, int status) {
    w->answered = true;
    w->status = status;
    struct slice generate = {0}, name;
    if (status < 400) return;
    if (w->r->kind == GATE_CREATE && !w->r->sub.n) (void)overlay_name_of(w->r, &generate, &name);
    overlay_write_failed(w->o, w->r, slice_of(w->name), generate, status, buf_slice(&w->answer));
}

void write_fail(struct overlay_write *w, int code, const char *reason, const char *fmt, ...) {
    struct buf message = BUF(4096);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&message, fmt, ap);
    va_end(ap);
    buf_clear(&w->answer);
    overlay_status(&w->answer, w->r, code, reason, "%s", buf_str(&message));
    buf_free(&message);
    answer(w, code);
}

void write_pass(struct overlay_write *w, int status, struct slice body) {
    if (!status) {
        write_fail(w, 504, NULL, "the API server did not answer the dry run");
        return;
    }
    buf_clear(&w->answer);
    buf_add(&w->answer, body);
    answer(w, status);
}

void write_object(struct overlay_write *w, int status, struct slice text, struct overlay_version v) {
    struct buf b = BUF(OVERLAY_BODY_MAX);
    bool beta = slice_eqs(w->r->metadata_version, "v1beta1");
    if (w->r->metadata_only) overlay_partial(&b, text, beta ? "v1beta1" : "v1");
    buf_clear(&w->answer);
    if (v.live) {
        overlay_object(&w->answer, w->r->metadata_only ? buf_slice(&b) : text, v);
    } else {
        buf_add(&w->answer, w->r->metadata_only ? buf_slice(&b) : text);
    }
    buf_free(&b);
    answer(w, status);
}

#define RESOURCE     "%.*s%s%.*s"
#define RESOURCE_(r) SLF((r)->resource), (r)->group.n ? "." : "", SLF((r)->group)

void write_not_found(struct overlay_write *w) {
    write_fail(w, 404, NULL, RESOURCE " \"%s\" not found", RESOURCE_(w->r), w->name);
}

void write_exists(struct overlay_write *w) {
    write_fail(w, 409, "AlreadyExists", RESOURCE " \"%s\" already exists", RESOURCE_(w->r), w->name);
}

void write_conflict(struct overlay_write *w) {
    write_fail(w, 409, NULL,
               "Operation cannot be fulfilled on " RESOURCE
               " \"%s\": the object has been modified; please apply your changes to the latest version and "
               "try again",
               RESOURCE_(w->r), w->name);
}

void write_full(struct overlay_write *w) {
    w->o->counts.full = true;
    write_fail(w, 507, "InsufficientStorage", "the rehearsal has no room for more objects");
}

void write_refuse(struct overlay_write *w, const char *why) {
    struct buf what = BUF(1024);
    overlay_what(w->r, &what);
    overlay_refused(w->o, buf_slice(&what), slice_of(why));
    w->o->counts.lost_writes++;
    buf_free(&what);
    buf_clear(&w->answer);
    w->answered = true;
    w->status = overlay_status(&w->answer, w->r, 501, "NotImplemented", "this cannot be rehearsed: %s", why);
}

/* ---- questions ---- */
static void asks(struct overlay_write *w, int made,
                 void (*next)(struct overlay_write *w, int status, struct slice body)) {
    w->asked = made == 0;
    w->next = next;
    if (made < 0) write_refuse(w, "no dry run can be made of it");
}

void write_dry_run(struct overlay_write *w, enum upstream_verb verb, struct slice name, struct slice sub,
                   enum gate_form form, struct slice body,
                   void (*next)(struct overlay_write *w, int status, struct slice body)) {
    w->live = w->res->newest;
    asks(w, upstream_dry_run(w->r, verb, name, sub, form, body, &w->ask), next);
}

void write_get(struct overlay_write *w,
               void (*next)(struct overlay_write *w, int status, struct slice body)) {
    struct gate_request r = *w->r;
    r.name = slice_of(w->name); /* that of a create is in its body */
    asks(w, upstream_get(&r, &w->ask), next);
}

/* ---- the entry ---- */
struct overlay_entry *write_entry(const struct overlay_write *w) {
    struct overlay_entry *e = overlay_find(w->o, w->res, w->r->ns, slice_of(w->name));
    bool stands =
        e && (e->state == ENTRY_PRESENT || (e->state == ENTRY_DELETED && (e->based || e->personal)));
    return stands ? e : NULL;
}

bool write_unchanged(const struct overlay_write *w, const struct overlay_entry *e) {
    if (!e) return !w->before.live && !w->stale;
    return e->rv.live == w->before.live && e->rv.change == w->before.change;
}

bool write_given(const struct overlay_write *w, const struct overlay_entry *e) {
    return e->rv.live == w->given.live && e->rv.change == w->given.change;
}

void write_base(struct overlay_write *w, struct slice body) {
    struct overlay_peek it;
    buf_clear(&w->base);
    buf_add(&w->base, body);
    w->based = overlay_peek(body, &it) && it.live;
    w->base_rv = w->based ? it.live : 0;
    w->stale = false;
}

void overlay_writes_notice(const struct overlay_res *res, const struct overlay_peek *it) {
    list_each(at, &res->writes) {
        struct overlay_write *w = container_of(at, struct overlay_write, link);
        if (w->based && it->live > w->base_rv && slice_eqs(it->name, w->name) && slice_eq(it->ns, w->r->ns))
            w->stale = true;
    }
}

static void begin(struct overlay_write *w) {
    const struct gate_request *r = w->r;
    struct overlay_entry *e = write_entry(w);
    w->before = e ? e->rv : (struct overlay_version){0};
    w->based = w->stale = false;
    buf_clear(&w->base);
    if (e && !slice_eqs(r->version, e->version)) {
        write_refuse(w, "it was written in another API version");
    } else if (slice_eqs(r->sub, "binding")) {
        write_bind(w);
    } else if (r->kind == GATE_DELETE || slice_eqs(r->sub, "eviction")) {
        write_delete(w);
    } else if (r->kind == GATE_DELETE_COLLECTION) {
        write_collection(w);
    } else if (r->kind == GATE_CREATE) {
        write_create(w);
    } else if (slice_eqs(r->sub, "scale")) {
        write_scale(w);
    } else {
        write_change(w);
    }
}

void write_restart(struct overlay_write *w) {
    if (++w->tries >= WRITE_TRIES) {
        write_conflict(w);
    } else {
        begin(w);
    }
}

void write_rechecked(struct overlay_write *w, int status, struct slice body) {
    struct overlay_entry *e = write_entry(w);
    struct overlay_peek it = {0};
    if (status != 200 && status != 404) {
        write_pass(w, status, body);
        return;
    }
    if (status == 200) overlay_peek(body, &it);
    if (e && !e->personal && (status == 200 ? overlay_newer(e, &it, true) : e->based))
        overlay_drop(w->o, e, it.live, status == 200 ? body : SL(""), false, NULL, w->now);
    if (w->given.live) {
        write_conflict(w);
    } else {
        write_restart(w);
    }
}

void write_recheck(struct overlay_write *w) {
    write_get(w, write_rechecked);
}

/* ---- the end ---- */
static struct overlay_put put_of(const struct overlay_write *w, struct slice text) {
    return (struct overlay_put){.ns = w->r->ns,
                                .name = slice_of(w->name),
                                .version = w->r->version,
                                .live = w->live,
                                .based = w->based,
                                .base_rv = w->base_rv,
                                .base = buf_slice(&w->base),
                                .text = text,
                                .personal = overlay_is_lease(w->r) || overlay_elected(w->r, text),
                                .now = w->now};
}

void write_commit(struct overlay_write *w, const cJSON *obj, int status) {
    struct buf text = BUF(OVERLAY_BODY_MAX);
    const struct overlay_entry *e = write_entry(w);
    json_tree_print(obj, &text);
    if (text.full) {
        write_full(w);
    } else if (w->r->dry_run) {
        write_object(w, status, buf_slice(&text), e ? e->rv : (struct overlay_version){w->base_rv, 0});
    } else {
        struct overlay_put p = put_of(w, buf_slice(&text));
        p.personal = p.personal || (e && e->personal);
        bool made = !e || e->state != ENTRY_PRESENT;
        struct overlay_entry *now = overlay_put(w->o, w->res, &p);
        if (now) {
            w->o->counts.last_write_ns = w->now;
            write_object(w, status, overlay_slice(now->text), (struct overlay_version){0});
            if (made && !overlay_follows(w->o, now, w->now)) overlay_twin_made(w->o, now, w->now);
        } else {
            write_full(w);
        }
    }
    buf_free(&text);
}

void write_remove(struct overlay_write *w, struct slice last, bool orphan) {
    struct overlay_put p = put_of(w, last);
    const struct overlay_entry *old = write_entry(w);
    if (w->r->dry_run) return;
    p.personal = old && old->personal;
    struct overlay_entry *e = overlay_delete(w->o, w->res, &p);
    if (!e) {
        write_full(w);
        return;
    }
    w->o->counts.last_write_ns = w->now;
    cleanup_free char *uid = xstrdup(e->uid);
    e->orphan = orphan;
    if (!orphan) overlay_cascade(w->o, uid, w->now);
    overlay_twin_removed(w->o, e, w->now);
}

/* As the API server's ShouldDeleteDuringUpdate. */
static bool ends(const cJSON *obj) {
    const cJSON *meta = json_obj(obj, "metadata"), *grace = json_get(meta, "deletionGracePeriodSeconds");
    return json_str(meta, "deletionTimestamp") && cJSON_IsNumber(grace) && grace->valuedouble <= 0 &&
           !merge_has_finalizers(obj);
}

void write_leave(struct overlay_write *w, const cJSON *obj, int status) {
    if (!ends(obj)) {
        write_commit(w, obj, status);
        return;
    }
    struct buf text = BUF(OVERLAY_BODY_MAX);
    const struct overlay_entry *e = write_entry(w);
    json_tree_print(obj, &text);
    write_remove(w, buf_slice(&text), e && e->orphan);
    e = write_entry(w);
    if (!w->answered)
        write_object(w, status, buf_slice(&text), e ? e->rv : (struct overlay_version){w->base_rv, 0});
    buf_free(&text);
}

/* ---- the steps ---- */
static void fill(struct overlay_write *w, struct overlay_step *step) {
    *step =
        (struct overlay_step){.answered = w->answered, .status = w->status, .body = buf_slice(&w->answer)};
    if (!w->answered) step->ask = &w->ask;
}

static struct slice name_of(const struct gate_request *r) {
    struct slice generate, name;
    if (r->kind != GATE_CREATE || r->sub.n) return r->name;
    return overlay_name_of(r, &generate, &name) ? name : SL("");
}

struct overlay_write *overlay_write_begin(struct overlay *o, const struct gate_request *r,
                                          int64_t now_wall_ns, struct overlay_step *step) {
    struct overlay_write *w = xcalloc(1, sizeof *w);
    *w = (struct overlay_write){.o = o, .r = r, .now = now_wall_ns};
    w->answer = BUF(OVERLAY_BODY_MAX + 8192);
    w->base = BUF(OVERLAY_BODY_MAX);
    w->wanted = BUF(OVERLAY_BODY_MAX);
    w->reply = BUF(OVERLAY_BODY_MAX);
    list_init(&w->link);
    w->res = overlay_res(o, r->group, r->resource);
    if (w->res) list_push(&w->res->writes, &w->link);
    w->name = slice_dup(name_of(r));
    o->counts.writes++;
    if (!w->res) {
        write_full(w);
    } else if (overlay_ring_takes(r)) {
        cleanup_json cJSON *body = write_body(w);
        if (body) {
            buf_clear(&w->wanted);
            json_tree_print(body, &w->wanted);
            buf_clear(&w->answer);
            int status = overlay_ring_write(o, r, w->now, buf_slice(&w->wanted), &w->answer);
            answer(w, status);
        }
    } else if (!write_personal(w)) {
        begin(w);
    }
    fill(w, step);
    return w;
}

void overlay_write_feed(struct overlay_write *w, int64_t now_wall_ns, int status, struct slice body,
                        struct overlay_step *step) {
    w->now = now_wall_ns;
    struct overlay_peek it;
    if (w->asked) {
        upstream_free(&w->ask);
        w->asked = false;
        if (status == 200 && overlay_peek(body, &it)) overlay_seen(w->res, it.live);
        w->next(w, status, body);
        overlay_trim(w->o);
    }
    fill(w, step);
}

void overlay_write_free(struct overlay_write *w) {
    if (!w) return;
    if (w->asked) upstream_free(&w->ask);
    list_remove(&w->link);
    free(w->name);
    buf_free(&w->base);
    buf_free(&w->wanted);
    buf_free(&w->reply);
    buf_free(&w->answer);
    free(w);
}
