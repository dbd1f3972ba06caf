/* Every subcommand, one file each. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H
#include "cli/cli.h"

extern const struct cli_command cli_run, cli_status, cli_get, cli_explain, cli_promote, cli_pause, cli_resume,
    cli_abort, cli_retry, cli_approve, cli_diff, cli_undo, cli_judge, cli_sim, cli_demo, cli_completion,
    cli_history, cli_release, cli_deadletter, cli_doctor, cli_install, cli_uninstall, cli_page,
    cli_rehearse;                                         /* of handover */
extern const struct cli_command cli_serve, cli_demo_play; /* of handover-sim */
extern const struct cli_command cli_version;              /* of both */

/* Are these options that `run` takes (NULL: none)? If not, the process ends, as `run` would with them. */
void cli_run_check(char *const *args);
#endif
