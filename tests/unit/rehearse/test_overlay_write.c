/* Mutations: what is asked of the server, and what the operator gets. */
#include "overlay_web.h"
#include "../protobuf.h"

TEST_CASE(the_first_patch_is_of_the_live_object_and_the_next_of_ours) {
    assert_carried(
        o, PATCH("{'spec':{'replicas':3}}"),
        "GET web|PATCH web {'spec':{'replicas':3}}=>200 "
        "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns',"
        "'uid':'u','resourceVersion':'100000001','generation':2,'labels':{'l':'blue'}},'spec':{'replicas':3},"
        "'status':{'s':1}}",
        LIVE("blue", 1, 1),
        "200 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':"
        "'100','generation':2,'labels':{'l':'blue'}},'spec':{'replicas':3},'status':{'s':1}}");
    assert_carried(o, PATCH("{'metadata':{'labels':{'l':'red'}}}"),
                   "PUT web "
                   "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','"
                   "resourceVersion':'100','generation':"
                   "2,'labels':{'l':'red'}},'spec':{'replicas':3},'status':{'s':1}}=>200 "
                   "{'kind':'Deployment','metadata':{'name':'web',"
                   "'namespace':'ns','uid':'u','resourceVersion':'100000002','generation':2,'labels':{'l':'"
                   "red'}},'spec':{'replicas':3},"
                   "'status':{'s':1}}",
                   LIVE("red", 3, 1));
    assert_rows(o, 0, "Deployment web blue>red");
    assert_int_equal(overlay_counts(o)->last_write_ns, 50 * SECOND);
}

TEST_CASE(a_status_that_was_written_here_outlives_an_update_and_the_other_way_round) {
    assert_carried_has(
        o, sub(PUT("{'metadata':{'name':'web','resourceVersion':'100000000'},'status':{'s':2}}"), "status"),
        "PUT web/status {'metadata':{'name':'web','resourceVersion':'100'},'status':{'s':2}}=>200",
        LIVE("blue", 1, 1), LIVE("blue", 1, 2));
    assert_carried_has(o,
                       PUT("{'metadata':{'name':'web','resourceVersion':'100000001','labels':{'l':'red'}},'"
                           "spec':{'replicas':5}}"),
                       "'labels':{'l':'red'}},'spec':{'replicas':5},'status':{'s':2}}", LIVE("red", 5, 1));
    assert_carried_has(o, sub(PATCH("{'status':{'s':3}}"), "status"),
                       "'labels':{'l':'red'}},'spec':{'replicas':5},'status':{'s':3}}", LIVE("blue", 1, 3));
}

TEST_CASE(a_version_that_is_not_the_last_one_is_a_conflict_in_the_servers_words) {
    assert_carried_has(o, PATCH("{'spec':{'replicas':3}}"), "=>200", LIVE("blue", 1, 1), LIVE("blue", 3, 1));
    static const char *const bodies[] = {"{'metadata':{'name':'web','resourceVersion':'100000000'}}",
                                         "{'metadata':{'name':'web','resourceVersion':'100000002'}}"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        assert_carried(
            o, PUT(bodies[i]),
            "=>409 {'kind':'Status','apiVersion':'v1','metadata':{},'status':'Failure','message':'Operation "
            "cannot be "
            "fulfilled on deployments.apps \\'web\\': the object has been modified; please apply your "
            "changes to the latest "
            "version and try "
            "again','reason':'Conflict','details':{'name':'web','group':'apps','kind':'deployments'},'code':"
            "409}");
        assert_carried_has(o, PATCH(bodies[i]), "=>409");
    }
    assert_int_equal(overlay_counts(o)->conflicts, 4);
    /* One of the overlay, when the live object has long changed. */
    assert_carried_has(o,
                       with_body(ask(GATE_UPDATE, "deployments", "db"), GATE_JSON,
                                 "{'metadata':{'name':'db','resourceVersion':'100000001'}}"),
                       "=>409");
}

