/* Random reports: a small world of objects, each created, changed, deleted or made anew. */
#ifndef UNIT_REHEARSE_REPORT_RANDOM_H
#define UNIT_REHEARSE_REPORT_RANDOM_H
#include "report_case.h"
#include "base/rand.h"

static inline void random_value(struct rng *r, struct buf *b, int depth) {
    static const char *const scalars[] = {"1",
                                          "2.50",
                                          "true",
                                          "'a'",
                                          "'\\u00e9'",
                                          "'2026-11-23T18:16:33Z'",
                                          "'2026-11-23T18:16:34Z'",
                                          "'a long text that is cut somewhere'",
                                          "'password=hunter2'",
                                          "null",
                                          "''"};
    static const char *const keys[] = {"name", "a",    "b/c",  "limits", "token", "resourceVersion",
                                       "uid",  "data", "value"};
    uint64_t pick = rng_below(r, depth > 3 ? 2 : 4);
    if (pick < 2) {
        buf_adds(b, scalars[rng_below(r, ARRAY_LEN(scalars))]);
        return;
    }
    buf_addc(b, pick == 2 ? '{' : '[');
    for (uint64_t i = 0, n = rng_below(r, 4); i < n; i++) {
        if (i) buf_addc(b, ',');
        if (pick == 2) buf_addf(b, "'%s':", keys[(rng_below(r, 3) + i * 3) % ARRAY_LEN(keys)]);
        random_value(r, b, depth + 1);
    }
    buf_addc(b, pick == 2 ? '}' : ']');
}

/* Its name is one of a few, so that two reports have some in common. */
static inline char *random_object(struct rng *r, unsigned which, bool generated, bool deleting) {
    struct buf b = BUF(1 << 20);
    buf_addf(&b, "{'metadata':{'name':'o%u','uid':'%d'", which, (int)rng_below(r, 8) == 0);
    if (generated) buf_adds(&b, ",'generateName':'o'");
    if (deleting) buf_adds(&b, ",'deletionTimestamp':'2026-11-23T18:16:33Z'");
    buf_addf(&b, ",'labels':{'l%d':'x'},'finalizers':['f%d']", (int)rng_below(r, 3), (int)rng_below(r, 2));
    buf_adds(&b, ",'ownerReferences':[{'apiVersion':'apps/"
                 "v1','kind':'StatefulSet','name':'db','uid':'1','controller':true}]},");
    buf_addf(&b, "'spec':{'replicas':%d,'template':", (int)rng_below(r, 5));
    if (rng_below(r, 2))
        random_value(r, &b, 2);
    else
        buf_adds(&b, "{'spec':{'containers':[]}}");
    buf_adds(&b, ",'x':");
    random_value(r, &b, 0);
    buf_adds(&b, "},'status':");
    random_value(r, &b, 1);
    buf_addc(&b, '}');
    return buf_take(&b);
}

/* kind: 0 to 8; which: 0 to 3, the name */
static inline void random_row_of(struct rng *r, struct report *report, unsigned k, unsigned which) {
    static const struct {
        const char *group, *kind;
    } kinds[] = {{"", "ConfigMap"},
                 {"", "Secret"},
                 {"", "Pod"},
                 {"apps", "Deployment"},
                 {"apps", "ReplicaSet"},
                 {"example.com", "Thing"},
                 {"rbac.authorization.k8s.io", "Role"},
                 {"apiextensions.k8s.io", "CustomResourceDefinition"},
                 {"", "PersistentVolumeClaim"}};
    unsigned how = (unsigned)rng_below(r, 4);
    bool generated = which > 1;
    cleanup_free char *live = how == 0 ? NULL : random_object(r, which, generated, false),
                      *rehearsed = how == 1
                                       ? NULL
                                       : random_object(r, which, generated, how == 3 && rng_below(r, 4) == 0);
    unsigned writes = (unsigned)rng_below(r, 30);
    int64_t took = (int64_t)rng_below(r, 20) * 999999999;
    add_as(report, kinds[k].group, kinds[k].kind, live, rehearsed, writes, took, rng_below(r, 4) == 0);
}

static inline void random_row(struct rng *r, struct report *report) {
    unsigned k = (unsigned)rng_below(r, 9);
    random_row_of(r, report, k, (unsigned)rng_below(r, 4));
}

static inline struct report *random_report(struct rng *r) {
    struct report_limits limits = {
        .objects = 1 + rng_below(r, 12), .fields = 1 + rng_below(r, 8), .value = 1 + rng_below(r, 40)};
    struct report *report = report_new(rng_below(r, 2) ? NULL : &limits);
    for (uint64_t i = 0, n = rng_below(r, 12); i < n; i++) random_row(r, report);
    for (uint64_t i = 0, n = rng_below(r, 3); i < n; i++) {
        char what[2] = {(char)('a' + rng_below(r, 3)), 0};
        report_refusal(report, slice_of(what), SL("no \"way\"\n"), rng_next(r));
        if (rng_below(r, 2)) report_failure(report, slice_of(what), SL("403 Forbidden"), rng_next(r));
        report_event(report, SL("Warning"), slice_of(what), SL("m"), SL("Pod"), SL(""), SL("p"), 3);
    }
    if (rng_below(r, 2)) {
        report_set_run(report, &(struct report_run){.from_ns = INT64_C(1795457893123456789),
                                                    .to_ns = (int64_t)rng_below(r, INT64_MAX),
                                                    .reads = rng_below(r, 1000),
                                                    .unnamed = rng_below(r, 2) * rng_below(r, 9),
                                                    .superseded = rng_below(r, 2) * rng_below(r, 9),
                                                    .full = rng_below(r, 2),
                                                    .image = rng_below(r, 2) ? "op:v2" : NULL});
    }
    return report;
}
#endif
