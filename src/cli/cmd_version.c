/* handover version: what this program is. */
#include "commands.h"
#include <errno.h>
#include <stdio.h>

static int version_main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    printf("%s %s\n", program_invocation_short_name, HANDOVER_VERSION);
    return CLI_OK;
}

const struct cli_command cli_version = {"version", "Print the version", version_main};
