/* handover judge: the verdicts that a rollout would come to on a recorded series: dry runs and backtests. */
#include "commands.h"
#include "common.h"
#include "api/rfc3339.h"
#include "base/time.h"
#include "judge_print.h"
#include "judge_prometheus.h"
#include "judge_series.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 0x3000,
    REGRESSION,
    ALPHA,
    BETA,
    GAMMA,
    MIN_EVENTS,
    SOAK,
    MIN_SOAK,
    DEADLINE,
    URL,
    CA,
    TOKEN,
    QUERY,
    ERRORS,
    CANARY,
    START,
    END,
    STEP
};
enum { MOST_SCRAPES = 100000000 };

static const struct argp_option options[] = {
    {"max-error-rate", RATE, "RATE", 0,
     "The tolerated rate, 5% or 0.05, or with --from-prometheus auto: learned from stable (5%; auto)", 1},
    {"max-regression", REGRESSION, "TIMES", 0, "How many times stable's rate is tolerated (2)", 1},
    {"min-events", MIN_EVENTS, "N", 0, "Canary reconciles needed for a pass (10)", 1},
    {"soak", SOAK, "N", 0, "How long it is watched, in scrapes (60)", 1},
    {"min-soak", MIN_SOAK, "N", 0, "No pass before, in scrapes (a fifth of the soak)", 1},
    {"deadline", DEADLINE, "N", 0, "In scrapes (720)", 1},
    {"alpha", ALPHA, "P", 0, "Chance that a healthy canary is ever rolled back (0.01)", 2},
    {"beta", BETA, "P", 0, "Chance that a bad one is passed by a test (0.05)", 2},
    {"gamma", GAMMA, "N", 0,
     "Discount for errors that hang together, above 0 and up to 1; auto: learned (auto)", 2},
    {"output", 'o', "json", 0, "json: an object for each scrape", 3},
    {"from-prometheus", URL, "URL", 0, "Replay an update from the history of this server instead of a file",
     4},
    {"query", QUERY, "QUERY", 0,
     "Counters of all reconciles with a label pod; errors are those with result=\"error\"", 4},
    {"errors-query", ERRORS, "QUERY", 0, "Counters of the errors, where they have no such label", 4},
    {"canary", CANARY, "NAME", 0,
     "The new version's pods: those whose names begin with NAME- (its ReplicaSet's, for example)", 4},
    {"start", START, "TIME", 0, "As in 2026-11-28T10:00:00Z; before the update, with some of stable's work",
     4},
    {"end", END, "TIME", 0, "No later than this", 4},
    {"step", STEP, "TIME", 0, "Between two scrapes of the replay (5s)", 4},
    {"prometheus-ca", CA, "FILE", 0, "Whose certificates the server may have (the system's)", 4},
    {"prometheus-token", TOKEN, "FILE", 0, "Bearer token for it, over https", 4},
    {0},
};

struct judge_args {
    struct judge_param p;
    int64_t min_soak;              /* -1: not given */
    bool json, rate_given, learn;  /* learn: the tolerated rate, as `auto` */
    const char *file;              /* NULL: standard input */
    struct prometheus_source from; /* url NULL: from the file */
    const char *canary;
};

static bool number(const char *text, double *ret) {
    char *end;
    errno = 0;
    *ret = strtod(text, &end);
    return *text && !*end && errno == 0 && isfinite(*ret);
}

/* Above lo and below hi, or up to hi itself. */
static double number_arg(struct argp_state *st, const char *option, const char *text, double lo, double hi,
                         bool up_to, const char *allowed) {
    double v;
    if (number(text, &v) && v > lo && (v < hi || (up_to && v == hi))) return v;
    argp_error(st, "--%s: read \"%s\"; allowed is %s", option, text, allowed);
    return lo;
}

