/* The commands that lead to the page. */
#include "../case.h"
#include "../check.h"
#include "page_way.h"

CASE(the_commands) {
    cleanup_buf struct buf out = BUF(1 << 16);
    struct page_way w = {.ns = "ops", .pod = "handover-x", .port = 9090};
    page_way_text(&w, &out);
    assert_has(buf_str(&out), "\n  kubectl port-forward -n ops pod/handover-x 8080:9090\n");
    assert_has(buf_str(&out), "\n  kubectl create token handover-page -n ops\n");
    assert_has(buf_str(&out), "/api/v1/namespaces/ops/pods/handover-x:9090/proxy/\n");
    buf_clear(&out);
    w.context = "it's; rm";
    w.kubeconfig = "/a b";
    page_way_text(&w, &out);
    assert_has(buf_str(&out), "8080:9090 --kubeconfig='/a b' --context='it'\\''s; rm'\n");
    assert_has(buf_str(&out), "-n ops --kubeconfig='/a b' --context='it'\\''s; rm'\n");
}

CASE(the_port) {
    static const struct {
        const char *pod;
        int port;
    } rows[] = {
        {"{}", 8080},
        {"{\"spec\":{\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":80}]}]}}", 8080},
        {"{\"spec\":{\"containers\":[{},{\"ports\":[{\"name\":\"admin\",\"containerPort\":9090}]}]}}", 9090},
        {"{\"spec\":{\"containers\":[{\"ports\":[{\"name\":\"admin\",\"containerPort\":70000}]}]}}", 8080},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cleanup_json cJSON *pod = json_parse(slice_of(rows[i].pod), NULL);
        assert_int_equal(page_way_port(pod), rows[i].port);
    }
}

CASES("cli/page_way")
