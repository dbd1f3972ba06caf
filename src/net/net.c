/* HTTP comes into the real world here, and leaves it. */
#include "net_impl.h"
#include "server.h"

struct net *net_of(struct world *w) {
    return loop_uv(loop_of(w))->data;
}

void net_handle_closed(struct net *n) {
    if (--n->handles > 0) return;
    for (size_t i = 0; i < ARRAY_LEN(n->spare); i++) buf_free(&n->spare[i]);
    free(n);
}

static void on_closed(uv_handle_t *handle) {
    net_handle_closed(handle->data);
}

struct net *net_install(struct loop *l) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) abort();
    struct net *n = xcalloc(1, sizeof *n);
    n->loop = l;
    n->world = loop_world(l);
    loop_uv(l)->data = n;
    list_init(&n->tls);
    n->share = curl_share_init();
    if (!n->share) abort();
    curl_share_setopt(n->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_share_setopt(n->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    for (int i = 0; i < LANE_COUNT; i++) lane_init(n, &n->lanes[i], (enum http_lane)i);
    server_init(n);
    struct world_ops *ops = loop_ops(l);
    n->no_start = ops->http_start;
    n->no_listen = ops->http_listen;
    ops->http_start = request_start;
    ops->http_listen = listener_open;
    return n;
}

void net_uninstall(struct net *n) {
    if (!n) return;
    struct world_ops *ops = loop_ops(n->loop);
    ops->http_start = n->no_start;
    ops->http_listen = n->no_listen;
    server_close(n);
    uv_close((uv_handle_t *)&n->prepare, on_closed);
    uv_close((uv_handle_t *)&n->busy, on_closed);
    for (int i = 0; i < LANE_COUNT; i++) {
        lane_close(&n->lanes[i]);
        uv_close((uv_handle_t *)&n->lanes[i].idle, on_closed);
    }
    curl_share_cleanup(n->share);
    curl_global_cleanup();
}
