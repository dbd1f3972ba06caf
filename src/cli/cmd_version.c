/* handover version: what this program is. */
#include "cli/cli.h"
#include <stdio.h>

static int version_main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    printf("handover %s\n", HANDOVER_VERSION);
    return CLI_OK;
}

const struct cli_command cli_version = {"version", "Print the version", version_main};
