/* Metrics pages: what is read of real ones, every cut of them, and clear words for broken ones. */
#include "../case.h"
#include "judge/promtext.h"
#include "base/buf.h"
#include "base/rand.h"
#include <math.h>

static const char page[] =
    "# HELP controller_runtime_active_workers Number of currently used workers per controller\n"
    "# TYPE controller_runtime_active_workers gauge\n"
    "controller_runtime_active_workers{controller=\"widget\"} 2\n"
    "controller_runtime_active_workers{controller=\"gadget\"} 1\n"
    "# HELP controller_runtime_reconcile_errors_total Total number of reconciliation errors per controller\n"
    "controller_runtime_reconcile_errors_total{controller=\"widget\"} 99\n"
    "controller_runtime_reconcile_total{controller=\"widget\",result=\"error\"} 7\n"
    "controller_runtime_reconcile_total{controller=\"widget\",result=\"requeue\"} 0\n"
    "controller_runtime_reconcile_total{controller=\"widget\",result=\"requeue_after\"} 1\n"
    "controller_runtime_reconcile_total{controller=\"widget\",result=\"success\"} 1.2e+02\n"
    "controller_runtime_reconcile_total{controller=\"gadget\",result=\"error\"} 3\n"
    "controller_runtime_reconcile_total{controller=\"gadget\",result=\"success\"} 20\n"
    "\n"
    "leader_election_master_status{name=\"op\"} 1\n"
    "process_start_time_seconds 1.76392e+09\n"
    "rest_client_requests_total{code=\"200\",host=\"a\\\\b\\\"c\\nd\",method=\"GET\"} 33 1700000000000\n"
    "go_gc_duration_seconds{quantile=\"0.5\"} NaN\n"
    "histogram_bucket{le=\"+Inf\"} +Inf\n"
    "workqueue_depth{controller=\"widget\",name=\"widget\",priority=\"0\"} 4\n"
    "workqueue_depth{controller=\"widget\",name=\"widget\",priority=\"-100\"} 5\n";

static int read_cut(struct slice text, const char *errors, const char *total, size_t cut,
                    struct prom_page *ret, struct err *err) {
    struct prom_sum *e = NULL, *t = NULL;
    if (errors) {
        assert_int_equal(prom_sum_parse(slice_of(errors), &e, NULL), 0);
        assert_int_equal(prom_sum_parse(slice_of(total), &t, NULL), 0);
    }
    struct promtext *p = promtext_new(e, t);
    int rc = 0;
    for (size_t at = 0; at < text.n; at += cut) {
        size_t n = text.n - at < cut ? text.n - at : cut;
        char *exact =
            slice_dup(slice_make(text.p + at, n)); /* so that the sanitizer sees a read past the piece */
        rc = promtext_feed(p, slice_make(exact, n), err);
        free(exact);
        if (rc < 0) break;
    }
    struct err again = {0};
    int end = promtext_end(p, ret, rc < 0 ? &again : err);
    if (rc < 0) {
        assert_int_equal(end, rc);
        assert_string_equal(again.msg, err->msg);
    }
    promtext_free(p);
    prom_sum_free(e);
    prom_sum_free(t);
    return end;
}

static struct prom_page read_page(const char *text) {
    struct prom_page r;
    struct err e = {0};
    if (read_cut(slice_of(text), NULL, NULL, 1 << 20, &r, &e) < 0) fail_msg("%s", e.msg);
    return r;
}

static void assert_refused(const char *text, const char *why) {
    for (size_t cut = 1; cut < 5; cut++) {
        struct prom_page r;
        struct err e = {0};
        assert_true(read_cut(slice_of(text), NULL, NULL, cut, &r, &e) < 0);
        assert_string_equal(e.msg, why);
        assert_int_equal(e.kind, ERR_PROTOCOL);
    }
}

CASE(controller_runtime) {
    for (size_t cut = 1; cut < sizeof page; cut += cut < 90 ? 1 : 97) {
        struct prom_page r;
        struct err e = {0};
        if (read_cut(slice_of(page), NULL, NULL, cut, &r, &e) < 0) fail_msg("%s", e.msg);
        assert_string_equal(r.source, "controller-runtime");
        assert_true(r.v[PROM_ERRORS].value == 10 && r.v[PROM_ERRORS].series == 2);
        assert_true(r.v[PROM_TOTAL].value == 151 && r.v[PROM_TOTAL].series == 6);
        assert_true(r.v[PROM_ACTIVE].value == 3);
        assert_true(r.v[PROM_DEPTH].value == 9);
        assert_true(r.v[PROM_START].value == 1.76392e+09);
        assert_true(r.v[PROM_LEADER].value == 1);
        assert_int_equal(r.samples, 16);
    }
}

