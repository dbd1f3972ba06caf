/* The judge's state and parameters as JSON, without losing a bit. A state of version 0.1.0, which had no tests by looks,
 * is read as what it is: the evidence by counts goes on, the rest begins. */
#include "judge/judge_json.h"
#include "judge/json_number.h"
#include <errno.h>
#include <math.h>

static const double old_gamma = 0.2; /* what an earlier version reads in the place of a learned one */

static void add_u64(struct buf *out, const char *key, uint64_t v) {
    buf_addf(out, ",\"%s\":%llu", key, (unsigned long long)v);
}

void judge_dc_write(const struct judge_dc *dc, const char *key, struct buf *out) {
    buf_addf(out, ",\"%s\":{\"begun\":%s,\"looks\":%llu,\"lnR\":", key, dc->looks ? "true" : "false",
             (unsigned long long)dc->looks);
    json_number_add(out, dc->ln_r);
    json_number_list(out, "m", dc->m, JUDGE_RATES);
    buf_addc(out, '}');
}

void judge_spread_write(const struct judge_spread *s, const char *key, struct buf *out) {
    const double v[] = {s->sum, s->weight, (double)s->x, (double)s->n};
    json_number_list(out, key, v, 4);
}

/* Members, the first of them with a comma before it. */
static void write_test(const struct judge_test *t, struct buf *out) {
    const double recent[] = {t->recent_x[0], t->recent_n[0], t->recent_x[1], t->recent_n[1]};
    judge_dc_write(&t->late, "canary", out);
    judge_dc_write(&t->stable, "stable", out);
    judge_dc_write(&t->bet, "canaryLooks", out);
    judge_dc_write(&t->stable_bet, "stableLooks", out);
    judge_dc_write(&t->two, "worse", out);
    judge_dc_write(&t->equal, "worseAtAll", out);
    json_number_list(out, "pass", t->pass, ARRAY_LEN(t->pass));
    judge_spread_write(&t->spread, "stableSpread", out);
    judge_spread_write(&t->own, "canarySpread", out);
    json_number_list(out, "recent", recent, 4);
    add_u64(out, "canaryErrors", t->ec);
    add_u64(out, "canaryTotal", t->nc);
    add_u64(out, "stableErrors", t->es);
    add_u64(out, "stableTotal", t->ns);
    add_u64(out, "startErrors", t->start_ec);
    add_u64(out, "startTotal", t->start_nc);
    if (t->retried) add_u64(out, "retried", t->retried);
    add_u64(out, "looks", t->looks);
    add_u64(out, "gapErrors", t->gap_es);
    add_u64(out, "gapTotal", t->gap_ns);
}

void judge_write(const struct judge *j, struct buf *out) {
    buf_addf(out, "{\"scrapes\":%llu", (unsigned long long)j->scrapes);
    add_u64(out, "stepTotal", j->step_nc);
    write_test(&j->all, out);
    json_number_list(out, "lately", &j->lately, 1);
    json_number_list(out, "two", j->two.l, JUDGE_RATIOS);
    json_number_list(out, "twoEqual", j->two_equal.l, JUDGE_RATIOS);
    if (j->n) buf_adds(out, ",\"controllers\":[");
    for (size_t i = 0; i < j->n; i++) {
        buf_adds(out, i ? ",{\"name\":" : "{\"name\":");
        buf_add_json(out, slice_of(j->controller[i].name));
        if (j->controller[i].theta > 0) json_number_list(out, "tolerated", &j->controller[i].theta, 1);
        write_test(&j->controller[i], out);
        buf_addc(out, '}');
    }
    buf_adds(out, j->n ? "]}" : "}");
}

bool judge_dc_read(const cJSON *obj, const char *key, struct judge_dc *ret) {
    const cJSON *dc = json_obj(obj, key);
    return dc && json_number_get(dc, "lnR", &ret->ln_r) && ret->ln_r <= 0 &&
           json_number_gets(dc, "m", ret->m, JUDGE_RATES) && json_number_u64(dc, "looks", &ret->looks);
}

