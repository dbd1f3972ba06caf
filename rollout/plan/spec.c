/* The annotations of a target to a checked struct: one table of names and readers. */
#include "plan/spec.h"
#include "api/gvr.h"
#include "judge/promql.h"
#include "judge/promtext.h"
#include "plan/check.h"
#include "plan/spec_value.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

/* Beyond this no sum of times below can overflow. */
#define LONGEST (INT64_C(90) * 24 * 3600 * NS_PER_S)

static const char *const actions[ACTION_N] = {"promote", "pause",   "resume", "abort",
                                              "retry",   "approve", "release"};
static const char *const modes[] = {"auto", "replicas", "leader", "objects"};
static const char *const assists[] = {"rollout", "always", "off"};
static const char *const guards[GUARDS] = {"crashes", "image", "readiness"};
static const char *const inconclusives[] = {"pause", "rollback", "promote"};

const char *spec_action_name(enum spec_action a) {
    return (size_t)a < ARRAY_LEN(actions) ? actions[a] : "?";
}

const char *spec_guard_name(enum spec_guard g) {
    return (size_t)g < GUARDS ? guards[g] : "?";
}

/* A reader returns what is wrong beyond "this is not allowed" in why (may stay empty). */
struct why {
    char text[256];
};

static bool read_percent(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    return value_steps(v, s);
}
/* Which of n words it is; -1: none. */
static int choice(struct slice v, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (slice_eqs(v, words[i])) return (int)i;
    return -1;
}
static bool read_mode(struct slice v, struct spec *s, struct why *w) {
    int i = choice(v, modes, ARRAY_LEN(modes));
    (void)w;
    if (i >= 0) s->mode = (enum spec_mode)i;
    return i >= 0;
}
static bool read_error_rate(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    if (slice_eqs(v, "auto")) return true;
    s->auto_rate = !value_percent(v, &s->max_error_rate);
    return !s->auto_rate;
}
static bool read_regression(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    return value_number(v, 1, 100, &s->max_regression);
}
static bool read_soak(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    return value_duration(v, NS_PER_S, LONGEST, &s->soak_ns);
}
static bool read_min_soak(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    return value_duration(v, 0, LONGEST, &s->min_soak_ns);
}
static bool read_min_events(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    return value_count(v, 1, 1000000000, &s->min_events);
}
static bool read_quiet(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    return value_duration(v, 0, 600 * NS_PER_S, &s->quiet_ns);
}
static bool read_deadline(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    return value_duration(v, NS_PER_S, LONGEST, &s->deadline_ns);
}
static bool read_inconclusive(struct slice v, struct spec *s, struct why *w) {
    int i = choice(v, inconclusives, ARRAY_LEN(inconclusives));
    (void)w;
    if (i >= 0) s->on_inconclusive = (enum spec_inconclusive)i;
    return i >= 0;
}
static bool read_metrics(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    if (slice_eqs(v, "auto")) return true;
    if (slice_eqs(v, "prometheus")) {
        s->metrics = METRICS_PROMETHEUS;
        return true;
    }
    if (value_endpoint(v, s)) {
        s->metrics = METRICS_ENDPOINT;
        return true;
    }
    s->metrics_ok = false;
    return false;
}
static bool read_window(struct slice v, struct spec *s, struct why *w) {
    uint64_t n;
    (void)w;
    if (!value_count(v, 0, SPEC_MAX_WINDOW, &n)) return false;
    s->rollback_window = (unsigned)n;
    return true;
}
/* `metrics` stands before it in the table: of Prometheus it is a query. */
static bool read_selector(struct slice v, struct spec *s, char **ret, char *const *other, struct why *w) {
    struct prom_sum *sum = NULL;
    struct err e = {0};
    enum promql_kind kind = PROMQL_POD;
    int rc = s->metrics == METRICS_PROMETHEUS ? promql_check(v, &kind, &e) : prom_sum_parse(v, &sum, &e);
    if (rc == 0 && *other && s->by_track != (kind == PROMQL_TRACK))
        rc = err_set(&e, ERR_CONFIG, -EINVAL,
                     "errors and total are both of a pod ($pod) or both of a track ($track and $range)");
    if (rc < 0) {
        snprintf(w->text, sizeof w->text, "%.*s", (int)sizeof w->text - 1, e.msg);
        s->metrics_ok = false;
        return false;
    }
    prom_sum_free(sum);
    s->by_track = kind == PROMQL_TRACK;
    *ret = slice_dup(v);
    return true;
}
static bool read_errors(struct slice v, struct spec *s, struct why *w) {
    return read_selector(v, s, &s->errors, &s->total, w);
}
static bool read_total(struct slice v, struct spec *s, struct why *w) {
    return read_selector(v, s, &s->total, &s->errors, w);
}
static bool read_signals(struct slice v, struct spec *s, struct why *w) {
    s->signals_ok = value_signals(v, s->signal, w->text);
    return s->signals_ok;
}
static bool read_guards(struct slice v, struct spec *s, struct why *w) {
    if (value_guards(v, s->guard, w->text)) return true;
    for (int i = 0; i < GUARDS; i++) s->guard[i] = false;
    return false;
}
static bool read_objects(struct slice v, struct spec *s, struct why *w) {
    return spec_objects_value(v, s, w->text);
}
static bool read_args(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    s->canary_args = value_words(v);
    return s->canary_args != NULL;
}
static bool read_env(struct slice v, struct spec *s, struct why *w) {
    s->canary_env = value_words(v);
    for (char **e = s->canary_env; e && *e; e++) {
        struct slice name, value;
        bool ok = slice_cut(slice_of(*e), '=', &name, &value) && name.n && !isdigit((unsigned char)name.p[0]);
        for (size_t i = 0; ok && i < name.n; i++)
            ok = isalnum((unsigned char)name.p[i]) || strchr("_.-", name.p[i]);
        if (ok) continue;
        snprintf(w->text, sizeof w->text, "\"%.64s\" is no NAME=value", *e);
        value_free_words(s->canary_env);
        s->canary_env = NULL;
        return false;
    }
    return s->canary_env != NULL;
}
static bool read_nodes(struct slice v, struct spec *s, struct why *w) {
    s->canary_nodes = value_labels(v, w->text);
    return s->canary_nodes != NULL;
}
static bool read_volumes(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    s->empty_volumes = slice_eqs(v, "empty");
    return s->empty_volumes;
}
static bool read_lease(struct slice v, struct spec *s, struct why *w) {
    struct slice ns, name;
    (void)w;
    bool foreign = slice_cut(v, '/', &ns, &name);
    if (foreign ? !name_is_dns_label(ns) || !name_is_dns_subdomain(name) : !name_is_dns_subdomain(v))
        return false;
    s->lease = slice_dup(v);
    return true;
}
static bool read_assist(struct slice v, struct spec *s, struct why *w) {
    int i = choice(v, assists, ARRAY_LEN(assists));
    (void)w;
    if (i >= 0) s->assist = (enum spec_assist)i;
    return i >= 0;
}

