/* What subcommands share: kubectl's flags, option values, the real world and its log. */
#include "common.h"
#include "target_ref.h"
#include "api/gvr.h"
#include "api/url.h"
#include "base/mem.h"
#include "base/time.h"
#include "obs/obs.h"
#include "text.h"
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { OPT_KUBECONFIG = 0x1000, OPT_CONTEXT, OPT_SERVER, OPT_AS };

static const struct argp_option kube_options[] = {
    {"kubeconfig", OPT_KUBECONFIG, "FILE", 0,
     "How to reach the API server ($KUBECONFIG, in-cluster, ~/.kube/config)", 10},
    {"context", OPT_CONTEXT, "NAME", 0, "Context of the kubeconfig", 10},
    {"server", OPT_SERVER, "URL", 0, "Address of the API server, instead of the kubeconfig's", 10},
    {"as", OPT_AS, "USER", 0, "Act as this user, if you may impersonate it", 10},
    {"namespace", 'n', "NAMESPACE", 0, "This namespace only (the context's)", 10},
    {0},
};

static error_t parse_kube(int key, char *arg, struct argp_state *st) {
    struct cli_kube *k = st->input;
    switch (key) {
    case OPT_KUBECONFIG: k->spec.kubeconfig = arg; return 0;
    case OPT_CONTEXT: k->spec.context = arg; return 0;
    case OPT_SERVER: k->spec.server = arg; return 0;
    case OPT_AS:
        for (const char *p = arg; *p; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7f) argp_error(st, "--as: a control character is in it");
        k->spec.as = arg;
        return 0;
    case 'n': k->namespace_ = arg; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp cli_kube_argp = {.options = kube_options, .parser = parse_kube};

int64_t cli_duration(struct argp_state *st, const char *option, const char *text, int64_t min_ns,
                     int64_t max_ns) {
    int64_t ns;
    char lo[32], hi[32];
    if (duration_parse(slice_of(text), &ns) == 0 && ns >= min_ns && ns <= max_ns) return ns;
    duration_format(min_ns, lo);
    duration_format(max_ns, hi);
    argp_error(st, "--%s: read \"%s\"; allowed is a duration such as 500ms, 10s, 1h30m, from %s to %s",
               option, text, lo, hi);
    return min_ns;
}

long cli_number(struct argp_state *st, const char *option, const char *text, long min, long max) {
    int64_t v;
    if (slice_i64(slice_of(text), &v) == 0 && v >= min && v <= max) return (long)v;
    argp_error(st, "--%s: read \"%s\"; allowed is a whole number from %ld to %ld", option, text, min, max);
    return min;
}

const char *cli_web_url(struct argp_state *st, const char *option, char *arg) {
    struct url u;
    struct slice text = slice_of(arg);
    while (text.n && text.p[text.n - 1] == '/') text.n--;
    bool web =
        url_split(text, &u) == 0 && (url_scheme_is(u.scheme, "http") || url_scheme_is(u.scheme, "https"));
    if (!web || u.user.n || u.query || memchr(text.p, ' ', text.n))
        argp_error(st,
                   "--%s: read \"%s\"; allowed is http://HOST[:PORT][/PREFIX] or https://..., without user "
                   "and query",
                   option, arg);
    arg[text.n] = '\0';
    return arg;
}

const char *cli_target(struct argp_state *st, const char *arg) {
    struct target_ref r = target_ref(arg);
    if (!r.name || !name_is_dns_subdomain(slice_of(r.name)))
        argp_error(st,
                   "\"%s\": allowed is the name of a Deployment or StatefulSet, NAME, deployment/NAME or "
                   "statefulset/NAME",
                   arg);
    return arg;
}

const char *cli_lease_namespace(const char *option) {
    const char *pod = getenv("POD_NAMESPACE");
    return option ? option : pod && *pod ? pod : "handover-system";
}

/* The API server keeps it with each field that is written: who said what can be read from the object. */
static char *manager_of(const char *user) {
    enum { MAX = 100 };
    cleanup_free char *name = slice_dup_text(slice_of(user), MAX);
    for (char *p = name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    return *name ? xasprintf("handover-cli:%s", name) : xstrdup("handover-cli");
}

int cli_session_open(struct cli_session *s, struct cli_world *w, const struct cli_kube *flags) {
    struct err err = {0};
    *s = (struct cli_session){.ns = flags->namespace_};
    if (kube_config_load(w->world, &w->log, &flags->spec, &s->cfg, &err)) return cli_fail(&err);
    if (!s->ns) s->ns = kube_config_namespace(s->cfg);
    s->manager = manager_of(kube_config_user(s->cfg));
    s->metrics = metrics_new(100);
    s->kube = kube_new(w->world, s->cfg, &w->log, s->metrics);
    return CLI_OK;
}

void cli_session_close(struct cli_session *s) {
    kube_free(s->kube);
    free(s->manager);
    kube_config_free(s->cfg);
    metrics_free(s->metrics);
}

static int64_t wall_ns(void *ctx) {
    return world_wall_ns(ctx);
}

void cli_world_open(struct cli_world *w, enum cli_log_format format, enum log_level min) {
    w->loop = loop_new();
    w->net = net_install(w->loop);
    w->world = loop_world(w->loop);
    if (format == CLI_LOG_AUTO)
        format = log_under_journal(w->world, STDERR_FILENO) ? CLI_LOG_JOURNAL : CLI_LOG_TEXT;
    struct log_sink sink =
        format == CLI_LOG_JOURNAL
            ? log_sink_journal()
            : log_sink_fd(STDERR_FILENO, format == CLI_LOG_JSON ? LOG_STYLE_JSON : LOG_STYLE_TEXT);
    w->log = (struct log){.sink = sink, .min = min, .wall_ns = wall_ns, .clock_ctx = w->world};
}

void cli_world_close(struct cli_world *w) {
    net_uninstall(w->net);
    loop_free(w->loop);
}

static bool is_utf8(void) {
    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int cli_fail(const struct err *err) {
    cleanup_free char *text = text_cleaned(err->msg, is_utf8());
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
    return CLI_FAILED;
}

static bool can_draw(FILE *to) {
    const char *term = getenv("TERM");
    return isatty(fileno(to)) && term && *term && strcmp(term, "dumb") != 0;
}

bool cli_has_screen(FILE *to) {
    return can_draw(to);
}

static unsigned from_environment(const char *name) {
    int64_t n;
    const char *text = getenv(name);
    return text && slice_i64(slice_of(text), &n) == 0 && n > 0 && n < 10000 ? (unsigned)n : 0;
}

struct table_style cli_style(FILE *to) {
    struct table_style st = {.utf8 = is_utf8()};
    struct winsize size = {0};
    const char *no = getenv("NO_COLOR");
    st.colour = can_draw(to) && !(no && *no) && !cli_no_colour();
    if (ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col) {
        st.width = size.ws_col;
        st.height = size.ws_row;
    } else {
        st.width = from_environment("COLUMNS");
        if (isatty(fileno(to))) st.height = from_environment("LINES");
    }
    return st;
}
