/* The judge's state and parameters as JSON, without losing a bit. */
#include "judge/judge.h"
#include "judge/json_number.h"
#include <errno.h>
#include <math.h>

static void write_dc(const struct judge_dc *dc, const char *key, struct buf *out) {
    buf_addf(out, "\"%s\":{\"begun\":%s,\"lnR\":", key, dc->begun ? "true" : "false");
    json_number_add(out, dc->ln_r);
    buf_adds(out, ",\"m\":");
    json_number_adds(out, dc->m, JUDGE_RATES);
    buf_addc(out, '}');
}

void judge_write(const struct judge *j, struct buf *out) {
    buf_addc(out, '{');
    write_dc(&j->canary, "canary", out);
    buf_addc(out, ',');
    write_dc(&j->stable, "stable", out);
    buf_adds(out, ",\"two\":");
    json_number_adds(out, j->two.l, JUDGE_RATIOS);
    buf_adds(out, ",\"twoEqual\":");
    json_number_adds(out, j->two_equal.l, JUDGE_RATIOS);
    buf_addf(out,
             ",\"canaryErrors\":%llu,\"canaryTotal\":%llu,\"stableErrors\":%llu,\"stableTotal\":%llu,"
             "\"stepTotal\":%llu,"
             "\"scrapes\":%llu,\"extended\":%s}",
             (unsigned long long)j->ec, (unsigned long long)j->nc, (unsigned long long)j->es,
             (unsigned long long)j->ns, (unsigned long long)j->step_nc, (unsigned long long)j->scrapes,
             j->extended ? "true" : "false");
}

static bool read_dc(const cJSON *obj, const char *key, struct judge_dc *ret) {
    const cJSON *dc = json_obj(obj, key);
    ret->begun = json_bool(dc, "begun", false);
    return dc && json_number_get(dc, "lnR", &ret->ln_r) && ret->ln_r <= 0 &&
           json_number_gets(dc, "m", ret->m, JUDGE_RATES);
}

/* The two-sample sums are always finite, what null would make infinite. */
static bool read_two(const cJSON *obj, const char *key, struct judge_two *ret) {
    if (!json_number_gets(obj, key, ret->l, JUDGE_RATIOS)) return false;
    for (int i = 0; i < JUDGE_RATIOS; i++) {
        if (!isfinite(ret->l[i])) return false;
    }
    return true;
}

int judge_read(const cJSON *obj, struct judge *ret, struct err *err) {
    struct judge j = {0};
    bool ok = read_dc(obj, "canary", &j.canary) && read_dc(obj, "stable", &j.stable) &&
              read_two(obj, "two", &j.two) && read_two(obj, "twoEqual", &j.two_equal) &&
              json_number_u64(obj, "canaryErrors", &j.ec) && json_number_u64(obj, "canaryTotal", &j.nc) &&
              json_number_u64(obj, "stableErrors", &j.es) && json_number_u64(obj, "stableTotal", &j.ns) &&
              json_number_u64(obj, "stepTotal", &j.step_nc) && json_number_u64(obj, "scrapes", &j.scrapes);
    if (!ok || j.ec > j.nc || j.es > j.ns) {
        return err_set(err, ERR_CONFIG, -EINVAL, "judge: a member is missing or out of range");
    }
    j.extended = json_bool(obj, "extended", false);
    *ret = j;
    return 0;
}

void judge_param_write(const struct judge_param *p, struct buf *out) {
    buf_adds(out, "{\"theta\":");
    json_number_add(out, p->theta);
    buf_adds(out, ",\"psi0\":");
    json_number_add(out, p->psi0);
    buf_adds(out, ",\"alpha\":");
    json_number_add(out, p->alpha);
    buf_adds(out, ",\"beta\":");
    json_number_add(out, p->beta);
    buf_adds(out, ",\"gamma\":");
    json_number_add(out, p->gamma);
    buf_addf(out, ",\"metrics\":%u,\"minEvents\":%llu,\"soakNs\":\"%lld\",\"minSoakNs\":\"%lld\"}",
             p->metrics, (unsigned long long)p->min_events, (long long)p->soak_ns, (long long)p->min_soak_ns);
}

static bool fraction(const cJSON *obj, const char *key, double *ret) {
    return json_number_get(obj, key, ret) && *ret > 0 && *ret < 1;
}

int judge_param_read(const cJSON *obj, struct judge_param *ret, struct err *err) {
    struct judge_param p;
    uint64_t metrics = 0;
    bool ok = fraction(obj, "theta", &p.theta) && json_number_get(obj, "psi0", &p.psi0) && p.psi0 > 0 &&
              fraction(obj, "alpha", &p.alpha) && fraction(obj, "beta", &p.beta) &&
              json_number_get(obj, "gamma", &p.gamma) && p.gamma > 0 && p.gamma <= 1 &&
              json_number_u64(obj, "metrics", &metrics) && metrics > 0 && metrics <= 1000 &&
              json_number_u64(obj, "minEvents", &p.min_events) &&
              slice_i64(slice_of(json_str_or(obj, "soakNs", "")), &p.soak_ns) == 0 && p.soak_ns >= 0 &&
              p.soak_ns < INT64_MAX / 4 &&
              slice_i64(slice_of(json_str_or(obj, "minSoakNs", "")), &p.min_soak_ns) == 0 &&
              p.min_soak_ns >= 0;
    if (!ok)
        return err_set(err, ERR_CONFIG, -EINVAL, "judge parameters: a member is missing or out of range");
    p.metrics = (unsigned)metrics;
    *ret = p;
    return 0;
}
