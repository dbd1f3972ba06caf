/* Label selectors, with the cases of k8s.io/apimachinery/pkg/labels/selector_test.go. */
#include "../case.h"
#include "../each.h"
#include "api/selector.h"

static bool selects(struct slice selector, const char *labels) {
    struct selector *s = NULL;
    struct err err = {0};
    if (selector_parse(selector, &s, &err) < 0) fail_msg("%.*s: %s", SLF(selector), err.msg);
    cleanup_json cJSON *set = labels ? cJSON_Parse(labels) : NULL;
    bool r = selector_match(s, set);
    selector_free(s);
    return r;
}

static bool matches(const char *selector, const char *labels) {
    return selects(slice_of(selector), labels);
}

static void writes(struct slice text, struct slice want) {
    struct selector *s = NULL;
    struct err err = {0};
    cleanup_buf struct buf b = BUF(1000);
    if (selector_parse(text, &s, &err) < 0) fail_msg("%.*s: %s", SLF(text), err.msg);
    assert_int_equal(selector_format(s, &b), 0);
    assert_true(slice_eq(buf_slice(&b), want));
    selector_free(s);
}

CASE(accepted_and_written) {
    each_of(same, "|x=a,y=b,z=c|x!=a,y=b|x=|x==a|!x|x>1|x>1,z<5|in|notin in (in,notin)|in=notin|!in|z,a|"
                  "example.com/a-b_c.D=E_f.9") {
        writes(same, same);
    }
    /* text -> as it is written */
    each_of(
        pair,
        "   ->|x= ,z= ->x=,z=|x = a->x=a|! x->!x|x in (foo,bar)->x in (bar,foo)|x in (a,a,b,a)->x in (a,b)|"
        "x in()->x in ()|x notin (,)->x notin ()|x in (,a)->x in (,a)|x in (a,)->x in (,a)|"
        "x in (foo,,baz),y,z notin ()->x in (,baz,foo),y,z notin ()|x\tin\r\n( a , b )->x in (a,b)") {
        struct slice text, want;
        slice_cut(pair, '>', &text, &want);
        writes(slice_make(text.p, text.n - 1), want);
    }
}

CASE(refused) {
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    static const struct {
        const char *reason, *texts;
    } cases[] = {
        {"expected: ',' or 'end of string'", "x==a==b|!x=a"},
        {"integer", "x<a|x>1.5|x>"},
        {"beginning and ending", "x>-5"}, /* an integer, but no label value */
        {"expected: !, identifier, or 'end of string'", ","},
        {"identifier after ','", "a,|a,,b"},
        {"expected: identifier", "!|!!x|x===a|x=("},
        {"in, notin, =, ==, !=, >, <", "x y|x!y"},
        {"'('", "x in|x in a"},
        {"',', ')' or identifier", "x in ("},
        {"',' or ')'", "x in (a|x in (a b)"},
        {"',' or 'end of string'", "x in (a))"},
        {"expected", "x in (!a)"},
        {"in, notin", "x not in (a)"},
        {"label key", "-x|a/b/c|a/"},
        {"prefix", "/b|A.com/b"},
        {"must be empty, or", "x=a/b|x=.a|x in (a,b*)|x=\xc3\xa9"},
        {"1 to 63", A63 "a|x=" A63 "a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        each_of(text, cases[i].texts) {
            struct selector *s = NULL;
            struct err err = {0};
            assert_int_equal(selector_parse(text, &s, &err), -EINVAL);
            assert_null(s);
            assert_int_equal(err.kind, ERR_CONFIG);
            if (!strstr(err.msg, cases[i].reason)) fail_msg("%.*s: %s", SLF(text), err.msg);
        }
    }
    struct err err = {0};
    struct selector *none = NULL;
    assert_int_equal(selector_parse(SL("x=a||y=b"), &none, &err), -EINVAL);
    assert_non_null(strstr(err.msg, "a||y"));
    struct selector *s = NULL;
    assert_int_equal(selector_parse(SL("a\0b"), &s, NULL), -EINVAL);
    cleanup_free char *big = xcalloc(1, 70000);
    memset(big, 'a', 69999);
    assert_int_equal(selector_parse(slice_of(big), &s, NULL), -EINVAL);
    selector_free(NULL);
}

