/* See rehearse_child.h. */
#include "rehearse_child.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void in_child(char *const *argv, const char *const *env, const struct rlimit *files, int failed) {
    setpgid(0, 0);
    setrlimit(RLIMIT_NOFILE, files);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* our end is its end */
    for (; *env; env++) putenv(xstrdup(*env));
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], argv);
    int e = errno;
    (void)!write(failed, &e, sizeof e);
    _exit(127);
}

int rehearse_child_start(struct rehearse_child *c, char *const *argv, const char *const *env,
                         const struct rlimit *files, struct err *err) {
    int fds[2], e = 0;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_set(err, ERR_CONFIG, -errno, "%s: %s", argv[0], strerror(errno));
    pid_t pid = fork();
    if (pid == 0) in_child(argv, env, files, fds[1]);
    if (pid < 0) e = errno;
    close(fds[1]);
    if (pid > 0 && read(fds[0], &e, sizeof e) != sizeof e) e = 0; /* closed by exec: it runs */
    close(fds[0]);
    if (e && pid > 0) waitpid(pid, NULL, 0);
    if (e) return err_set(err, ERR_CONFIG, -e, "cannot start %.200s: %s", argv[0], strerror(e));
    setpgid(pid, pid);
    *c = (struct rehearse_child){.pid = pid};
    return 0;
}

void rehearse_child_signal(const struct rehearse_child *c, int signo) {
    if (c->pid > 0) kill(-c->pid, signo);
}

bool rehearse_child_ended(struct rehearse_child *c) {
    siginfo_t info = {0};
    int status = 0;
    if (c->pid <= 0) return true;
    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != c->pid)
        return false;
    rehearse_child_signal(c, SIGKILL); /* before its number can be another's */
    waitpid(c->pid, &status, 0);
    *c = WIFSIGNALED(status) ? (struct rehearse_child){.signal = WTERMSIG(status)}
                             : (struct rehearse_child){.code = WEXITSTATUS(status)};
    return true;
}
