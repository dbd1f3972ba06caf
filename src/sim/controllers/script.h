/* Scripts: how the pods of an image behave. See sim_script() in sim/sim.h and docs/reference/sim.md for the
 * JSON. */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H
#include "base/err.h"
#include "base/json.h"
#include "base/time.h"

enum metrics_kind { METRICS_RUNTIME, METRICS_NONE, METRICS_GARBAGE, METRICS_HTTP500, METRICS_SLOW };

enum { SCRIPT_CONTROLLERS = 40 };

struct script {
    int64_t start_ns; /* from created to running; -1: the sim's default */
    bool ready;
    int64_t ready_ns; /* from running to ready */
    bool pull_fails;
    char refused[512];    /* why admission refuses its pods; "": they are taken */
    int64_t crash_ns;     /* from running to the crash; 0: does not crash */
    int64_t crashes;      /* how often; 0: for ever */
    int exit_code;        /* of a crash */
    char reason[64];      /* "" : by the exit code */
    char message[1024];   /* the termination message */
    int64_t terminate_ns; /* from SIGTERM to the end */
    int term_exit_code;
    const char
        *report;    /* of a rehearsal of it, JSON; NULL: that nothing changes. Lives as long as the scripts */
    bool mute;      /* ... which its sidecar does not give */
    bool unsettled; /* ... whose sidecar knows of no &settled=true, as those of earlier versions */
    bool external;  /* the process belongs to the sim's runtime (sim_runtime) */

    double rate, error_rate,
        busy; /* reconciles a second; the share that fails; the share of time with active workers */
    int64_t error_after_ns; /* before this age nothing fails */
    int64_t depth;          /* of the work queue */
    enum metrics_kind metrics;
    int64_t slow_ns;
    int64_t metrics_port; /* 0: any */
    char controller[64];
    int64_t controllers; /* how many; each then has its number behind the name */
    double rare;         /* the share of the work that the last of several does; < 0: as much as the others */
    int64_t bad_controller; /* the only one that fails, from 1; 0: all fail alike */
    /* What goes wrong while reconciles succeed, see operator_signals.c. */
    double writes, panics,
        slow;            /* for each reconcile: writes; the share that panics, that takes longer than 1 s */
    double memory, leak; /* resident bytes, and by how many they grow in a second */
    int64_t longest_ns;  /* a reconcile that has been running for so long; 0: none */
    bool elects;         /* leaderElection: reconciles only as the holder of its Lease */
    bool releases;       /* gives the Lease back on SIGTERM */
    char lease[128];     /* "": by the arguments, else by the image's repository */
    int64_t lease_ns;
};

struct script_rule;
struct scripts {
    struct script_rule *v;
    size_t n, cap;
    char **text; /* of members that are kept as they are */
    size_t ntexts, text_cap;
    int64_t default_start_ns;
};
/* Adds a rule {"image":"pattern",...}; a rule of the same pattern is replaced and becomes the last.
 * {"clear":true}: none left. */
int scripts_add(struct scripts *l, const cJSON *json, struct err *err);
/* What holds for an image: the last rule that fits, or the defaults; annotation (JSON text, NULL for none)
 * comes on top. */
void scripts_for(const struct scripts *l, const char *image, const char *annotation, struct script *ret);
void scripts_free(struct scripts *l);
#endif
