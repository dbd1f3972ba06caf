/* handover sim, handover demo: starters of handover-sim, which is no part of the operator or its image. */
#include "base/mem.h"
#include "commands.h"
#include "sibling.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int become(const char *command, int argc, char **argv) {
    struct err err = {0};
    cleanup_free char *path = NULL, **args = xcalloc((size_t)argc + 2, sizeof *args),
                      *name = xstrdup(command);
    if (sibling_find("handover-sim", &path, &err)) {
        fprintf(stderr,
                "handover: %s\nIt is a program of its own and not in the container image. From a clone: "
                "./deploy/demo.sh, or `ninja -C build handover-sim`; then put it beside handover.\n",
                err.msg);
        return CLI_FAILED;
    }
    args[0] = path;
    args[1] = name;
    memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof *args);
    execv(path, args);
    fprintf(stderr, "handover: cannot start %s: %s\n", path, strerror(errno));
    return CLI_FAILED;
}

static int sim_main(int argc, char **argv) {
    return become("serve", argc, argv);
}

static int demo_main(int argc, char **argv) {
    return become("demo", argc, argv);
}

const struct cli_command cli_sim = {"sim", "Run the embedded API server (handover-sim serve)", sim_main};
const struct cli_command cli_demo = {
    "demo", "Watch the main job on an embedded API server (handover-sim demo)", demo_main};
