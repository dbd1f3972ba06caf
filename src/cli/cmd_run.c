/* handover run: the operator itself. Leads or stands by until SIGTERM, then drains. */
#include "app/app.h"
#include "base/time.h"
#include "commands.h"
#include "common.h"
#include "obs/obs.h"
#include "plan/check.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    OPT_LEASE_NS = 0x2000,
    OPT_LEASE_NAME,
    OPT_LEASE_DURATION,
    OPT_RENEW_DEADLINE,
    OPT_RETRY,
    OPT_GRACE,
    OPT_LOGIND,
    OPT_ADMIN,
    OPT_PAGE,
    OPT_LOG_FORMAT,
    OPT_LOG_LEVEL,
    OPT_WORKERS,
    OPT_SCRAPE,
    OPT_TARGET_METRICS,
    OPT_TERMLOG,
    OPT_METRICS_TOKEN,
    OPT_METRICS_TOKEN_INSECURE,
    OPT_METRICS_ACCOUNT,
    OPT_METRICS_AUDIENCE,
    OPT_PROMETHEUS,
    OPT_PROMETHEUS_CA,
    OPT_PROMETHEUS_TOKEN,
    OPT_PROMETHEUS_OWN,
    OPT_CHECK_HOSTS,
    OPT_CHECK_CA,
    OPT_REHEARSE_IMAGE,
    OPT_NOTIFY,
    OPT_NOTIFY_SECRET,
    OPT_NOTIFY_CA,
};

static const struct argp_option options[] = {
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0,
     "Where the leader's Lease lives ($POD_NAMESPACE, else handover-system)", 1},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "The Lease (handover)", 1},
    {"lease-duration", OPT_LEASE_DURATION, "TIME", 0, "How long a lease lasts without renewal (15s)", 1},
    {"renew-deadline", OPT_RENEW_DEADLINE, "TIME", 0, "When a leader that cannot renew stops (10s)", 1},
    {"retry-period", OPT_RETRY, "TIME", 0, "Between renewals (2s)", 1},
    {"grace", OPT_GRACE, "TIME", 0,
     "What a drain may take (the pod's terminationGracePeriodSeconds, else 30s)", 1},
    {"termination-log", OPT_TERMLOG, "FILE", 0,
     "Where the death certificate is laid down (/dev/termination-log, if it is there)", 1},
    {"logind", OPT_LOGIND, "WHEN", 0,
     "auto, on, off: the host's shutdown and sleep wait for a drain (auto: outside of pods)", 1},
    {"admin", OPT_ADMIN, "ADDRESS", 0,
     "Metrics, health and the page; \"none\" for none (in a pod :8080, else 127.0.0.1:8080)", 2},
    {"page", OPT_PAGE, "WHO", 0,
     "Who may read the page: off (nobody), open (who reaches the port), kubernetes (whose token may get "
     "/page); default: in a "
     "pod and beyond the loopback kubernetes, else open",
     2},
    {"log-format", OPT_LOG_FORMAT, "FORMAT", 0,
     "text, json, journal, or auto (journal under journald, else text)", 2},
    {"log-level", OPT_LOG_LEVEL, "LEVEL", 0, "debug, info, warn, error (info)", 2},
    {"workers", OPT_WORKERS, "N", 0, "Reconciles at once; \"auto\" adapts (auto)", 3},
    {"scrape-interval", OPT_SCRAPE, "TIME", 0,
     "Between looks at the metrics of a rollout (a sixtieth of its soak, 1s to 15s)", 3},
    {"target-metrics", OPT_TARGET_METRICS, "N", 0,
     "Of so many targets /metrics has series with namespace and name, the urgent ones first; 0: none (500)",
     3},
    {"metrics-account", OPT_METRICS_ACCOUNT, "NAME", 0,
     "ServiceAccount beside the Lease, which may do nothing else: its short-lived token is sent to https "
     "metrics pages",
     3},
    {"metrics-audience", OPT_METRICS_AUDIENCE, "AUDIENCE", 0,
     "Audience of that token (the API server's, which operators ask about by default)", 3},
    {"metrics-token", OPT_METRICS_TOKEN, "FILE", 0,
     "The same from a file, where a TokenRequest is not allowed", 3},
    {"metrics-token-insecure", OPT_METRICS_TOKEN_INSECURE, NULL, 0,
     "Send it to https+insecure:// pages, too: any author of an annotation can receive it", 3},
    {"prometheus", OPT_PROMETHEUS, "URL", 0,
     "A Prometheus server for targets with the annotation metrics: prometheus", 4},
    {"prometheus-ca", OPT_PROMETHEUS_CA, "FILE", 0, "Whose certificates it may have (the system's)", 4},
    {"prometheus-token", OPT_PROMETHEUS_TOKEN, "FILE", 0,
     "Bearer token for it, over https; read for each round", 4},
    {"prometheus-own-queries", OPT_PROMETHEUS_OWN, "WHETHER", 0,
     "on, off: targets may have queries of their own, which can read what others' metrics say (off)", 4},
    {"check-hosts", OPT_CHECK_HOSTS, "LIST", 0,
     "Hosts that targets may name in the annotation check: HOST[:PORT] or *.SUFFIX[:PORT], by comma, with "
     "http:// "
     "before those without TLS (none)",
     4},
    {"check-ca", OPT_CHECK_CA, "FILE", 0, "Whose certificates they may have (the system's)", 4},
    {"rehearse-image", OPT_REHEARSE_IMAGE, "IMAGE", 0,
     "An image of Handover for the sidecars of rehearsals, annotation rehearse (that of its own pod)", 4},
    {"notify", OPT_NOTIFY, "URL", 0, "Where a CloudEvent is sent for each change of phase of a target", 5},
    {"notify-secret-file", OPT_NOTIFY_SECRET, "FILE", 0,
     "Each is signed with this secret (HMAC-SHA256); read for each of them", 5},
    {"notify-ca", OPT_NOTIFY_CA, "FILE", 0, "Whose certificates the receiver may have (the system's)", 5},
    {0},
};