CASE(matching) {
    const char *xy = "{\"x\":\"y\",\"n\":\"7\",\"e\":\"\",\"big\":\"99999999999999999999\"}";
    each_of(yes, "|x|x=y|x==y|x in (a,y)|x!=z|z!=a|z notin (a)|!z|n>6|n<8|e=|e|e in ()|x=y,n=7|x notin "
                 "(z,w)|e notin (a)") {
        assert_true(selects(yes, xy));
    }
    each_of(no, "z|z=|x=z|x!=y|x notin (y)|!x|n>7|n<7|x>1|z>1|z<1|big>1|e!=|x=Y|x=y,z|x in (z)|e>0|X=y") {
        assert_false(selects(no, xy));
    }
    assert_true(matches("!a", NULL) && matches("", NULL) && !matches("a", NULL));
    assert_true(matches("a!=b", "{}"));
    assert_false(matches("a", "{\"a\":7}")); /* a label is a string */
    assert_true(matches("handover.dev/track notin (canary,moving)", "{\"handover.dev/track\":\"stable\"}"));
    assert_false(matches("handover.dev/track notin (canary,moving)", "{\"handover.dev/track\":\"moving\"}"));
}

CASE(spec_form) {
    static const char *const good[][2] = {
        {"{}", ""},
        {"{'matchLabels':{},'matchExpressions':[]}", ""},
        {"{'matchLabels':null,'matchExpressions':null}", ""},
        {"{'matchLabels':{'a':'b','c':''}}", "a=b,c="},
        {"{'matchExpressions':[{'key':'a','operator':'In','values':['y','x']},{'key':'b','operator':'NotIn','"
         "values':['z']},{'key':'c','operator':'Exists'},{'key':'d','operator':'DoesNotExist','values':[]}]}",
         "a in (x,y),b notin (z),c,!d"},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        cleanup_free char *text = quoted(xstrdup(good[i][0]));
        cleanup_json cJSON *spec = cJSON_Parse(text);
        struct selector *s = NULL;
        cleanup_buf struct buf b = BUF(1000);
        assert_int_equal(selector_from_spec(spec, &s, NULL), 0);
        assert_int_equal(selector_format(s, &b), 0);
        assert_buf(b, good[i][1]);
        selector_free(s);
    }
    each_of(bad, J("[]|'a=b'|{'matchLabels':[]}|{'matchExpressions':{}}|{'matchLabels':{'a':7}}|{'"
                   "matchLabels':{'-a':'b'}}|{'matchLabels':{'a':'b "
                   "c'}}|{'matchExpressions':[{'key':'a'}]}|{'matchExpressions':[{'operator':'Exists'}]}|{'"
                   "matchExpressions':[{'key':'a','operator':'in','values':['b']}]}|{'matchExpressions':[{'"
                   "key':'a','operator':'In','values':[]}]}|{'matchExpressions':[{'key':'a','operator':'In'}]"
                   "}|{'matchExpressions':[{'key':'a','operator':'Exists','values':['b']}]}|{'"
                   "matchExpressions':[{'key':'a','operator':'In','values':[7]}]}|{'matchExpressions':[7]}|{'"
                   "matchExpressions':[{'key':'a','operator':'Gt','values':['7']}]}")) {
        cleanup_json cJSON *spec = cJSON_ParseWithLength(bad.p, bad.n);
        struct selector *s = NULL;
        struct err err = {0};
        assert_non_null(spec);
        assert_int_equal(selector_from_spec(spec, &s, &err), -EINVAL);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(s);
    }
}

CASE(no_selector_selects_nothing) {
    struct selector *s = NULL;
    cleanup_json cJSON *null = cJSON_CreateNull(), *labels = cJSON_Parse("{\"a\":\"b\"}");
    const cJSON *const absent[] = {NULL, null};
    for (size_t i = 0; i < 2; i++) {
        cleanup_buf struct buf b = BUF(100);
        assert_int_equal(selector_from_spec(absent[i], &s, NULL), 0);
        assert_false(selector_match(s, labels) || selector_match(s, NULL));
        assert_int_equal(selector_format(s, &b), -EINVAL); /* its text would say "all" */
        selector_free(s);
    }
}

CASES("api/selector")
