/* Annotations, as JSON or as lines name=value: a spec within its limits, or an error that names one. */
#include "fuzz.h"
#include "plan/check.h"
#include "plan/spec.h"

static cJSON *lines(struct slice text) {
    cJSON *a = cJSON_CreateObject();
    while (text.n) {
        struct slice line, name, value;
        slice_cut(text, '\n', &line, &text);
        slice_cut(line, '=', &name, &value);
        char *key = xasprintf(HANDOVER_PREFIX "%.*s", SLF(name)), *v = slice_dup(value);
        cJSON_AddStringToObject(a, key, v);
        free(key);
        free(v);
    }
    return a;
}

FUZZ(text) {
    cleanup_json cJSON *a = text.n && text.p[0] == '{' ? json_parse(text, NULL) : lines(text);
    cleanup_spec struct spec s;
    struct err e = {0};
    int rc = spec_parse(a, &s, &e);
    FUZZ_CHECK(rc == 0 ||
               (e.kind == ERR_CONFIG && !strncmp(e.msg, HANDOVER_PREFIX, strlen(HANDOVER_PREFIX))));
    FUZZ_CHECK(rc || obs_opted_in(a));
    FUZZ_CHECK(s.nsteps >= 1 && s.nsteps <= SPEC_MAX_STEPS && s.max_regression >= 1 && s.soak_ns > 0 &&
               s.quiet_ns >= 0 && s.min_events > 0);
    for (size_t i = 0; i < s.nsteps; i++)
        FUZZ_CHECK(s.step[i] >= 1 && s.step[i] <= 100 && (!i || s.step[i] > s.step[i - 1]));
    FUZZ_CHECK(s.auto_rate || (s.max_error_rate > 0 && s.max_error_rate < 1));
    FUZZ_CHECK(rc || s.deadline_ns > s.soak_ns);
    if (s.check) { /* and as it is sent it is itself */
        struct url u, again;
        char why[256];
        cleanup_buf struct buf sent = BUF(4096);
        FUZZ_CHECK(check_url_read(slice_of(s.check), &u, why) == 0);
        check_url_write(&u, &sent);
        FUZZ_CHECK(check_url_read(buf_slice(&sent), &again, why) == 0 && again.port == u.port &&
                   again.host.n == u.host.n &&
                   slice_eq(again.path.n ? again.path : SL("/"), u.path.n ? u.path : SL("/")));
    }
    struct err bad = {0};
    FUZZ_CHECK(check_hosts_check(text, &bad) == 0 || bad.msg[0]);
    FUZZ_CHECK(s.metrics != METRICS_ENDPOINT || (s.port && s.path && s.path[0] == '/'));
}