CASE(idle_is_not_absent) {
    struct prom_page r = read_page("controller_runtime_reconcile_total{result=\"error\"} 0\n"
                                   "controller_runtime_reconcile_total{result=\"success\"} 0\n");
    assert_true(r.v[PROM_TOTAL].present && r.v[PROM_TOTAL].value == 0);
    r = read_page("process_start_time_seconds 3\ncontroller_runtime_active_workers{controller=\"x\"} 0\n");
    assert_false(r.v[PROM_TOTAL].present || r.v[PROM_ERRORS].present);
    assert_null(r.source);
    assert_true(r.v[PROM_ACTIVE].present);
    /* strange numbers in gauges; in counters: test_scrape_endpoints.c */
    r = read_page("workqueue_depth NaN\nx -Inf\ny 1e-320\nprocess_start_time_seconds +Inf\n");
    assert_false(r.v[PROM_DEPTH].present || r.v[PROM_START].present);
}

CASE(java) {
    struct prom_page r =
        read_page("operator_sdk_reconciliations_started_total{kind=\"X\"} 50.0\n"
                  "operator_sdk_reconciliations_success_total{kind=\"X\"} 40.0\n"
                  "operator_sdk_reconciliations_failed_total{exception=\"E\",kind=\"X\"} 2.0\n"
                  "operator_sdk_reconciliations_executions_widget 1.0\n");
    assert_string_equal(r.source, "java-operator-sdk");
    assert_true(r.v[PROM_ERRORS].value == 2 && r.v[PROM_TOTAL].value == 42 && r.v[PROM_ACTIVE].value == 1);
    /* As the SDK 5.2 has it, for an operator that does not retry: its own count of failures is not even there, that of the
     * executions is. */
    r = read_page(
        "operator_sdk_controllers_execution_reconcile_failure_total{controller=\"w\",exception=\"E\"} 6.0\n"
        "operator_sdk_controllers_execution_reconcile_seconds_count{controller=\"w\"} 69\n"
        "operator_sdk_controllers_execution_reconcile_success_total{controller=\"w\",type=\"resource\"} "
        "60.0\n"
        "operator_sdk_controllers_execution_reconcile_success_total{controller=\"w\",type=\"status\"} 3.0\n"
        "operator_sdk_controllers_execution_cleanup_success_total{controller=\"w\",type=\"delete\"} 1.0\n"
        "operator_sdk_reconciliations_executions_w{kind=\"W\"} 0.0\n"
        "operator_sdk_reconciliations_queue_size_w{kind=\"W\"} 2.0\n"
        "operator_sdk_reconciliations_success_total{kind=\"W\",scope=\"namespace\"} 64.0\n");
    assert_string_equal(r.source, "java-operator-sdk");
    assert_true(r.v[PROM_ERRORS].value == 6 && r.v[PROM_TOTAL].value == 70 && r.v[PROM_DEPTH].value == 2);
    r = read_page("reconciliations_success_total{controller_name=\"x\"} "
                  "40\nreconciliations_queue{controller_name=\"x\"} 3\n");
    assert_string_equal(r.source, "java-operator-sdk");
    assert_false(r.v[PROM_ERRORS].present); /* made at the first error: 0 until then */
    assert_true(r.v[PROM_ERRORS].value == 0 && r.v[PROM_TOTAL].value == 40 && r.v[PROM_DEPTH].value == 3);
}

static void assert_controller(const struct prom_page *r, size_t i, const char *name, double errors,
                              double total) {
    assert_true(i < r->controllers);
    assert_string_equal(r->controller[i].name, name);
    assert_true(r->controller[i].errors == errors && r->controller[i].total == total);
}

