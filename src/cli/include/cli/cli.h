/* The subcommands and their table. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };
struct cli_command {
    const char *name, *summary;
    int (*main)(int argc, char **argv); /* argv[0] is the subcommand's name; returns the exit code */
};
extern const struct cli_command cli_run, cli_status, cli_sim, cli_demo, cli_version;
int cli_main(int argc, char **argv);
#endif
