/* The evidence as JSON. */
#include "judge/json_time.h"
#include "judge/json_number.h"
#include "judge/evidence.h"
#include <errno.h>

void evidence_write(const struct evidence *e, struct buf *out) {
    buf_addf(out, "{\"rounds\":%llu", (unsigned long long)e->rounds);
    json_time_add(out, "beganAt", e->began_ns);
    if (e->still_rounds)
        buf_addf(out, ",\"stillRounds\":%llu,\"stillStable\":%llu", (unsigned long long)e->still_rounds,
                 (unsigned long long)e->still_stable);
    json_number_counts(out, "carry", e->carry, TRACKS);
    json_number_counts(out, "errors", e->errors, TRACKS);
    json_number_counts(out, "total", e->total, TRACKS);
    buf_adds(out, ",\"pods\":[");
    for (size_t i = 0; i < e->n; i++) {
        const struct evidence_pod *p = &e->pod[i];
        buf_adds(out, i ? ",{\"uid\":" : "{\"uid\":");
        buf_add_json(out, slice_of(p->uid));
        buf_addf(out, ",\"restarts\":%u,\"canary\":%s", p->restarts,
                 p->track == TRACK_CANARY ? "true" : "false");
        if (p->count.based)
            buf_addf(out, ",\"errors\":%llu,\"total\":%llu", (unsigned long long)p->count.x,
                     (unsigned long long)p->count.n);
        if (p->started_s > 0) {
            buf_adds(out, ",\"started\":");
            json_number_add(out, p->started_s);
        }
        json_time_add(out, "youngSince", p->young_ns);
        if (p->count.retried)
            buf_addf(out, ",\"retried\":%llu,\"forgiven\":%llu", (unsigned long long)p->count.retried,
                     (unsigned long long)p->count.forgiven);
        if (p->unseen) buf_addf(out, ",\"unseen\":%u", p->unseen);
        buf_addc(out, '}');
    }
    buf_adds(out, "]}");
}

static bool read_pair(const cJSON *obj, const char *key, uint64_t ret[TRACKS]) {
    const cJSON *a = json_arr(obj, key);
    if (cJSON_GetArraySize(a) != TRACKS) return false;
    for (const cJSON *v = a->child; v; v = v->next, ret++) {
        if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 0x1p53)) return false;
        *ret = (uint64_t)v->valuedouble;
    }
    return true;
}

static bool read_pod(const cJSON *obj, struct evidence_pod *ret) {
    struct slice uid = slice_of(json_str(obj, "uid"));
    int64_t restarts = json_i64(obj, "restarts", -1), unseen = json_i64(obj, "unseen", 0);
    if (!uid.n || uid.n >= sizeof ret->uid || restarts < 0 || restarts > UINT32_MAX || unseen < 0 ||
        unseen > UINT32_MAX)
        return false;
    *ret = (struct evidence_pod){.restarts = (uint32_t)restarts, .unseen = (uint32_t)unseen};
    memcpy(ret->uid, uid.p, uid.n);
    ret->track = json_bool(obj, "canary", false) ? TRACK_CANARY : TRACK_STABLE;
    ret->count.based = json_get(obj, "total") != NULL;
    if (json_get(obj, "started") && !(json_number_get(obj, "started", &ret->started_s) && ret->started_s > 0))
        return false;
    if (!json_time_get(obj, "youngSince", &ret->young_ns)) return false;
    if (json_get(obj, "retried") && !(json_number_u64(obj, "retried", &ret->count.retried) &&
                                      json_number_u64(obj, "forgiven", &ret->count.forgiven)))
        return false;
    bool ok = !ret->count.based ||
              (json_number_u64(obj, "errors", &ret->count.x) && json_number_u64(obj, "total", &ret->count.n));
    ret->started = ret->count.n > 0;
    return ok;
}

int evidence_read(const cJSON *obj, struct evidence *ret, struct err *err) {
    struct evidence e = {0};
    const cJSON *pods = json_arr(obj, "pods");
    bool ok = json_number_u64(obj, "rounds", &e.rounds) && read_pair(obj, "carry", e.carry) &&
              read_pair(obj, "errors", e.errors) && read_pair(obj, "total", e.total) &&
              json_time_get(obj, "beganAt", &e.began_ns) && pods;
    if (ok && json_get(obj, "stillRounds"))
        ok = json_number_u64(obj, "stillRounds", &e.still_rounds) &&
             json_number_u64(obj, "stillStable", &e.still_stable);
    for (const cJSON *p = ok ? pods->child : NULL; p && ok; p = p->next) {
        ok = e.n < EVIDENCE_MAX_PODS;
        if (!ok) break;
        e.pod = xgrow(e.pod, &e.cap, e.n + 1, sizeof *e.pod);
        ok = read_pod(p, &e.pod[e.n++]);
    }
    if (!ok) {
        evidence_free(&e);
        return err_set(err, ERR_CONFIG, -EINVAL, "evidence: a member is missing or out of range");
    }
    *ret = e;
    return 0;
}
