/* A program of subcommands. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include <stddef.h>

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };
struct cli_command {
    const char *name, *summary;
    int (*main)(int argc, char **argv); /* argv[0] is the subcommand's name; returns the exit code */
};
struct cli_program {
    const char *name, *summary;
    const struct cli_command *const *commands; /* NULL-terminated */
};
/* Runs the subcommand that argv[1] names. Returns the exit code. */
int cli_main(const struct cli_program *program, int argc, char **argv);
#endif
