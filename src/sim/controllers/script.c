/* Scripts: parsing, and which one holds for an image. */
#include "controllers/script.h"
#include "base/mem.h"
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

enum { MAX_RULES = 1000, MAX_PATTERN = 512, MAX_TEXTS = 10000 };

struct script_rule {
    char *pattern;
    struct script script;
};

static void set_defaults(struct script *s) {
    *s = (struct script){
        .start_ns = -1,
        .ready = true,
        .exit_code = 1,
        .terminate_ns = 50 * NS_PER_MS,
        .rate = 20,
        .busy = 0.2,
        .slow_ns = 30 * NS_PER_S,
        .controller = "sim",
        .controllers = 1,
        .rare = -1,
        .writes = 0.1,
        .memory = 40 << 20,
        .lease_ns = 15 * NS_PER_S,
    };
}

/* ---- members ---- */

static int bad(struct err *err, const cJSON *v, const char *wanted) {
    cleanup_free char *text = json_print(v);
    return err_set(err, ERR_CONFIG, -EINVAL, "script: %s is %.60s, must be %s", v->string, text, wanted);
}

static int get_ms(const cJSON *v, int64_t *ret_ns, struct err *err) {
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 1e12))
        return bad(err, v, "a number of milliseconds");
    *ret_ns = (int64_t)(v->valuedouble * (double)NS_PER_MS);
    return 0;
}

static int get_int(const cJSON *v, int64_t max, int64_t *ret, struct err *err) {
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= (double)max))
        return bad(err, v, "a whole number that is not negative");
    *ret = (int64_t)v->valuedouble;
    return 0;
}

static int get_controllers(const cJSON *v, int64_t least, int64_t *ret, struct err *err) {
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= (double)least && v->valuedouble <= SCRIPT_CONTROLLERS))
        return bad(err, v, least ? "a number from 1 to 40" : "a number from 0 to 40");
    *ret = (int64_t)v->valuedouble;
    return 0;
}

static int get_code(const cJSON *v, int *ret, struct err *err) {
    int64_t code = 0;
    int r = get_int(v, 255, &code, err);
    if (r == 0) *ret = (int)code;
    return r;
}

static int get_num(const cJSON *v, double max, double *ret, struct err *err) {
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= max))
        return bad(err, v, max <= 1 ? "between 0 and 1" : "a number that is not negative");
    *ret = v->valuedouble;
    return 0;
}

static int get_bool(const cJSON *v, bool *ret, struct err *err) {
    if (!cJSON_IsBool(v)) return bad(err, v, "true or false");
    *ret = cJSON_IsTrue(v);
    return 0;
}

static int get_text(const cJSON *v, char *ret, size_t size, struct err *err) {
    if (!cJSON_IsString(v) || strlen(v->valuestring) >= size)
        return bad(err, v, "a string that is not too long");
    (void)snprintf(ret, size, "%s", v->valuestring);
    return 0;
}

static int get_pull(const cJSON *v, bool *ret, struct err *err) {
    if (!cJSON_IsString(v)) return bad(err, v, "\"ok\" or \"fail\"");
    bool fail = strcmp(v->valuestring, "fail") == 0;
    if (!fail && strcmp(v->valuestring, "ok") != 0) return bad(err, v, "\"ok\" or \"fail\"");
    *ret = fail;
    return 0;
}

static int get_metrics(const cJSON *v, enum metrics_kind *ret, struct err *err) {
    static const char *const names[] = {"controller-runtime", "none", "garbage", "http500", "slow"};
    for (size_t i = 0; cJSON_IsString(v) && i < ARRAY_LEN(names); i++) {
        if (strcmp(v->valuestring, names[i]) != 0) continue;
        *ret = (enum metrics_kind)i;
        return 0;
    }
    return bad(err, v, "controller-runtime, none, garbage, http500 or slow");
}

