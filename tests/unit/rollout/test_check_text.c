/* The URL of the annotation check, the hosts that may be asked, what is sent and what an answer says: hostile ones say nothing. */
#include "../case.h"
#include "plan/check.h"

static bool allows(const char *list, const char *text) {
    struct url u;
    char why[256];
    return check_url_read(slice_of(text), &u, why) == 0 && check_hosts_allow(slice_of(list), &u);
}

CASE(hosts_that_may_be_asked) {
    static const struct {
        const char *list, *url;
        bool allowed;
    } v[] = {
        {"ok.example.com", "https://ok.example.com/x", true},
        {"ok.example.com", "https://ok.example.com", true},
        {"ok.example.com", "https://OK.Example.COM:443/x?a=b@c", true},
        {"OK.example.com", "HTTPS://ok.example.com/", true},
        {"ok.example.com", "https://ok.example.com:8443/", false},
        {"ok.example.com:8443", "https://ok.example.com:8443/", true},
        {"ok.example.com:8443", "https://ok.example.com/", false},
        {"ok.example.com", "http://ok.example.com/", false},
        {"ok.example.com", "http://ok.example.com:443/", false},
        {"http://ok.example.com", "http://ok.example.com/", true},
        {"http://ok.example.com", "https://ok.example.com:80/", false},
        {"https://ok.example.com", "https://ok.example.com/", true},
        {"a, ok.example.com ,b:1", "https://ok.example.com/", true},
        {"ok.example.com", "https://ok.example.com.evil/", false},
        {"ok.example.com", "https://evil-ok.example.com/", false},
        {"ok.example.com", "https://x.ok.example.com/", false},
        {"ok.example.com", "https://ok.example.co/", false},
        {"*.example.com", "https://a.example.com/", true},
        {"*.example.com", "https://a.b.Example.com/", true},
        {"*.example.com", "https://example.com/", false},
        {"*.example.com", "https://evilexample.com/", false},
        {"*.example.com", "https://.example.com/", false},
        {"*.example.com", "https://a.example.com.evil/", false},
        {"*.example.com:9", "https://a.example.com:9/", true},
        {"*.example.com", "https://a.example.com:9/", false},
        {"[::1]:8443", "https://[::1]:8443/x", true},
        {"[::1]:8443", "https://[::2]:8443/x", false},
        {"[::1]", "https://[0:0::1]/", false}, /* as it is written */
        {"10.0.0.1", "https://10.0.0.1/", true},
        {"10.0.0.1", "https://167772161/", false},
        {"10.0.0.1", "https://0x0a000001/", false},
        {"", "https://ok.example.com/", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        if (allows(v[i].list, v[i].url) != v[i].allowed) fail_msg("%s in \"%s\"", v[i].url, v[i].list);
    assert_false(check_hosts_allow((struct slice){0}, &(struct url){.host = SL("x"), .scheme = SL("https")}));
}

/* Refused whatever is allowed: two programs could read them in two ways. */
CASE(urls_that_are_none) {
    static const char *const v[] = {
        "https://ok@evil/",
        "https://ok:443@evil/",
        "https://@ok/",
        "https://:@ok/",
        "https://ok./",
        "https://ok..example/",
        "https://.ok/",
        "https://ok:/",
        "https://ok:0/",
        "https://ok:65536/",
        "https://ok:443:443/",
        "https://ok:4e1/",
        "https://ok\\@evil/",
        "https://ok#@evil/",
        "https://ok/#x",
        "https://ok?x=@evil",
        "https://evil%2eok/",
        "https://o\xc3\xb6k/",
        "https://o k/",
        "https://ok/a b",
        "https://ok/a\nHost: evil",
        "https://ok/\x01",
        "https:ok/",
        "https:///ok",
        "https:////ok",
        "//ok/",
        "ok/",
        "",
        "ftp://ok/",
        "socks5://ok/",
        "file:///etc/passwd",
        "https://[::1",
        "https://[::1]x/",
        "https://[fe80::1%25e]/",
        "https://[ok]/",
        "https://::1/",
        "https://-ok/",
        "https://ok-/",
        "https://o*k/",
        "https://*.ok/",
        "https://ok/\xe2\x80\xae",
        "https://ok/{x}",
        "https://[::ffff:10.0.0.1]:/",
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct url u;
        char why[256] = "";
        if (check_url_read(slice_of(v[i]), &u, why) == 0 || !*why) fail_msg("%s", v[i]);
    }
}

/* What is sent is what was looked at. */
CASE(as_it_is_sent) {
    static const char *const v[][2] = {
        {"HTTPS://Ok.Example.com", "https://ok.example.com:443/"},
        {"http://OK:8080/A?b=%20C", "http://ok:8080/A?b=%20C"},
        {"https://[2001:DB8::1]/x", "https://[2001:db8::1]:443/x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct url u;
        char why[256];
        cleanup_buf struct buf out = BUF(1000);
        assert_int_equal(check_url_read(slice_of(v[i][0]), &u, why), 0);
        check_url_write(&u, &out);
        assert_string_equal(buf_str(&out), v[i][1]);
    }
}

CASE(lists) {
    static const char *const good[] = {"a", "a:1,*.b.c:65535", "http://a", "https://[::1]:1", " a , b "};
    static const char *const bad[] = {"",    ",",    "a,",      "a,,b", "*",      "*.",  "*a",
                                      "a.*", "**.a", "a/",      "a/x",  "u@a",    "a:0", "ftp://a",
                                      "a b", "::1",  "*.[::1]", "a;b",  "http://"};
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (check_hosts_check(slice_of(good[i]), &e) < 0) fail_msg("%s: %s", good[i], e.msg);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        e = (struct err){0};
        if (check_hosts_check(slice_of(bad[i]), &e) == 0) fail_msg("%s", bad[i]);
        assert_non_null(strstr(e.msg, "allowed is a list of HOST, HOST:PORT and *.SUFFIX"));
    }
}

CASE(answers) {
    static const struct {
        const char *body;
        enum check_says says; /* CHECK_NOTHING: it is none */
        const char *message;
    } v[] = {
        {"{\"verdict\":\"pass\"}", CHECK_PASS, NULL},
        {" {\"verdict\":\"fail\",\"message\":\"no\",\"more\":[1]}\n", CHECK_FAIL, "no"},
        {"{\"verdict\":\"wait\",\"message\":\"\"}", CHECK_WAIT, NULL},
        {"{\"verdict\":\"wait\",\"message\":\"a\\nb\\u001b[31m\\u202e\"}", CHECK_WAIT,
         "a\\nb\\x1b[31m\\u202e"},
        {"", CHECK_NOTHING, NULL},
        {"pass", CHECK_NOTHING, NULL},
        {"\"pass\"", CHECK_NOTHING, NULL},
        {"[\"verdict\",\"pass\"]", CHECK_NOTHING, NULL},
        {"[{\"verdict\":\"pass\"}]", CHECK_NOTHING, NULL},
        {"{\"Verdict\":\"pass\"}", CHECK_NOTHING, NULL},
        {"{\"verdict\":\"PASS\"}", CHECK_NOTHING, NULL},
        {"{\"verdict\":\"pass \"}", CHECK_NOTHING, NULL},
        {"{\"verdict\":true}", CHECK_NOTHING, NULL},
        {"{\"verdict\":1}", CHECK_NOTHING, NULL},
        {"{\"verdict\":[\"pass\"]}", CHECK_NOTHING, NULL},
        {"{\"verdict\":null}", CHECK_NOTHING, NULL},
        {"{\"verdict\":\"silent\"}", CHECK_NOTHING, NULL},
        {"{\"verdict\":\"\"}", CHECK_NOTHING, NULL},
        {"{\"verdict\":\"pass\",\"message\":{}}", CHECK_NOTHING, NULL},
        {"{\"verdict\":\"fail\",\"message\":1}", CHECK_NOTHING, NULL},
        {"{\"verdict\":\"pass\"", CHECK_NOTHING, NULL},
        {"{\"verdict\":\"pass\"}{\"verdict\":\"fail\"}", CHECK_NOTHING, NULL},
        {"<html>{\"verdict\":\"pass\"}</html>", CHECK_NOTHING, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        enum check_says says = CHECK_NOTHING;
        cleanup_free char *message = NULL;
        struct err e = {0};
        int rc = check_answer_read(slice_of(v[i].body), &says, &message, &e);
        if (says != v[i].says || (rc < 0) != (says == CHECK_NOTHING) ||
            (rc < 0) != (e.kind == ERR_PROTOCOL) ||
            strcmp(message ? message : "", v[i].message ? v[i].message : ""))
            fail_msg("%s: %d, %s", v[i].body, says, message ? message : "no message");
    }
}

CASE(an_answer_is_bounded) {
    cleanup_buf struct buf b = BUF(1 << 20);
    enum check_says says;
    cleanup_free char *message = NULL;
    struct err e = {0};
    buf_adds(&b, "{\"verdict\":\"fail\",\"message\":\"");
    while (b.n < 4000) buf_adds(&b, "\xc3\xa9");
    buf_adds(&b, "\"}");
    assert_int_equal(check_answer_read(buf_slice(&b), &says, &message, &e), 0);
    assert_true(strlen(message) <= CHECK_MAX_WORDS);
    while (b.n <= CHECK_MAX_ANSWER) buf_adds(&b, " ");
    cleanup_free char *none = NULL;
    assert_true(check_answer_read(buf_slice(&b), &says, &none, &e) < 0);
    buf_clear(&b);
    for (int i = 0; i < 2000; i++) buf_adds(&b, "[");
    assert_true(check_answer_read(buf_slice(&b), &says, &none, &e) < 0 && !none);
}

CASE(what_is_sent) {
    char ns[] = "n\"s", name[] = "op", uid[] = "u-1", canary[] = "op-canary-abc", image[] = "op:v2",
         old[] = "op:v1";
    struct obs_target t = {.kind = &workload_deployment, .ns = ns, .name = name, .uid = uid};
    struct state s;
    state_init(&s);
    struct state_history past = {.hash = "stable1", .ended = ENDED_PROMOTED, .image = old};
    s.phase = PHASE_SOAKING;
    s.step = 1, s.percent = 20, s.canary = canary, s.image = image, s.history = &past, s.nhistory = 1;
    memcpy(s.hash, "canary2", 8);
    memcpy(s.stable_hash, "stable1", 8);
    s.began_ns = 1700000000 * NS_PER_S;
    s.check_ns = s.began_ns + NS_PER_S;
    s.judge.all.ec = 1, s.judge.all.nc = 20, s.judge.all.es = 3, s.judge.all.ns = 400;
    struct spec spec = {.nsteps = 3};
    cleanup_buf struct buf b = BUF(10000);
    check_request(&t, &s, &spec, s.began_ns + 2 * NS_PER_S, &b);
    cleanup_json cJSON *v = json_parse(buf_slice(&b), NULL);
    assert_non_null(v);
    assert_string_equal(
        buf_str(&b),
        "{\"version\":1,\"kind\":\"Deployment\",\"namespace\":\"n\\\"s\",\"name\":\"op\",\"uid\":\"u-1\","
        "\"phase\":\"Soaking\","
        "\"step\":2,\"steps\":3,\"percent\":20,\"asked\":0,\"time\":\"2023-11-14T22:13:22.000000Z\","
        "\"startedAt\":"
        "\"2023-11-14T22:13:20.000000Z\",\"passedAt\":\"2023-11-14T22:13:21.000000Z\",\"stable\":{"
        "\"template\":\"stable1\","
        "\"image\":\"op:v1\"},\"canary\":{\"template\":\"canary2\",\"image\":\"op:v2\",\"replicaSet\":\"op-"
        "canary-abc\"},"
        "\"evidence\":{\"canary\":{\"errors\":1,\"total\":20},\"stable\":{\"errors\":3,\"total\":400}}}");
    assert_int_not_equal(check_question(&s, "a"), check_question(&s, "b"));
    uint64_t was = check_question(&s, "a");
    s.step = 2;
    assert_int_not_equal(check_question(&s, "a"), was);
}

CASE(backoff) {
    const int64_t soak = 300 * NS_PER_S;
    static const int64_t want[] = {10, 10, 20, 40, 80, 160, 300, 300};
    for (uint32_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(check_backoff_ns(soak, i) / NS_PER_S, want[i]);
    assert_int_equal(check_backoff_ns(NS_PER_S, 1), NS_PER_S);
    assert_int_equal(check_backoff_ns(INT64_C(86400) * NS_PER_S, UINT32_MAX), 300 * NS_PER_S);
}

CASES("rollout/check_text")
