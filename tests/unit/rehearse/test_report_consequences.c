/* What follows from what would be left: counted as a person would count it. */
#include "report_workloads.h"

CASE(kinds_have_names) {
    for (unsigned k = 0; k < REPORT_KINDS; k++) {
        enum report_kind back = REPORT_KINDS;
        assert_true(report_kind_parse(slice_of(report_kind_name((enum report_kind)k)), &back));
        assert_int_equal(back, k);
    }
    enum report_kind k;
    assert_false(report_kind_parse(SL("restart"), &k) || report_kind_parse(SL(""), &k));
}

/* One row each: group, kind, live, rehearsed, what it counts as. */
CASE(rows) {
    static const struct {
        const char *group, *kind, *live, *rehearsed, *want;
    } rows[] = {
        {"apps", "Deployment", WORKLOAD("w", "'replicas':3,", "x:1"), WORKLOAD("w", "'replicas':3,", "x:2"),
         "changes=1 restarts=1 pods=3"},
        {"apps", "Deployment", WORKLOAD("w", "", "x:1"), WORKLOAD("w", "", "x:2"),
         "changes=1 restarts=1 pods=1"},
        {"apps", "Deployment", WORKLOAD("w", "'replicas':3,", "x:1"), WORKLOAD("w", "'replicas':5,", "x:1"),
         "changes=1"},
        {"apps", "Deployment", WORKLOAD("w", "'replicas':3,'paused':true,", "x:1"),
         WORKLOAD("w", "'replicas':3,'paused':true,", "x:2"), "changes=1 restarts=1"},
        {"apps", "Deployment", WORKLOAD("w", "'replicas':3,", "x:1"), NULL, "deletes=1 stops=1 pods=3"},
        {"apps", "Deployment", NULL, WORKLOAD("w", "'replicas':3,", "x:1"), "creates=1"},
        {"apps", "Deployment", "{'metadata':{'name':'w','uid':'1'},'spec':{'replicas':2,'paused':true}}",
         "{'metadata':{'name':'w','uid':'2'},'spec':{'replicas':2,'paused':true}}",
         "deletes=1 restarts=1 pods=2"},
        {"apps", "Deployment",
         "{'metadata':{'name':'w'},'spec':{'template':{'metadata':{'annotations':{'kubectl.kubernetes.io/"
         "restartedAt':'2026-11-23T18:16:33Z'}}}}}",
         "{'metadata':{'name':'w'},'spec':{'template':{'metadata':{'annotations':{'kubectl.kubernetes.io/"
         "restartedAt':'2026-11-24T18:16:33Z'}}}}}",
         "changes=1 restarts=1 pods=1"},
        {"apps", "StatefulSet", WORKLOAD("w", "'replicas':4,'updateStrategy':{'type':'OnDelete'},", "x:1"),
         WORKLOAD("w", "'replicas':4,'updateStrategy':{'type':'OnDelete'},", "x:2"), "changes=1 restarts=1"},
        {"apps", "StatefulSet",
         WORKLOAD("w", "'replicas':4,'updateStrategy':{'rollingUpdate':{'partition':3}},", "x:1"),
         WORKLOAD("w", "'replicas':4,'updateStrategy':{'rollingUpdate':{'partition':3}},", "x:2"),
         "changes=1 restarts=1 pods=1"},
        {"apps", "DaemonSet",
         "{'metadata':{'name':'w'},'spec':{'template':{'a':1}},'status':{'desiredNumberScheduled':9}}",
         "{'metadata':{'name':'w'},'spec':{'template':{'a':2}}}", "changes=1 restarts=1 pods=9"},
        {"apps", "ReplicaSet", WORKLOAD("w", "'replicas':3,", "x:1"), WORKLOAD("w", "'replicas':3,", "x:2"),
         "changes=1"},
        {"batch", "Job", WORKLOAD("w", "'replicas':3,", "x:1"), WORKLOAD("w", "'replicas':3,", "x:2"),
         "changes=1"},
        {"argoproj.io", "Rollout", WORKLOAD("w", "'replicas':3,", "x:1"),
         WORKLOAD("w", "'replicas':3,", "x:2"), "changes=1 restarts=1 pods=3"},
        {"example.com", "Template", WORKLOAD("w", "", "x:1"), WORKLOAD("w", "", "x:2"), "changes=1"},
        {"", "PersistentVolumeClaim", BARE("d"), NULL, "deletes=1 volumes=1"},
        {"", "PersistentVolume", BARE("d"), NULL, "deletes=1 volumes=1"},
        {"", "Namespace", BARE("d"), NULL, "deletes=1 namespaces=1"},
        {"", "Namespace", BARE("d"), "{'metadata':{'name':'d','deletionTimestamp':'2026-11-24T18:16:33Z'}}",
         "deletes=1 namespaces=1"},
        {"example.com", "Backup", BARE("d"), NULL, "deletes=1 custom=1"},
        {"gateway.networking.k8s.io", "Gateway", BARE("d"), NULL, "deletes=1 custom=1"},
        {"networking.k8s.io", "Ingress", BARE("d"), NULL, "deletes=1"},
        {"rbac.authorization.k8s.io", "Role", "{'metadata':{'name':'r'},'rules':[{'verbs':['get']}]}",
         "{'metadata':{'name':'r'},'rules':[{'verbs':['get','delete']}]}", "changes=1 rbac=1"},
        {"", "ServiceAccount", NULL, BARE("d"), "creates=1 rbac=1"},
        {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", BARE("d"), NULL,
         "deletes=1 webhooks=1"},
        {"apiextensions.k8s.io", "CustomResourceDefinition", BARE("d"), NULL, "deletes=1 crds=1"},
        {"apiextensions.k8s.io", "CustomResourceDefinition",
         "{'metadata':{'name':'d'},'spec':{'versions':[{'name':'v1','served':true},{'name':'v1beta1','served'"
         ":true}]}}",
         "{'metadata':{'name':'d'},'spec':{'versions':[{'name':'v1','served':true},{'name':'v1beta1','served'"
         ":false}]}}",
         "changes=1 crds=1"},
        {"apiextensions.k8s.io", "CustomResourceDefinition",
         "{'metadata':{'name':'d'},'spec':{'versions':[{'name':'v1beta1','schema':{},'served':true}]}}",
         "{'metadata':{'name':'d'},'spec':{'versions':[{'name':'v1','served':true}]}}", "changes=1 crds=1"},
        {"apiextensions.k8s.io", "CustomResourceDefinition",
         "{'metadata':{'name':'d'},'spec':{'versions':[{'name':'v1beta1','served':false}]}}",
         "{'metadata':{'name':'d'},'spec':{'versions':[{'name':'v1','served':true}]}}", "changes=1"},
        {"", "Secret", "{'metadata':{'name':'d','finalizers':['a/b']}}",
         "{'metadata':{'name':'d','finalizers':[]}}", "changes=1 finalizers=1"},
        {"", "Secret", "{'metadata':{'name':'d','finalizers':['a/b']}}", "{'metadata':{'name':'d'}}",
         "changes=1 finalizers=1"},
        {"", "Pod", BARE("d"), NULL, "deletes=1 stops=1 pods=1"},
        {"", "Pod", "{'metadata':{'name':'d'},'status':{'phase':'Failed'}}", NULL, "deletes=1"},
        {"", "Pod",
         "{'metadata':{'name':'p','ownerReferences':[{'kind':'StatefulSet','name':'db','apiVersion':'apps/"
         "v1','controller':true}]}}",
         NULL, "deletes=1 restarts=1 pods=1"},
        {"", "Pod",
         "{'metadata':{'name':'p','ownerReferences':[{'kind':'Job','name':'db','apiVersion':'batch/"
         "v1','controller':true}]},'status':{'phase':'Succeeded'}}",
         NULL, "deletes=1"},
        {"apps", "ReplicaSet",
         "{'metadata':{'name':'web-1','labels':{'pod-template-hash':'1'},'ownerReferences':[{'kind':'"
         "Deployment','name':'web','apiVersion':'apps/v1','controller':true}]},'spec':{'replicas':0}}",
         NULL, "deletes=1"},
        {"apps", "ReplicaSet",
         "{'metadata':{'name':'web-1','ownerReferences':[{'kind':'Deployment','name':'web','apiVersion':'"
         "apps/v1','controller':true}]},'spec':{'replicas':2}}",
         NULL, "deletes=1 restarts=1 pods=2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("row %zu: %s %s\n", i, rows[i].kind, rows[i].want);
        cleanup_report struct report *r = report_new(NULL);
        add(r, rows[i].group, rows[i].kind, rows[i].live, rows[i].rehearsed);
        counts(r, rows[i].want);
    }
}

/* A Deployment's pods belong to its ReplicaSet, and are its own all the same. */
CASE(a_workload_restarts_once_whatever_tells_so) {
    cleanup_report struct report *r = report_new(NULL);
    add(r, "", "Pod", POD("web-7d-a", "ReplicaSet", "web-7d", "7d"), NULL);
    add(r, "", "Pod", POD("web-7d-b", "ReplicaSet", "web-7d", "7d"), NULL);
    add(r, "", "Pod", POD("db-0", "StatefulSet", "db", ""), NULL);
    counts(r, "deletes=3 restarts=2 pods=3");
    add(r, "apps", "Deployment", WORKLOAD("web", "'replicas':5,", "x:1"),
        WORKLOAD("web", "'replicas':5,", "x:2"));
    counts(r, "changes=1 deletes=3 restarts=2 pods=6");
    expect_line(r, "2 workloads would restart (6 pods), 3 objects deleted");
    /* what goes itself does not restart */
    add(r, "apps", "StatefulSet", WORKLOAD("db", "", "x:1"), NULL);
    counts(r, "changes=1 deletes=4 restarts=1 stops=1 pods=6");
    expect_line(r, "1 workload would restart (5 pods), 1 workload would stop (1 pod), 4 objects deleted");
}

CASE(hot_is_more_than_ten_writes_and_more_than_one_a_second) {
    static const struct {
        unsigned writes;
        int64_t took_ns;
        bool hot;
    } rows[] = {{10, 0, false},
                {11, 0, true},
                {11, 9999999999, true},
                {11, 10000000000, false},
                {1000, 998999999999, true},
                {1000, 999000000000, false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cleanup_report struct report *r = report_new(NULL);
        /* also of what is the same in the end */
        add_written(r, "", "ConfigMap", BARE("a"), BARE("a"), rows[i].writes, rows[i].took_ns);
        assert_int_equal(report_count(r, REPORT_HOT), rows[i].hot);
        assert_true(report_empty(r));
    }
}

CASE(what_is_written_again_and_again_and_is_the_same_does_not_restart) {
    cleanup_report struct report *r = report_new(NULL);
    add_written(r, "apps", "Deployment", WORKLOAD("web", "'replicas':5,", "x:1"),
                WORKLOAD("web", "'replicas':5,", "x:1"), 20, 0);
    counts(r, "hot=1");
    expect_line(r, "changes nothing, 1 object is written again and again");
}

CASE(one_line_says_it) {
    cleanup_report struct report *r = report_new(NULL);
    expect_line(r, "changes nothing");
    add(r, "apps", "Deployment", WORKLOAD("a", "'replicas':3,", "x:1"),
        WORKLOAD("a", "'replicas':3,", "x:2"));
    expect_line(r, "1 workload would restart (3 pods)");
    add(r, "apps", "StatefulSet", WORKLOAD("b", "'replicas':4,", "x:1"),
        WORKLOAD("b", "'replicas':4,", "x:2"));
    add(r, "", "ConfigMap", NULL, BARE("c"));
    add(r, "", "PersistentVolumeClaim", BARE("d"), NULL);
    add(r, "", "Service", BARE("e"), NULL);
    add(r, "", "Service", BARE("f"), NULL);
    expect_line(r,
                "2 workloads would restart (7 pods), 1 object created, 3 deleted (1 PersistentVolumeClaim)");
    report_refusal(r, SL("POST pods/exec"), SL("can not be rehearsed"), 4);
    report_refusal(r, SL("POST pods/exec"), SL("can not be rehearsed"), 4);
    add(r, "", "ConfigMap", "{'metadata':{'name':'g'}}", "{'metadata':{'name':'g'},'data':{'a':'b'}}");
    expect_line(r, "2 workloads would restart (7 pods), 1 object created, 1 changed, 3 deleted (1 "
                   "PersistentVolumeClaim), "
                   "1 kind of request could not be rehearsed");
}

/* The same objects in any order are the same report, also where it is full: what hurts most is kept. */
SEEDS_CASE(200, order_does_not_matter) {
    uint64_t state = seed;
    struct report *both[2];
    unsigned order[12];
    for (unsigned i = 0; i < 12; i++) order[i] = i;
    for (int k = 0; k < 2; k++) {
        both[k] = report_new(&(struct report_limits){.objects = 7});
        for (unsigned i = 0; i < 12; i++) {
            cleanup_free char *one = xasprintf("{'metadata':{'name':'o%u'}}", order[i] / 2 * 2);
            bool claim = order[i] % 4 == 0;
            add(both[k], "", claim ? "PersistentVolumeClaim" : "Service", claim ? one : NULL,
                claim ? NULL : one);
        }
        for (unsigned i = 11; i > 0; i--) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            unsigned j = (unsigned)(state >> 33) % (i + 1), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
    }
    cleanup_free char *a = json_of(both[0]), *b = json_of(both[1]);
    if (strcmp(a, b) != 0) fail_seed(seed, "%s\n%s", a, b);
    counts(both[0], "creates=9 deletes=3 volumes=3");
    assert_has(a, "\"unlisted\":{\"objects\":5,\"creates\":5");
    report_free(both[0]);
    report_free(both[1]);
}

/* A claim, for which there is room, and a Service, for which there is none. */
CASE(what_has_no_room_is_in_the_digest) {
    char digest[2][17];
    for (int k = 0; k < 2; k++) {
        cleanup_report struct report *r = report_new(&(struct report_limits){.objects = 1});
        add(r, "", "PersistentVolumeClaim", "{'metadata':{'name':'a'}}", NULL);
        add(r, "", "Service", NULL,
            k ? "{'metadata':{'name':'b'},'spec':{'x':1}}" : "{'metadata':{'name':'b'},'spec':{'x':2}}");
        counts(r, "creates=1 deletes=1 volumes=1");
        report_digest(r, digest[k]);
    }
    assert_string_not_equal(digest[0], digest[1]);
}

CASES("rehearse/report_consequences")
