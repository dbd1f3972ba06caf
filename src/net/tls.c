/* TLS material: copied once, shared by the requests that use it. libcurl borrows it, and compares the
 * contents when it looks for a connection to reuse, so that a connection made with other certificates is
 * never taken. */
#include "net_impl.h"

static bool same(const struct tls_mat *m, const struct http_tls *t) {
    if (m->id != t->id || m->insecure != t->insecure) return false;
    if (!slice_eq(slice_make(m->ca, m->nca), t->ca)) return false;
    if (!slice_eq(slice_make(m->cert, m->ncert), t->cert)) return false;
    if (!slice_eq(slice_make(m->key, m->nkey), t->key)) return false;
    return slice_eq(slice_of(m->server_name), slice_of(t->server_name));
}

static char *copy(struct slice s, size_t *ret_n) {
    *ret_n = s.n;
    return s.n ? slice_dup(s) : NULL;
}

struct tls_mat *tls_get(struct net *n, const struct http_tls *tls) {
    if (!tls) return NULL;
    list_each(it, &n->tls) {
        struct tls_mat *m = container_of(it, struct tls_mat, node);
        if (!same(m, tls)) continue;
        m->refs++;
        return m;
    }
    struct tls_mat *m = xcalloc(1, sizeof *m);
    m->refs = 1;
    m->id = tls->id;
    m->insecure = tls->insecure;
    m->ca = copy(tls->ca, &m->nca);
    m->cert = copy(tls->cert, &m->ncert);
    m->key = copy(tls->key, &m->nkey);
    m->server_name = tls->server_name && tls->server_name[0] ? xstrdup(tls->server_name) : NULL;
    list_push(&n->tls, &m->node);
    return m;
}

void tls_put(struct tls_mat *m) {
    if (!m || --m->refs > 0) return;
    list_remove(&m->node);
    if (m->key) explicit_bzero(m->key, m->nkey);
    free(m->key);
    free(m->cert);
    free(m->ca);
    free(m->server_name);
    free(m);
}