static bool read_check(struct slice v, struct spec *s, struct why *w) {
    struct url u;
    if (check_url_read(v, &u, w->text) < 0) return false;
    s->check = slice_dup(v);
    return true;
}
static bool read_check_query(struct slice v, struct spec *s, struct why *w) {
    struct err e = {0};
    if (promql_check_condition(v, &e) < 0) {
        snprintf(w->text, sizeof w->text, "%.*s", (int)sizeof w->text - 1, e.msg);
        return false;
    }
    s->check_query = slice_dup(v);
    return true;
}

static bool read_rehearse(struct slice v, struct spec *s, struct why *w) {
    (void)w;
    return value_duration(v, 10 * NS_PER_S, 3600 * NS_PER_S, &s->rehearse_ns);
}
static bool read_max_changes(struct slice v, struct spec *s, struct why *w) {
    return spec_limits_value(v, s->max_changes, w->text);
}

static const struct {
    const char *name;
    bool (*read)(struct slice v, struct spec *s, struct why *w);
    const char *allowed;
} table[] = {
    {"canary-percent", read_percent,
     "a whole percentage 1..100, or at most 20 ascending ones such as 5,20,50, with `pause` after those that "
     "wait "
     "for a person: 5,pause,50"},
    {"mode", read_mode, "auto, replicas, leader or objects"},
    {"max-error-rate", read_error_rate, "auto, or a percentage such as 2% or 0.5%, above 0 and below 100"},
    {"max-regression", read_regression, "a number from 1 to 100"},
    {"soak", read_soak, "a duration such as 5m or 90s, at least 1s"},
    {"min-soak", read_min_soak, "a duration such as 2m, at most that of soak"},
    {"min-events", read_min_events, "a whole number, at least 1"},
    {"quiet", read_quiet, "a duration from 0s to 10m"},
    {"deadline", read_deadline, "a duration such as 1h, at least 1s"},
    {"on-inconclusive", read_inconclusive, "pause, rollback or promote"},
    {"rollback-window", read_window, "a whole number of versions, 0 to 10"},
    {"metrics", read_metrics,
     "auto, prometheus, or where the pods serve them: :8080/metrics, https://:8443/metrics, "
     "https+insecure://:8443/metrics"},
    {"errors", read_errors,
     "a metric selector such as jobs_total{result=\"failed\"}, or with metrics prometheus a query with "
     "$namespace and $pod, or $namespace, $track and $range"},
    {"total", read_total,
     "a metric selector such as jobs_total, or with metrics prometheus a query with $namespace "
     "and $pod, or $namespace, $track and $range"},
    {"signals", read_signals,
     "a list of work, stuck, writes, latency, panics, webhooks, api, memory, oom, leadership or all, each as "
     "-NAME "
     "or NAME=off, NAME=hold, NAME=deadline, NAME=rollback, NAME (its default): -writes,latency=rollback"},
    {"guards", read_guards, "a list of crashes, image, readiness or all, each as NAME or -NAME: -readiness"},
    {"objects", read_objects,
     "RESOURCE.VERSION.GROUP such as widgets.v1.example.com or configmaps.v1, then namespace=NAMESPACE and, "
     "as the last, "
     "selector=LABELS"},
    {"canary-args", read_args, "words such as --leader-election-id=canary"},
    {"canary-env", read_env, "words such as LEASE_NAME=canary"},
    {"canary-nodes", read_nodes, "labels of nodes such as pool=canary,zone=a"},
    {"canary-volumes", read_volumes, "empty"},
    {"lease", read_lease, "the name of a Lease in the target's namespace, or NAMESPACE/NAME"},
    {"lease-assist", read_assist, "rollout, always or off"},
    {"rehearse", read_rehearse, "a duration from 10s to 1h, such as 5m"},
    {"max-changes", read_max_changes, SPEC_LIMITS_ALLOWED},
    {"check", read_check, "a URL such as https://checks.example.com/may-go-on"},
    {"check-query", read_check_query,
     "a comparison such as sum(rate(jobs_failed_total{namespace=\"$namespace\",pod=~\"$track\"}[5m])) < 0.1"},
};

