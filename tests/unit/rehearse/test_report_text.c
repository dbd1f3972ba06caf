/* What a person reads: the most dangerous first, nothing wider than the terminal, nothing that a terminal would obey. */
#include "report_case.h"
#include "base/utf8.h"

/* An operator whose new version adds a label to its StatefulSets' pods, no longer serves an old version of its definition, prunes a claim and
 * grants itself more. */
static struct report *operator_update(void) {
    struct report *r = report_new(NULL);
    add_written(r, "apps", "StatefulSet",
                "{'metadata':{'namespace':'shop','name':'db','generation':4},'spec':{'replicas':3,'template':"
                "{'metadata':{'labels':{'app':'db'}},"
                "'spec':{'containers':[{'name':'postgres','image':'registry.example.com/databases/"
                "postgres:16.1-bookworm-20261101'}]}}},"
                "'status':{'observedGeneration':4,'lastSync':'2026-11-23T18:16:33Z'}}",
                "{'metadata':{'namespace':'shop','name':'db','generation':5},'spec':{'replicas':3,'template':"
                "{'metadata':{'labels':{'app':'db','app.kubernetes.io/version':'2.0'}},"
                "'spec':{'containers':[{'name':'postgres','image':'registry.example.com/databases/"
                "postgres:16.1-bookworm-20261123'}]}}},"
                "'status':{'observedGeneration':5,'lastSync':'2026-11-28T09:00:00Z'}}",
                2, 0);
    add(r, "", "PersistentVolumeClaim", "{'metadata':{'namespace':'shop','name':'data-old-0'}}", NULL);
    add(r, "apiextensions.k8s.io", "CustomResourceDefinition",
        "{'metadata':{'name':'databases.example.com'},'spec':{'versions':[{'name':'v1beta1','served':true}]}"
        "}",
        "{'metadata':{'name':'databases.example.com'},'spec':{'versions':[{'name':'v1beta1','served':false}]}"
        "}");
    add(r, "rbac.authorization.k8s.io", "ClusterRole",
        "{'metadata':{'name':'db-operator'},'rules':[{'verbs':['get'],'resources':['secrets']}]}",
        "{'metadata':{'name':'db-operator'},'rules':[{'verbs':['get','delete'],'resources':['secrets']}]}");
    add(r, "", "Service", NULL,
        "{'metadata':{'namespace':'shop','name':'db-metrics'},'spec':{'ports':[{'port':9187}]}}");
    add_written(r, "example.com", "Database", "{'metadata':{'namespace':'shop','name':'db'}}",
                "{'metadata':{'namespace':'shop','name':'db'},'status':{'phase':'Ready'}}", 240, 60000000000);
    report_refusal(r, SL("POST /api/v1/namespaces/shop/pods/db-0/exec"),
                   SL("cannot be rehearsed: it needs a running container"), 3);
    report_failure(r, SL("list backups.example.com"),
                   SL("403 Forbidden: backups.example.com is forbidden: User \"op\" cannot list resource "
                      "\"backups\" in API group \"example.com\" at the cluster scope"),
                   12);
    report_failure(r, SL("create jobs.batch"), SL("422 Invalid"), 1);
    report_event(r, SL("Warning"), SL("FailedProbe"), SL("cannot run psql in db-0"), SL("Database"),
                 SL("shop"), SL("db"), 4);
    report_event(r, SL("Normal"), SL("Synced"), SL("synced"), SL("Database"), SL("shop"), SL("db"), 40);
    report_set_run(r, &(struct report_run){.failed = 20, .unnamed = 7, .image = "db-operator:v2"});
    return r;
}

CASE(the_whole) {
    cleanup_report struct report *r = operator_update();
    cleanup_free char *got = text_of(r, 80);
    assert_string_equal(got,
                        "1 workload would restart (3 pods), 1 object created, 3 changed, 1 deleted (1\n"
                        "  PersistentVolumeClaim), 1 CustomResourceDefinition deleted or not served any\n"
                        "  more, 1 object is written again and again, 3 kinds of requests failed (1\n"
                        "  forbidden), 1 kind of request could not be rehearsed\n"
                        "\n"
                        "  1 volume or claim deleted\n"
                        "    PersistentVolumeClaim shop/data-old-0\n"
                        "  1 CustomResourceDefinition deleted, or with a version not served any more\n"
                        "    CustomResourceDefinition databases.example.com\n"
                        "  1 workload would restart, 3 pods\n"
                        "    StatefulSet shop/db (3 pods)\n"
                        "  1 role, binding or ServiceAccount touched\n"
                        "    ClusterRole db-operator\n"
                        "  1 object is written again and again\n"
                        "    Database shop/db (240 writes)\n"
                        "\n"
                        "- PersistentVolumeClaim shop/data-old-0\n"
                        "~ apiextensions.k8s.io/CustomResourceDefinition databases.example.com\n"
                        "    spec.versions[v1beta1].served: true -> false\n"
                        "~ apps/StatefulSet shop/db\n"
                        "    spec.template.metadata.labels[app.kubernetes.io/version]: (none) -> \"2.0\"\n"
                        "    spec.template.spec.containers[postgres].image:\n"
                        "        …/postgres:16.1-bookworm-20261101\" -> …/postgres:16.1-bookworm-20261123\"\n"
                        "    and 2 times or the like\n"
                        "~ rbac.authorization.k8s.io/ClusterRole db-operator\n"
                        "    rules[0].verbs[1]: (none) -> \"delete\"\n"
                        "~ example.com/Database shop/db\n"
                        "    status.phase: (none) -> \"Ready\"\n"
                        "+ Service shop/db-metrics\n"
                        "    spec.ports: [{\"port\":9187}]\n"
                        "\n"
                        "Failed:\n"
                        "  1 x create jobs.batch: 422 Invalid\n"
                        "  12 x list backups.example.com: 403 Forbidden: backups.example.com is\n"
                        "      forbidden: User \"op\" cannot list resource \"backups\" in API group\n"
                        "      \"example.com\" at the cluster scope\n"
                        "  and 7 more requests\n"
                        "\n"
                        "Could not be rehearsed:\n"
                        "  3 x POST /api/v1/namespaces/shop/pods/db-0/exec: cannot be rehearsed: it\n"
                        "      needs a running container\n"
                        "\n"
                        "Warnings of the operator:\n"
                        "  4 x FailedProbe Database shop/db: cannot run psql in db-0\n");
}

