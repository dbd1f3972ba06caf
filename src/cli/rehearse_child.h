/* The operator that is rehearsed: a program in a process group of its own, what it prints on our standard error. */
#ifndef CLI_REHEARSE_CHILD_H
#define CLI_REHEARSE_CHILD_H
#include "base/err.h"
#include <sys/resource.h>
#include <sys/types.h>

struct rehearse_child {
    pid_t pid;        /* 0: none, or ended */
    int code, signal; /* of one that has ended; signal: by which, 0: by itself */
};
/* env: "K=V", added to our own environment. files: its limit of open files. err: the program cannot be started. */
int rehearse_child_start(struct rehearse_child *c, char *const *argv, const char *const *env,
                         const struct rlimit *files, struct err *err);
void rehearse_child_signal(const struct rehearse_child *c, int signo); /* to its whole group */
/* Once it has ended, what it has left of its group is killed. */
bool rehearse_child_ended(struct rehearse_child *c);
#endif
