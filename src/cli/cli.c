/* The table of subcommands and the help that lists them. */
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>

static const struct cli_command *const commands[] = {&cli_run, &cli_status, &cli_sim, &cli_demo,
                                                     &cli_version};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *to) {
    fputs("Handover upgrades Kubernetes operators without losing work.\n\nUsage: handover COMMAND "
          "[OPTION...]\n\n",
          to);
    for (unsigned i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n`handover COMMAND --help` says more about one of them.\n", to);
}

int cli_main(int argc, char **argv) {
    if (argc < 2) {
        help(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help(stdout);
        return CLI_OK;
    }
    if (strcmp(name, "--version") == 0) name = "version";
    for (unsigned i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i]->main(argc - 1, argv + 1);
    fprintf(stderr, "handover: there is no command \"%s\"\n\n", name);
    help(stderr);
    return CLI_USAGE;
}
