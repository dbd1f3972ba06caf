/* What subcommands share: kubectl's flags, values with errors that say what is allowed, a world with a log to
 * stderr. */
#ifndef CLI_COMMON_H
#define CLI_COMMON_H
#include "base/log.h"
#include "status_report.h"
#include "cli/cli.h"
#include "kube/config.h"
#include "loop/loop.h"
#include "net/net.h"
#include <argp.h>
#include <stdio.h>

/* --kubeconfig, --context, --server, -n/--namespace: as an argp child whose input is a struct cli_kube. */
struct cli_kube {
    struct kube_config_spec spec;
    const char *namespace_;
};
extern const struct argp cli_kube_argp;

/* Values of options: print what was read and what is allowed and end with the usage exit code. */
int64_t cli_duration(struct argp_state *st, const char *option, const char *text, int64_t min_ns,
                     int64_t max_ns);
long cli_number(struct argp_state *st, const char *option, const char *text, long min, long max);
/* Slashes at its end are taken away, in place. */
const char *cli_web_url(struct argp_state *st, const char *option, char *arg);
/* argp_parse() with our exit code on bad usage; argv[0] becomes "PROGRAM NAME". Returns CLI_OK or CLI_USAGE.
 */
int cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* A target as kubectl names it: NAME or deployment/NAME; returns NAME. */
const char *cli_target(struct argp_state *st, const char *arg);

struct cli_world {
    struct loop *loop;
    struct net *net;
    struct world *world;
    struct log log;
};
/* "PROGRAM: MESSAGE" to stderr, fit for a terminal; returns CLI_FAILED. */
int cli_fail(const struct err *err);
/* Colour and block letters where the terminal and the locale have them; NO_COLOR is respected. */
struct table_style cli_style(FILE *to);

/* Calls to the API server that the flags name. Returns CLI_OK, or CLI_FAILED when the reason was printed. */
struct cli_session {
    struct kube_config *cfg;
    struct metrics *metrics;
    struct kube *kube;
    const char *ns; /* of --namespace, else of the context */
};
int cli_session_open(struct cli_session *s, struct cli_world *w, const struct cli_kube *flags);
void cli_session_close(struct cli_session *s);

enum cli_log_format { CLI_LOG_AUTO, CLI_LOG_TEXT, CLI_LOG_JSON, CLI_LOG_JOURNAL };
void cli_world_open(struct cli_world *w, enum cli_log_format format, enum log_level min);
void cli_world_close(struct cli_world *w);
#endif
