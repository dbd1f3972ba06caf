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
/* argp_parse() with -h, --no-color, and our exit code on bad usage; argv[0] becomes "PROGRAM NAME". Returns CLI_OK, or another code
 * with which the command ends at once. */
int cli_parse(const struct argp *argp, int argc, char **argv, void *input);
/* The command's options as its main() hands them to cli_parse(): fn sees the argp, and main() ends without having done anything. */
void cli_describe(const struct cli_command *c, void (*fn)(void *ctx, const struct argp *argp), void *ctx);

/* -o: what is printed. */
enum cli_output { CLI_TEXT, CLI_JSON, CLI_YAML, CLI_WIDE, CLI_NAME };
/* allowed: "json|yaml|wide", as the option's argument is called in the help. */
enum cli_output cli_output(struct argp_state *st, const char *allowed, const char *arg);
/* JSON text to stdout, as it is, or as YAML: a document of its own. */
void cli_print(enum cli_output how, struct slice json);
/* Where Handover's Lease is looked for: of --lease-namespace, else $POD_NAMESPACE, else handover-system. Never NULL. */
const char *cli_lease_namespace(const char *option);

/* A target as kubectl names it (target_ref.h); returns it, as it was given. */
const char *cli_target(struct argp_state *st, const char *arg);

struct cli_world {
    struct loop *loop;
    struct net *net;
    struct world *world;
    struct log log;
};
/* "PROGRAM: MESSAGE" to stderr, fit for a terminal; returns CLI_FAILED. */
int cli_fail(const struct err *err);
/* Colour and block letters where the terminal and the locale have them; NO_COLOR and --no-color are respected. Its size is the
 * terminal's; what is no terminal has those of $COLUMNS, or no limit. */
struct table_style cli_style(FILE *to);
bool cli_no_colour(void);      /* --no-color was given */
bool cli_has_screen(FILE *to); /* a terminal that can be drawn on */

/* Calls to the API server that the flags name. Returns CLI_OK, or CLI_FAILED when the reason was printed. */
struct cli_session {
    struct kube_config *cfg;
    struct metrics *metrics;
    struct kube *kube;
    const char *ns; /* of --namespace, else of the context */
    char *manager;  /* the field manager of this user's writes: "handover-cli:NAME" */
};
int cli_session_open(struct cli_session *s, struct cli_world *w, const struct cli_kube *flags);
void cli_session_close(struct cli_session *s);

enum cli_log_format { CLI_LOG_AUTO, CLI_LOG_TEXT, CLI_LOG_JSON, CLI_LOG_JOURNAL };
void cli_world_open(struct cli_world *w, enum cli_log_format format, enum log_level min);
void cli_world_close(struct cli_world *w);
#endif
