/* Pod templates: same or not, named, labelled. */
#include "../case.h"
#include "../each.h"
#include "api/template.h"
#include "base/json_raw.h"

static bool same(const char *a, const char *b) {
    struct err err = {0};
    char x[11], y[11];
    cleanup_free char *p = quoted(xstrdup(a)), *q = quoted(xstrdup(b));
    if (template_hash(slice_of(p), x, &err) < 0 || template_hash(slice_of(q), y, &err) < 0)
        fail_msg("%s | %s: %s", a, b, err.msg);
    return strcmp(x, y) == 0;
}

CASE(equal) {
    static const char *const cases[][2] = {
        {"{}", " { } "},
        {"{'a':1,'b':2}", "{'b':2,'a':1}"},
        {"{'a':null}", "{}"},
        {"{'metadata':{'creationTimestamp':null}}", "{}"},
        {"{'metadata':{'labels':{'pod-template-hash':'x'}}}", "{}"},
        {"{'metadata':{'labels':{'pod-template-hash':'x','a':'b'}}}",
         "{'metadata':{'labels':{'a':'b','pod-template-hash':'y'}}}"},
        {"{'$patch':'replace','spec':{}}", "{'spec':{}}"}, /* a ControllerRevision's */
        {"{'metadata':{'annotations':{},'labels':{}}}", "{}"},
        {"{'spec':{'volumes':[],'nodeSelector':{},'containers':[{'resources':{},'env':[],'command':[]}]}}",
         "{'spec':{'containers':[{}]}}"},
        {"{'spec':{'containers':[{'resources':{'limits':{},'requests':{'cpu':null}}}]}}",
         "{'spec':{'containers':[{}]}}"},
        {"{'a':'\\u0041\\/\\u00e9'}", "{'\\u0061':'A/\xc3\xa9'}"},
        {"{'a':1e3}", "{'a':1000.0}"},
        {"{'a':[1e15,-0]}", "{'a':[1000000000000000,0]}"},
        {"{'a':1,'a':2}", "{'a':2}"},
        /* quantities */
        {"{'spec':{'containers':[{'resources':{'limits':{'memory':'64Mi','cpu':'1'}}}]}}",
         "{'spec':{'containers':[{'resources':{'limits':{'memory':67108864,'cpu':'1000m'}}}]}}"},
        {"{'spec':{'initContainers':[{'resources':{'requests':{'cpu':0.5}}}]}}",
         "{'spec':{'initContainers':[{'resources':{'requests':{'cpu':'500m'}}}]}}"},
        {"{'spec':{'resources':{'requests':{'cpu':2}}}}",
         "{'spec':{'resources':{'requests':{'cpu':'2e0'}}}}"},
        {"{'spec':{'overhead':{'memory':'1Ki'}}}", "{'spec':{'overhead':{'memory':'1024'}}}"},
        {"{'spec':{'volumes':[{'emptyDir':{'sizeLimit':'1Gi'}}]}}",
         "{'spec':{'volumes':[{'emptyDir':{'sizeLimit':'1024Mi'}}]}}"},
        {"{'env':[{'valueFrom':{'resourceFieldRef':{'divisor':'1k'}}}]}",
         "{'env':[{'valueFrom':{'resourceFieldRef':{'divisor':1000}}}]}"},
        {"{'volumes':[{'ephemeral':{'volumeClaimTemplate':{'spec':{'resources':{'requests':{'storage':'1Gi'}}"
         "}}}}]}",
         "{'volumes':[{'ephemeral':{'volumeClaimTemplate':{'metadata':{},'spec':{'resources':{'requests':{'"
         "storage':1073741824}}}}}}]}"},
        {"{'resources':{'limits':{'x':'garbage'}}}", "{'resources':{'limits':{'x':'garbage'}}}"},
        {"{'resources':{'limits':{'x':'0.1n'}}}", "{'resources':{'limits':{'x':'0.1n'}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!same(cases[i][0], cases[i][1])) fail_msg("%s | %s", cases[i][0], cases[i][1]);
}

CASE(different) {
    static const char *const cases[][2] = {
        {"{'spec':{'$patch':'replace'}}", "{'spec':{}}"},
        {"{'spec':{'containers':[{'image':'a:1'}]}}", "{'spec':{'containers':[{'image':'a:2'}]}}"},
        {"{'spec':{'containers':[{},{}]}}", "{'spec':{'containers':[{}]}}"},
        {"{'a':[1,2]}", "{'a':[2,1]}"},
        {"{'a':{'b':1}}", "{'a':{}}"},
        {"{'a':'1'}", "{'a':1}"},
        {"{'a':true}", "{'a':false}"},
        {"{'a':[null]}", "{'a':[]}"},
        {"{'a':9007199254740993}", "{'a':9007199254740992}"},
        {"{'a':'x\\u0000y'}", "{'a':'x\\u0000z'}"}, /* the same C string */
        {"{'a':'x\\u0000y'}", "{'a':'x'}"},
        {"{'a\\u0000b':1}", "{'a\\u0000c':1}"},
        {"{'metadata':{'annotations':{'a.b/c':'1'}}}", "{'metadata':{'annotations':{'a.b/c':'2'}}}"},
        {"{'metadata':{'annotations':{'pod-template-hash':'1'}}}", "{}"},
        {"{'spec':{'metadata':{'labels':{'pod-template-hash':'1'}}}}", "{}"},
        /* empty, and means something */
        {"{'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}", "{'spec':{'volumes':[{'name':'v'}]}}"},
        {"{'spec':{'securityContext':{}}}", "{'spec':{}}"},
        {"{'x':{'namespaceSelector':{}}}", "{'x':{'y':1}}"},
        {"{'a':''}", "{}"},
        {"{'a':false}", "{}"},
        {"{'a':0}", "{}"},
        /* quantities, and what only looks like one */
        {"{'resources':{'limits':{'cpu':'1000m'}}}", "{'resources':{'limits':{'cpu':'1001m'}}}"},
        {"{'resources':{'limits':{'x':'0.1n'}}}", "{'resources':{'limits':{'x':'0.2n'}}}"},
        {"{'env':[{'value':'64Mi'}]}", "{'env':[{'value':'67108864'}]}"},
        {"{'metadata':{'annotations':{'resources':'1'}}}",
         "{'metadata':{'annotations':{'resources':'1000m'}}}"},
        {"{'emptyDir':{'medium':'1'}}", "{'emptyDir':{'medium':'1000m'}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (same(cases[i][0], cases[i][1])) fail_msg("%s | %s", cases[i][0], cases[i][1]);
}

CASE(no_templates) {
    static const char *const bad[] = {"",  "[]",  "null",       "\"x\"",
                                      "{", "{}x", "{\"a\":01}", "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char name[11] = "untouched";
        struct err err = {0};
        cleanup_buf struct buf out = BUF(100);
        static const char *const pair[] = {"a", "b"};
        assert_int_equal(template_hash(slice_of(bad[i]), name, &err), -EINVAL);
        assert_int_equal(template_with_labels(slice_of(bad[i]), pair, 1, &out, &err), -EINVAL);
        assert_int_equal(template_image(slice_of(bad[i]), &out), -EINVAL);
        assert_string_equal(name, "untouched");
        assert_true(out.n == 0 && err.msg[0]);
    }
    size_t n = 5 << 20;
    cleanup_free char *big = xmalloc(n);
    memset(big, ' ', n);
    big[0] = '{', big[1] = '}';
    char name[11];
    assert_int_equal(template_hash(slice_make(big, n), name, NULL), -EINVAL);
}

CASE(hashes) {
    char a[11];
    assert_int_equal(
        template_hash(SL("{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"i:1\"}]}}"), a, NULL), 0);
    assert_int_equal(strspn(a, "bcdfghjklmnpqrstvwxz2456789"), 10);
    /* Canaries and quarantines are found by this name: another version of Handover must find them too. */
    assert_string_equal(a, "lzh5rqz45v");
}

/* A ReplicaSet's template is its Deployment's again. */
CASE(without_the_controllers_label) {
    static const char *const cases[][2] = {
        {"{'metadata':{'labels':{'pod-template-hash':'x'}},'n':1e15}", "{'metadata':{'labels':{}},'n':1e15}"},
        {"{'metadata':{'labels':{ 'a' : 'b','pod-template-hash':'x', 'c':'\\u0000'}, 'z':1}}",
         "{'metadata':{'labels':{'a':'b','c':'\\u0000'}, 'z':1}}"},
        {"{'metadata':{'labels':{'pod\\u002dtemplate-hash':'x','a':'b'}}}",
         "{'metadata':{'labels':{'a':'b'}}}"},
        {"{'metadata':{'labels':null},'n':9007199254740993}", NULL},
        {"{'spec':{'pod-template-hash':'x'}}", NULL},
        {"{}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF(1000);
        cleanup_free char *text = quoted(xstrdup(cases[i][0])),
                          *want = quoted(xstrdup(cases[i][1] ? cases[i][1] : cases[i][0]));
        assert_int_equal(template_without_pod_hash(slice_of(text), &out, NULL), 0);
        assert_buf(out, want);
        char a[11], b[11];
        assert_int_equal(template_hash(slice_of(text), a, NULL), 0);
        assert_int_equal(template_hash(buf_slice(&out), b, NULL), 0);
        assert_string_equal(a, b);
    }
    cleanup_buf struct buf out = BUF(1000);
    assert_true(template_without_pod_hash(SL("[]"), &out, NULL) < 0 && out.n == 0);
}

#define T  "'t/x':'q\\'\\n'"
#define AT "'a':'2'," T
CASE(labels) {
    static const char *const pairs[] = {"a", "2", "t/x", "q\"\n"};
    static const char *const cases[][2] = {
        {"{}", "{'metadata':{'labels':{" AT "}}}"},
        {" {\t} ", " {'metadata':{'labels':{" AT "}}\t} "},
        {"{ 's':1e15}", "{'metadata':{'labels':{" AT "}}, 's':1e15}"},
        {"{'metadata' : null,'s':1}", "{'metadata' : {'labels':{" AT "}},'s':1}"},
        {"{'metadata':{ } }", "{'metadata':{'labels':{" AT "} } }"},
        {"{'metadata':{'z':1}}", "{'metadata':{'labels':{" AT "},'z':1}}"},
        {"{'metadata':{'labels':null}}", "{'metadata':{'labels':{" AT "}}}"},
        {"{'metadata':{'labels':{ }}}", "{'metadata':{'labels':{" AT " }}}"},
        {"{'metadata':{'labels':{ '\\u0061' : 7 , 'b':'\\u0000'}},'n':9007199254740993}",
         "{'metadata':{'labels':{" T ", '\\u0061' : '2' , 'b':'\\u0000'}},'n':9007199254740993}"},
        {"{'metadata':{'labels':{'t/x':'1','a':'1'}}}", "{'metadata':{'labels':{" T ",'a':'2'}}}"},
        {"{'metadata':{'labels':{'a':'0','a':'1','t/x':null}}}", "{'metadata':{'labels':{'a':'2'," AT "}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF(1000);
        cleanup_free char *text = quoted(xstrdup(cases[i][0])), *want = quoted(xstrdup(cases[i][1]));
        struct err err = {0};
        assert_int_equal(template_with_labels(slice_of(text), pairs, 2, &out, &err), 0);
        assert_buf(out, want);
        assert_int_equal(json_raw_check(buf_slice(&out), &err), 0);
        for (size_t max = 0; max < out.n; max++) { /* too small: nothing at all */
            cleanup_buf struct buf small = BUF(max);
            assert_int_equal(template_with_labels(slice_of(text), pairs, 2, &small, &err), -ENOBUFS);
            assert_int_equal(small.n, 0);
        }
    }
    cleanup_buf struct buf out = BUF(1000);
    struct err err = {0};
    assert_int_equal(template_with_labels(JS("{'metadata':7}"), pairs, 2, &out, &err), -EINVAL);
    assert_int_equal(template_with_labels(JS("{'metadata':{'labels':[]}}"), pairs, 2, &out, &err), -EINVAL);
    assert_int_equal(template_with_labels(JS("{'metadata':{'labels':{'x':'y'}}}"), NULL, 0, &out, &err), 0);
    assert_buf(out, J("{'metadata':{'labels':{'x':'y'}}}"));
}

CASE(images) {
    static const char *const cases[][2] = {
        {"{'spec':{'containers':[{'name':'a','image':'r.io\\/i:\\u0031'},{'image':'no'}]}}", "r.io/i:1"},
        {"{}", ""},
        {"{'spec':{'containers':[]}}", ""},
        {"{'spec':{'containers':{'image':'x'}}}", ""},
        {"{'spec':{'containers':[{'name':'a'}]}}", ""},
        {"{'spec':{'containers':[{'image':7}]}}", ""},
        /* a proxy stands first, as generated manifests have it */
        {"{'metadata':{'annotations':{'kubectl.kubernetes.io/"
         "default-container':'m\\u0061nager'}},'spec':{'containers':[{'name':'proxy','image':'p:1'},{'image':"
         "'manager','name':'manager','image':'op:1'}]}}",
         "op:1"},
        {"{'metadata':{'annotations':{'kubectl.kubernetes.io/"
         "default-container':'gone'}},'spec':{'containers':[{'name':'proxy','image':'p:1'},7]}}",
         "p:1"},
        {"{'metadata':{'annotations':{'kubectl.kubernetes.io/"
         "default-container':7}},'spec':{'containers':[{'name':'proxy','image':'p:1'}]}}",
         "p:1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF(100);
        cleanup_free char *text = quoted(xstrdup(cases[i][0]));
        assert_int_equal(template_image(slice_of(text), &out), 0);
        assert_buf(out, cases[i][1]);
    }
}

CASES("api/template")
