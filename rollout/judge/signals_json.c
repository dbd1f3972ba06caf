/* The state of the signals as JSON, without losing a bit. What is not there has not begun: so the state of an earlier version is
 * read on, and a signal that a later version adds does not damage it. */
#include "judge/signals.h"
#include "judge/counter.h"
#include "judge/judge_json.h"
#include "judge/json_number.h"
#include <errno.h>
#include <math.h>

static const char *const names[SIGNAL_PAIRS] = {
    [PAIR_WRITES] = "writes",     [PAIR_SLOW] = "slow", [PAIR_PANICS] = "panics",
    [PAIR_WEBHOOKS] = "webhooks", [PAIR_API] = "api",
};

static void open_object(const char *key, struct buf *out) {
    buf_addf(out, ",\"%s\":{\"version\":1", key);
}

static void write_share(const struct signals_share *t, const char *key, struct buf *out) {
    open_object(key, out);
    judge_dc_write(&t->look, "looks", out);
    judge_dc_write(&t->count, "counts", out);
    judge_spread_write(&t->spread, "spread", out);
    buf_addc(out, '}');
}

static void write_test(const struct signals_test *t, const char *key, struct buf *out) {
    if (!t->n[TRACK_STABLE] && !t->n[TRACK_CANARY]) return;
    open_object(key, out);
    write_share(&t->versus, "versus", out);
    judge_dc_write(&t->over, "over", out);
    json_number_counts(out, "some", t->x, TRACKS);
    json_number_counts(out, "all", t->n, TRACKS);
    json_number_counts(out, "gapSome", t->gap_x, TRACKS);
    json_number_counts(out, "gapAll", t->gap_n, TRACKS);
    buf_addc(out, '}');
}

static void write_memory(const struct signals_memory *m, struct buf *out) {
    open_object("memory", out);
    json_number_list(out, "low", m->low, TRACKS);
    json_number_list(out, "last", m->last, TRACKS);
    json_number_list(out, "first", m->first, TRACKS);
    buf_addf(out, ",\"looks\":%u", m->looks);
    judge_dc_write(&m->grows, "grows", out);
    buf_addc(out, '}');
}

void signals_write(const struct signals *s, struct buf *out) {
    buf_addf(out, "{\"looks\":%llu,\"present\":%llu", (unsigned long long)s->looks,
             (unsigned long long)s->present);
    if (s->reported) buf_adds(out, ",\"reported\":true");
    if (s->podlooks[TRACK_CANARY]) {
        write_share(&s->more, "more", out);
        write_share(&s->less, "less", out);
    }
    json_number_counts(out, "total", s->total, TRACKS);
    json_number_counts(out, "podLooks", s->podlooks, TRACKS);
    json_number_list(out, "longest", s->longest, TRACKS);
    buf_addf(out, ",\"waits\":%llu,\"waitsStable\":%llu", (unsigned long long)s->waits,
             (unsigned long long)s->waits_stable);
    json_number_list(out, "depth", &s->depth, 1);
    json_number_list(out, "bound", &s->bound, 1);
    for (int i = 0; i < SIGNAL_PAIRS; i++) write_test(&s->pair[i], names[i], out);
    if (s->memory.first[TRACK_CANARY] > 0 || s->memory.looks) write_memory(&s->memory, out);
    json_number_counts(out, "oomKilled", s->oom, TRACKS);
    json_number_counts(out, "lostLeadership", s->lost, TRACKS);
    buf_addc(out, '}');
}

/* ---- reading: each is true where the member is absent ---- */

static bool read_numbers(const cJSON *obj, const char *key, double *ret, size_t n) {
    if (!json_get(obj, key)) return true;
    if (!json_number_gets(obj, key, ret, n)) return false;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(ret[i]) || ret[i] < 0) return false;
    return true;
}

static bool read_counts(const cJSON *obj, const char *key, uint64_t ret[TRACKS]) {
    double v[TRACKS] = {0};
    if (!read_numbers(obj, key, v, TRACKS)) return false;
    for (int t = 0; t < TRACKS; t++) {
        if (v[t] > (double)COUNT_MAX || v[t] != floor(v[t])) return false;
        ret[t] = (uint64_t)v[t];
    }
    return true;
}

static bool read_count(const cJSON *obj, const char *key, uint64_t *ret) {
    return !json_get(obj, key) || json_number_u64(obj, key, ret);
}

static bool read_share(const cJSON *obj, const char *key, struct signals_share *ret) {
    const cJSON *o = json_obj(obj, key);
    if (!json_get(obj, key)) return true;
    return o && judge_dc_read(o, "looks", &ret->look) && judge_dc_read(o, "counts", &ret->count) &&
           judge_spread_read(o, "spread", &ret->spread);
}

static bool read_test(const cJSON *obj, const char *key, struct signals_test *ret) {
    const cJSON *o = json_obj(obj, key);
    if (!json_get(obj, key)) return true;
    return o && read_share(o, "versus", &ret->versus) && judge_dc_read(o, "over", &ret->over) &&
           read_counts(o, "some", ret->x) && read_counts(o, "all", ret->n) &&
           read_counts(o, "gapSome", ret->gap_x) && read_counts(o, "gapAll", ret->gap_n);
}

static bool read_memory(const cJSON *obj, struct signals_memory *ret) {
    const cJSON *o = json_obj(obj, "memory");
    uint64_t looks = 0;
    if (!json_get(obj, "memory")) return true;
    bool ok = o && read_numbers(o, "low", ret->low, TRACKS) && read_numbers(o, "last", ret->last, TRACKS) &&
              read_numbers(o, "first", ret->first, TRACKS) && read_count(o, "looks", &looks) &&
              looks < 1000 && judge_dc_read(o, "grows", &ret->grows);
    ret->looks = (uint32_t)looks;
    return ok;
}

int signals_read(const cJSON *obj, struct signals *ret, struct err *err) {
    struct signals s;
    signals_init(&s);
    bool ok = cJSON_IsObject(obj) && read_count(obj, "looks", &s.looks) &&
              read_count(obj, "present", &s.present) && read_share(obj, "more", &s.more) &&
              read_share(obj, "less", &s.less) && read_counts(obj, "total", s.total) &&
              read_counts(obj, "podLooks", s.podlooks) && read_numbers(obj, "longest", s.longest, TRACKS) &&
              read_count(obj, "waits", &s.waits) && read_count(obj, "waitsStable", &s.waits_stable) &&
              read_numbers(obj, "depth", &s.depth, 1) && read_numbers(obj, "bound", &s.bound, 1) &&
              read_memory(obj, &s.memory) && read_counts(obj, "oomKilled", s.oom) &&
              read_counts(obj, "lostLeadership", s.lost);
    for (int i = 0; i < SIGNAL_PAIRS && ok; i++) ok = read_test(obj, names[i], &s.pair[i]);
    if (!ok) return err_set(err, ERR_CONFIG, -EINVAL, "signals: a member is missing or out of range");
    s.reported = json_bool(obj, "reported", false);
    *ret = s;
    return 0;
}
