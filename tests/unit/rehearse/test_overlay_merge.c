/* Trees put together: what an update, an apply, a status leaves of the overlay's object. */
#include "../case.h"
#include "../each.h"
#include "overlay_merge.h"

static cJSON *tree(const char *text) {
    cleanup_free char *copy = xstrdup(text);
    cJSON *v = json_tree_parse(slice_of(quoted(copy)), NULL);
    if (text[0]) assert_non_null(v);
    return v;
}
static void is(cJSON *v, const char *want) {
    cleanup_json cJSON *w = tree(want);
    if (!json_tree_equal(v, w)) {
        char *text = json_print(v);
        print_error("got %s, want %s\n", text, want);
        free(text);
    }
    assert_true(json_tree_equal(v, w));
    cJSON_Delete(v);
}

CASE(differences_are_carried_member_by_member_and_by_key) {
    static const struct {
        const char *mine, *from, *to, *want;
    } cases[] = {
        {"{'a':1,'b':2}", "{'a':1}", "{'a':3}", "{'a':3,'b':2}"},
        {"{'a':1,'b':2}", "{'a':1}", "{}", "{'b':2}"},
        {"{'a':1}", "{}", "{'c':{'d':1}}", "{'a':1,'c':{'d':1}}"},
        {"{'a':9}", "{'a':1}", "{'a':1}", "{'a':9}"}, /* no difference: as it is here */
        {"{'a':{'x':1,'y':2}}", "{'a':{'x':1}}", "{'a':{'x':2}}", "{'a':{'x':2,'y':2}}"},
        {"{'l':[1,2,3]}", "{'l':[1]}", "{'l':[4]}", "{'l':[4]}"},
        {"{'l':[{'name':'a','v':1},{'name':'mine'}]}", "{'l':[{'name':'a','v':1},{'name':'old'}]}",
         "{'l':[{'name':'a','v':2},{'name':'new'}]}",
         "{'l':[{'name':'a','v':2},{'name':'mine'},{'name':'new'}]}"},
        {"{'l':[{'type':'a','v':1}]}", "{'l':[{'type':'a','v':1}]}", "{'l':[]}", "{'l':[]}"},
        {"{'l':[{'name':'a'}]}", "{'l':[]}", "{'l':[{'x':1}]}", "{'l':[{'x':1}]}"}, /* without a key: whole */
        {"{'m':{'a':1,'b':2}}", "{'m':{'b':2}}", "{}",
         "{'m':{'a':1}}"}, /* withdrawn: what others have stays */
        {"{'l':['a','b']}", "{'l':['b']}", "{}", "{'l':['a']}"},
        /* elements that one key does not tell apart: whole */
        {"{'s':[{'name':'d','ns':'a'}]}", "{'s':[{'name':'d','ns':'a'}]}",
         "{'s':[{'name':'d','ns':'a'},{'name':'d','ns':'b'}]}",
         "{'s':[{'name':'d','ns':'a'},{'name':'d','ns':'b'}]}"},
        {"{'finalizers':['a','b']}", "{'finalizers':['a']}", "{'finalizers':['c']}",
         "{'finalizers':['b','c']}"},
        {"{'l':[{'name':'a'},{'name':'b'}]}", "{'l':[{'name':'b','v':1}]}", "{}", "{'l':[{'name':'a'}]}"},
        {"{'big':9007199254740993}", "{'a':1}", "{'a':2}", "{'big':9007199254740993,'a':2}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_json cJSON *mine = tree(cases[i].mine), *from = tree(cases[i].from), *to = tree(cases[i].to);
        is(merge_differences(mine, from, to, from), cases[i].want);
    }
}

/* {"l":[{"name":"0"},{"name":"1"},...]} */
static cJSON *long_list(int n) {
    cJSON *v = cJSON_CreateObject(), *l = cJSON_AddArrayToObject(v, "l");
    for (int i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        cJSON *e = cJSON_CreateObject();
        cJSON_AddStringToObject(e, "name", name);
        cJSON_AddItemToArray(l, e);
    }
    return v;
}

/* A list of a million makes nothing hang. */
CASE(a_list_that_is_too_long_is_taken_as_a_whole) {
    for (int more = 0; more < 2; more++) {
        cleanup_json cJSON *mine = tree("{'l':[{'name':'mine'}]}"), *from = tree("{'l':[]}"),
                           *to = long_list(MERGE_ELEMENTS + more);
        cleanup_json cJSON *v = merge_differences(mine, from, to, from), *left = merge_without(to, to);
        assert_int_equal(cJSON_GetArraySize(json_arr(v, "l")),
                         MERGE_ELEMENTS + 1); /* with mine, or without */
        assert_null(left);
    }
}

CASE(what_a_configuration_names_is_as_the_server_answered) {
    static const struct {
        const char *mine, *answer, *config, *want;
    } cases[] = {
        {"{'a':1,'b':2}", "{'a':3,'b':4}", "{'a':3}", "{'a':3,'b':2}"},
        {"{'q':'1'}", "{'q':'1000m'}", "{'q':1}", "{'q':'1000m'}"}, /* in the server's form */
        {"{'c':[{'name':'a','i':1,'x':7}]}", "{'c':[{'name':'a','i':2,'x':1},{'name':'b','i':3}]}",
         "{'c':[{'name':'a','i':2},{'name':'b','i':3}]}",
         "{'c':[{'name':'a','i':2,'x':7},{'name':'b','i':3}]}"},
        {"{'finalizers':['mine']}", "{'finalizers':['live','set']}", "{'finalizers':['set']}",
         "{'finalizers':['mine','set']}"},
        {"{}", "{}", "{'dropped':1}", "{}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *mine = tree(cases[i].mine);
        cleanup_json cJSON *answer = tree(cases[i].answer), *config = tree(cases[i].config);
        merge_applied(mine, answer, config);
        is(mine, cases[i].want);
    }
}

CASE(an_update_keeps_what_is_not_its_own) {
    static const struct {
        const char *sub, *mine, *answer, *base, *body, *want;
    } cases[] = {
        /* The server has put the status aside: ours stays; without a status subresource it is the body's. */
        {"", "{'status':1}", "{'spec':2,'status':0}", "{'status':0}", "{'spec':2}",
         "{'spec':2,'status':1,'metadata':{}}"},
        {"", "{'status':1}", "{'spec':2,'status':5}", "{'status':0}", "{'spec':2,'status':5}",
         "{'spec':2,'status':5,'metadata':{}}"},
        {"", "{'status':1}", "{'status':{}}", "", "{'spec':2}", "{'status':1,'metadata':{}}"},
        {"", "{'status':1}", "{'status':5}", "", "{'status':5}", "{'status':5,'metadata':{}}"},
        {"status", "{'spec':1,'status':1}", "{'spec':9,'status':2}", "{}", "",
         "{'spec':1,'status':2,'metadata':{}}"},
        {"resize", "{'spec':1,'status':1}", "{'spec':9,'status':2}", "{}", "",
         "{'spec':9,'status':1,'metadata':{}}"},
        /* Identity and what counts the changes of the specification. */
        {"", "{'metadata':{'name':'a','uid':'u','generation':4},'spec':1}",
         "{'metadata':{'name':'made-x','uid':'v','generation':1},'spec':2}", "", "",
         "{'metadata':{'name':'a','uid':'u','generation':5},'spec':2}"},
        {"", "{'metadata':{'name':'a','generation':4},'spec':1}",
         "{'metadata':{'name':'a','generation':9,'labels':{}},'spec':1}", "", "",
         "{'metadata':{'name':'a','generation':4,'labels':{}},'spec':1}"},
        {"", "{'metadata':{'name':'a','deletionTimestamp':'t','deletionGracePeriodSeconds':0}}",
         "{'metadata':{'name':'a'}}", "", "",
         "{'metadata':{'name':'a','deletionTimestamp':'t','deletionGracePeriodSeconds':0}}"},
        /* Who manages the other part is as it was. */
        {"status", "{'metadata':{'managedFields':[{'manager':'a'},{'manager':'b','subresource':'status'}]}}",
         "{'metadata':{'managedFields':[{'manager':'x'},{'manager':'c','subresource':'status'}]}}", "{}", "",
         "{'metadata':{'managedFields':[{'manager':'c','subresource':'status'},{'manager':'a'}]}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_json cJSON *mine = tree(cases[i].mine), *answer = tree(cases[i].answer),
                           *base = tree(cases[i].base), *body = tree(cases[i].body);
        print_message("case %zu\n", i);
        is(merge_update(&(struct merge){mine, answer, base, body, slice_of(cases[i].sub)}), cases[i].want);
    }
}

CASES("rehearse/overlay_merge")
