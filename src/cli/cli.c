/* Picks the subcommand from a program's table, and the help that lists them. */
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void help(const struct cli_program *p, FILE *to) {
    fprintf(to, "%s\n\nUsage: %s COMMAND [OPTION...]\n\n", p->summary, program_invocation_short_name);
    for (size_t i = 0; p->commands[i]; i++)
        fprintf(to, "  %-10s %s\n", p->commands[i]->name, p->commands[i]->summary);
    fprintf(to, "\n`%s COMMAND -h` says more about one of them.\n", program_invocation_short_name);
}

int cli_main(const struct cli_program *p, int argc, char **argv) {
    if (argc < 2) {
        help(p, stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help(p, stdout);
        return CLI_OK;
    }
    if (strcmp(name, "--version") == 0) name = "version";
    for (size_t i = 0; p->commands[i]; i++)
        if (strcmp(p->commands[i]->name, name) == 0) return p->commands[i]->main(argc - 1, argv + 1);
    fprintf(stderr, "%s: there is no command \"%s\"\n\n", program_invocation_short_name, name);
    help(p, stderr);
    return CLI_USAGE;
}