CASE(controllers) {
    struct prom_page r = read_page(page);
    assert_int_equal(r.controllers, 2);
    assert_controller(&r, 0, "widget", 7, 128);
    assert_controller(&r, 1, "gadget", 3, 23);
    r = read_page(
        "operator_sdk_controllers_execution_reconcile_success_total{controller=\"w\"} 60.0\n"
        "operator_sdk_controllers_execution_cleanup_failure_total{controller=\"v\",exception=\"E\"} 6.0\n"
        "operator_sdk_reconciliations_success_total{kind=\"W\",name=\"a-resource\"} 64.0\n");
    assert_int_equal(r.controllers, 2);
    assert_controller(&r, 0, "w", 0, 60);
    assert_controller(&r, 1, "v", 6, 6);
    r = read_page("reconciliations_success_total{controller_name=\"x\"} 40\n");
    assert_controller(&r, 0, "x", 0, 40);
    r = read_page("controller_runtime_reconcile_total{result=\"error\"} 1\n"
                  "controller_runtime_reconcile_total{controller=\"\",result=\"error\"} 1\n");
    assert_int_equal(r.controllers, 0);
    struct err e = {0};
    const char *own = "done_total{controller=\"a\",ok=\"no\"} 2\ndone_total{controller=\"a\",ok=\"yes\"} 9\n"
                      "done_total{ok=\"yes\"} 5\ncontroller_runtime_reconcile_total{controller=\"z\"} 1\n";
    assert_int_equal(read_cut(slice_of(own), "done_total{ok=\"no\"}", "done_total", 7, &r, &e), 0);
    assert_int_equal(r.controllers, 1);
    assert_controller(&r, 0, "a", 2, 11);
    assert_true(r.v[PROM_TOTAL].value == 16);
}

static struct prom_page page_of(int first, int last) {
    cleanup_buf struct buf b = BUF(1 << 16);
    for (int i = first; i <= last; i++)
        buf_addf(&b,
                 "controller_runtime_reconcile_total{controller=\"c%d\",result=\"error\"} 1\n"
                 "controller_runtime_reconcile_total{controller=\"c%d\",result=\"success\"} 2\n",
                 i, i);
    return read_page(buf_str(&b));
}

CASE(many_controllers) {
    struct prom_page r = page_of(1, 15);
    assert_int_equal(r.controllers, 15);
    assert_controller(&r, 14, "c15", 1, 3);
    r = page_of(1, 40);
    assert_int_equal(r.controllers, PROM_CONTROLLERS);
    assert_controller(&r, 14, "c15", 1, 3);
    assert_controller(&r, 15, "", 25, 75);
    uint64_t of = r.controller[15].of;
    assert_true(of && r.controller[14].of == 0);
    r = page_of(1, 40);
    assert_true(of == r.controller[15].of);
    r = page_of(1, 41);
    assert_true(of != r.controller[15].of);
}

CASE(odd_names_of_controllers) {
    char text[400] = "controller_runtime_reconcile_total{controller=\"";
    memset(text + strlen(text), 'n', 200);
    strcat(text, "\"} 3\n");
    struct prom_page r = read_page(text);
    assert_int_equal(strlen(r.controller[0].name), PROM_CONTROLLER - 1);
    assert_true(r.controller[0].total == 3);
    r = read_page("controller_runtime_reconcile_total{controller=\"a\\nb\xff\x1b[1m\"} 3\n");
    assert_controller(&r, 0, "a\\nb\\xff\\x1b[1m", 0, 3);
}

CASE(openmetrics) {
    struct prom_page r = read_page("# TYPE controller_runtime_reconcile counter\n# UNIT x y\n"
                                   "controller_runtime_reconcile_total{result=\"error\"} 1.0 1700000000.123 "
                                   "# {trace_id=\"a b\"} 1.0 1.5\n"
                                   "controller_runtime_reconcile_total{result=\"success\",} 4.0 # {} 1\n"
                                   "{\"a.name with dots\",\"label.x\"=\"1\"} 1\n"
                                   "# EOF\n");
    assert_true(r.v[PROM_ERRORS].value == 1 && r.v[PROM_TOTAL].value == 5);
    assert_int_equal(r.samples, 3);
    assert_refused("a 1\n# EOF\nb 2\n", "line 3: expected nothing after # EOF");
    read_page("# EOF");
}

/* Prometheus appends a line feed to what it has read of a text page and leaves it to HTTP whether that is whole; of
 * OpenMetrics it wants # EOF. A page whose end is the end of its connection may be cut anywhere: there, not in a line. */
