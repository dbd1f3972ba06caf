/* See page_way.h. */
#include "page_way.h"

int page_way_port(const cJSON *pod) {
    const cJSON *containers = json_arr(json_obj(pod, "spec"), "containers");
    for (const cJSON *c = containers ? containers->child : NULL; c; c = c->next) {
        const cJSON *ports = json_arr(c, "ports");
        for (const cJSON *p = ports ? ports->child : NULL; p; p = p->next) {
            int64_t n = json_i64(p, "containerPort", 0);
            if (strcmp(json_str_or(p, "name", ""), "admin") == 0 && n > 0 && n < 65536) return (int)n;
        }
    }
    return PAGE_WAY_PORT;
}

/* One word for a shell, whatever is in it. */
static void add_flag(struct buf *out, const char *flag, const char *value) {
    if (!value) return;
    buf_addf(out, " --%s='", flag);
    for (; *value; value++) {
        if (*value == '\'')
            buf_adds(out, "'\\''");
        else
            buf_addc(out, *value);
    }
    buf_addc(out, '\'');
}

static void add_flags(struct buf *out, const struct page_way *w) {
    add_flag(out, "kubeconfig", w->kubeconfig);
    add_flag(out, "context", w->context);
    add_flag(out, "server", w->server);
}

void page_way_text(const struct page_way *w, struct buf *out) {
    buf_addf(out, "The page is the leader's, pod/%s in namespace %s. On this machine:\n\n", w->pod, w->ns);
    buf_addf(out, "  kubectl port-forward -n %s pod/%s 8080:%d", w->ns, w->pod, w->port);
    add_flags(out, w);
    buf_adds(
        out,
        "\n\nthen http://localhost:8080/ in a browser, which asks for a token; this one lasts an hour:\n\n");
    buf_addf(out, "  kubectl create token handover-page -n %s", w->ns);
    add_flags(out, w);
    buf_addf(out,
             "\n\nWhere `kubectl proxy` runs: http://localhost:8001/api/v1/namespaces/%s/pods/%s:%d/proxy/\n"
             "When another instance leads, the page says so, and this command says anew.\n",
             w->ns, w->pod, w->port);
}
