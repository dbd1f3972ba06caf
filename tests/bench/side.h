/* What a bench's process has: a loop with the network, and a client of the API server. Aborts with the reason. */
#ifndef BENCH_SIDE_H
#define BENCH_SIDE_H
#include "kube/client.h"
#include "net/net.h"
#include <stdio.h>

struct side {
    struct loop *loop;
    struct net *net;
    struct world *world;
    struct kube_config *config;
    struct kube *kube;
};

static inline void side_die(const struct err *err) {
    fprintf(stderr, "bench: %s\n", err->msg);
    exit(1);
}

static inline void side_open(struct side *s, const struct kube_config_spec *spec, struct metrics *m) {
    struct err err = {0};
    s->loop = loop_new();
    s->net = net_install(s->loop);
    s->world = loop_world(s->loop);
    if (kube_config_load(s->world, NULL, spec, &s->config, &err) < 0) side_die(&err);
    s->kube = kube_new(s->world, s->config, NULL, m);
}

static inline void side_close(struct side *s) {
    kube_free(s->kube);
    kube_config_free(s->config);
    net_uninstall(s->net);
    loop_free(s->loop);
}
#endif