CASE(the_end_of_a_page) {
#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define CUT         "the page ends inside line 2, and the server gave no length by which it would be whole"
#define NO_EOF      "OpenMetrics that does not end with # EOF: it was cut off"
    static const struct {
        const char *type, *text;
        bool framed;
        const char *why; /* NULL: accepted */
    } v[] = {
        {"text/plain; version=0.0.4", "a 1\nprocess_start_time_seconds 12", true, NULL},
        {"text/plain; version=0.0.4", "a 1\nprocess_start_time_seconds 12", false, CUT},
        {"text/plain; version=0.0.4", "a 1\nprocess_start_time_seconds 12\n", false, NULL},
        {"text/plain; version=0.0.4", "process_start_time_seconds 12\n# HEL", false, CUT},
        {OPENMETRICS, "process_start_time_seconds 12\n# EOF\n", false, NULL},
        {OPENMETRICS, "process_start_time_seconds 12\n# EOF", true, NULL},
        {OPENMETRICS, "process_start_time_seconds 12\n", true, NO_EOF},
        {OPENMETRICS, "a 1\nprocess_start_time_seconds 12", true, NO_EOF},
        {OPENMETRICS, "process_start_time_seconds 12\n# EO", true, NO_EOF},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct prom_page r;
        struct err e = {0};
        struct promtext *p = promtext_new(NULL, NULL);
        promtext_head(p, slice_of(v[i].type), v[i].framed);
        assert_int_equal(promtext_feed(p, slice_of(v[i].text), &e), 0);
        int rc = promtext_end(p, &r, &e);
        promtext_free(p);
        assert_string_equal(e.msg, v[i].why ? v[i].why : "");
        if (!rc) assert_true(r.v[PROM_START].value == 12);
    }
}

