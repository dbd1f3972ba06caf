/* Nothing of a secret is in a report: not its text, not a digest of it that could be guessed at. */
#include "report_case.h"
#include "base/hash.h"

#define PEM "-----BEGIN RSA PRIVATE KEY-----\\nMIIEHUNTER2\\n-----END RSA PRIVATE KEY-----"
#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIyIjoxfQ.HUNTER2"

/* The secret is HUNTER2 (of two values, that and HUNTER3), plain or in base64, in the objects' members. */
static const struct {
    const char *kind, *live, *rehearsed;
    bool hidden; /* else the words are no secret, and are shown */
} rows[] = {
    {"Secret", "'data':{'name':'SFVOVEVSMg=='}", "'data':{'name':'SFVOVEVSMw=='}", true},
    {"Secret", "'stringData':{'a.b/c':'HUNTER2'}", "'stringData':{'a.b/c':'HUNTER3'}", true},
    {"Secret", "'data':{}", "'data':{'path':'SFVOVEVSMg=='}", true},
    {"Secret", "'metadata':{'name':'x'}", "'data':{'path':'SFVOVEVSMg=='}", true},
    {"Secret", "",
     "'metadata':{'annotations':{'kubectl.kubernetes.io/"
     "last-applied-configuration':'{\\'data\\':{\\'a\\':\\'SFVOVEVSMg==\\'}}'}}",
     true},
    {"Thing", "'spec':{'password':'HUNTER2'}", "'spec':{'password':'HUNTER3'}", true},
    {"Thing", "'spec':{'dbPassword':{'value':'HUNTER2'}}", "'spec':{'dbPassword':{'value':'HUNTER3'}}", true},
    {"Thing", "'spec':{}", "'spec':{'auth':{'user':'u','deep':[{'apiKey':'HUNTER2'}]}}", true},
    {"Thing", "'spec':{'api_token':['HUNTER2']}", "'spec':{'api_token':['HUNTER3']}", true},
    {"Thing", "'spec':{'env':[{'name':'DB_PASSWORD','value':'HUNTER2'}]}",
     "'spec':{'env':[{'name':'DB_PASSWORD','value':'HUNTER3'}]}", true},
    {"Thing", "'spec':{'env':[]}", "'spec':{'env':[{'name':'DB_PASSWORD','value':'HUNTER3'}]}", true},
    {"Thing", "'spec':{'env':[{'name':'A','value':'x'}]}",
     "'spec':{'env':[{'name':'A','value':'postgres://u:HUNTER2@db/x'}]}", true},
    {"Thing", "'spec':{'args':['a']}", "'spec':{'args':['--db-password=HUNTER2']}", true},
    {"Thing", "'spec':{'args':['a']}",
     "'spec':{'args':['-c','curl -H \\'Authorization: Bearer HUNTER2HUNTER2\\'']}", true},
    {"ConfigMap", "'data':{'a.yaml':'x'}",
     "'data':{'a.yaml':'db:\\n  user: u\\n  Password: \\'HUNTER2\\'\\n'}", true},
    {"ConfigMap", "'data':{'a.json':'x'}", "'data':{'a.json':'{\\'api-key\\': \\'HUNTER2\\'}'}", true},
    {"ConfigMap", "'data':{'key':'x'}", "'data':{'key':'" PEM "'}", true},
    {"Thing", "'spec':{'client-key-data':'x'}",
     "'spec':{'client-key-data':'LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlFSFVOVEVSMgo=HUNTER2'}",
     true},
    {"Thing", "'spec':{'client-key-data':'x'}",
     "'spec':{'client-key-data':'eC0tLS0tQkVHSU4gUlNBIFBSSVZBVEUgS0VZLS0tLS0KTUlJRUhVTlRFUjIKHUNTER2'}",
     true},
    {"Thing", "'spec':{'client-key-data':'x'}",
     "'spec':{'client-key-data':'eHgtLS0tLUJFR0lOIFJTQSBQUklWQVRFIEtFWS0tLS0tCk1JSUVIVU5URVIyCg==HUNTER2'}",
     true},
    {"ConfigMap", "'data':{'t':'x'}", "'data':{'t':'" JWT "'}", true},
    {"ConfigMap", "'data':{'t':'" JWT "'}", "'data':{'t':'x'}", true},
    /* what only refers to a secret is shown */
    {"Thing", "'spec':{'secretName':'HUNTER2'}", "'spec':{'secretName':'HUNTER3'}", false},
    {"Thing", "'spec':{'secretRef':{'name':'HUNTER2'}}", "'spec':{'secretRef':{'name':'HUNTER3'}}", false},
    {"Thing", "'spec':{'secret':{'secretName':'HUNTER2'}}", "'spec':{'secret':{'secretName':'HUNTER3'}}",
     false},
    {"Thing", "'imagePullSecrets':[{'name':'HUNTER2'}]", "'imagePullSecrets':[{'name':'HUNTER3'}]", false},
    {"Thing", "'spec':{'tokenFile':'/HUNTER2'}", "'spec':{'tokenFile':'/HUNTER3'}", false},
    {"Thing", "'spec':{'args':['a']}", "'spec':{'args':['--password=$(HUNTER2)']}", false},
    {"Thing", "'spec':{'image':'HUNTER2:v1'}", "'spec':{'image':'HUNTER2:v2'}", false},
    {"Thing", "'spec':{'url':'a'}", "'spec':{'url':'http://HUNTER2:80/x'}", false},
    {"Secret", "'type':'HUNTER2'", "'type':'HUNTER3'", false},
    {"Thing", "'message':'a'", "'message':'the secret HUNTER2 is missing'", false},
};

