/* JSON Patch with the examples of RFC 6902, and JSON Merge Patch with those of RFC 7396. */
#include "../case.h"
#include "patch_check.h"
#include "base/json_raw.h"

#define GIVES(doc, patch, want) patch_gives(JSON_PATCH, NULL, doc, patch, want)
#define FAILS(doc, patch, why)  patch_fails(JSON_PATCH, NULL, doc, patch, why)

CASE(rfc6902_examples) {
    GIVES("{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux'}]",
          "{'foo':'bar','baz':'qux'}"); /* A.1 */
    GIVES("{'foo':['bar','baz']}", "[{'op':'add','path':'/foo/1','value':'qux'}]",
          "{'foo':['bar','qux','baz']}");
    GIVES("{'baz':'qux','foo':'bar'}", "[{'op':'remove','path':'/baz'}]", "{'foo':'bar'}");
    GIVES("{'foo':['bar','qux','baz']}", "[{'op':'remove','path':'/foo/1'}]", "{'foo':['bar','baz']}");
    GIVES("{'baz':'qux','foo':'bar'}", "[{'op':'replace','path':'/baz','value':'boo'}]",
          "{'baz':'boo','foo':'bar'}");
    GIVES("{'foo':{'bar':'baz','waldo':'fred'},'qux':{'corge':'grault'}}",
          "[{'op':'move','from':'/foo/waldo','path':'/qux/thud'}]",
          "{'foo':{'bar':'baz'},'qux':{'corge':'grault','thud':'fred'}}");
    GIVES("{'foo':['all','grass','cows','eat']}", "[{'op':'move','from':'/foo/1','path':'/foo/3'}]",
          "{'foo':['all','cows','eat','grass']}");
    GIVES("{'baz':'qux','foo':['a',2,'c']}",
          "[{'op':'test','path':'/baz','value':'qux'},{'op':'test','path':'/foo/1','value':2}]",
          "{'baz':'qux','foo':['a',2,'c']}");
    FAILS("{'baz':'qux'}", "[{'op':'test','path':'/baz','value':'bar'}]", "test failed"); /* A.9 */
    GIVES("{'foo':'bar'}", "[{'op':'add','path':'/child','value':{'grandchild':{}}}]",
          "{'foo':'bar','child':{'grandchild':{}}}");
    GIVES("{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux','xyz':123}]",
          "{'foo':'bar','baz':'qux'}");
    FAILS("{'foo':'bar'}", "[{'op':'add','path':'/baz/bat','value':'qux'}]", "does not exist"); /* A.12 */
    GIVES("{'/':9,'~1':10}", "[{'op':'test','path':'/~01','value':10}]", "{'/':9,'~1':10}");
    FAILS("{'/':9,'~1':10}", "[{'op':'test','path':'/~01','value':'10'}]", "test failed");
    GIVES("{'foo':['bar']}", "[{'op':'add','path':'/foo/-','value':['abc','def']}]",
          "{'foo':['bar',['abc','def']]}"); /* A.16 */
}

CASE(further_cases) {
    GIVES("{'a':1}", "[]", "{'a':1}");
    GIVES("{'a':1}", "[{'op':'add','path':'/a','value':2}]", "{'a':2}");
    GIVES("{'a':1}", "[{'op':'replace','path':'','value':{'b':2}}]", "{'b':2}");
    GIVES("{'a':{'b':1}}", "[{'op':'copy','from':'','path':'/c'}]", "{'a':{'b':1},'c':{'a':{'b':1}}}");
    GIVES("{'a':1,'b':2}", "[{'op':'move','from':'/a','path':'/a'}]", "{'b':2,'a':1}");
    GIVES("{'x/y':{'':1}}", "[{'op':'add','path':'/x~1y/','value':null}]", "{'x/y':{'':null}}");
    GIVES("{'a':{'b':[1,{'c':2,'d':3}]}}", "[{'op':'test','path':'/a','value':{'b':[1.0,{'d':3,'c':2}]}}]",
          "{'a':{'b':[1,{'c':2,'d':3}]}}");
    GIVES("{}", "[{'op':'test','path':'/a','value':null}]", "{}"); /* as the API server */
    FAILS("{}", "[{'op':'test','path':'/a','value':1}]", "test failed");
    FAILS("{'l':[]}", "[{'op':'test','path':'/l/0','value':null}]", "test failed");
    FAILS("{'a':[1,2]}", "[{'op':'test','path':'/a','value':[2,1]}]", "test failed");
    FAILS("{'a':[1,2]}", "[{'op':'test','path':'/a','value':[1,2,3]}]", "test failed");
    FAILS("{'a':1}", "[{'op':'replace','path':'/a','value':2},{'op':'remove','path':'/b'}]",
          "operation 1 (remove /b)"); /* and the first is not there either */
}

