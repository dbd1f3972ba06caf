/* handover judge: the verdicts that a rollout would come to on a recorded series: dry runs and backtests. */
#include "commands.h"
#include "common.h"
#include "judge_series.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 0x3000, REGRESSION, ALPHA, BETA, GAMMA, MIN_EVENTS, SOAK, MIN_SOAK, DEADLINE };
enum { MOST_SCRAPES = 100000000 };

static const struct argp_option options[] = {
    {"max-error-rate", RATE, "RATE", 0, "The tolerated rate, 5% or 0.05 (5%)", 1},
    {"max-regression", REGRESSION, "TIMES", 0, "How many times stable's rate is tolerated (2)", 1},
    {"min-events", MIN_EVENTS, "N", 0, "Canary reconciles needed for a pass (10)", 1},
    {"soak", SOAK, "N", 0, "How long it is watched, in scrapes (60)", 1},
    {"min-soak", MIN_SOAK, "N", 0, "No pass before, in scrapes (a fifth of the soak)", 1},
    {"deadline", DEADLINE, "N", 0, "In scrapes (720)", 1},
    {"alpha", ALPHA, "P", 0, "Chance that a healthy canary is ever rolled back (0.01)", 2},
    {"beta", BETA, "P", 0, "Chance that a bad one is passed by a test (0.05)", 2},
    {"gamma", GAMMA, "N", 0,
     "Discount for errors that hang together, above 0 and up to 1; auto: learned (auto)", 2},
    {"output", 'o', "FORMAT", 0, "json: an object for each scrape", 3},
    {0},
};

struct judge_args {
    struct judge_param p;
    int64_t min_soak; /* -1: not given */
    bool json;
    const char *file; /* NULL: standard input */
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

static error_t parse(int key, char *arg, struct argp_state *st) {
    static const char *const chance = "a chance above 0 and below 1";
    struct judge_args *a = st->input;
    struct judge_param *p = &a->p;
    switch (key) {
    case RATE: p->theta = rate_arg(st, arg); return 0;
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
    case 'o':
        if (strcmp(arg, "json") != 0) argp_error(st, "--output: read \"%s\"; allowed is json", arg);
        a->json = true;
        return 0;
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

static int judge_main(int argc, char **argv) {
    struct argp argp = {.options = options,
                        .parser = parse,
                        .args_doc = "[FILE]",
                        .doc = "Judges a recorded series as a rollout would be judged, and prints the "
                               "verdict after each scrape. A "
                               "line of FILE, or of standard input, is one scrape: "
                               "canary_errors,canary_total,stable_errors,stable_total"};
    struct judge_args a = {.min_soak = -1};
    judge_param_default(&a.p);
    a.p.soak_ns = 60;
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    a.p.soak_looks = (uint64_t)a.p.soak_ns;
    a.p.min_soak_ns = a.min_soak < 0 ? a.p.soak_ns / 5 : a.min_soak;
    return judge_file(&a);
}

const struct cli_command cli_judge = {"judge", "Judge a recorded series: dry runs, backtests", judge_main};
