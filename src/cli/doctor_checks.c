/* What each answer says of the health of an installation; see doctor.h. Pure. */
#include "api/rfc3339.h"
#include "base/json.h"
#include "base/time.h"
#include "doctor.h"
#include "plan/spec_hint.h"
#include <stdarg.h>

#define FRESH_NS (30 * NS_PER_S) /* two of the default durations */
enum { OLDEST_MINOR = 20, POLICY_MINOR = 36 };

const struct doctor_right doctor_rights[] = {
    {"apps", "deployments", "get,list,watch,patch", NULL, false, false},
    {"apps", "replicasets", "list,watch,create,patch,delete", NULL, false, false},
    {"", "pods", "list,watch", NULL, false, false},
    {"apps", "statefulsets", "get,list,watch,patch", NULL, false, true},
    {"apps", "controllerrevisions", "get", NULL, false, true},
    {"", "pods", "delete", NULL, false, true}, /* of StatefulSets */
    {"coordination.k8s.io", "leases", "list,watch,patch", NULL, false, false},
    {"", "configmaps", "get,list,watch,create,patch,delete", NULL, false, false},
    {"events.k8s.io", "events", "create,get,patch", NULL, false, false},
    {"apiregistration.k8s.io", "apiservices", "list", NULL, false, true}, /* of rehearsals */
    {"coordination.k8s.io", "leases", "get,list,watch,update", "handover", true, false},
    {"coordination.k8s.io", "leases", "create", NULL, true, false},
    {"", "configmaps", "get,list,create,patch,delete", NULL, true, false},
    {"", "pods", "get,list,watch", NULL, true, false},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicies", "list,watch", "handover-hold", false, true},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicybindings", "list,watch", "handover-hold", false,
     true},
};
const size_t doctor_nrights = ARRAY_LEN(doctor_rights);

const char *doctor_grade_name(enum doctor_grade g) {
    return g == DOCTOR_OK ? "ok" : g == DOCTOR_WARN ? "warn" : "FAIL";
}

void doctor_add(struct doctor_report *r, enum doctor_grade grade, const char *what, const char *about,
                const char *fmt, ...) {
    cleanup_buf struct buf text = BUF(16 << 10);
    va_list ap;
    if (r->n == DOCTOR_LINES) return;
    va_start(ap, fmt);
    buf_addv(&text, fmt, ap);
    va_end(ap);
    r->v = xgrow(r->v, &r->cap, r->n + 1, sizeof *r->v);
    r->v[r->n++] =
        (struct doctor_line){grade, xstrdup(what), about ? xstrdup(about) : NULL, xstrdup(buf_str(&text))};
}

void doctor_report_free(struct doctor_report *r) {
    for (size_t i = 0; i < r->n; i++) {
        free(r->v[i].what);
        free(r->v[i].about);
        free(r->v[i].text);
    }
    free(r->v);
    *r = (struct doctor_report){0};
}

enum doctor_grade doctor_worst(const struct doctor_report *r) {
    enum doctor_grade worst = DOCTOR_OK;
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].grade > worst) worst = r->v[i].grade;
    return worst;
}

/* ---- rights ---- */

