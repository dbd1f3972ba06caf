/* handover-sim serve: the embedded API server for kubectl, tests and experiments. */
#include "commands.h"
#include "common.h"
#include "sim/host.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPT_LISTEN = 0x2000, OPT_SCRIPT, OPT_LOAD, OPT_SEED, OPT_KUBERNETES, SCRIPTS = 64 };

static const struct argp_option options[] = {
    {"listen", OPT_LISTEN, "ADDRESS", 0,
     "Where to listen (127.0.0.1:8001); port 0 takes any free one and prints it", 1},
    {"script", OPT_SCRIPT, "JSON", 0,
     "How pods of an image behave, see docs/reference/sim.md; may be repeated", 1},
    {"load", OPT_LOAD, "FILE", 0, "Objects to begin with, YAML or JSON", 1},
    {"kubernetes", OPT_KUBERNETES, "RELEASE", 0,
     "Whose manners it has: 1.37 (default), 1.33 without streaming lists, 1.20 or 1.18", 1},
    {"seed", OPT_SEED, "N", 0, "Of everything random (1)", 1},
    {0},
};

struct sim_run {
    const char *listen, *load;
    const char *scripts[SCRIPTS];
    size_t nscripts;
    uint64_t seed;
    enum sim_release release;
    struct cli_world world;
};

static error_t set_release(struct argp_state *st, struct sim_run *r, const char *arg) {
    static const char *const names[] = {[SIM_RELEASE_1_18] = "1.18",
                                        [SIM_RELEASE_1_20] = "1.20",
                                        [SIM_RELEASE_1_33] = "1.33",
                                        [SIM_RELEASE_1_37] = "1.37"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], arg) != 0) continue;
        r->release = (enum sim_release)i;
        return 0;
    }
    argp_error(st, "--kubernetes: read \"%s\"; allowed are 1.18, 1.20, 1.33, 1.37", arg);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct sim_run *r = st->input;
    switch (key) {
    case OPT_LISTEN: r->listen = arg; return 0;
    case OPT_LOAD: r->load = arg; return 0;
    case OPT_SEED: r->seed = (uint64_t)cli_number(st, "seed", arg, 0, 1000000000); return 0;
    case OPT_KUBERNETES: return set_release(st, r, arg);
    case OPT_SCRIPT:
        if (r->nscripts == SCRIPTS)
            argp_error(st, "--script: at most %d", (int)SCRIPTS);
        else
            r->scripts[r->nscripts++] = arg;
        return 0;
    case ARGP_KEY_ARG: argp_error(st, "\"%s\": serve takes options only", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void on_signal(void *ctx) {
    struct sim_run *r = ctx;
    loop_stop(r->world.loop);
}

static int start(struct sim_run *r, struct sim_host **ret, struct err *err) {
    struct sim_config cfg = {
        .seed = r->seed, .wall_ns = world_wall_ns(r->world.world), .release = r->release};
    int rc = sim_host_start(r->world.world, r->listen, &cfg, ret, err);
    if (rc) return err_wrap(err, "--listen=%s", r->listen);
    for (size_t i = 0; i < r->nscripts; i++) {
        rc = sim_script(sim_host_sim(*ret), slice_of(r->scripts[i]), err);
        if (rc) return err_wrap(err, "--script=%s", r->scripts[i]);
    }
    if (!r->load) return 0;
    enum { LOAD_MAX = 1 << 30 };
    cleanup_buf struct buf text = BUF(LOAD_MAX);
    rc = world_read_file(r->world.world, r->load, LOAD_MAX, &text, err);
    if (rc == 0) rc = sim_host_load(*ret, buf_slice(&text), err);
    return rc ? err_wrap(err, "--load=%s", r->load) : 0;
}

static int serve_main(int argc, char **argv) {
    struct argp argp = {
        options, parse,
        NULL,    "An API server in memory, with Deployments that roll and pods that behave as scripted.",
        NULL,    NULL,
        NULL};
    struct sim_run r = {.listen = "127.0.0.1:8001", .seed = 1, .release = SIM_RELEASE_1_37};
    struct sim_host *host = NULL;
    struct err err = {0};
    int bad = cli_parse(&argp, argc, argv, &r);
    if (bad) return bad;
    cli_world_open(&r.world, CLI_LOG_TEXT, LOG_INFO);
    int rc = start(&r, &host, &err);
    if (rc == 0) {
        printf(
            "listening on http://127.0.0.1:%d\ntry: kubectl --server=http://127.0.0.1:%d get deployments\n",
            sim_host_port(host), sim_host_port(host));
        fflush(stdout);
        world_on_signal(r.world.world, SIGINT, on_signal, &r);
        world_on_signal(r.world.world, SIGTERM, on_signal, &r);
        loop_run(r.world.loop);
    } else {
        (void)cli_fail(&err);
    }
    sim_host_stop(host);
    cli_world_close(&r.world);
    return rc ? CLI_FAILED : CLI_OK;
}

const struct cli_command cli_serve = {"serve", "Run the embedded API server", serve_main};