static double rate_arg(struct argp_state *st, const char *text) {
    char digits[32];
    size_t n = strlen(text);
    bool percent = n > 1 && n < sizeof digits && text[n - 1] == '%';
    if (!percent)
        return number_arg(st, "max-error-rate", text, 0, 1, false,
                          "a rate above 0 and below 1, or a percentage such as 5%");
    memcpy(digits, text, n - 1);
    digits[n - 1] = '\0';
    double v;
    if (number(digits, &v) && v > 0 && v < 100) return v / 100;
    argp_error(
        st,
        "--max-error-rate: read \"%s\"; allowed is a rate above 0 and below 1, or a percentage such as 5%%",
        text);
    return 0.05;
}

static int64_t time_arg(struct argp_state *st, const char *option, const char *text) {
    int64_t ns = 1;
    if (rfc3339_parse(slice_of(text), &ns) < 0)
        argp_error(st, "--%s: read \"%s\"; allowed is a time such as 2026-11-28T10:00:00Z", option, text);
    return ns;
}

static void check_source(struct argp_state *st, struct judge_args *a) {
    struct prometheus_source *f = &a->from;
    if (!f->url) {
        if (f->query || f->errors || a->canary || f->start_ns || f->end_ns || f->step_ns || f->ca || f->token)
            argp_error(st, "--query, --errors-query, --canary, --start, --end, --step, --prometheus-ca and "
                           "--prometheus-token need --from-prometheus=URL");
        if (a->learn)
            argp_error(
                st,
                "--max-error-rate: auto is learned from what stable did before, which a file does not tell");
        return;
    }
    if (!f->step_ns) f->step_ns = 5 * NS_PER_S;
    a->learn = a->learn || !a->rate_given;
    if (a->file)
        argp_error(st, "\"%s\": with --from-prometheus no file is read", a->file);
    else if (!f->query || !a->canary || !f->start_ns || !f->end_ns)
        argp_error(st, "--from-prometheus needs --query, --canary, --start and --end");
    else if (f->end_ns <= f->start_ns || (f->end_ns - f->start_ns) / f->step_ns > HISTORY_MAX_STEPS)
        argp_error(st, "from --start to --end must be more than nothing and at most %d steps of --step",
                   HISTORY_MAX_STEPS);
    else if ((f->ca || f->token) && strncasecmp(f->url, "https:", 6) != 0)
        argp_error(st, "--prometheus-ca and --prometheus-token need an https:// URL");
}