static bool leaks(const char *text) {
    return strcasestr(text, "hunter") || strstr(text, "SFVOVEVS") || strstr(text, "MIIE");
}

CASE(no_byte_of_a_secret) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cleanup_report struct report *r = report_new(&(struct report_limits){.value = 16 << 10});
        cleanup_free char *live = xasprintf("{%s}", rows[i].live),
                          *rehearsed = xasprintf("{%s}", rows[i].rehearsed);
        print_message("%s -> %s\n", live, rehearsed);
        add(r, "", rows[i].kind, live, rehearsed);
        cleanup_free char *json = json_of(r), *text = text_of(r, 0);
        print_message("%s\n", text);
        assert_int_equal(report_count(r, REPORT_CHANGES), 1);
        assert_int_equal(leaks(json) || leaks(text), !rows[i].hidden);
        if (rows[i].hidden) assert_has(text, "(hidden)");
    }
}

/* Also of a Secret that is made, or goes; of what an operator says; and past the limit of fields. */
CASE(whatever_happens_to_it) {
    cleanup_report struct report *r = report_new(&(struct report_limits){.fields = 1});
    const char *secret = "{'kind':'Secret','metadata':{'name':'x'},'data':{'a':'SFVOVEVSMg==','b':'"
                         "SFVOVEVSMg=='},'type':'Opaque'}";
    add(r, "", "Secret", NULL, secret);
    add(r, "", "Secret", secret, NULL);
    report_event(r, SL("Warning"), SL("Failed"), SL("cannot log in with password=HUNTER2"), SL("Pod"), SL(""),
                 SL("p"), 1);
    report_refusal(r, SL("GET https://u:HUNTER2@host/"), SL("token: HUNTER2"), 1);
    cleanup_free char *json = json_of(r), *text = text_of(r, 0);
    assert_false(leaks(json) || leaks(text));
}

/* What an API server says of a request that failed may quote what it was given. */
CASE(why_a_request_failed) {
    static const struct {
        const char *what, *why, *want;
    } v[] = {
        {"create widgets.x",
         "422 Invalid: Widget.x \"*\" is invalid: spec.auth.key: Invalid value: \"HUNTER2\": too short",
         "422 Invalid: (hidden)"},
        {"create widgets.x", "422 Invalid: spec.list[0].apiKeys[1]: Duplicate value: \"HUNTER2\"",
         "422 Invalid: (hidden)"},
        {"create widgets.x",
         "422 Invalid: [spec.size: Invalid value: 1: no, spec.pwd: Unsupported value: \"HUNTER2\"]",
         "422 Invalid: (hidden)"},
        {"create widgets.x", "400 BadRequest: the token=HUNTER2 is wrong", "400 BadRequest: (hidden)"},
        {"create widgets.x", "token: HUNTER2", "token: (hidden)"},
        {"create secrets", "400 BadRequest: illegal data, bigger context ...|HUNTER2|...",
         "400 BadRequest: (hidden)"},
        {"patch secrets", "422 Invalid", "422 Invalid: (hidden)"},
        {"get secrets", "403 Forbidden: User \"op\" cannot get resource \"secrets\"", NULL},
        {"create secrets", "404 NotFound: namespaces \"*\" not found", NULL},
        {"create secretstores.x", "422 Invalid: spec.size: Invalid value: 1: no", NULL},
        {"create widgets.x", "422 Invalid: spec.secretName: Invalid value: \"Cap\": lower case", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_report struct report *r = report_new(NULL);
        report_failure(r, slice_of(v[i].what), slice_of(v[i].why), 1);
        cleanup_free char *text = text_of(r, 0), *json = json_of(r),
                          *want = xasprintf("\nFailed:\n  1 x %s: %s\n", v[i].what,
                                            v[i].want ? v[i].want : v[i].why);
        assert_has(text, want);
        assert_false(leaks(json));
    }
}

/* Two secrets make the same report: nothing in it can be held against a guess. */
CASE(no_digest_of_a_secret) {
    static const char *const values[] = {"HUNTER2", "letmein"};
    char *json[2];
    for (int i = 0; i < 2; i++) {
        cleanup_report struct report *r = report_new(&(struct report_limits){.fields = 3});
        cleanup_free char *secret = xasprintf("{'data':{'a':'%s','b':'%s','c':'%s','d':'%s'}}", values[i],
                                              values[i], values[i], values[i]);
        cleanup_free char *thing =
            xasprintf("{'spec':{'deep':{'a':[{'password':'%s','long':'0123456789'}]},'args':['token=%s']}}",
                      values[i], values[i]);
        add(r, "", "Secret", NULL, secret);
        add(r, "", "Thing", "{'spec':{}}", thing);
        json[i] = json_of(r);
    }
    assert_string_equal(json[0], json[1]);
    free(json[0]);
    free(json[1]);
}

CASES("rehearse/report_secret")
