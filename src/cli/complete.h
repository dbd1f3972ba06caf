/* What a shell may put where the cursor is, from the table of commands and their options. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H
#include "cli/cli.h"

/* argv[1] to the last: the words behind the program's name; the last is completed, and may be "". Prints a line for each
 * proposal, "WORD" or "WORD\tWHAT IT IS", then ":4", or ":0" where it is a file: as kubectl expects it of its plugins. */
int complete_main(const struct cli_program *p, int argc, char **argv);
#endif