static unsigned columns(struct slice line) {
    unsigned n = 0;
    for (size_t i = 0; i < line.n; i++) n += ((unsigned char)line.p[i] & 0xc0) != 0x80;
    return n;
}

CASE(never_wider_than_asked) {
    cleanup_report struct report *r = operator_update();
    for (unsigned width = 40; width < 200; width += 7) {
        cleanup_free char *text = text_of(r, width);
        struct slice rest = slice_of(text), line;
        while (slice_cut(rest, '\n', &line, &rest)) {
            if (columns(line) > width) print_message("%u: %.*s\n", width, SLF(line));
            assert_true(columns(line) <= width);
            assert_true(slice_is_text(line));
        }
    }
}

CASE(where_two_values_differ_is_seen) {
    cleanup_report struct report *r = operator_update();
    cleanup_free char *text = text_of(r, 80);
    assert_has(text, "20261101\" -> ");
    assert_has(text, "20261123\"\n");
}

CASE(colours_and_limits) {
    cleanup_report struct report *r = operator_update();
    cleanup_buf struct buf b = BUF(1 << 20), small = BUF(100);
    assert_int_equal(report_text(r, 80, true, 2, &b), 0);
    assert_has(buf_str(&b), "\x1b[31m- PersistentVolumeClaim shop/data-old-0\x1b[0m\n");
    assert_has(buf_str(&b), "and 4 more objects");
    assert_int_equal(report_text(r, 80, true, 2, &small), -ENOBUFS);
    cleanup_report struct report *none = report_new(NULL);
    cleanup_free char *nothing = text_of(none, 80);
    assert_string_equal(nothing, "changes nothing\n");
    cleanup_report struct report *many = report_new(&(struct report_limits){.objects = 12});
    for (int i = 0; i < 14; i++) {
        cleanup_free char *one = xasprintf("{'metadata':{'name':'ns%02d'}}", i);
        add(many, "", "Namespace", one, NULL);
    }
    cleanup_free char *text = text_of(many, 80);
    assert_has(text, "14 objects deleted (14 Namespaces)\n\n  14 namespaces deleted\n    Namespace ns00\n");
    assert_has(text, "    Namespace ns09\n    and 4 more\n\n- Namespace ns00\n");
    assert_has(text, "- Namespace ns11\nand 2 more objects\n");
}

/* ESC, a new line, a mark of direction, a byte that is no text: in every place that another one fills. */
CASE(nothing_that_a_terminal_obeys) {
#define EVIL "e\x1b[2Jv\n\xe2\x80\xae\xff"
    cleanup_report struct report *r = report_new(NULL);
    struct slice evil = SL(EVIL);
    cleanup_free char *json =
        quoted(xstrdup("{'metadata':{'ownerReferences':[{'kind':'\\u001b[2J','name':'\\u001b[2J','controller'"
                       ":true}]},'spec':{'\\u001b[2J':'\\u001b[2J\\u202e'}}"));
    struct report_object o = {.group = evil,
                              .version = evil,
                              .resource = evil,
                              .kind = evil,
                              .ns = evil,
                              .name = evil,
                              .rehearsed = slice_of(json),
                              .writes = 99};
    assert_int_equal(report_add(r, &o, NULL), 0);
    o.kind = SL("Pod"), o.group = SL(""), o.live = o.rehearsed, o.rehearsed = (struct slice){0};
    assert_int_equal(report_add(r, &o, NULL), 0);
    report_refusal(r, evil, evil, 1);
    report_failure(r, evil, evil, 1);
    report_event(r, SL("Warning"), evil, evil, evil, evil, evil, 1);
    cleanup_free char *text = text_of(r, 0), *line = line_of(r);
    assert_null(strchr(text, 0x1b));
    assert_null(strchr(line, 0x1b));
    assert_lacks(text, "\xe2\x80\xae");
    assert_true(slice_is_text(slice_of(text)));
    assert_has(text, "e\\x1b[2Jv\\n\\u202e");
    assert_has(text, "restart");
}

CASES("rehearse/report_text")
