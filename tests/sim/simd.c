/* The embedded API server as a program, for tests: simd ADDR [SCRIPT...]. Prints its port, ends on SIGTERM. */
#include "loop/loop.h"
#include "net/net.h"
#include "sim/host.h"
#include <signal.h>
#include <stdio.h>

static void stop(void *ctx) {
    loop_stop(ctx);
}

int main(int argc, char **argv) {
    struct err err = {0};
    struct loop *l = loop_new();
    struct net *n = net_install(l);
    struct world *w = loop_world(l);
    struct sim_config cfg = {.seed = 1, .wall_ns = world_wall_ns(w)};
    struct sim_host *h = NULL;
    int r = sim_host_start(w, argc > 1 ? argv[1] : "127.0.0.1:0", &cfg, &h, &err);
    for (int i = 2; i < argc && r == 0; i++) r = sim_script(sim_host_sim(h), slice_of(argv[i]), &err);
    if (r < 0) {
        fprintf(stderr, "simd: %s\n", err.msg);
    } else {
        printf("%d\n", sim_host_port(h));
        fflush(stdout);
        world_on_signal(w, SIGTERM, stop, l);
        world_on_signal(w, SIGINT, stop, l);
        loop_run(l);
    }
    sim_host_stop(h);
    net_uninstall(n);
    loop_free(l);
    return r < 0;
}
