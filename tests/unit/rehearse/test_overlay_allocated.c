/* What the API server allocates is not sent again, and stays what it was. */
#include "../case.h"
#include "../each.h"
#include "overlay_allocated.h"

static cJSON *tree(const char *text) {
    cleanup_free char *copy = xstrdup(text);
    cJSON *v = json_tree_parse(slice_of(quoted(copy)), NULL);
    assert_non_null(v);
    return v;
}
static void is(const cJSON *v, const char *want) {
    cleanup_json cJSON *w = tree(want);
    cleanup_free char *text = json_print(v);
    if (!json_tree_equal(v, w)) fail_msg("%s, want %s", text, want);
}

/* mine: the overlay's; obj: to be validated; sent: of it; answer: with other addresses; left: of that. */
static const struct {
    const char *group, *resource, *mine, *obj, *sent, *answer, *left;
} cases[] = {
    {"", "services",
     "{'spec':{'clusterIP':'10.9.0.0','clusterIPs':['10.9.0.0'],'ports':[{'port':80,'nodePort':30000}]}}",
     "{'x':1,'spec':{'clusterIP':'10.9.0.0','clusterIPs':['10.9.0.0'],'ports':[{'port':80,'nodePort':30000},{"
     "'port':81,'name':'b','nodePort':30007}]}}",
     "{'x':1,'spec':{'ports':[{'port':80},{'port':81,'name':'b','nodePort':30007}]}}",
     "{'spec':{'clusterIP':'10.9.0.5','clusterIPs':['10.9.0.5'],'ports':[{'port':80,'nodePort':30009},{"
     "'port':81,'name':'b','nodePort':30007}]}}",
     "{'spec':{'clusterIP':'10.9.0.0','clusterIPs':['10.9.0.0'],'ports':[{'port':80,'nodePort':30000},{"
     "'port':81,'name':'b','nodePort':30007}]}}"},
    /* another address is asked for: that is for the server to say; headless by a word; no address any more */
    {"", "services", "{'spec':{'clusterIP':'10.9.0.0'}}", "{'spec':{'clusterIP':'10.9.0.7'}}",
     "{'spec':{'clusterIP':'10.9.0.7'}}", "{'spec':{'ports':[]}}", "{'spec':{'ports':[]}}"},
    {"", "services", "{'spec':{'clusterIP':'None'}}", "{'spec':{'clusterIP':'None'}}",
     "{'spec':{'clusterIP':'None'}}", "{'spec':{'clusterIP':'None'}}", "{'spec':{'clusterIP':'None'}}"},
    {"batch", "jobs",
     "{'spec':{'selector':{'m':'u1'},'template':{'metadata':{'labels':{'controller-uid':'u1','job-name':'j','"
     "a':'b'}}}}}",
     "{'spec':{'selector':{'m':'u1'},'suspend':true,'template':{'metadata':{'labels':{'controller-uid':'u1',"
     "'job-name':'j','a':'b'}}}}}",
     "{'spec':{'suspend':true,'template':{'metadata':{'labels':{'a':'b'}}}}}",
     "{'spec':{'selector':{'m':'u2'},'suspend':true,'template':{'metadata':{'labels':{'controller-uid':'u2',"
     "'job-name':'j','a':'b'}}}}}",
     "{'spec':{'selector':{'m':'u1'},'suspend':true,'template':{'metadata':{'labels':{'controller-uid':'u1',"
     "'job-name':'j','a':'b'}}}}}"},
    {"batch", "jobs", "{'spec':{'manualSelector':true,'selector':{'m':'u'}}}",
     "{'spec':{'manualSelector':true,'selector':{'m':'u'}}}",
     "{'spec':{'manualSelector':true,'selector':{'m':'u'}}}",
     "{'spec':{'manualSelector':true,'selector':{'m':'v'}}}",
     "{'spec':{'manualSelector':true,'selector':{'m':'v'}}}"},
    {"x.io", "services", "{'spec':{'clusterIP':'1'}}", "{'spec':{'clusterIP':'1'}}",
     "{'spec':{'clusterIP':'1'}}", "{'spec':{'clusterIP':'2'}}", "{'spec':{'clusterIP':'2'}}"},
    {"", "services", "{}", "{'spec':1}", "{'spec':1}", "[]", "[]"},
};

CASE(goes_and_stays) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice group = slice_of(cases[i].group), resource = slice_of(cases[i].resource);
        cleanup_json cJSON *mine = tree(cases[i].mine), *obj = tree(cases[i].obj),
                           *answer = tree(cases[i].answer);
        bool went = allocated_drop(group, resource, obj, mine);
        assert_int_equal(went, strcmp(cases[i].obj, cases[i].sent) != 0);
        is(obj, cases[i].sent);
        allocated_keep(group, resource, answer, mine);
        is(answer, cases[i].left);
    }
}

CASES("rehearse/overlay_allocated")