static int process_member(struct script *s, const cJSON *v, const char *k, struct err *err) {
    if (strcmp(k, "startMs") == 0) return get_ms(v, &s->start_ns, err);
    if (strcmp(k, "ready") == 0) return get_bool(v, &s->ready, err);
    if (strcmp(k, "readyMs") == 0) return get_ms(v, &s->ready_ns, err);
    if (strcmp(k, "imagePull") == 0) return get_pull(v, &s->pull_fails, err);
    if (strcmp(k, "refused") == 0) return get_text(v, s->refused, sizeof s->refused, err);
    if (strcmp(k, "crashAfterMs") == 0) return get_ms(v, &s->crash_ns, err);
    if (strcmp(k, "crashes") == 0) return get_int(v, INT32_MAX, &s->crashes, err);
    if (strcmp(k, "exitCode") == 0) return get_code(v, &s->exit_code, err);
    if (strcmp(k, "reason") == 0) return get_text(v, s->reason, sizeof s->reason, err);
    if (strcmp(k, "message") == 0) return get_text(v, s->message, sizeof s->message, err);
    if (strcmp(k, "terminateMs") == 0) return get_ms(v, &s->terminate_ns, err);
    if (strcmp(k, "terminateExitCode") == 0) return get_code(v, &s->term_exit_code, err);
    if (strcmp(k, "reportMute") == 0) return get_bool(v, &s->mute, err);
    if (strcmp(k, "reportUnsettled") == 0) return get_bool(v, &s->unsettled, err);
    if (strcmp(k, "report") == 0) return cJSON_IsObject(v) ? 0 : bad(err, v, "a report, which is an object");
    if (strcmp(k, "external") == 0) return get_bool(v, &s->external, err);
    return 1;
}

static int operator_member(struct script *s, const cJSON *v, const char *k, struct err *err) {
    if (strcmp(k, "errorRate") == 0) return get_num(v, 1, &s->error_rate, err);
    if (strcmp(k, "errorRateAfterMs") == 0) return get_ms(v, &s->error_after_ns, err);
    if (strcmp(k, "reconcilesPerSecond") == 0) return get_num(v, 1e6, &s->rate, err);
    if (strcmp(k, "busy") == 0) return get_num(v, 1, &s->busy, err);
    if (strcmp(k, "depth") == 0) return get_int(v, INT32_MAX, &s->depth, err);
    if (strcmp(k, "metrics") == 0) return get_metrics(v, &s->metrics, err);
    if (strcmp(k, "slowMs") == 0) return get_ms(v, &s->slow_ns, err);
    if (strcmp(k, "metricsPort") == 0) return get_int(v, 65535, &s->metrics_port, err);
    if (strcmp(k, "controller") == 0) return get_text(v, s->controller, sizeof s->controller, err);
    if (strcmp(k, "controllers") == 0) return get_controllers(v, 1, &s->controllers, err);
    if (strcmp(k, "badController") == 0) return get_controllers(v, 0, &s->bad_controller, err);
    if (strcmp(k, "lastShare") == 0) return get_num(v, 1, &s->rare, err);
    if (strcmp(k, "writesPerReconcile") == 0) return get_num(v, 1e3, &s->writes, err);
    if (strcmp(k, "panicRate") == 0) return get_num(v, 1, &s->panics, err);
    if (strcmp(k, "slowRate") == 0) return get_num(v, 1, &s->slow, err);
    if (strcmp(k, "memoryBytes") == 0) return get_num(v, 1e12, &s->memory, err);
    if (strcmp(k, "leakBytesPerSecond") == 0) return get_num(v, 1e12, &s->leak, err);
    if (strcmp(k, "longestMs") == 0) return get_ms(v, &s->longest_ns, err);
    if (strcmp(k, "leaderElection") == 0) return get_bool(v, &s->elects, err);
    if (strcmp(k, "releaseOnExit") == 0) return get_bool(v, &s->releases, err);
    if (strcmp(k, "lease") == 0) return get_text(v, s->lease, sizeof s->lease, err);
    if (strcmp(k, "leaseMs") == 0) return get_ms(v, &s->lease_ns, err);
    return 1;
}

