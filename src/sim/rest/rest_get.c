/* GET of one object, logs and the proxy of a pod. */
#include "rest/list_options.h"
#include <errno.h>

int rest_get(struct call *c) {
    uint64_t rv = 0;
    int r = rest_version(request_uri_param(&c->t, "resourceVersion"), &rv, &c->f);
    if (r < 0) return r;
    if (rv > c->s->rv) return list_options_too_large(c, rv);
    struct index_node *n = index_find(&resource_table_of(c->s, c->type)->index, c->ns ? c->ns : "", c->name);
    if (!n) return api_status_not_found(&c->f, c->type, c->name);
    return rest_answer(c, 200, n->obj->in->doc);
}

int rest_pod_log(struct call *c) {
    struct sim_obj *o = rest_object(c);
    if (!o) return -ENOENT;
    const char *want = request_uri_param(&c->t, "container");
    const cJSON *list = json_arr(json_obj(o->json, "spec"), "containers");
    bool found = !want || !want[0];
    for (const cJSON *k = list ? list->child : NULL; k && !found; k = k->next)
        found = !strcmp(json_str_or(k, "name", ""), want);
    if (!found)
        return api_status_set(&c->f, 400, "BadRequest", "container %.80s is not valid for pod %s", want,
                              o->name);
    exchange_text(c->x, 200, SL("this pod is simulated: it runs no program and keeps no log\n"));
    return 0;
}

/* "[SCHEME:]NAME[:PORT]" */
static void split_proxy_name(struct slice s, struct slice *ret_name, struct slice *ret_port) {
    struct slice a, b, c;
    bool two = slice_cut(s, ':', &a, &b);
    struct slice rest = b;
    bool three = two && slice_cut(rest, ':', &b, &c);
    *ret_name = three ? b : a;
    *ret_port = three ? c : b;
}

/* What the pod is asked for, with its query, as it was after it was unescaped. */
static char *proxied(const struct call *c) {
    cleanup_free char *rest = request_uri_rest(&c->t, c->rest);
    struct buf b = BUF(128 << 10);
    buf_addf(&b, "/%s", rest);
    for (size_t i = 0; i < c->t.nparams; i++)
        buf_addf(&b, "%c%s=%s", i ? '&' : '?', c->t.param[i].key, c->t.param[i].value);
    return buf_take(&b);
}

int rest_pod_proxy(struct call *c) {
    struct slice name, port;
    split_proxy_name(slice_of(c->name), &name, &port);
    cleanup_free char *pod = slice_dup(name);
    struct sim_obj *o = sim_store_get(c->s, c->type, c->ns, pod);
    if (!o) return api_status_not_found(&c->f, c->type, pod);
    cleanup_free char *path = proxied(c);
    struct buf body = BUF(16 << 20);
    int status = 200;
    const char *type = "text/plain";
    int64_t delay = 0;
    ctl_pod_proxy(c->s, o, port, slice_of(path), &status, &type, &delay, &body);
    if (delay > 0) exchange_delay(c->x, delay);
    exchange_head(c->x, status, type, -1);
    exchange_body(c->x, buf_slice(&body));
    exchange_end(c->x, false);
    buf_free(&body);
    return 0;
}