void doctor_review(const struct doctor_right *r, struct slice verb, const char *ns, const char *name,
                   struct buf *out) {
    buf_adds(out,
             "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":{"
             "\"resourceAttributes\":{\"group\":");
    buf_add_json(out, slice_of(r->group));
    buf_adds(out, ",\"resource\":");
    buf_add_json(out, slice_of(r->resource));
    buf_adds(out, ",\"verb\":");
    buf_add_json(out, verb);
    if (ns) {
        buf_adds(out, ",\"namespace\":");
        buf_add_json(out, slice_of(ns));
    }
    if (name) {
        buf_adds(out, ",\"name\":");
        buf_add_json(out, slice_of(name));
    }
    buf_adds(out, "}}}");
}

int doctor_allowed(struct slice answer, struct buf *why) {
    cleanup_json cJSON *v = json_parse(answer, NULL);
    const cJSON *status = json_obj(v, "status");
    if (!status || !cJSON_IsBool(json_get(status, "allowed"))) return -1;
    buf_adds(why, json_str_or(status, "reason", ""));
    return json_bool(status, "allowed", false) ? 1 : 0;
}

/* ---- the API server ---- */

void doctor_version(struct doctor_report *r, struct slice answer) {
    cleanup_json cJSON *v = json_parse(answer, NULL);
    const char *git = json_str(v, "gitVersion");
    int64_t major = 0, minor = 0;
    struct slice m = slice_of(json_str(v, "minor"));
    m = slice_digits(&m); /* "20+" */
    bool read = git && slice_i64(slice_of(json_str(v, "major")), &major) == 0 && slice_i64(m, &minor) == 0;
    if (!read)
        doctor_add(r, DOCTOR_WARN, "server", NULL, "it does not say which version of Kubernetes it is");
    else if (major == 1 && minor < OLDEST_MINOR)
        doctor_add(r, DOCTOR_WARN, "server", NULL, "Kubernetes %s: Handover is tried with 1.%d and later",
                   git, OLDEST_MINOR);
    else
        doctor_add(r, DOCTOR_OK, "server", NULL, "Kubernetes %s", git);
}

void doctor_policy(struct doctor_report *r, const struct err *err, struct slice answer) {
    cleanup_json cJSON *v = err ? NULL : json_parse(answer, NULL);
    bool there = false;
    const cJSON *list = json_arr(v, "resources");
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next)
        there |= strcmp(json_str_or(one, "name", ""), "mutatingadmissionpolicies") == 0;
    if (there)
        doctor_add(r, DOCTOR_OK, "policy", NULL, "MutatingAdmissionPolicy v1 is served");
    else if (err && err->kind != ERR_NOTFOUND)
        doctor_add(r, DOCTOR_WARN, "policy", NULL,
                   "whether MutatingAdmissionPolicy v1 is served is not known: %s", err->msg);
    else
        doctor_add(r, DOCTOR_OK, "policy", NULL,
                   "MutatingAdmissionPolicy v1 is not served (Kubernetes 1.%d and later): targets are held "
                   "by spec.paused",
                   POLICY_MINOR);
}

void doctor_lease(struct doctor_report *r, const struct status_report *s, const struct status_spec *spec,
                  int64_t now) {
    cleanup_free char *about = xasprintf("%s/%s", spec->lease_ns, spec->lease_name);
    char age[32];
    int64_t old = now - s->renewed_wall_ns;
    status_span(old, age);
    if (s->lease_err.kind && s->lease_err.kind != ERR_NOTFOUND)
        doctor_add(r, DOCTOR_WARN, "lease", about, "it cannot be read: %s", s->lease_err.msg);
    else if (!s->has_lease)
        doctor_add(r, DOCTOR_FAIL, "lease", about,
                   "it does not exist: Handover does not run, or with another --lease-namespace");
    else if (!*s->holder)
        doctor_add(r, DOCTOR_FAIL, "lease", about, "nobody leads: it was released, and nobody has taken it");
    else if (old > FRESH_NS)
        doctor_add(r, DOCTOR_FAIL, "lease", about, "%.80s has not renewed it for %s: is it dead, or cut off?",
                   s->holder, age);
    else
        doctor_add(r, DOCTOR_OK, "lease", about, "%.80s leads, and has renewed it %s ago", s->holder, age);
}

/* ---- targets ---- */

void doctor_annotations(struct doctor_report *r, const char *ns, const char *name, const cJSON *annotations) {
    cleanup_free char *about = xasprintf("%s/%s", ns, name);
    cleanup_buf struct buf hint = BUF(2048);
    bool unknown = spec_hint_add(annotations, true, &hint), ours = false;
    for (const cJSON *a = annotations ? annotations->child : NULL; a; a = a->next)
        ours |= strncmp(a->string, HANDOVER_PREFIX, strlen(HANDOVER_PREFIX)) == 0;
    if (!ours) return;
    if (unknown) doctor_add(r, DOCTOR_WARN, "annotations", about, "%s", buf_str(&hint));
    if (!obs_opted_in(annotations)) {
        if (!json_get(annotations, HANDOVER_PREFIX "status"))
            doctor_add(r, DOCTOR_WARN, "annotations", about,
                       "not guarded: no annotation " HANDOVER_PREFIX "canary-percent");
        return;
    }
    struct spec s;
    struct err err = {0};
    if (spec_parse(annotations, &s, &err) < 0)
        doctor_add(r, DOCTOR_FAIL, "annotations", about, "%s", err.msg);
    else if (!unknown)
        doctor_add(r, DOCTOR_OK, "annotations", about, "each is known and allowed");
    spec_free(&s);
}
