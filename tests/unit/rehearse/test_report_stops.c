/* Pods that do not come back: their workload is deleted, scaled down or suspended. */
#include "report_workloads.h"

#define OLD_SIZE(more)                                                                                       \
    "{'metadata':{'name':'w','uid':'1'},'spec':{'replicas':5" more "},'status':{'active':2}}"
#define SIZED(uid, n, more) "{'metadata':{'name':'w','uid':'" uid "'},'spec':{'replicas':" #n more "}}"
#define BOXED               ",'template':{'spec':{'containers':[]}}"
#define BOX_2               ",'template':{'spec':{'containers':[{'name':'c'}]}}"
#define GOING                                                                                                \
    "{'metadata':{'name':'w','uid':'1','deletionTimestamp':'2026-11-24T18:16:33Z'},'spec':{'replicas':5}}"
#define LATER ",'updateStrategy':{'rollingUpdate':{'partition':2}}"
#define OWNED(n)                                                                                             \
    "{'metadata':{'name':'w','ownerReferences':[{'kind':'Rollout','name':'r','apiVersion':'argoproj.io/"     \
    "v1','controller':true}]},'spec':{'replicas':" #n "}}"

/* What becomes fewer, or none; orphans: what it owns is to stay. */
CASE(pods_that_do_not_come_back) {
    static const struct {
        const char *group, *kind, *live, *rehearsed;
        bool orphans;
        const char *counts, *line;
    } rows[] = {
        {"apps", "Deployment", OLD_SIZE(""), SIZED("1", 3, ""), false, "changes=1 stops=1 pods=2",
         "1 workload would shrink (2 pods)"},
        {"apps", "Deployment", OLD_SIZE(""), SIZED("1", 0, ""), false, "changes=1 stops=1 pods=5",
         "1 workload would stop (5 pods)"},
        {"apps", "Deployment", OLD_SIZE(",'paused':true"), SIZED("1", 4, ",'paused':true"), false,
         "changes=1 stops=1 pods=1", "1 workload would shrink (1 pod)"},
        {"apps", "Deployment", OLD_SIZE(""), SIZED("1", 7, ""), false, "changes=1", "1 object changed"},
        {"apps", "Deployment", OLD_SIZE(""), "{'metadata':{'name':'w','uid':'1'},'spec':{}}", false,
         "changes=1", "1 object changed"},
        {"apps", "Deployment", "{'metadata':{'name':'w'},'spec':{}}",
         "{'metadata':{'name':'w'},'spec':{'replicas':0}}", false, "changes=1 stops=1 pods=1",
         "1 workload would stop (1 pod)"},
        {"apps", "Deployment", OLD_SIZE(BOXED), SIZED("1", 3, BOX_2), false,
         "changes=1 restarts=1 stops=1 pods=5",
         "1 workload would restart (3 pods), 1 workload would shrink (2 pods)"},
        {"apps", "Deployment", OLD_SIZE(""), SIZED("2", 3, ""), false, "deletes=1 restarts=1 stops=1 pods=5",
         "1 workload would restart (3 pods), 1 workload would shrink (2 pods), 1 object deleted"},
        {"apps", "Deployment", OLD_SIZE(""), GOING, false, "deletes=1 stops=1 pods=5",
         "1 workload would stop (5 pods), 1 object deleted"},
        {"apps", "StatefulSet", OLD_SIZE(""), NULL, false, "deletes=1 stops=1 pods=5",
         "1 workload would stop (5 pods), 1 object deleted"},
        {"apps", "StatefulSet", OLD_SIZE(""), NULL, true, "deletes=1", "1 object deleted"},
        {"apps", "StatefulSet", OLD_SIZE(""), GOING, true, "deletes=1", "1 object deleted"},
        {"apps", "StatefulSet", OLD_SIZE(""), SIZED("2", 5, ",'volumeClaimTemplates':[]"), true, "deletes=1",
         "1 object deleted"},
        {"apps", "StatefulSet", OLD_SIZE(""), SIZED("2", 2, ""), true, "deletes=1 stops=1 pods=3",
         "1 workload would shrink (3 pods), 1 object deleted"},
        {"apps", "StatefulSet", OLD_SIZE(BOXED), SIZED("2", 5, BOX_2), true, "deletes=1 restarts=1 pods=5",
         "1 workload would restart (5 pods), 1 object deleted"},
        {"apps", "StatefulSet", OLD_SIZE(LATER BOXED), SIZED("1", 3, LATER BOX_2), false,
         "changes=1 restarts=1 stops=1 pods=3",
         "1 workload would restart (1 pod), 1 workload would shrink (2 pods)"},
        {"apps", "DaemonSet", "{'metadata':{'name':'w'},'status':{'desiredNumberScheduled':9}}", NULL, false,
         "deletes=1 stops=1 pods=9", "1 workload would stop (9 pods), 1 object deleted"},
        {"apps", "ReplicaSet", OLD_SIZE(""), SIZED("1", 2, ""), false, "changes=1 stops=1 pods=3",
         "1 workload would shrink (3 pods)"},
        {"apps", "ReplicaSet", OWNED(5), OWNED(2), false, "changes=1",
         "1 object changed"}, /* its owner makes others */
        {"", "ReplicationController", OLD_SIZE(""), NULL, false, "deletes=1 stops=1 pods=5",
         "1 workload would stop (5 pods), 1 object deleted"},
        {"batch", "Job", OLD_SIZE(""), NULL, false, "deletes=1 stops=1 pods=2",
         "1 workload would stop (2 pods), 1 object deleted"},
        {"batch", "Job", OLD_SIZE(""), NULL, true, "deletes=1", "1 object deleted"},
        {"batch", "Job", OLD_SIZE(""), SIZED("1", 5, ",'suspend':true"), false, "changes=1 stops=1 pods=2",
         "1 workload would stop (2 pods)"},
        {"batch", "Job", OLD_SIZE(""), SIZED("2", 5, ""), false, "deletes=1 stops=1 pods=2",
         "1 workload would stop (2 pods), 1 object deleted"},
        {"batch", "Job", "{'metadata':{'name':'w'}}", NULL, false, "deletes=1", "1 object deleted"},
        {"argoproj.io", "Rollout", OLD_SIZE(BOXED), SIZED("1", 1, BOXED), false, "changes=1 stops=1 pods=4",
         "1 workload would shrink (4 pods)"},
        {"example.com", "Database", OLD_SIZE(""), SIZED("1", 1, ""), false, "changes=1", "1 object changed"},
        {"example.com", "Database", OLD_SIZE(""), NULL, false, "deletes=1 custom=1",
         "1 object deleted (1 custom resource)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("row %zu: %s %s\n", i, rows[i].kind, rows[i].line);
        cleanup_report struct report *r = report_new(NULL);
        add_as(r, rows[i].group, rows[i].kind, rows[i].live, rows[i].rehearsed, 1, 0, rows[i].orphans);
        counts(r, rows[i].counts);
        expect_line(r, rows[i].line);
    }
}

/* Pods that are deleted of what shrinks go with it; of what goes itself nothing restarts, whatever deletes its pods. */
CASE(a_workload_stops_once_whatever_says_so) {
    cleanup_report struct report *r = report_new(NULL);
    add(r, "", "Pod", POD("db-2", "StatefulSet", "db", ""), NULL);
    add(r, "", "Pod", POD("db-1", "StatefulSet", "db", ""), NULL);
    add(r, "apps", "StatefulSet", WORKLOAD("db", "'replicas':3,", "x:1"),
        WORKLOAD("db", "'replicas':1,", "x:1"));
    counts(r, "changes=1 deletes=2 stops=1 pods=2");
    add(r, "", "Pod", POD("db-0", "StatefulSet", "db", ""), NULL);
    counts(r, "changes=1 deletes=3 restarts=1 stops=1 pods=3");
    expect_line(r, "1 workload would restart (1 pod), 1 workload would shrink (2 pods), 3 objects deleted");
    cleanup_report struct report *all = report_new(NULL);
    add(all, "", "Pod", POD("web-7d-a", "ReplicaSet", "web-7d", "7d"), NULL);
    add(all, "apps", "Deployment", WORKLOAD("web", "'replicas':2,", "x:1"), NULL);
    add(all, "", "Pod", POD("web-7d-b", "ReplicaSet", "web-7d", "7d"), NULL);
    add(all, "", "Pod", POD("c-0", "Cluster", "c", ""), NULL);
    add(all, "apps", "Cluster", BARE("c"), NULL);
    add(all, "apps", "Deployment", WORKLOAD("x", "'replicas':2,", "x:1"),
        WORKLOAD("x", "'replicas':1,", "x:1"));
    counts(all, "changes=1 deletes=5 stops=3 pods=4");
    expect_line(all, "3 workloads would stop or shrink (4 pods), 5 objects deleted");
    cleanup_free char *text = text_of(all, 0);
    assert_has(text, "\n\n  3 workloads would stop or shrink, 4 pods\n    Cluster shop/c (1 pod)\n    "
                     "Deployment shop/web (2 pods)\n"
                     "    Deployment shop/x (1 of 2 pods)\n\n");
}

CASE(what_is_orphaned_says_so) {
    cleanup_report struct report *r = report_new(NULL);
    add_as(r, "apps", "StatefulSet", OLD_SIZE(""), NULL, 1, 0, true);
    cleanup_free char *text = text_of(r, 0), *json = json_of(r);
    assert_has(text, "- apps/StatefulSet w  (what it owns stays)\n");
    assert_has(json, "\"orphans\":true");
}

/* Of what has no room the pods are counted, too. */
CASE(stops_that_have_no_room) {
    cleanup_report struct report *r = report_new(&(struct report_limits){.objects = 1});
    add(r, "", "PersistentVolumeClaim", "{'metadata':{'name':'a'}}", NULL);
    add(r, "apps", "Deployment", WORKLOAD("w", "'replicas':3,", "x:1"), NULL);
    counts(r, "deletes=2 stops=1 pods=3 volumes=1");
    expect_line(r, "1 workload would stop or shrink (3 pods), 2 objects deleted (1 PersistentVolumeClaim)");
}

/* How many pods go is no part of what would be left, and what is approved. */
CASE(not_in_the_digest) {
    char digest[2][17];
    for (int k = 0; k < 2; k++) {
        cleanup_report struct report *r = report_new(NULL);
        add(r, "apps", "Deployment", k ? SIZED("1", 9, "") : SIZED("1", 5, ""), SIZED("1", 3, ""));
        add(r, "batch", "Job",
            k ? "{'metadata':{'name':'j'},'status':{'active':2}}" : "{'metadata':{'name':'j'}}", NULL);
        report_digest(r, digest[k]);
    }
    assert_string_equal(digest[0], digest[1]);
}

CASES("rehearse/report_stops")
