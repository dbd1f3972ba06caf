/* handover-sim: what runs without a cluster. */
#include "commands.h"

static const struct cli_command *const commands[] = {&cli_serve, &cli_demo_play, &cli_version, NULL};
static const struct cli_program handover_sim = {
    "handover-sim", "The embedded API server of Handover, for kubectl, tests and experiments.", commands};

int main(int argc, char **argv) {
    return cli_main(&handover_sim, argc, argv);
}
