/* handover rehearse: what would an operator do to this cluster? It runs behind a proxy that writes nothing. */
#include "commands.h"
#include "rehearse.h"
#include "api/gvr.h"

enum { OPT_FOR = 0x7800, OPT_QUIET, OPT_CONTROL, OPT_LISTEN, OPT_GROUP, OPT_SIDECAR, OPT_REPORT };
#define FORMATS "json|text"

static const struct argp_option options[] = {
    {"output", 'o', FORMATS, 0, "The report for programs, or for people", 1},
    {"for", OPT_FOR, "TIME", 0, "At most so long (5m; without a PROGRAM until a signal comes)", 2},
    {"quiet-for", OPT_QUIET, "TIME", 0,
     "Ends when it has changed nothing for so long (10s; 0: no end by that)", 2},
    {"control", OPT_CONTROL, "FILE", 0,
     "A report (-o json) of the version in service: what that would do as well is left out", 2},
    {"listen", OPT_LISTEN, "ADDRESS", 0, "Where the operator finds its API server (127.0.0.1:0)", 3},
    {"allow-group", OPT_GROUP, "GROUP", 0,
     "An API group of another server (an APIService) that honours dry runs; may be repeated", 3},
    {"sidecar", OPT_SIDECAR, "FOLDER", 0,
     "Beside an operator in its pod: write ca.crt, token and namespace there, as its account's volume has "
     "them",
     4},
    {"report", OPT_REPORT, "ADDRESS", 0,
     "With --sidecar: serve /readyz, /metrics, and /report?key=KEY (the last one: with &settled=true behind "
     "it) to who knows $HANDOVER_REHEARSAL_KEY",
     4},
    {0},
};

struct rehearse_args {
    struct cli_kube kube_flags;
    struct rehearse_options o;
    size_t groups;
    bool for_given, quiet_given;
    char *none;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct rehearse_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case 'o':
        a->o.json = strcmp(arg, "json") == 0;
        if (!a->o.json && strcmp(arg, "text") != 0)
            argp_error(st, "--output: read \"%s\"; allowed is json, text", arg);
        return 0;
    case OPT_FOR:
        a->o.for_ns = cli_duration(st, "for", arg, NS_PER_S, NS_PER_S * 24 * 3600);
        a->for_given = true;
        return 0;
    case OPT_QUIET:
        a->o.quiet_ns = cli_duration(st, "quiet-for", arg, 0, 3600 * NS_PER_S);
        a->quiet_given = true;
        return 0;
    case OPT_CONTROL: a->o.control = arg; return 0;
    case OPT_LISTEN: a->o.listen = arg; return 0;
    case OPT_GROUP:
        if (a->groups == REHEARSE_GROUPS) argp_error(st, "--allow-group: at most %d groups", REHEARSE_GROUPS);
        if (!name_is_dns_subdomain(slice_of(arg)))
            argp_error(st,
                       "--allow-group: read \"%s\"; allowed is the name of an API group, such as "
                       "metrics.example.com",
                       arg);
        a->o.local_groups[a->groups++] = arg;
        return 0;
    case OPT_SIDECAR: a->o.sidecar = arg; return 0;
    case OPT_REPORT: a->o.report = arg; return 0;
    case ARGP_KEY_ARG: /* the program's own options are not ours */
        a->o.argv = st->argv + st->next - 1;
        st->next = st->argc;
        return 0;
    case ARGP_KEY_END:
        if (a->o.sidecar && a->o.argv[0])
            argp_error(st, "--sidecar: the operator is another container, not a PROGRAM");
        if (a->o.report && !a->o.sidecar) argp_error(st, "--report needs --sidecar=FOLDER");
        if (!a->for_given && a->o.argv[0]) a->o.for_ns = NS_PER_S * 5 * 60;
        if (!a->quiet_given && a->o.argv[0]) a->o.quiet_ns = 10 * NS_PER_S;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The operator decides by itself in which namespaces it works. */
static char *kube_help(int key, const char *text, void *input) {
    (void)input;
    return key == 'n' ? xstrdup("The namespace of the kubeconfig, or the account, that the operator gets "
                                "(the context's)")
                      : (char *)(uintptr_t)text;
}

static int rehearse_main(int argc, char **argv) {
    struct argp kube = cli_kube_argp;
    kube.help_filter = kube_help;
    struct argp_child children[] = {{&kube, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {
        options,
        parse,
        "[-- PROGRAM [ARGUMENT...]]",
        "Runs an operator against this cluster without a single write: each of its mutations becomes a dry "
        "run, and it reads what they would have left. Prints what it would have changed; exit code 0: "
        "nothing, 3: something, 1: it could not be found out. PROGRAM finds the cluster by "
        "$KUBECONFIG, {} in an ARGUMENT is replaced by that path. Without PROGRAM it serves until "
        "a signal comes, and says where the kubeconfig is.",
        children,
        NULL,
        NULL};
    struct rehearse_args a = {.o = {.argv = NULL}};
    struct cli_world w;
    struct cli_session s;
    a.o.argv = &a.none;
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    cli_world_open(&w, CLI_LOG_TEXT, LOG_WARN);
    int code = cli_session_open(&s, &w, &a.kube_flags);
    if (!code) {
        code = rehearse_run(&w, &s, &a.o);
        cli_session_close(&s);
    }
    cli_world_close(&w);
    return code;
}

const struct cli_command cli_rehearse = {"rehearse", "What an operator would do to this cluster",
                                         rehearse_main};
