/* Field selectors. */
#include "../case.h"
#include "../each.h"
#include "api/selector.h"

static bool matches(struct slice selector) {
    cleanup_json cJSON *obj =
        cJSON_Parse(J("{'metadata':{'name':'a,b=c\\\\d','namespace':'ns'},'status':{'phase':'Running'},"
                      "'spec':{'n':3,'big':1e30,'f':1.5,'t':true,'f2':false,'o':{},'e':''}}"));
    struct field_selector *s = NULL;
    struct err err = {0};
    if (field_selector_parse(selector, &s, &err) < 0) fail_msg("%.*s: %s", SLF(selector), err.msg);
    bool r = field_selector_match(s, obj);
    field_selector_free(s);
    return r;
}

CASE(matching) {
    each_of(yes,
            "|metadata.namespace=ns|metadata.namespace==ns,status.phase=Running|,metadata.namespace=ns,,|"
            "metadata.name=a\\,b\\=c\\\\d|status.phase!=Failed|spec.absent=|spec.absent!=x|spec.n=3|"
            "spec.t=true,spec.f2=false|spec.o=|spec.e=|metadata.name.x=") {
        assert_true(matches(yes));
    }
    each_of(no, "metadata.namespace=Ns|metadata.namespace=ns,status.phase=Failed|spec.absent=x|spec.n=3.0|"
                "status.phase!=Running|spec.t=1|metadata.namespace= ns") {
        assert_false(matches(no));
    }
}

CASE(refused) {
    each_of(bad, "a|a,b=c|=x|!=x|a=b=c|a==b=c|a=b\\|a=b\\x|a=b\\,c=d|a<b") {
        struct field_selector *s = NULL;
        struct err err = {0};
        assert_int_equal(field_selector_parse(bad, &s, &err), -EINVAL);
        assert_null(s);
        assert_int_equal(err.kind, ERR_CONFIG);
    }
    struct field_selector *s = NULL;
    assert_int_equal(field_selector_parse(SL("a=b\0c"), &s, NULL), -EINVAL);
    field_selector_free(NULL);
}

CASES("api/field_selector")
