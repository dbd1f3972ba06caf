/* Processes that the demo starts and stops. */
#include "child.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void in_child(const char *const *argv, const char *const *env, int log_fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the demo's end is their end */
    for (; env && *env; env++) putenv(xstrdup(*env));
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, STDIN_FILENO);
    dup2(log_fd, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char **copy = xcalloc(64, sizeof *copy); /* execv wants a mutable array; our callers pass few arguments */
    for (size_t i = 0; i < 63 && argv[i]; i++) copy[i] = xstrdup(argv[i]);
    execv(copy[0], copy);
    _exit(127);
}

int child_start(struct child *c, const char *const *argv, const char *const *env, const char *log_path,
                struct err *err) {
    int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return err_set(err, ERR_CONFIG, -errno, "%s: %s", log_path, strerror(errno));
    pid_t pid = fork();
    if (pid == 0) in_child(argv, env, fd);
    int errnum = errno;
    close(fd);
    if (pid < 0) return err_set(err, ERR_CONFIG, -errnum, "cannot start %s: %s", argv[0], strerror(errnum));
    *c = (struct child){.pid = pid};
    return 0;
}

void child_signal(struct child *c, int signo) {
    if (c->pid > 0) kill(c->pid, signo);
}

bool child_ended(struct child *c) {
    if (c->pid <= 0) return true;
    int status;
    if (waitpid(c->pid, &status, WNOHANG) != c->pid) return false;
    *c = (struct child){.status = status};
    return true;
}

int child_exit_code(const struct child *c) {
    return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
}

void child_kill(struct child *c) {
    int status;
    if (child_ended(c)) return;
    child_signal(c, SIGKILL);
    if (waitpid(c->pid, &status, 0) == c->pid) *c = (struct child){.status = status};
}