/* Weights were placed with a hazard rate, one in each scrape that had events. */
static bool read_old_dc(const cJSON *obj, const char *key, uint64_t scrapes, struct judge_dc *ret) {
    const cJSON *dc = json_obj(obj, key);
    ret->looks = json_bool(dc, "begun", false) ? scrapes : 0;
    return dc && json_number_get(dc, "lnR", &ret->ln_r) && ret->ln_r <= 0 &&
           json_number_gets(dc, "m", ret->m, JUDGE_RATES);
}

/* Numbers that are always finite, what null would make infinite. */
static bool read_list(const cJSON *obj, const char *key, double *ret, size_t n) {
    if (!json_number_gets(obj, key, ret, n)) return false;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(ret[i])) return false;
    return true;
}

bool judge_spread_read(const cJSON *obj, const char *key, struct judge_spread *ret) {
    double v[4];
    if (!read_list(obj, key, v, 4)) return false;
    for (int i = 0; i < 4; i++)
        if (v[i] < 0 || v[i] > 0x1p53 * 1e7) return false;
    if (v[2] > v[3] || v[3] > 0x1p53) return false;
    *ret = (struct judge_spread){.sum = v[0], .weight = v[1], .x = (uint64_t)v[2], .n = (uint64_t)v[3]};
    return true;
}

static bool read_new(const cJSON *o, struct judge_test *t) {
    double recent[4];
    bool ok = judge_dc_read(o, "canary", &t->late) && judge_dc_read(o, "stable", &t->stable) &&
              judge_dc_read(o, "canaryLooks", &t->bet) && judge_dc_read(o, "stableLooks", &t->stable_bet) &&
              judge_dc_read(o, "worse", &t->two) && judge_dc_read(o, "worseAtAll", &t->equal) &&
              read_list(o, "pass", t->pass, ARRAY_LEN(t->pass)) &&
              judge_spread_read(o, "stableSpread", &t->spread) &&
              judge_spread_read(o, "canarySpread", &t->own) && read_list(o, "recent", recent, 4) &&
              json_number_u64(o, "startErrors", &t->start_ec) &&
              json_number_u64(o, "startTotal", &t->start_nc) && json_number_u64(o, "looks", &t->looks) &&
              json_number_u64(o, "gapErrors", &t->gap_es) && json_number_u64(o, "gapTotal", &t->gap_ns) &&
              (!json_get(o, "retried") || json_number_u64(o, "retried", &t->retried));
    for (int i = 0; ok && i < 4; i++) ok = recent[i] >= 0;
    for (int i = 0; ok && i < 2; i++) {
        t->recent_x[i] = recent[(size_t)i * 2];
        t->recent_n[i] = recent[(size_t)i * 2 + 1];
    }
    return ok && t->start_ec <= t->start_nc && t->gap_es <= t->gap_ns;
}

static bool read_test(const cJSON *o, uint64_t scrapes, struct judge_test *t) {
    judge_test_init(t);
    bool old = !json_get(o, "canaryLooks") && !json_get(o, "pass");
    bool ok = json_number_u64(o, "canaryErrors", &t->ec) && json_number_u64(o, "canaryTotal", &t->nc) &&
              json_number_u64(o, "stableErrors", &t->es) && json_number_u64(o, "stableTotal", &t->ns);
    ok = ok &&
         (old ? read_old_dc(o, "canary", scrapes, &t->late) && read_old_dc(o, "stable", scrapes, &t->stable)
              : read_new(o, t));
    return ok && t->ec <= t->nc && t->es <= t->ns;
}

static bool read_controllers(const cJSON *a, struct judge *j) {
    for (const cJSON *o = a ? a->child : NULL; o; o = o->next) {
        struct slice name = slice_of(json_str(o, "name"));
        if (!name.n || name.n >= JUDGE_NAME || j->n == JUDGE_CONTROLLERS) return false;
        j->controller = xgrow(j->controller, &j->cap, j->n + 1, sizeof *j->controller);
        struct judge_test *t = &j->controller[j->n++];
        if (!read_test(o, j->scrapes, t)) return false;
        if (json_get(o, "tolerated") &&
            !(read_list(o, "tolerated", &t->theta, 1) && t->theta > 0 && t->theta <= 1))
            return false;
        memcpy(t->name, name.p, name.n);
    }
    return true;
}

