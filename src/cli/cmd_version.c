/* handover version: what this program is. */
#include "commands.h"
#include "common.h"

static error_t parse(int key, char *arg, struct argp_state *st) {
    if (key != ARGP_KEY_ARG) return ARGP_ERR_UNKNOWN;
    argp_error(st, "\"%s\": version takes no arguments", arg);
    return 0;
}

static int version_main(int argc, char **argv) {
    struct argp argp = {.parser = parse, .doc = "Prints the version."};
    int bad = cli_parse(&argp, argc, argv, NULL);
    if (bad) return bad;
    printf("%s %s\n", program_invocation_short_name, HANDOVER_VERSION);
    return CLI_OK;
}

const struct cli_command cli_version = {"version", "Print the version", version_main};