const char *spec_known(size_t i) {
    if (i < ARRAY_LEN(table)) return table[i].name;
    i -= ARRAY_LEN(table);
    return i < ACTION_N ? actions[i] : NULL;
}

static void defaults(struct spec *s) {
    *s = (struct spec){.auto_rate = true,
                       .max_regression = 2,
                       .soak_ns = 300 * NS_PER_S,
                       .min_soak_ns = -1,
                       .quiet_ns = 10 * NS_PER_S,
                       .deadline_ns = 3600 * NS_PER_S,
                       .min_events = 10,
                       .metrics_ok = true,
                       .signals_ok = true,
                       .step = {10},
                       .nsteps = 1};
    for (int i = 0; i < SIGNALS; i++) s->signal[i] = signal_default((enum signal)i);
    for (int i = 0; i < GUARDS; i++) s->guard[i] = true;
    for (int i = 0; i < REPORT_KINDS; i++) s->max_changes[i] = SPEC_ANY;
}

static const cJSON *annotation(const cJSON *annotations, const char *name) {
    char key[128];
    snprintf(key, sizeof key, HANDOVER_PREFIX "%s", name);
    return json_get(annotations, key);
}

/* The value for messages, in one line: unprintables as '?', cut. */
static void quote(struct slice v, char ret[100]) {
    size_t n = v.n < 80 ? v.n : 80;
    for (size_t i = 0; i < n; i++) ret[i] = (unsigned char)v.p[i] < 0x20 || v.p[i] == 0x7f ? '?' : v.p[i];
    /* a cut in the middle of a UTF-8 character goes back to its beginning */
    if (n < v.n) {
        while (n && ((unsigned char)v.p[n] & 0xc0) == 0x80) n--;
    }
    snprintf(ret + n, 100 - n, "%s", n < v.n ? "..." : "");
}