/* Before it was kept: as if all that was counted had come evenly. */
static bool read_lately(const cJSON *obj, struct judge *j) {
    j->lately = (double)(j->all.nc + j->all.ns) / 3;
    return (!json_get(obj, "lately") || read_list(obj, "lately", &j->lately, 1)) && j->lately >= 0;
}

int judge_read(const cJSON *obj, struct judge *ret, struct err *err) {
    struct judge j;
    judge_init(&j);
    bool ok = json_number_u64(obj, "scrapes", &j.scrapes) && json_number_u64(obj, "stepTotal", &j.step_nc) &&
              read_test(obj, j.scrapes, &j.all) && read_lately(obj, &j) &&
              read_list(obj, "two", j.two.l, JUDGE_RATIOS) &&
              read_list(obj, "twoEqual", j.two_equal.l, JUDGE_RATIOS) &&
              (!json_get(obj, "controllers") ||
               (json_arr(obj, "controllers") && read_controllers(json_arr(obj, "controllers"), &j)));
    if (!ok) {
        judge_free(&j);
        return err_set(err, ERR_CONFIG, -EINVAL, "judge: a member is missing or out of range");
    }
    *ret = j;
    return 0;
}

void judge_param_write(const struct judge_param *p, struct buf *out) {
    bool learned = !(p->gamma > 0);
    buf_adds(out, "{\"theta\":");
    json_number_add(out, p->theta);
    buf_adds(out, ",\"psi0\":");
    json_number_add(out, p->psi0);
    buf_adds(out, ",\"alpha\":");
    json_number_add(out, p->alpha);
    buf_adds(out, ",\"beta\":");
    json_number_add(out, p->beta);
    buf_adds(out, ",\"gamma\":");
    json_number_add(out, learned ? old_gamma : p->gamma);
    if (!learned) buf_adds(out, ",\"gammaGiven\":true");
    buf_addf(out, ",\"metrics\":1,\"minEvents\":%llu,\"soakNs\":\"%lld\",\"minSoakNs\":\"%lld\"",
             (unsigned long long)p->min_events, (long long)p->soak_ns, (long long)p->min_soak_ns);
    add_u64(out, "soakScrapes", p->soak_looks);
    add_u64(out, "deadlineScrapes", p->deadline_looks);
    buf_addc(out, '}');
}

static bool fraction(const cJSON *obj, const char *key, double *ret) {
    return json_number_get(obj, key, ret) && *ret > 0 && *ret < 1;
}

int judge_param_read(const cJSON *obj, struct judge_param *ret, struct err *err) {
    struct judge_param p;
    judge_param_default(&p);
    bool ok = fraction(obj, "theta", &p.theta) && json_number_get(obj, "psi0", &p.psi0) && p.psi0 > 0 &&
              fraction(obj, "alpha", &p.alpha) && fraction(obj, "beta", &p.beta) &&
              json_number_get(obj, "gamma", &p.gamma) && p.gamma > 0 && p.gamma <= 1 &&
              json_number_u64(obj, "minEvents", &p.min_events) &&
              slice_i64(slice_of(json_str_or(obj, "soakNs", "")), &p.soak_ns) == 0 && p.soak_ns >= 0 &&
              p.soak_ns < INT64_MAX / 4 &&
              slice_i64(slice_of(json_str_or(obj, "minSoakNs", "")), &p.min_soak_ns) == 0 &&
              p.min_soak_ns >= 0 &&
              (!json_get(obj, "soakScrapes") || (json_number_u64(obj, "soakScrapes", &p.soak_looks) &&
                                                 json_number_u64(obj, "deadlineScrapes", &p.deadline_looks)));
    if (!ok)
        return err_set(err, ERR_CONFIG, -EINVAL, "judge parameters: a member is missing or out of range");
    if (!json_bool(obj, "gammaGiven", false)) p.gamma = 0;
    *ret = p;
    return 0;
}
