/* Watched file descriptors. */
#include "loop_kit.h"
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

static void setup(struct fixture *f) {
    *f = (struct fixture){.l = loop_new()};
    f->w = loop_world(f->l);
    f->timer = timer_new(f->w, stop, f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->fd), 0);
    assert_int_equal(world_watch_fd(f->w, f->fd[0], on_ready, f, &f->watch), 0);
}

static void teardown(struct fixture *f) {
    timer_free(f->timer);
    loop_free(f->l); /* with what is still watched */
    for (int i = 0; i < 2; i++)
        if (f->fd[i] >= 0) close(f->fd[i]);
}

static void run_ms(struct fixture *f) {
    timer_in(f->timer, NS_PER_MS);
    loop_run(f->l);
}

LOOP_CASE(only_wanted_events_are_reported) {
    assert_int_equal(write(f->fd[1], "x", 1), 1);
    run_ms(f); /* nothing is wanted yet: the timer ends it */
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
    run_ms(f);
    assert_int_equal(f->calls, 3);
}

LOOP_CASE(the_end_is_reported) {
    fd_watch_want(f->watch, FD_READ);
    close(f->fd[1]);
    f->fd[1] = -1;
    loop_run(f->l);
    assert_int_equal(f->seen, FD_READ);
}

LOOP_CASE(freed_inside_its_own_callback) {
    f->free_inside = true;
    fd_watch_want(f->watch, FD_WRITE);
    loop_run(f->l);
    run_ms(f);
    assert_int_equal(f->calls, 1);
}

/* The number is given away while it is watched, and means a pipe that is always ready: nobody is called for
 * that. */
LOOP_CASE(the_owner_may_close_it) {
    fd_watch_want(f->watch, FD_READ);
    int null = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_true(null >= 0);
    assert_int_equal(dup2(null, f->fd[0]), f->fd[0]); /* closes the socket */
    close(null);
    run_ms(f);
    assert_int_equal(f->calls, 0);
    fd_watch_free(f->watch);
    run_ms(f);
    char c;
    assert_int_equal(recv(f->fd[1], &c, 1, MSG_DONTWAIT), 0); /* the duplicate went with the watch */
}

LOOP_CASE(what_cannot_be_watched_is_refused) {
    char path[] = "/tmp/handover-test-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    struct fd_watch *watch = NULL;
    assert_int_equal(world_watch_fd(f->w, fd, on_ready, f, &watch), -EPERM);
    close(fd);
    assert_int_equal(world_watch_fd(f->w, 1 << 20, on_ready, f, &watch), -EBADF);
    assert_null(watch);
    fd_watch_free(NULL);
}

CASES("loop/watch")