/* Sets what json says in *s; members that it does not know are an error. *s is untouched on failure. */
static int from_json(struct script *s, const cJSON *json, struct err *err) {
    if (!cJSON_IsObject(json)) return err_set(err, ERR_CONFIG, -EINVAL, "script: not a JSON object");
    struct script got = *s;
    for (const cJSON *v = json->child; v; v = v->next) {
        if (strcmp(v->string, "image") == 0) continue;
        int r = process_member(&got, v, v->string, err);
        if (r > 0) r = operator_member(&got, v, v->string, err);
        if (r > 0) return err_set(err, ERR_CONFIG, -EINVAL, "script: there is no member %.60s", v->string);
        if (r < 0) return r;
    }
    if (got.bad_controller > got.controllers)
        return err_set(err, ERR_CONFIG, -EINVAL, "script: badController is %lld of %lld controllers",
                       (long long)got.bad_controller, (long long)got.controllers);
    *s = got;
    return 0;
}

/* ---- rules ---- */

static void remove_rule(struct scripts *l, const char *pattern) {
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->v[i].pattern, pattern) != 0) continue;
        free(l->v[i].pattern);
        memmove(&l->v[i], &l->v[i + 1], (l->n - i - 1) * sizeof *l->v);
        l->n--;
        return;
    }
}

/* Pods that run have it, too, whatever becomes of the rule. */
static int keep_report(struct scripts *l, const cJSON *json, struct script *s, struct err *err) {
    const cJSON *report = json_get(json, "report");
    if (!report) return 0;
    if (l->ntexts == MAX_TEXTS)
        return err_set(err, ERR_CONFIG, -ENOSPC, "script: more than %d reports", MAX_TEXTS);
    l->text = xgrow(l->text, &l->text_cap, l->ntexts + 1, sizeof *l->text);
    s->report = l->text[l->ntexts++] = json_print(report);
    return 0;
}

int scripts_add(struct scripts *l, const cJSON *json, struct err *err) {
    if (json_bool(json, "clear", false)) {
        while (l->n > 0) free(l->v[--l->n].pattern);
        return 0;
    }
    struct script s;
    set_defaults(&s);
    int r = from_json(&s, json, err);
    if (r < 0) return r;
    const cJSON *image = json_get(json, "image");
    if (image && (!cJSON_IsString(image) || strlen(image->valuestring) > MAX_PATTERN))
        return bad(err, image, "a pattern of image names");
    const char *pattern = image ? image->valuestring : "*";
    if (keep_report(l, json, &s, err) < 0) return -ENOSPC;
    remove_rule(l, pattern);
    if (l->n == MAX_RULES) return err_set(err, ERR_CONFIG, -ENOSPC, "script: more than %d", MAX_RULES);
    l->v = xgrow(l->v, &l->cap, l->n + 1, sizeof *l->v);
    l->v[l->n++] = (struct script_rule){xstrdup(pattern), s};
    return 0;
}

void scripts_for(const struct scripts *l, const char *image, const char *annotation, struct script *ret) {
    set_defaults(ret);
    for (size_t i = l->n; i > 0; i--) {
        if (fnmatch(l->v[i - 1].pattern, image, 0) != 0) continue;
        *ret = l->v[i - 1].script;
        break;
    }
    if (annotation) {
        cleanup_json cJSON *own = json_parse(slice_of(annotation), NULL);
        if (own) (void)from_json(ret, own, NULL); /* a bad one counts for nothing */
    }
    if (ret->start_ns < 0) ret->start_ns = l->default_start_ns;
}

void scripts_free(struct scripts *l) {
    for (size_t i = 0; i < l->n; i++) free(l->v[i].pattern);
    for (size_t i = 0; i < l->ntexts; i++) free(l->text[i]);
    free(l->text);
    free(l->v);
    *l = (struct scripts){0};
}
