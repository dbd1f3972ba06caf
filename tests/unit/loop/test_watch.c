/* Watched file descriptors. */
#include "../case.h"
#include "base/mem.h"
#include "loop/loop.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct loop *l;
    struct world *w;
    int fd[2];
    struct fd_watch *watch;
    unsigned seen, calls;
    bool free_inside;
    struct timer *timer;
};

static void stop(void *ctx) {
    struct fixture *f = ctx;
    loop_stop(f->l);
}

static int setup(void **state) {
    struct fixture *f = xcalloc(1, sizeof *f);
    f->l = loop_new();
    f->w = loop_world(f->l);
    f->timer = timer_new(f->w, stop, f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->fd), 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    timer_free(f->timer);
    loop_free(f->l); /* with what is still watched */
    for (int i = 0; i < 2; i++)
        if (f->fd[i] >= 0) close(f->fd[i]);
    free(f);
    return 0;
}

static void on_ready(void *ctx, unsigned ready) {
    struct fixture *f = ctx;
    f->seen |= ready;
    f->calls++;
    if (f->free_inside) {
        fd_watch_free(f->watch);
        f->watch = NULL;
    }
    loop_stop(f->l);
}

CASE_IN(setup, teardown, only_wanted_events_are_reported) {
    struct fixture *f = *state;
    assert_int_equal(world_watch_fd(f->w, f->fd[0], on_ready, f, &f->watch), 0);
    assert_int_equal(write(f->fd[1], "x", 1), 1);
    timer_in(f->timer, NS_PER_MS);
    loop_run(f->l); /* nothing is wanted yet: the timer ends it */
    assert_int_equal(f->calls, 0);
    fd_watch_want(f->watch, FD_READ);
    loop_run(f->l);
    assert_int_equal(f->seen, FD_READ);
    loop_run(f->l); /* again, as long as it has not been read */
    assert_int_equal(f->calls, 2);
    fd_watch_want(f->watch, FD_READ | FD_WRITE);
    loop_run(f->l);
    assert_int_equal(f->seen, FD_READ | FD_WRITE);
    fd_watch_want(f->watch, 0);
    timer_in(f->timer, NS_PER_MS);
    loop_run(f->l);
    assert_int_equal(f->calls, 3);
}

CASE_IN(setup, teardown, the_end_is_reported) {
    struct fixture *f = *state;
    assert_int_equal(world_watch_fd(f->w, f->fd[0], on_ready, f, &f->watch), 0);
    fd_watch_want(f->watch, FD_READ);
    close(f->fd[1]);
    f->fd[1] = -1;
    loop_run(f->l);
    assert_int_equal(f->seen, FD_READ);
}

CASE_IN(setup, teardown, freed_inside_its_own_callback) {
    struct fixture *f = *state;
    assert_int_equal(world_watch_fd(f->w, f->fd[0], on_ready, f, &f->watch), 0);
    f->free_inside = true;
    fd_watch_want(f->watch, FD_WRITE);
    loop_run(f->l);
    timer_in(f->timer, NS_PER_MS);
    loop_run(f->l);
    assert_int_equal(f->calls, 1);
}

/* The number is given away while it is watched, and means a pipe that is always ready: nobody is called for
 * that. */
CASE_IN(setup, teardown, the_owner_may_close_it) {
    struct fixture *f = *state;
    int fd = f->fd[0];
    assert_int_equal(world_watch_fd(f->w, fd, on_ready, f, &f->watch), 0);
    fd_watch_want(f->watch, FD_READ);
    int null = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_true(null >= 0);
    assert_int_equal(dup2(null, fd), fd); /* closes the socket */
    close(null);
    timer_in(f->timer, NS_PER_MS);
    loop_run(f->l);
    assert_int_equal(f->calls, 0);
    fd_watch_free(f->watch);
    timer_in(f->timer, NS_PER_MS);
    loop_run(f->l);
    char c;
    assert_int_equal(recv(f->fd[1], &c, 1, MSG_DONTWAIT), 0); /* the duplicate went with the watch */
}

CASE_IN(setup, teardown, what_cannot_be_watched_is_refused) {
    struct fixture *f = *state;
    char path[] = "/tmp/handover-test-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    assert_int_equal(world_watch_fd(f->w, fd, on_ready, f, &f->watch), -EPERM);
    close(fd);
    assert_int_equal(world_watch_fd(f->w, 1 << 20, on_ready, f, &f->watch), -EBADF);
    assert_null(f->watch);
    fd_watch_free(NULL);
}

CASES("loop/watch")
