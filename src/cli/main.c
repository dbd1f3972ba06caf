/* handover: its subcommands. */
#include "commands.h"

static const struct cli_command *const commands[] = {
    &cli_run,   &cli_status, &cli_explain, &cli_promote, &cli_pause, &cli_resume,  &cli_abort,
    &cli_retry, &cli_undo,   &cli_judge,   &cli_sim,     &cli_demo,  &cli_version, NULL};
static const struct cli_program handover = {
    "handover", "Handover upgrades Kubernetes operators without losing work.", commands};

int main(int argc, char **argv) {
    return cli_main(&handover, argc, argv);
}