TEST_CASE(a_version_in_a_patch_is_the_live_one_to_the_server) {
    assert_carried_has(o, PATCH("{'metadata':{'resourceVersion':'100000000'},'spec':{'replicas':3}}"),
                       "PATCH web {'metadata':{'resourceVersion':'100'},'spec':{'replicas':3}}=>",
                       LIVE("blue", 1, 1), LIVE("blue", 3, 1));
    const char *ops = "[{'op':'test','path':'/metadata/"
                      "resourceVersion','value':'100000001'},{'op':'replace','path':'/spec/replicas',"
                      "'value':4}]";
    assert_carried_has(o, with_body(ask(GATE_PATCH, "deployments", "web"), GATE_PATCH_JSON, ops),
                       "'spec':{'replicas':4}", LIVE("blue", 4, 1));
    assert_carried_has(o, with_body(ask(GATE_PATCH, "deployments", "web"), GATE_PATCH_JSON, ops), "=>409");
}

TEST_CASE(what_changes_nothing_leaves_the_version_and_no_row) {
    assert_carried_has(o, PATCH("{'spec':{'replicas':1}}"), "'resourceVersion':'100000000'",
                       LIVE("blue", 1, 1), LIVE("blue", 1, 1));
    assert_int_equal(overlay_counts(o)->entries, 0);
    assert_carried_has(o, PATCH("{'spec':{'replicas':3}}"), "'100000001'", LIVE("blue", 1, 1),
                       LIVE("blue", 3, 1));
    assert_carried_has(o, PATCH("{'spec':{'replicas':3}}"), "'100000001'", LIVE("blue", 3, 1));
    assert_carried_has(o, PATCH("{'spec':{'replicas':1}}"), "'100000002'", LIVE("blue", 1, 1));
    assert_rows(o, 0, ""); /* back at what is live */
}

TEST_CASE(what_changes_between_two_requests_is_read_again) {
    assert_carried_has(o, PATCH("{'spec':{'replicas':3}}"),
                       "GET web|PATCH web {'spec':{'replicas':3}}|GET web|PATCH web", LIVE("old", 1, 1),
                       "200 {'metadata':{'name':'web','resourceVersion':'101'}}",
                       "200 {'metadata':{'name':'web','resourceVersion':'101'}}",
                       "200 {'metadata':{'name':'web','resourceVersion':'101'},'spec':{'replicas':3}}");
    /* Of ours: the server's conflict is no one's but ours. */
    assert_carried_has(o, PATCH("{'spec':{'replicas':4}}"),
                       "|GET web|GET web|PATCH web {'spec':{'replicas':4}}=>200", CONFLICT,
                       "200 {'metadata':{'name':'web','resourceVersion':'102'}}",
                       "200 {'metadata':{'name':'web','resourceVersion':'102'}}",
                       "200 {'metadata':{'name':'web','resourceVersion':'102'},'spec':{'replicas':4}}");
    assert_int_equal(overlay_counts(o)->dropped, 1);
}

