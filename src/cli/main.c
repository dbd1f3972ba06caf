/* handover: its subcommands. */
#include "commands.h"
#include "complete.h"
#include <errno.h>
#include <string.h>

static const struct cli_command *const commands[] = {
    &cli_run,     &cli_install, &cli_uninstall,  &cli_status,  &cli_get,     &cli_explain, &cli_promote,
    &cli_pause,   &cli_resume,  &cli_abort,      &cli_retry,   &cli_approve, &cli_diff,    &cli_undo,
    &cli_history, &cli_release, &cli_deadletter, &cli_doctor,  &cli_page,    &cli_judge,   &cli_rehearse,
    &cli_sim,     &cli_demo,    &cli_completion, &cli_version, NULL};
static const struct cli_program handover = {
    "handover", "Handover upgrades Kubernetes operators without losing work.", commands};

/* kubectl runs a program of the name kubectl-handover as `kubectl handover`, and kubectl_complete-handover for the Tab key. */
int main(int argc, char **argv) {
    static char plugin[] = "kubectl handover";
    if (strcmp(program_invocation_short_name, "kubectl_complete-handover") == 0)
        return complete_main(&handover, argc, argv);
    if (argc > 1 && strcmp(argv[1], "__complete") == 0) return complete_main(&handover, argc - 1, argv + 1);
    if (strcmp(program_invocation_short_name, "kubectl-handover") == 0)
        program_invocation_short_name = plugin;
    return cli_main(&handover, argc, argv);
}
