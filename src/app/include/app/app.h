/* One instance of Handover: informers, election, rollouts, admin port, wired together. No globals: several
 * instances run in one process under a simulated world. leader and rollout meet only here. */
#ifndef APP_APP_H
#define APP_APP_H
#include "base/log.h"
#include "kube/config.h"
#include "world/world.h"

/* A host's shutdown and sleep wait for a drain (obs/inhibit.h). AUTO: outside of pods, and silent where it
 * does not work; ON: wherever it is, with a warning. */
enum app_logind { APP_LOGIND_OFF, APP_LOGIND_AUTO, APP_LOGIND_ON };
/* Who may read the admin port's page. DEFAULT: REVIEW in a pod, and where the port is not on the loopback; else OPEN. */
enum app_page { APP_PAGE_DEFAULT, APP_PAGE_OFF, APP_PAGE_OPEN, APP_PAGE_REVIEW };
struct app_options {
    struct kube_config_spec kube;
    const char *namespace_;         /* serve this namespace only; NULL: all */
    const char *lease_namespace;    /* NULL: POD_NAMESPACE, else handover-system */
    const char *lease_name;         /* NULL: "handover" */
    const char *pod_name, *pod_uid; /* NULL: POD_NAME, POD_UID; without them: host name */
    int64_t lease_duration_ns, renew_deadline_ns, retry_ns; /* 0: 15, 10, 2 s */
    int64_t grace_ns;       /* what a drain may take in all; 0: as the pod says, else 30 s */
    const char *admin_addr; /* NULL: no admin port; "": :8080 in a pod, else 127.0.0.1:8080 */
    enum app_page page;
    const char *termination_log; /* NULL: /dev/termination-log if it exists */
    int64_t scrape_ns;           /* between scrapes of a rollout; 0: by its soak */
    unsigned workers;            /* 0: auto */
    unsigned target_metrics;     /* of so many targets /metrics has series of their own; 0: none */
    /* For https metrics pages: a ServiceAccount beside the Lease whose token is requested, for this audience (NULL: the
     * API server's); a file with a token. NULL: none. */
    const char *metrics_account, *metrics_audience, *metrics_token;
    bool metrics_token_insecure; /* also to pages whose certificate is not verified */
    /* A Prometheus server: http(s)://host:port/prefix without a '/' at its end, files with certificates and a token.
     * NULL: none. */
    const char *prometheus, *prometheus_ca, *prometheus_token;
    bool prometheus_own_queries; /* targets may have queries of their own */
    /* Hosts of the annotation check, a list that is checked; whose certificates they may have. NULL: none, the system's. */
    const char *check_hosts, *check_ca;
    /* CloudEvents go to this URL, signed with the secret in this file; whose certificates it may have. NULL: none. */
    const char *notify, *notify_secret, *notify_ca;
    const char *rehearse_image; /* of Handover itself, for rehearsals; NULL: that of its own Pod */
    const char *version;
    enum app_logind logind;
    int64_t orphan_ns; /* lease_config.orphan_ns */
    struct rollout_memory
        *memory; /* of the instance before in this process, app_remember(), taken over; NULL */
};
/* Exit codes: enum drain_exit of leader/drain.h; 0 is a clean end. APP_AGAIN: it has given its lease to a new version on trial; the
 * process goes on with another instance, which guards it. */
enum { APP_AGAIN = -1 };
struct app;
/* exit is called once, never inside app_new(), app_start() or app_stop(), when the instance has come to its
 * end. */
int app_new(struct world *w, struct log *log, const struct app_options *opt,
            void (*exit)(void *ctx, int code), void *ctx, struct app **ret, struct err *err);
int app_start(struct app *a, struct err *err);
void app_stop(struct app *a, const char *why); /* SIGTERM: drain; a second time: hurry */
/* At any time, also as a crash: nothing is sent, nothing called back. */
void app_free(struct app *a);
/* After APP_AGAIN, for the instance that follows: what it needs to guard the trial; NULL: nothing. */
struct rollout_memory *app_remember(struct app *a);
bool app_leading(const struct app *a);
#endif
