/* Processes that the demo starts and stops: a program with its environment, its output in a file. Only what
 * we started ourselves is ever signalled, by its id. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H
#include "base/err.h"
#include <sys/types.h>

struct child {
    pid_t pid;  /* 0: not running */
    int status; /* as waitpid() gave it, once ended */
};
/* argv and env ("K=V", added to ours) NULL-terminated; stdout and stderr are appended to log_path. */
int child_start(struct child *c, const char *const *argv, const char *const *env, const char *log_path,
                struct err *err);
void child_signal(struct child *c, int signo);
bool child_ended(struct child *c);          /* reaps it; true once it has ended (or never ran) */
int child_exit_code(const struct child *c); /* 128+signal when killed */
void child_kill(struct child *c);           /* SIGKILL if it still runs, and waits for its end */
#endif