TEST_CASE(what_is_created_is_there_and_gone_without_a_row) {
    const char *body = "{'kind':'Deployment','metadata':{'name':'web','labels':{'l':'red'}}}";
    const char *made = "201 "
                       "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'new','labels':{"
                       "'l':'red'}},'status':{}}";
    assert_carried(o, CREATE(body),
                   "POST {'kind':'Deployment','metadata':{'name':'web','labels':{'l':'red'}}}=>201 "
                   "{'kind':'Deployment','metadata':{"
                   "'resourceVersion':'1000001','name':'web','namespace':'ns','uid':'new','labels':{'l':'red'"
                   "},'creationTimestamp':"
                   "'1970-01-01T00:00:50Z'},'status':{}}",
                   made);
    assert_carried_has(o, CREATE(body),
                       "=>409 {'kind':'Status','apiVersion':'v1','metadata':{},'status':'Failure','message':"
                       "'deployments.apps \\'web\\' already exists','reason':'AlreadyExists'");
    assert_rows(o, 0, "Deployment web ->red");
    /* Its status: that the server does not have it is the right answer. */
    assert_carried_has(
        o, sub(PUT("{'metadata':{'name':'web','resourceVersion':'1000001'},'status':{'s':1}}"), "status"),
        "PUT web/status {'metadata':{'name':'web'},'status':{'s':1}}=>200", NOT_FOUND);
    /* An update is validated as a create. */
    assert_carried_has(
        o, PUT("{'metadata':{'name':'web','uid':'new','resourceVersion':'1000002'},'spec':{'replicas':2}}"),
        "POST {'metadata':{'name':'web','uid':'new'},'spec':{'replicas':2}}=>200 "
        "{'kind':'Deployment','metadata':{"
        "'resourceVersion':'1000003','name':'web','namespace':'ns','uid':'new','creationTimestamp':'1970-01-"
        "01T00:00:50Z'},"
        "'spec':{'replicas':2},'status':{'s':1}}",
        "201 "
        "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'other'},'spec':{'replicas':2},"
        "'status':{}}");
    assert_carried_has(
        o, DELETE(),
        "DELETE web {'kind':'DeleteOptions','apiVersion':'v1','dryRun':['All']}=>200 {'kind':'Status'",
        NOT_FOUND);
    assert_rows(o, 0, "");
    assert_carried_has(o, DELETE(), "=>404", NOT_FOUND, NOT_FOUND);
}