static void bad(struct err *first, const char *name, struct slice v, const char *why, const char *allowed) {
    char shown[100];
    if (first->kind != ERR_NONE) return;
    quote(v, shown);
    err_set(first, ERR_CONFIG, -EINVAL, HANDOVER_PREFIX "%s: \"%s\" is not allowed%s%s; allowed: %s", name,
            shown, *why ? ": " : "", why, allowed);
}

static void read_table(const cJSON *annotations, struct spec *s, struct err *first) {
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const cJSON *a = annotation(annotations, table[i].name);
        if (!a) continue;
        struct why why = {""};
        struct slice v = slice_of(cJSON_GetStringValue(a));
        bool ok = v.p && v.n <= SPEC_VALUE_MAX && table[i].read(slice_trim(v), s, &why);
        if (v.n > SPEC_VALUE_MAX) snprintf(why.text, sizeof why.text, "longer than %d bytes", SPEC_VALUE_MAX);
        if (!ok) bad(first, table[i].name, v, why.text, table[i].allowed);
    }
}

int spec_parse(const cJSON *annotations, struct spec *ret, struct err *err) {
    struct err first = {0};
    defaults(ret);
    if (!obs_opted_in(annotations)) {
        err_set(&first, ERR_CONFIG, -EINVAL, HANDOVER_PREFIX "canary-percent: missing; allowed: %s",
                table[0].allowed);
    }
    read_table(annotations, ret, &first);
    spec_cross_checks(ret, &first);
    if (first.kind == ERR_NONE) return 0;
    if (err) *err = first;
    return first.errnum;
}

void spec_free(struct spec *s) {
    if (!s) return;
    free(s->path);
    free(s->errors);
    free(s->total);
    free(s->lease);
    free(s->check);
    free(s->check_query);
    free(s->objects);
    free(s->objects_ns);
    free(s->objects_selector);
    value_free_words(s->canary_args);
    value_free_words(s->canary_env);
    value_free_words(s->canary_nodes);
    defaults(s);
}

struct slice spec_action_hash(const char *value) {
    struct slice hash, rest;
    slice_cut(slice_trim(slice_of(value)), '@', &hash, &rest);
    return hash;
}

void spec_lease_of(struct spec *s, const char *ns) {
    size_t n = strlen(ns);
    if (s->lease && !strncmp(s->lease, ns, n) && s->lease[n] == '/')
        memmove(s->lease, s->lease + n + 1, strlen(s->lease + n));
}