struct run {
    struct cli_kube kube;
    struct app_options app;
    enum cli_log_format format;
    enum log_level level;
    struct cli_world world;
    struct app *instance;
    bool asked; /* by a signal, to end */
    int code;
};

static int pick(struct argp_state *st, const char *option, const char *text, const char *const *names,
                int n) {
    for (int i = 0; i < n; i++)
        if (strcmp(text, names[i]) == 0) return i;
    char all[128] = "";
    for (int i = 0; i < n; i++) {
        strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1);
        strncat(all, names[i], sizeof all - strlen(all) - 1);
    }
    argp_error(st, "--%s: read \"%s\"; allowed is one of %s", option, text, all);
    return 0;
}

static const char *check_hosts(struct argp_state *st, const char *list) {
    struct err err = {0};
    if (check_hosts_check(slice_of(list), &err) < 0) argp_error(st, "--check-hosts: %s", err.msg);
    return list;
}

static void check_prometheus(struct argp_state *st, const struct app_options *o) {
    bool https = o->prometheus && strncasecmp(o->prometheus, "https:", 6) == 0;
    if (!o->prometheus && (o->prometheus_ca || o->prometheus_token || o->prometheus_own_queries))
        argp_error(st,
                   "--prometheus-ca, --prometheus-token and --prometheus-own-queries need --prometheus=URL");
    else if (!https && (o->prometheus_ca || o->prometheus_token))
        argp_error(st,
                   "--prometheus-ca and --prometheus-token need a --prometheus=URL with https, read \"%s\"",
                   o->prometheus);
}

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct run *r = st->input;
    struct app_options *o = &r->app;
    static const char *const formats[] = {"auto", "text", "json", "journal"};
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const switches[] = {"off", "on"};
    static const char *const logind[] = {"off", "auto", "on"};
    static const char *const page[] = {"off", "open", "kubernetes"};
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &r->kube; return 0;
    case OPT_LEASE_NS: o->lease_namespace = arg; return 0;
    case OPT_LEASE_NAME: o->lease_name = arg; return 0;
    case OPT_LEASE_DURATION:
        o->lease_duration_ns = cli_duration(st, "lease-duration", arg, NS_PER_S, 3600 * NS_PER_S);
        return 0;
    case OPT_RENEW_DEADLINE:
        o->renew_deadline_ns = cli_duration(st, "renew-deadline", arg, NS_PER_MS, 3600 * NS_PER_S);
        return 0;
    case OPT_RETRY: o->retry_ns = cli_duration(st, "retry-period", arg, NS_PER_MS, 3600 * NS_PER_S); return 0;
    case OPT_GRACE:
        o->grace_ns = cli_duration(st, "grace", arg, NS_PER_S, INT64_C(24) * 3600 * NS_PER_S);
        return 0;
    case OPT_LOGIND: o->logind = (enum app_logind)pick(st, "logind", arg, logind, 3); return 0;
    case OPT_TERMLOG: o->termination_log = arg; return 0;
    case OPT_ADMIN: o->admin_addr = strcmp(arg, "none") == 0 ? NULL : arg; return 0;
    case OPT_PAGE: o->page = (enum app_page)(APP_PAGE_OFF + pick(st, "page", arg, page, 3)); return 0;
    case OPT_LOG_FORMAT: r->format = (enum cli_log_format)pick(st, "log-format", arg, formats, 4); return 0;
    case OPT_LOG_LEVEL: r->level = (enum log_level)pick(st, "log-level", arg, levels, 4); return 0;
    case OPT_WORKERS:
        o->workers = strcmp(arg, "auto") == 0 ? 0 : (unsigned)cli_number(st, "workers", arg, 1, 1000);
        return 0;
    case OPT_TARGET_METRICS:
        o->target_metrics = (unsigned)cli_number(st, "target-metrics", arg, 0, 500);
        return 0;
    case OPT_SCRAPE:
        o->scrape_ns = cli_duration(st, "scrape-interval", arg, 100 * NS_PER_MS, 600 * NS_PER_S);
        return 0;
    case OPT_METRICS_ACCOUNT: o->metrics_account = arg; return 0;
    case OPT_METRICS_AUDIENCE: o->metrics_audience = arg; return 0;
    case OPT_METRICS_TOKEN: o->metrics_token = arg; return 0;
    case OPT_METRICS_TOKEN_INSECURE: o->metrics_token_insecure = true; return 0;
    case OPT_PROMETHEUS: o->prometheus = cli_web_url(st, "prometheus", arg); return 0;
    case OPT_PROMETHEUS_CA: o->prometheus_ca = arg; return 0;
    case OPT_PROMETHEUS_TOKEN: o->prometheus_token = arg; return 0;
    case OPT_PROMETHEUS_OWN:
        o->prometheus_own_queries = pick(st, "prometheus-own-queries", arg, switches, 2);
        return 0;
    case OPT_CHECK_HOSTS: o->check_hosts = check_hosts(st, arg); return 0;
    case OPT_CHECK_CA: o->check_ca = arg; return 0;
    case OPT_REHEARSE_IMAGE: o->rehearse_image = arg; return 0;
    case OPT_NOTIFY: o->notify = cli_web_url(st, "notify", arg); return 0;
    case OPT_NOTIFY_SECRET: o->notify_secret = arg; return 0;
    case OPT_NOTIFY_CA: o->notify_ca = arg; return 0;
    case ARGP_KEY_END:
        check_prometheus(st, o);
        if (o->check_ca && !o->check_hosts) argp_error(st, "--check-ca needs --check-hosts=LIST");
        if (!o->notify && (o->notify_secret || o->notify_ca))
            argp_error(st, "--notify-secret-file and --notify-ca need --notify=URL");
        return 0;
    case ARGP_KEY_ARG: argp_error(st, "\"%s\": run takes options only", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void on_exit_code(void *ctx, int code) {
    struct run *r = ctx;
    r->code = code;
    loop_stop(r->world.loop);
}

static void on_term(void *ctx) {
    struct run *r = ctx;
    r->asked = true;
    app_stop(r->instance, "SIGTERM");
}

static void on_int(void *ctx) {
    struct run *r = ctx;
    r->asked = true;
    app_stop(r->instance, "SIGINT");
}

static void run_instance(struct run *r) {
    struct err err = {0};
    r->code = 0;
    int rc = app_new(r->world.world, &r->world.log, &r->app, on_exit_code, r, &r->instance, &err);
    if (rc == 0) rc = app_start(r->instance, &err);
    if (rc == 0) {
        loop_run(r->world.loop);
    } else {
        LOG_EVENT(&r->world.log, LOG_ERROR, "StartFailed", "cannot start", LF_ERR(&err));
        r->code = err.kind == ERR_CONFIG ? CLI_USAGE : CLI_FAILED;
    }
    r->app.memory = r->code == APP_AGAIN ? app_remember(r->instance) : NULL;
    app_free(r->instance);
    r->instance = NULL;
}

static int run_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {
        options,  parse,
        NULL,     "Runs the operator: leads or stands by, and manages the annotated Deployments.",
        children, NULL,
        NULL};
    struct run r = {
        .level = LOG_INFO,
        .app = {
            .admin_addr = "", .target_metrics = 500, .version = HANDOVER_VERSION, .logind = APP_LOGIND_AUTO}};
    int bad = cli_parse(&argp, argc, argv, &r);
    if (bad) return bad;
    r.app.kube = r.kube.spec;
    r.app.namespace_ = r.kube.namespace_;

    memory_frugal();
    cli_world_open(&r.world, r.format, r.level);
    process_raise_files(&r.world.log);
    /* First of all: the kernel drops a signal to a container's first process that has no handler for it. The
     * handlers run in the loop, when there is an instance. */
    world_on_signal(r.world.world, SIGTERM, on_term, &r);
    world_on_signal(r.world.world, SIGINT, on_int, &r);
    do {
        run_instance(&r);
    } while (r.code == APP_AGAIN && !r.asked);
    if (r.code == APP_AGAIN) r.code = CLI_OK; /* the signal came when it had ended */
    cli_world_close(&r.world);
    return r.code;
}

void cli_run_check(char *const *args) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    const struct argp argp = {.options = options, .parser = parse, .children = children};
    struct run r = {0};
    int n = 1;
    for (char *const *a = args; a && *a; a++) n++;
    char **copy = xcalloc((size_t)n + 1, sizeof *copy); /* the parser orders them, and cuts URLs */
    copy[0] = xstrdup("run");
    for (int i = 1; i < n; i++) copy[i] = xstrdup(args[i - 1]);
    cli_parse(&argp, n, copy, &r);
    for (int i = 0; i < n; i++) free(copy[i]);
    free(copy);
}

const struct cli_command cli_run = {"run", "Run the operator", run_main};
