/* The StatefulSet controller's ControllerRevisions: one for each template, the newest is the one to update to. */
#include "controllers/statefulset.h"
#include "api/template.h"
#include <stdio.h>
#include <string.h>

int64_t statefulset_ordinal(const char *set, const char *pod) {
    size_t n = strlen(set);
    int64_t ordinal;
    if (strncmp(pod, set, n) != 0 || pod[n] != '-' || slice_i64(slice_of(pod + n + 1), &ordinal) < 0)
        return -1;
    return ordinal;
}

struct revisions {
    struct set *s;
    const char *want; /* the template's hash */
    struct sim_obj *equal, *current;
    const char *current_name;
    int64_t newest; /* the highest number */
    struct sim_objs all;
};

/* As the real one keeps it: a strategic merge patch that replaces the template. */
static cJSON *data_of(const cJSON *set) {
    cJSON *data = cJSON_CreateObject(), *spec = ctl_json_make(data, "spec");
    cJSON *tmpl = cJSON_Duplicate(json_at(set, "spec/template"), true);
    ctl_json_set(tmpl, "$patch", cJSON_CreateString("replace"));
    ctl_json_set(spec, "template", tmpl);
    return data;
}

static const char *hash_of(const cJSON *tmpl, char ret[11]) {
    cleanup_free char *text = json_print(tmpl);
    if (template_hash(slice_of(text), ret, NULL) < 0) hash_name(slice_of(text), ret);
    return ret;
}

static bool see(void *ctx, struct sim_obj *o) {
    struct revisions *r = ctx;
    const cJSON *json = sim_store_json(r->s->c->s, o);
    int64_t number = json_i64(json, "revision", 0);
    char hash[11];
    if (number > r->newest) r->newest = number;
    if (!strcmp(hash_of(json_at(json, "data/spec/template"), hash), r->want)) r->equal = o;
    if (!strcmp(o->name, r->current_name)) r->current = o;
    sim_objs_add(&r->all, o);
    return true;
}

static struct sim_obj *create(struct set *s, cJSON *data, const char *digest, int64_t number) {
    cleanup_free char *name = xasprintf("%.240s-%s", s->o->name, digest);
    cJSON *json = cJSON_CreateObject(), *meta = ctl_json_make(json, "metadata");
    ctl_json_set_str(json, "apiVersion", "apps/v1");
    ctl_json_set_str(json, "kind", "ControllerRevision");
    ctl_json_set_str(meta, "name", name);
    ctl_json_set_str(meta, "namespace", s->o->ns);
    const cJSON *labels = json_at(sim_store_json(s->c->s, s->o), "spec/template/metadata/labels");
    ctl_json_set(meta, "labels", labels ? cJSON_Duplicate(labels, true) : cJSON_CreateObject());
    ctl_json_set_str(ctl_json_make(meta, "labels"), "controller.kubernetes.io/hash", digest);
    cJSON *refs = cJSON_CreateArray();
    cJSON_AddItemToArray(refs, ctl_owner_ref(s->o));
    ctl_json_set(meta, "ownerReferences", refs);
    ctl_json_set(json, "data", data);
    ctl_json_set_i64(json, "revision", number);
    struct sim_obj *o = NULL;
    (void)sim_store_create(s->c->s, s->c->revisions, s->o->ns, json, &o, NULL);
    return o;
}

/* A template that was there before is the newest again. */
static void renumber(struct set *s, struct sim_obj *o, int64_t number) {
    if (json_i64(sim_store_json(s->c->s, o), "revision", 0) == number) return;
    cJSON *json = ctl_copy(s->c, o);
    ctl_json_set_i64(json, "revision", number);
    (void)ctl_put(s->c, o, json, STORE_MAIN);
}

bool statefulset_read(struct set *ret, struct ctl *c, struct ctl_obj *co) {
    const cJSON *json = sim_store_json(c->s, co->o), *spec = json_get(json, "spec"),
                *strategy = json_get(spec, "updateStrategy");
    *ret = (struct set){.c = c, .o = co->o, .next = TIME_NEVER};
    ret->generation = json_i64(json_get(json, "metadata"), "generation", 0);
    ret->replicas = json_i64(spec, "replicas", 1);
    if (ret->replicas > CTL_MAX_PODS) ret->replicas = CTL_MAX_PODS;
    ret->rolling = !strcmp(json_str_or(strategy, "type", "RollingUpdate"), "RollingUpdate");
    ret->ordered = strcmp(json_str_or(spec, "podManagementPolicy", ""), "Parallel") != 0;
    ret->partition = ret->rolling ? json_i64(json_get(strategy, "rollingUpdate"), "partition", 0) : 0;
    ret->history = json_i64(spec, "revisionHistoryLimit", 10);
    ret->min_ready_ns = json_i64(spec, "minReadySeconds", 0) * NS_PER_S;
    cleanup_free char *current = xstrdup(json_str_or(json_get(json, "status"), "currentRevision", "")),
                      *uid = xstrdup(obj_uid(json));
    char hash[11];
    struct revisions r = {
        .s = ret, .want = hash_of(json_at(json, "spec/template"), hash), .current_name = current};
    sim_store_owned(c->s, uid, c->revisions, see, &r);
    if (r.equal) {
        int64_t number = json_i64(sim_store_json(c->s, r.equal), "revision", 0);
        if (number < r.newest) renumber(ret, r.equal, r.newest + 1);
        ret->update = r.equal;
    } else {
        ret->update = create(ret, data_of(json), hash, r.newest + 1);
    }
    ret->current = r.current ? r.current : ret->update;
    sim_objs_free(&r.all);
    return ret->update != NULL;
}

/* ---- those that nothing runs of ---- */

struct revision {
    struct sim_obj *o;
    int64_t number;
};
struct old {
    struct set *s;
    struct revision *v;
    size_t n;
};

static bool is_live(const struct set *s, const struct sim_obj *o) {
    if (o == s->current || o == s->update) return true;
    for (int64_t i = 0; i < s->replicas + (int64_t)s->nover; i++) {
        const struct member *m = i < s->replicas ? &s->pod[i] : &s->over[i - s->replicas];
        const cJSON *pod = m->o && !m->terminating ? sim_store_json(s->c->s, m->o) : NULL;
        const char *revision = pod ? obj_label(pod, LABEL_REVISION) : NULL;
        if (revision && !strcmp(revision, o->name)) return true;
    }
    return false;
}

static bool see_old(void *ctx, struct sim_obj *o) {
    struct old *l = ctx;
    if (is_live(l->s, o)) return true;
    l->v = xrealloc(l->v, (l->n + 1) * sizeof *l->v);
    l->v[l->n++] = (struct revision){o, json_i64(sim_store_json(l->s->c->s, o), "revision", 0)};
    return true;
}

static int by_number(const void *a, const void *b) {
    const struct revision *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

void statefulset_truncate_history(struct set *s) {
    struct old l = {.s = s};
    cleanup_free char *uid = xstrdup(obj_uid(sim_store_json(s->c->s, s->o)));
    sim_store_owned(s->c->s, uid, s->c->revisions, see_old, &l);
    if (l.n > 1) qsort(l.v, l.n, sizeof *l.v, by_number);
    for (size_t i = 0; (int64_t)(l.n - i) > s->history; i++)
        (void)sim_store_delete(s->c->s, l.v[i].o, NULL, -1, NULL);
    free(l.v);
}