TEST_CASE(a_status_in_protobuf_is_read_where_it_is_of_a_workload) {
    static const struct {
        const char *kind, *status, *want;
    } cases[] = {{"ReplicaSet", "3{1=2}", "'status':{'replicas':2}}"},
                 {"Thing", "3{1=2}", "'status':{'s':1}}"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf raw = BUF(4096), body = BUF(4096);
        assert_carried_has(o, CREATE("{}"), "=>201",
                           i ? "201 {'metadata':{'name':'b','namespace':'ns','uid':'b'},'status':{'s':1}}"
                             : "201 {'metadata':{'name':'a','namespace':'ns','uid':'a'}}");
        buf_addf(&body, "1{1'%c'} %s", (char)('a' + (int)i), cases[i].status);
        protobuf_message(&raw, buf_str(&body));
        buf_clear(&body);
        protobuf_wrap(&body, "apps/v1", cases[i].kind, buf_slice(&raw));
        struct gate_request r = sub(ask(GATE_UPDATE, "deployments", i ? "b" : "a"), "status");
        r.form = GATE_PROTOBUF;
        r.body = buf_slice(&body);
        struct overlay_step step;
        struct overlay_write *w = overlay_write_begin(o, &r, 0, &step);
        overlay_write_feed(w, 0, 404, SL("{}"), &step);
        cleanup_free char *got = slice_dup(step.body);
        for (char *p = got; *p; p++) *p = *p == '"' ? '\'' : *p;
        assert_int_equal(step.status, 200);
        assert_has(got, cases[i].want);
        overlay_write_free(w);
        buf_free(&raw);
        buf_free(&body);
    }
    assert_int_equal(overlay_counts(o)->refused, 1); /* the Thing's is not known, and said to be so */
}

TEST_CASE(a_right_that_is_missing_is_missing_here_too) {
    assert_carried_has(o, CREATE("{'kind':'Deployment','metadata':{'name':'web'}}"), "=>201",
                       "201 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'new'}}");
    assert_carried_has(o, DELETE(), "=>403", FORBIDDEN);
    assert_carried_has(o, sub(PATCH("{'status':{'s':1}}"), "status"), "=>403", FORBIDDEN, FORBIDDEN);
    assert_int_equal(overlay_counts(o)->failed, 2);
    /* Who may patch and not update: its patch is asked for, and applied here. */
    assert_carried_has(o, PATCH("{'spec':{'replicas':3}}"), "|PATCH web {'spec':{'replicas':3}}=>200",
                       FORBIDDEN, NOT_FOUND);
    /* Who may not read gets its answer, and it is said that nothing is kept. */
    assert_carried_has(o, with_body(ask(GATE_PATCH, "deployments", "db"), GATE_PATCH_MERGE, "{}"),
                       "GET db|PATCH db {}=>200", FORBIDDEN, LIVE("x", 1, 1));
    assert_int_equal(overlay_counts(o)->refused, 1);
    assert_int_equal(overlay_counts(o)->entries, 1);
}

TEST_CASE(what_is_made_again_is_another_object_whose_name_is_taken) {
    assert_carried_has(o, DELETE(),
                       "GET web|DELETE web {'kind':'DeleteOptions','apiVersion':'v1','dryRun':['All'],"
                       "'preconditions':{'resourceVersion':'100'}}=>200 "
                       "{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Success'",
                       LIVE("blue", 1, 1), SUCCESS);
    assert_rows(o, 0, "Deployment web blue>-");
    assert_carried_has(o, PUT("{'metadata':{'name':'web'}}"), "=>404");
    assert_carried_has(
        o, CREATE("{'kind':'Deployment','metadata':{'name':'web','labels':{'l':'red'}}}"),
        "POST {'kind':'Deployment','metadata':{'labels':{'l':'red'},'generateName':'rehearsal-'}}|GET "
        "web=>201 {'kind':"
        "'Deployment','metadata':{'resourceVersion':'100000002','name':'web','namespace':'ns','uid':'new','"
        "labels'",
        "201 "
        "{'kind':'Deployment','metadata':{'name':'rehearsal-abcde','generateName':'rehearsal-','namespace':'"
        "ns','uid':"
        "'new','labels':{'l':'red'}}}",
        LIVE("blue", 1, 1));
    assert_rows(o, 0, "Deployment web blue>red");
    struct gate_request r = DELETE();
    char options[] = "{'preconditions':{'uid':'new'}}";
    r.delete_options = slice_of(quoted(options));
    assert_carried_has(o, r, "'preconditions':{'uid':'u','resourceVersion':'100'}", SUCCESS);
}

TEST_CASE(what_has_finalizers_waits_for_them) {
    const char *live = "200 "
                       "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','"
                       "resourceVersion':'100','finalizers':["
                       "'f'],'labels':{'l':'blue'}}}";
    assert_carried_has(
        o, DELETE(),
        "=>200 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':"
        "'100000001','finalizers':['f'],'labels':{'l':'blue'},'deletionTimestamp':'1970-01-01T00:00:50Z',"
        "'deletionGracePeriodSeconds':0}}",
        live, live);
    assert_rows(o, 0, "Deployment web blue>blue");
    assert_carried_has(o, PATCH("{'metadata':{'finalizers':null}}"),
                       "PUT web {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','"
                       "resourceVersion':'100','labels':{'l':'blue'}}}=>200", /* nothing of the deletion */
                       LIVE("blue", 1, 1));
    assert_rows(o, 0, "Deployment web blue>-");
    assert_carried_has(o, PATCH("{}"), "=>404");
}

TEST_CASE(an_update_of_what_is_deleted_here_says_nothing_of_that) {
    const char *live = "200 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','"
                       "resourceVersion':'100','finalizers':['f']}}";
    assert_carried_has(o, DELETE(), "=>200", live, live);
    assert_carried_has(o,
                       PUT("{'metadata':{'name':'web','uid':'u','deletionTimestamp':'1970-01-01T00:00:50Z','"
                           "deletionGracePeriodSeconds':0}}"),
                       "PUT web {'metadata':{'name':'web','uid':'u'}}=>200", LIVE("blue", 1, 1));
    assert_rows(o, 0, "Deployment web >-");
}

/* The next dry run of a create would not take the address that the last one has given. */
TEST_CASE(an_address_given_by_a_dry_run_is_not_asked_for_again) {
    struct gate_request create = with_body(ask(GATE_CREATE, "services", ""), GATE_JSON,
                                           "{'kind':'Service','metadata':{'name':'s'},'spec':{}}"),
                        label = with_body(ask(GATE_PATCH, "services", "s"), GATE_PATCH_MERGE,
                                          "{'metadata':{'labels':{'l':'x'}}}");
    create.group = label.group = SL("");
    assert_carried_has(o, create, "'clusterIP':'10.9.0.0'",
                       "201 {'kind':'Service','metadata':{'name':'s','namespace':'ns','uid':'s'},'spec':{'"
                       "clusterIP':'10.9.0.0'}}");
    const char *said = carried_out(
        o, label,
        (const char *const[]){"201 {'kind':'Service','metadata':{'name':'s','namespace':'ns','uid':'t','"
                              "labels':{'l':'x'}},'spec':{'clusterIP':'10.9.0.5'}}",
                              NULL});
    assert_lacks(said, "10.9.0.5");
    assert_has(said, "'labels':{'l':'x'}},'spec':{}}=>200 ");
    assert_has(said, "'clusterIP':'10.9.0.0'");
}

TEST_CASE(the_last_finalizer_of_a_live_object_lets_it_go) {
    assert_carried_has(
        o, PATCH("{'metadata':{'finalizers':null}}"), "=>200",
        "200 "
        "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':'100','"
        "finalizers':["
        "'f'],'deletionTimestamp':'x','deletionGracePeriodSeconds':0,'labels':{'l':'blue'}}}",
        "200 "
        "{'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':'100',"
        "'deletionTimestamp':'x','deletionGracePeriodSeconds':0,'labels':{'l':'blue'}}}");
    assert_rows(o, 0, "Deployment web blue>-");
}

TEST_CASE(what_it_owned_goes_with_an_object_unless_orphaned) {
    struct buf out = BUF(1 << 16);
    for (int orphan = 0; orphan < 2; orphan++) {
        char web[100], owned[2][200];
        snprintf(web, sizeof web,
                 "201 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'w%d'}}", orphan);
        for (int i = 0; i < 2; i++)
            snprintf(owned[i], sizeof owned[i],
                     "201 {'kind':'Pod','metadata':{'name':'%s','namespace':'ns','uid':'%s%d',"
                     "'ownerReferences':[{'uid':'%s%d'}]}}",
                     i ? "q" : "p", i ? "q" : "p", orphan, i ? "p" : "w", orphan);
        assert_carried_has(o, CREATE("{'kind':'Deployment','metadata':{'name':'web'}}"), "=>201", web);
        for (int i = 0; i < 2; i++)
            assert_carried_has(o, with_body(ask(GATE_CREATE, "pods", ""), GATE_JSON, owned[i] + 4), "=>201",
                               owned[i]);
        struct gate_request r = DELETE();
        char options[] = "{'propagationPolicy':'Orphan'}";
        if (orphan) r.delete_options = slice_of(quoted(options));
        assert_carried_has(o, r, "=>200", NOT_FOUND);
        struct gate_request q = ask(GATE_GET, "pods", "q");
        assert_int_equal(overlay_get(o, &q, 0, 404, SL("{}"), &out), orphan ? 200 : 404);
    }
    buf_free(&out);
}

/* As the API server's garbage collector has it: the operator did not know yet that the owner was away. */
TEST_CASE(what_is_made_for_an_owner_that_has_gone_goes_with_it) {
    struct buf out = BUF(1 << 16);
    const char *of[] = {"'uid':'w'", "'uid':'w'},{'uid':'other'"};
    assert_carried_has(o, CREATE("{'kind':'Deployment','metadata':{'name':'web'}}"), "=>201",
                       "201 {'kind':'Deployment','metadata':{'name':'web','namespace':'ns','uid':'w'}}");
    assert_carried_has(o, DELETE(), "=>200", NOT_FOUND);
    for (int i = 0; i < 2; i++) {
        char pod[300];
        snprintf(
            pod, sizeof pod,
            "201 {'kind':'Pod','metadata':{'name':'p%d','namespace':'ns','uid':'p%d','ownerReferences':[{"
            "%s}]}}",
            i, i, of[i]);
        assert_carried_has(o, with_body(ask(GATE_CREATE, "pods", ""), GATE_JSON, pod + 4), "=>201", pod);
        struct gate_request p = ask(GATE_GET, "pods", i ? "p1" : "p0");
        assert_int_equal(overlay_get(o, &p, 0, 404, SL("{}"), &out), i ? 200 : 404);
    }
    buf_free(&out);
}

/* It was deleted here, and made again as another one; then its new state counts. */
TEST_CASE(what_is_made_for_an_owner_that_has_come_back_stays) {
    struct buf out = BUF(1 << 16);
    static const char pod[] =
        "201 "
        "{'kind':'Pod','metadata':{'name':'p','namespace':'ns','uid':'p','ownerReferences':[{'uid':'u'}]}}";
    assert_carried_has(o, DELETE(), "=>200", LIVE("blue", 1, 1), SUCCESS);
    assert_carried_has(
        o, CREATE("{'kind':'Deployment','metadata':{'name':'web'}}"), "=>201",
        "201 {'kind':'Deployment','metadata':{'name':'rehearsal-x','namespace':'ns','uid':'v'}}",
        LIVE("blue", 1, 1));
    assert_string_equal(
        got(o, ask(GATE_GET, "deployments", "web"), 200,
            JS("{'metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':'105'}}")),
        "200 105000000");
    assert_carried_has(o, with_body(ask(GATE_CREATE, "pods", ""), GATE_JSON, pod + 4), "=>201", pod);
    struct gate_request p = ask(GATE_GET, "pods", "p");
    assert_int_equal(overlay_get(o, &p, 0, 404, SL("{}"), &out), 200);
    buf_free(&out);
}

TEST_CASE(a_scale_that_is_kept_elsewhere_is_refused) {
    assert_carried_has(
        o, sub(PATCH("{'spec':{'replicas':5}}"), "scale"), "GET web=>501",
        "200 {'kind':'Bar','metadata':{'name':'web','namespace':'ns','uid':'u','resourceVersion':"
        "'100'},'spec':{'size':2}}");
    assert_rows(o, 0, "");
}

TEST_CASE(a_scale_is_the_replicas_of_its_workload) {
    struct gate_request put =
        sub(with_body(ask(GATE_UPDATE, "deployments", "web"), GATE_JSON,
                      "{'kind':'Scale','metadata':{'name':'web'},'spec':{'replicas':4}}"),
            "scale");
    const char *scale = "200 "
                        "{'kind':'Scale','metadata':{'name':'web','resourceVersion':'100'},'spec':{'replicas'"
                        ":4},'status':{'replicas':1}}";
    assert_carried(o, put,
                   "GET web|PUT web/scale "
                   "{'kind':'Scale','metadata':{'name':'web'},'spec':{'replicas':4}}=>200 {'kind':'Scale',"
                   "'metadata':{'name':'web','resourceVersion':'100000001'},'spec':{'replicas':4},'status':{'"
                   "replicas':1}}",
                   LIVE("blue", 1, 1), scale);
    assert_carried_has(o, sub(PATCH("{'spec':{'replicas':6}}"), "scale"),
                       "PATCH web/scale {'spec':{'replicas':6}}=>200", scale);
    assert_carried_has(o, PATCH("{'metadata':{'labels':{'l':'red'}}}"),
                       "'generation':3,'labels':{'l':'red'}},'spec':{'replicas':6}", LIVE("red", 6, 1));
}

TEST_CASE(a_pod_is_bound_and_evicted) {
    struct gate_request bind = sub(with_body(ask(GATE_CREATE, "pods", "p"), GATE_JSON,
                                             "{'kind':'Binding','target':{'name':'node-1'}}"),
                                   "binding"),
                        evict = sub(
                            with_body(ask(GATE_CREATE, "pods", "p"), GATE_JSON,
                                      "{'kind':'Eviction','apiVersion':'policy/v1','metadata':{'name':'p'}}"),
                            "eviction");
    bind.group = evict.group = SL("");
    const char *pod =
        "200 "
        "{'kind':'Pod','metadata':{'name':'p','namespace':'ns','uid':'p','resourceVersion':'100'},'spec':{}}";
    assert_carried_has(
        o, bind, "GET p|POST p/binding {'kind':'Binding','target':{'name':'node-1'}}=>201 {'kind':'Status'",
        pod, "201 {'kind':'Status','status':'Success','code':201}");
    assert_carried_has(o, bind, "=>409", "201 {'kind':'Status'}");
    assert_carried_has(o, evict, "POST p/eviction", "201 {'kind':'Status','status':'Success'}");
    assert_rows(o, 0, "Pod p >-");
}

TEST_CASE(of_a_collection_goes_what_the_operator_sees) {
    struct gate_request r = ask(GATE_DELETE_COLLECTION, "deployments", "");
    r.labels = SL("l=red");
    assert_carried_has(
        o, CREATE("{'kind':'Deployment','metadata':{'name':'mine'}}"), "=>201",
        "201 "
        "{'kind':'Deployment','metadata':{'name':'mine','namespace':'ns','uid':'m','labels':{'l':'red'}}}");
    assert_carried_has(o, PATCH("{'metadata':{'labels':{'l':'blue'}}}"), "=>200", LIVE("red", 1, 1),
                       LIVE("blue", 1, 1));
    assert_carried_has(o, r, "'items':[{", /* web is red, but not to the operator */
                       "200 "
                       "{'kind':'DeploymentList','apiVersion':'apps/"
                       "v1','items':[{'metadata':{'name':'web','namespace':'ns','uid':'u',"
                       "'resourceVersion':'100','labels':{'l':'red'}}},{'metadata':{'name':'db','namespace':'"
                       "ns','uid':'d','resourceVersion':"
                       "'90','labels':{'l':'red'}}}]}");
    struct rows x = {BUF(1 << 16)};
    overlay_rows(o, 0, row, &x);
    assert_has(buf_str(&x.out), "Deployment web red>blue");
    assert_has(buf_str(&x.out), "Deployment db red>-");
    assert_lacks(buf_str(&x.out), "mine");
    buf_free(&x.out);
}

TEST_CASE(a_dry_run_of_the_operators_own_changes_nothing) {
    struct gate_request r = PATCH("{'spec':{'replicas':3}}"), d = DELETE();
    r.dry_run = d.dry_run = true;
    assert_carried_has(o, r, "'resourceVersion':'100000000'", LIVE("blue", 1, 1), LIVE("blue", 3, 1));
    assert_carried_has(o, d, "=>200 {'kind':'Status'", LIVE("blue", 1, 1), SUCCESS);
    assert_int_equal(overlay_counts(o)->entries, 0);
    assert_int_equal(overlay_counts(o)->last_write_ns, 0);
}

TEST_CASE(an_answer_that_is_lost_changes_nothing) {
    assert_carried_has(o, PATCH("{'spec':{'replicas':3}}"), "=>504", LIVE("blue", 1, 1), "0 ");
    assert_carried_has(o, DELETE(), "=>504", "0 ");
    assert_int_equal(overlay_counts(o)->entries, 0);
}

TEST_CASE(a_webhook_with_side_effects_is_a_refusal_and_no_failure) {
    assert_carried_has(
        o, PATCH("{}"), "=>400", LIVE("blue", 1, 1),
        "400 {'kind':'Status','message':'admission webhook \\'w\\' does not support dry run','code':400}");
    assert_int_equal(overlay_counts(o)->refused, 1);
    assert_int_equal(overlay_counts(o)->failed, 0);
}

CASE(what_does_not_fit_is_refused_with_507_and_said) {
    struct overlay *o = overlay_new(&(struct overlay_limits){.entries = 1}, 1);
    assert_carried_has(o, PATCH("{'spec':{'replicas':3}}"), "=>200", LIVE("blue", 1, 1), LIVE("blue", 3, 1));
    assert_false(overlay_counts(o)->full);
    assert_carried_has(
        o, with_body(ask(GATE_CREATE, "deployments", ""), GATE_JSON, "{'metadata':{'name':'db'}}"), "=>507",
        "201 {'kind':'Deployment','metadata':{'name':'db','namespace':'ns','uid':'d'}}");
    assert_true(overlay_counts(o)->full);
    overlay_free(o);
}

CASES("rehearse/overlay_write")