CASE(own_selectors) {
    static const char text[] =
        "jobs{state=\"failed\",q=\"a.b\"} 3\njobs{state=\"done\",q=\"a.b\"} "
        "10\njobs{state=\"done\",q=\"axb\"} 100\n"
        "jobs{q=\"z\\\"q\"} 1000\nother 5\ncontroller_runtime_reconcile_total{result=\"error\"} 7\n";
    static const struct {
        const char *errors, *total;
        double e, t;
    } v[] = {
        {"jobs{state=\"failed\"}", "jobs", 3, 1113},
        {"jobs{state!=\"done\"}", "jobs{state=~\".*\"}", 1003, 1113},
        {"jobs{state=\"\"}", "jobs{state=~\"fail.*|d.ne\"}", 1000, 113},
        {"jobs{q=~\"a\\.b\", state=~\"failed\"}", "jobs{q=~\"a\\\\.b\"}", 3, 13},
        {"jobs{q=~\"a.b\"}", "jobs{q!~\".+x.+\"} + other", 113, 1018},
        {"other", " jobs { state = \"failed\" , } + jobs{state=\"failed\"} + other ", 5, 8},
        {"oth*", "j*", 5, 1113},
        {"jobs{q='z\"q'}", "jobs{q=\"z\\\"q\"}", 1000, 1000},
        {"absent", "other", 0, 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct prom_page r;
        struct err e = {0};
        if (read_cut(slice_of(text), v[i].errors, v[i].total, 7, &r, &e) < 0) fail_msg("%s", e.msg);
        if (r.v[PROM_ERRORS].value != v[i].e || r.v[PROM_TOTAL].value != v[i].t) {
            fail_msg("%s: %g of %g", v[i].errors, r.v[PROM_ERRORS].value, r.v[PROM_TOTAL].value);
        }
        assert_string_equal(r.source, "annotations");
    }
}

CASE(bad_selectors) {
    static const struct {
        const char *text, *why;
    } v[] = {
        {"", "at its end: expected a metric's name"},
        {"1x", "at character 1: expected a metric's name, found '1'"},
        {"a{", "at its end: expected a label's name"},
        {"a{x}", "at character 4: expected one of = != =~ !~, found '}'"},
        {"a{x!y}", "at character 5: expected = or ~ after !, found 'y'"},
        {"a{x=y}", "at character 5: expected a quoted value, found 'y'"},
        {"a{x=\"y}", "at its end: expected the closing quote"},
        {"a{x=\"y\\q\"}", "at character 8: expected \\, n or a quote after \\, found 'q'"},
        {"a{x=\"y\" z}", "at character 9: expected , or }, found 'z'"},
        {"a b", "at character 3: expected + or the end, found 'b'"},
        {"a +", "at its end: expected a metric's name"},
        {"rate(a[5m])", "at character 5: expected + or the end, found '('"},
        {"a{x=~\"(b|c)\"}", "pattern \"(b|c)\": '(' is not supported (allowed: characters, . .* .+ | and \\ "
                            "before a special one)"},
        {"a{x=~\"b*\"}",
         "pattern \"b*\": '*' is not supported (allowed: characters, . .* .+ | and \\ before a special one)"},
        {"a{x=~\"\\\\d\"}", "pattern \"\\d\": \\ must stand before a special character"},
        {"a+a+a+a+a+a+a+a+a", "at character 17: expected at most 8 selectors, found 'a'"},
        {"a{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\",i=\"\"}",
         "at character 43: expected at most 8 labels, found 'i'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct prom_sum *s = NULL;
        struct err e = {0};
        assert_true(prom_sum_parse(slice_of(v[i].text), &s, &e) < 0);
        assert_null(s);
        assert_int_equal(e.kind, ERR_CONFIG);
        assert_string_equal(e.msg, v[i].why);
    }
}

CASE(malformed) {
    assert_refused("<html>", "line 1: expected a metric's name, found '<'");
    assert_refused("{\"error\":\"x\"}\n", "line 1: expected , or }, found ':'");
    assert_refused("{}\n", "line 1: expected a metric's name, found the end of the line");
    assert_refused("a 1\nb\n",
                   "line 2: expected { or a blank after the metric's name, found the end of the line");
    assert_refused("404 page not found\n", "line 1: expected a metric's name, found '4'");
    assert_refused("a\n", "line 1: expected { or a blank after the metric's name, found the end of the line");
    assert_refused("a one\n", "line 1: expected a number, found 'o'");
    assert_refused("a 1 x\n", "line 1: expected a timestamp, found 'x'");
    assert_refused("a 1 2 3\n", "line 1: expected the end of the line, found '3'");
    assert_refused("a{b 1\n", "line 1: expected =, found '1'");
    assert_refused("a{b=c} 1\n", "line 1: expected a quoted value, found 'c'");
    assert_refused("a{b=\"c} 1\n", "line 1: expected the closing quote, found the end of the line");
    assert_refused("a{b=\"\\t\"} 1\n", "line 1: expected \\, n or a quote after a backslash, found 't'");
    assert_refused("a{b=\"c\";d=\"e\"} 1\n", "line 1: expected , or }, found ';'");
    assert_refused("\n\na{b=\"c\"}\n", "line 3: expected a number, found the end of the line");
    assert_refused("a 1 # x\n", "line 1: expected { of an exemplar, found 'x'");
    assert_refused("{a=\"b\"} 1\n", "line 1: expected a metric's name, found ' '");
    assert_refused("\x01\n", "line 1: expected a metric's name, found byte 0x01");
    assert_refused("", "an empty metrics page");
    assert_refused("# HELP only\n", "a metrics page without a sample");
}

CASE(limits) {
    cleanup_buf struct buf b = BUF(64 << 20);
    struct prom_page r;
    struct err e = {0};
    /* a long comment is skipped, whole and in pieces */
    buf_adds(&b, "# HELP x ");
    for (int i = 0; i < PROM_MAX_LINE; i++) buf_addc(&b, 'x');
    buf_adds(&b, "\nprocess_start_time_seconds 5\n?");
    for (size_t cut = 1; cut < b.n * 2; cut = cut * 3 + 1) {
        assert_true(read_cut(buf_slice(&b), NULL, NULL, cut, &r, &e) < 0);
        assert_string_equal(e.msg, "line 3: expected a metric's name, found '?'");
    }
    /* a long sample is not */
    buf_clear(&b);
    buf_adds(&b, "x{y=\"");
    for (int i = 0; i < PROM_MAX_LINE; i++) buf_addc(&b, 'x');
    buf_adds(&b, "\"} 1\n");
    for (size_t cut = 1000; cut < b.n * 4; cut *= 4) {
        assert_int_equal(read_cut(buf_slice(&b), NULL, NULL, cut, &r, &e), -E2BIG);
        assert_string_equal(e.msg, "line 1: longer than 65536 bytes");
    }
    buf_clear(&b);
    while (b.n <= PROM_MAX_PAGE)
        buf_adds(&b, "#########################################################################\n");
    assert_int_equal(read_cut(buf_slice(&b), NULL, NULL, 1 << 20, &r, &e), -E2BIG);
    assert_string_equal(e.msg, "a metrics page of more than 33554432 bytes");
    buf_clear(&b);
    buf_adds(&b, "x{");
    for (int i = 0; i <= 128; i++) buf_addf(&b, "l%d=\"\\\\\",", i);
    buf_adds(&b, "} 1\n");
    assert_true(read_cut(buf_slice(&b), NULL, NULL, 4096, &r, &e) < 0);
    assert_string_equal(e.msg, "line 1: expected at most 128 labels, found 'l'");
}

/* Damage anywhere: an answer or an error, never a crash, and the same for every cut. */
CASE(random_damage) {
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct rng rng = {seed};
        char *text = slice_dup(slice_of(page));
        size_t n = sizeof page - 1;
        for (uint64_t k = rng_below(&rng, 8); k > 0; k--)
            text[rng_below(&rng, n)] = "\"{}\\\n#=, \x00\xff"[rng_below(&rng, 12)];
        n -= rng_below(&rng, n / 2);
        struct prom_page a = {0}, b = {0};
        struct err e = {0}, f = {0};
        int x = read_cut(slice_make(text, n), NULL, NULL, n, &a, &e);
        int y = read_cut(slice_make(text, n), NULL, NULL, 1 + rng_below(&rng, 60), &b, &f);
        if (x != y || strcmp(e.msg, f.msg) || memcmp(&a, &b, sizeof a))
            fail_msg("seed %llu: %s, %s", (unsigned long long)seed, e.msg, f.msg);
        free(text);
    }
}

CASE(what_the_signals_need) {
    struct prom_page r =
        read_page("controller_runtime_reconcile_total{controller=\"a\",result=\"success\"} 9\n"
                  "controller_runtime_reconcile_panics_total{controller=\"a\"} 2\n"
                  "controller_runtime_reconcile_time_seconds_bucket{controller=\"a\",le=\"0.5\"} 3\n"
                  "controller_runtime_reconcile_time_seconds_bucket{controller=\"a\",le=\"+Inf\"} 9\n"
                  "controller_runtime_reconcile_time_seconds_bucket{controller=\"a\",le=\"0.1\"} 1\n"
                  "controller_runtime_reconcile_time_seconds_bucket{controller=\"b\",le=\"0.5\"} 10\n"
                  "controller_runtime_reconcile_time_seconds_sum{controller=\"a\"} 7\n"
                  "controller_runtime_webhook_requests_total{code=\"200\",webhook=\"/x\"} 5\n"
                  "controller_runtime_webhook_requests_total{code=\"500\",webhook=\"/x\"} 1\n"
                  "process_resident_memory_bytes 4e+07\n"
                  "rest_client_requests_total{code=\"200\",host=\"h\",method=\"GET\"} 30\n"
                  "rest_client_requests_total{code=\"201\",host=\"h\",method=\"POST\"} 4\n"
                  "rest_client_requests_total{code=\"429\",host=\"h\",method=\"PUT\"} 3\n"
                  "rest_client_requests_total{code=\"503\",host=\"h\",method=\"GET\"} 2\n"
                  "workqueue_longest_running_processor_seconds{name=\"a\"} 12.5\n"
                  "workqueue_longest_running_processor_seconds{name=\"b\"} 3\n");
    static const double want[PROM_WHATS] = {
        [PROM_TOTAL] = 9,     [PROM_PANICS] = 2,     [PROM_WEBHOOKS] = 6,
        [PROM_REQUESTS] = 39, [PROM_WRITES] = 7,     [PROM_WEBHOOK_FAILURES] = 1,
        [PROM_REFUSED] = 5,   [PROM_LONGEST] = 12.5, [PROM_MEMORY] = 4e7};
    for (int i = 0; i < PROM_WHATS; i++) assert_true(fabs(r.v[i].value - want[i]) < 1e-9);
    assert_int_equal(r.times.n, 3);
    assert_true(r.times.le[0] < r.times.le[1] && isinf(r.times.le[2]));
    assert_true(r.times.count[0] == 1 && r.times.count[1] == 13 && r.times.count[2] == 9);
}

CASE(a_histogram_with_too_many_bounds_is_left_out) {
    cleanup_buf struct buf b = BUF(1 << 20);
    buf_adds(&b, "controller_runtime_reconcile_total 1\n");
    for (int i = 0; i < PROM_MAX_BOUNDS; i++)
        buf_addf(&b, "controller_runtime_reconcile_time_seconds_bucket{le=\"%d\"} 1\n", i);
    struct prom_page r = read_page(buf_str(&b)); /* none is infinite */
    assert_int_equal(r.times.n, 0);
    buf_adds(&b, "controller_runtime_reconcile_time_seconds_bucket{le=\"+Inf\"} 1\n");
    r = read_page(buf_str(&b));
    assert_int_equal(r.times.n, 0);
}

CASES("rollout/promtext")