CASE(refused) {
    static const char *const doc = "{'a':[1,2],'o':{}}";
    FAILS(doc, "{}", "list of operations");
    FAILS(doc, "[7]", "\"op\" and \"path\"");
    FAILS(doc, "[{'op':'add'}]", "\"op\" and \"path\"");
    FAILS(doc, "[{'op':'spam','path':'/a'}]", "one of add, remove");
    FAILS(doc, "[{'op':'add','path':'/b'}]", "\"value\"");
    FAILS(doc, "[{'op':'add','path':'b','value':1}]", "begin with '/'");
    FAILS(doc, "[{'op':'add','path':'/~2','value':1}]", "does not exist");
    FAILS(doc, "[{'op':'add','path':'/a/3','value':1}]", "no such place");
    FAILS(doc, "[{'op':'add','path':'/a/01','value':1}]", "no such place");
    FAILS(doc, "[{'op':'add','path':'/a/+1','value':1}]", "no such place");
    FAILS(doc, "[{'op':'add','path':'/a/99999999999999999999','value':1}]", "no such place");
    FAILS(doc, "[{'op':'replace','path':'/a/-','value':1}]", "nothing is there");
    FAILS(doc, "[{'op':'remove','path':'/a/2'}]", "nothing is there");
    FAILS(doc, "[{'op':'remove','path':''}]", "itself");
    FAILS(doc, "[{'op':'move','path':'/b'}]", "\"from\"");
    FAILS(doc, "[{'op':'move','from':'/x','path':'/b'}]", "does not exist");
    FAILS(doc, "[{'op':'move','from':'/o','path':'/o/x'}]", "below itself");
    FAILS(doc, "[{'op':'copy','from':'/a','path':'/x/y'}]", "does not exist");
}

CASE(bounded) {
    cleanup_buf struct buf b = BUF(1 << 20);
    buf_adds(&b, "[{'op':'copy','from':'','path':'/a'}");
    for (int i = 0; i < 40; i++)
        buf_addf(&b, ",{'op':'copy','from':'','path':'/%d'}", i); /* doubles each time */
    buf_addc(&b, ']');
    FAILS("{}", b.p, "copies of more than");
    buf_clear(&b);
    buf_adds(&b, "[{'op':'add','path':'/x','value':1}");
    for (int i = 0; i < 10000; i++) buf_adds(&b, ",{'op':'add','path':'/x','value':1}");
    buf_addc(&b, ']');
    FAILS("{}", b.p, "at most 10000");

    cleanup_buf struct buf deep = BUF(1 << 20); /* moves cannot build what no parser would take */
    buf_adds(&deep, "{'a':");
    for (int i = 0; i < JSON_RAW_DEPTH - 2; i++) buf_addc(&deep, '[');
    for (int i = 0; i < JSON_RAW_DEPTH - 2; i++) buf_addc(&deep, ']');
    buf_adds(&deep, ",'b':[[]]}");
    FAILS(deep.p, "[{'op':'move','from':'/a','path':'/b/0/0'}]", "too deep");
}

CASE(rfc7396_examples) {
    static const char *const cases[][3] = {
        {"{'a':'b'}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}"},
        {"{'a':'b'}", "{'a':null}", "{}"},
        {"{'a':'b','b':'c'}", "{'a':null}", "{'b':'c'}"},
        {"{'a':['b']}", "{'a':'c'}", "{'a':'c'}"},
        {"{'a':'c'}", "{'a':['b']}", "{'a':['b']}"},
        {"{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}"},
        {"{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}"},
        {"['a','b']", "['c','d']", "['c','d']"},
        {"{'a':'b'}", "['c']", "['c']"},
        {"{'a':'foo'}", "null", "null"},
        {"{'a':'foo'}", "'bar'", "'bar'"},
        {"{'e':null}", "{'a':1}", "{'e':null,'a':1}"},
        {"[1,2]", "{'a':'b','c':null}", "{'a':'b'}"},
        {"{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}"},
        {"{'a':{'x':1}}", "{'a':{'y':[{'z':null}]}}",
         "{'a':{'x':1,'y':[{'z':null}]}}"}, /* lists are atomic */
        {"{'A':1}", "{'a':2}", "{'A':1,'a':2}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        patch_gives(MERGE_PATCH, NULL, cases[i][0], cases[i][1], cases[i][2]);
    struct err err = {0};
    cJSON *doc = cJSON_Parse("{}");
    assert_int_equal(patch_merge(&doc, NULL, &err), -EINVAL);
    cJSON_Delete(doc);
}

CASES("api/patch")