static error_t parse(int key, char *arg, struct argp_state *st) {
    static const char *const chance = "a chance above 0 and below 1";
    struct judge_args *a = st->input;
    struct judge_param *p = &a->p;
    switch (key) {
    case RATE:
        a->learn = strcmp(arg, "auto") == 0;
        if (!a->learn) p->theta = rate_arg(st, arg);
        a->rate_given = true;
        return 0;
    case REGRESSION:
        p->psi0 = strcmp(arg, "1") == 0
                      ? 1
                      : number_arg(st, "max-regression", arg, 1, 100, true, "a number from 1 to 100");
        return 0;
    case ALPHA: p->alpha = number_arg(st, "alpha", arg, 0, 1, false, chance); return 0;
    case BETA: p->beta = number_arg(st, "beta", arg, 0, 1, false, chance); return 0;
    case GAMMA:
        p->gamma = strcmp(arg, "auto") == 0
                       ? 0
                       : number_arg(st, "gamma", arg, 0, 1, true, "auto, or a number above 0 and up to 1");
        return 0;
    case MIN_EVENTS: p->min_events = (uint64_t)cli_number(st, "min-events", arg, 1, 1000000000); return 0;
    case SOAK: p->soak_ns = cli_number(st, "soak", arg, 1, MOST_SCRAPES); return 0;
    case MIN_SOAK: a->min_soak = cli_number(st, "min-soak", arg, 0, MOST_SCRAPES); return 0;
    case DEADLINE: p->deadline_looks = (uint64_t)cli_number(st, "deadline", arg, 1, MOST_SCRAPES); return 0;
    case 'o': a->json = cli_output(st, "json", arg) == CLI_JSON; return 0;
    case URL: a->from.url = cli_web_url(st, "from-prometheus", arg); return 0;
    case CA: a->from.ca = arg; return 0;
    case TOKEN: a->from.token = arg; return 0;
    case QUERY: a->from.query = arg; return 0;
    case ERRORS: a->from.errors = arg; return 0;
    case CANARY: a->canary = arg; return 0;
    case START: a->from.start_ns = time_arg(st, "start", arg); return 0;
    case END: a->from.end_ns = time_arg(st, "end", arg); return 0;
    case STEP: a->from.step_ns = cli_duration(st, "step", arg, NS_PER_S, 3600 * NS_PER_S); return 0;
    case ARGP_KEY_END: check_source(st, a); return 0;
    case ARGP_KEY_ARG:
        if (a->file) argp_error(st, "\"%s\": judge reads one file", arg);
        a->file = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int judge_file(const struct judge_args *a) {
    struct err err = {0};
    bool in = !a->file || strcmp(a->file, "-") == 0;
    const char *name = in ? "standard input" : a->file;
    FILE *from = in ? stdin : fopen(a->file, "re");
    if (!from) {
        err_set(&err, ERR_CONFIG, -errno, "%s: %s", name, strerror(errno));
        return cli_fail(&err);
    }
    int rc = judge_series(from, name, &a->p, a->json, stdout, &err);
    if (!in) fclose(from);
    return rc < 0 ? cli_fail(&err) : CLI_OK;
}

struct replaying {
    struct judge_printer printer;
    struct buf line;
};

/* A rollout ends with a verdict, and so does its replay. */
static bool on_verdict(void *ctx, uint64_t scrape, int64_t wall_ns, const struct judge_report *r) {
    struct replaying *p = ctx;
    enum verdict v = judge_print(&p->printer, scrape, wall_ns, r, &p->line);
    bool written = fwrite(p->line.p, 1, p->line.n, stdout) == p->line.n;
    bool over = p->printer.deadline && scrape >= p->printer.deadline;
    return written && v != VERDICT_FAIL && v != VERDICT_PASS && !over;
}

/* The options count in scrapes. */
static void in_time(struct judge_param *p, int64_t step_ns) {
    p->soak_ns *= step_ns;
    p->min_soak_ns *= step_ns;
}

static int judge_past(const struct judge_args *a) {
    struct judge_history h = {0};
    struct err err = {0};
    struct cli_world w;
    struct judge_history_spec spec = {.start_ns = a->from.start_ns,
                                      .end_ns = a->from.end_ns,
                                      .step_ns = a->from.step_ns,
                                      .canary = a->canary,
                                      .p = a->p,
                                      .learn = a->learn};
    in_time(&spec.p, spec.step_ns);
    cli_world_open(&w, CLI_LOG_TEXT, LOG_ERROR);
    int rc = judge_prometheus(&w, &a->from, &h, &err);
    struct replaying p = {.printer = {.deadline = a->p.deadline_looks, .json = a->json}};
    buf_init(&p.line, 8192);
    if (rc == 0) rc = judge_history_replay(&h, &spec, on_verdict, &p, &err);
    if (rc == 0 && fflush(stdout) != 0) rc = err_set(&err, ERR_CONFIG, -EIO, "cannot write the verdicts");
    buf_free(&p.line);
    judge_history_free(&h);
    cli_world_close(&w);
    return rc < 0 ? cli_fail(&err) : CLI_OK;
}

static int judge_main(int argc, char **argv) {
    struct argp argp = {.options = options,
                        .parser = parse,
                        .args_doc = "[FILE]",
                        .doc = "Judges a recorded series as a rollout would be judged, and prints the "
                               "verdict after each scrape. A "
                               "line of FILE, or of standard input, is one scrape: "
                               "canary_errors,canary_total,stable_errors,stable_total. "
                               "With --from-prometheus the scrapes are those that the server remembers of an "
                               "update, and it ends with the verdict"};
    struct judge_args a = {.min_soak = -1};
    judge_param_default(&a.p);
    a.p.soak_ns = 60;
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    a.p.soak_looks = (uint64_t)a.p.soak_ns;
    a.p.min_soak_ns = a.min_soak < 0 ? a.p.soak_ns / 5 : a.min_soak;
    return a.from.url ? judge_past(&a) : judge_file(&a);
}

const struct cli_command cli_judge = {"judge", "Judge a recorded series: dry runs, backtests", judge_main};
