/* Processes: no shell, an empty stdin, stdout and stderr collected up to a cap, the whole process group
 * killed at the deadline. A process ends for its owner when it has exited and both pipes are at their end, or
 * shortly after its exit when a grandchild keeps them open. */
#include "loop_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIPE_GRACE (500 * NS_PER_MS) /* how long after the exit a pipe may stay open */

extern char **environ;

struct stream {
    uv_pipe_t pipe;
    struct buf text;
    bool ended, over;
};
struct loop_proc {
    struct proc base;
    struct loop *loop;
    struct list node; /* in loop.procs */
    uv_process_t child;
    struct stream out, errout;
    int open; /* handles not yet closed: the memory goes with the last one */
    struct timer *timer;
    int64_t timeout_ns;
    bool exited, timed_out;
    int exit_code;
    void (*done)(void *, const struct err *, int, struct slice,
                 struct slice); /* NULL: cancelled, or called */
    void *ctx;
    char *name;
    char chunk[4096]; /* where both pipes are read into, one at a time */
};

static void on_closed(uv_handle_t *handle) {
    struct loop_proc *p = handle->data;
    if (--p->open > 0) return;
    buf_free(&p->out.text);
    buf_free(&p->errout.text);
    free(p->name);
    free(p);
}

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, on_closed);
}

/* It leads a group of its own (setsid), so that its children die with it. Until it is reaped the id cannot be
 * reused. */
static void kill_group(struct loop_proc *p) {
    if (p->exited) return;
    if (kill(-p->child.pid, SIGKILL) < 0) (void)kill(p->child.pid, SIGKILL);
}

static void release(struct loop_proc *p) {
    list_remove(&p->node);
    timer_free(p->timer);
    p->timer = NULL;
    close_handle((uv_handle_t *)&p->out.pipe);
    close_handle((uv_handle_t *)&p->errout.pipe);
    close_handle((uv_handle_t *)&p->child);
}

static void maybe_done(struct loop_proc *p) {
    if (!p->exited || !p->out.ended || !p->errout.ended) return;
    struct err err = {0};
    if (p->timed_out) {
        char limit[32];
        duration_format(p->timeout_ns, limit);
        err_set(&err, ERR_TIMEOUT, -ETIMEDOUT, "%s did not end within %s and was killed", p->name, limit);
    } else if (p->out.over) {
        err_set(&err, ERR_PROTOCOL, -EFBIG, "%s printed more than %zu bytes and was killed", p->name,
                p->out.text.max);
    }
    if (p->done) {
        p->done(p->ctx, err.kind ? &err : NULL, p->exit_code, buf_slice(&p->out.text),
                buf_slice(&p->errout.text));
    }
    p->done = NULL;
    release(p);
}

static void on_time(void *ctx) {
    struct loop_proc *p = ctx;
    if (!p->exited) {
        p->timed_out = true;
        kill_group(p);
    } else {
        p->out.ended = p->errout.ended = true;
        maybe_done(p);
    }
}

static void on_exit_status(uv_process_t *handle, int64_t status, int signo) {
    struct loop_proc *p = handle->data;
    p->exited = true;
    p->exit_code = signo ? 128 + signo : (int)status;
    if (!p->done) { /* cancelled: it was only waiting to be reaped */
        p->out.ended = p->errout.ended = true;
    } else if (!p->out.ended || !p->errout.ended) {
        timer_in(p->timer, PIPE_GRACE);
    }
    maybe_done(p);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret) {
    struct loop_proc *p = handle->data;
    (void)suggested;
    *ret = uv_buf_init(p->chunk, sizeof p->chunk);
}

/* stdout above its cap is an error, for half a JSON document is worse than none; of stderr the first part is
 * enough. */
static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf) {
    struct loop_proc *p = handle->data;
    struct stream *s = handle == (uv_stream_t *)&p->out.pipe ? &p->out : &p->errout;
    if (n < 0) {
        s->ended = true;
        uv_read_stop(handle);
        maybe_done(p);
        return;
    }
    size_t room = s->text.max - s->text.n, take = (size_t)n < room ? (size_t)n : room;
    buf_add(&s->text, slice_make(buf->base, take));
    if (take == (size_t)n) return;
    s->over = true;
    if (s == &p->out) kill_group(p);
}

static void cancel(struct proc *base) {
    struct loop_proc *p = container_of(base, struct loop_proc, base);
    p->done = NULL;
    timer_stop(p->timer);
    if (p->exited) {
        release(p);
    } else {
        kill_group(p); /* the rest follows when it has been reaped */
    }
}

/* Our own environment with the given entries added or replaced; the strings are borrowed. free() the array.
 */
static char **make_env(const char *const *extra) {
    size_t ours = 0, more = 0, n = 0;
    while (environ[ours]) ours++;
    while (extra && extra[more]) more++;
    char **env = xcalloc(ours + more + 1, sizeof *env);
    for (size_t i = 0; i < ours; i++) {
        struct slice key, rest;
        bool replaced = false;
        slice_cut(slice_of(environ[i]), '=', &key, &rest);
        for (size_t k = 0; k < more && !replaced; k++)
            replaced = strncmp(extra[k], environ[i], key.n) == 0 && extra[k][key.n] == '=';
        if (!replaced) env[n++] = environ[i];
    }
    for (size_t k = 0; k < more; k++) {
        env[n] = (char *)(uintptr_t)extra[k]; /* execve() takes char *, and changes nothing */
        n++;
    }
    return env;
}

/* A real pipe rather than libuv's socket pair: programs that open /dev/stdout cannot open a socket. */
static int open_stream(struct loop_proc *p, struct stream *s, size_t cap, int *ret_write_end) {
    int fd[2];
    uv_pipe_init(&p->loop->uv, &s->pipe, 0);
    s->pipe.data = p;
    p->open++;
    buf_init(&s->text, cap);
    if (pipe2(fd, O_CLOEXEC) < 0) return -errno;
    int r = uv_pipe_open(&s->pipe, fd[0]);
    if (r < 0) {
        close(fd[0]);
        close(fd[1]);
        return r;
    }
    *ret_write_end = fd[1];
    return 0;
}

static int start(struct loop_proc *p, const struct spawn *s) {
    int out = -1, errout = -1;
    int r = open_stream(p, &p->out, s->cap, &out);
    int r2 = open_stream(p, &p->errout, s->cap, &errout);
    if (r == 0) r = r2;
    cleanup_free char **env = make_env(s->env);
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE},
                                     {.flags = UV_INHERIT_FD, .data.fd = out},
                                     {.flags = UV_INHERIT_FD, .data.fd = errout}};
    uv_process_options_t o = {
        .exit_cb = on_exit_status,
        .file = s->argv[0],
        .args = (char **)(uintptr_t)s->argv,
        .env = env,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio,
    };
    p->child.data = p;
    p->open++;
    if (r == 0) {
        r = uv_spawn(&p->loop->uv, &p->child, &o);
    } else {
        p->open--;
    }
    if (out >= 0) close(out);
    if (errout >= 0) close(errout);
    return r;
}

int loop_spawn(struct world *w, const struct spawn *s, struct proc **ret, struct err *err) {
    if (!s->argv || !s->argv[0] || !s->done) return err_set(err, ERR_CONFIG, -EINVAL, "no program to run");
    struct loop_proc *p = xcalloc(1, sizeof *p);
    p->base.cancel = cancel;
    p->loop = loop_from(w);
    p->name = xstrdup(s->argv[0]);
    p->done = s->done;
    p->ctx = s->ctx;
    p->timeout_ns = s->timeout_ns;
    list_init(&p->node);
    int r = start(p, s);
    if (r < 0) {
        err_set(err, ERR_CONFIG, r, "cannot run %s: %s", p->name, uv_strerror(r));
        close_handle((uv_handle_t *)&p->out.pipe);
        close_handle((uv_handle_t *)&p->errout.pipe);
        if (p->child.loop) close_handle((uv_handle_t *)&p->child);
        return r;
    }
    list_push(&p->loop->procs, &p->node);
    uv_read_start((uv_stream_t *)&p->out.pipe, on_alloc, on_read);
    uv_read_start((uv_stream_t *)&p->errout.pipe, on_alloc, on_read);
    p->timer = timer_new(w, on_time, p);
    if (s->timeout_ns > 0) timer_in(p->timer, s->timeout_ns);
    *ret = &p->base;
    return 0;
}

/* A killed process is reaped here, for the loop will not do it any more; one that hangs in the kernel is left
 * to init. */
static void reap(pid_t pid) {
    for (int i = 0; i < 100 && waitpid(pid, NULL, WNOHANG) == 0; i++) {
        struct timespec ms = {.tv_nsec = NS_PER_MS};
        nanosleep(&ms, NULL);
    }
}

void loop_procs_close(struct loop *l) {
    list_each_safe(it, tmp, &l->procs) {
        struct loop_proc *p = container_of(it, struct loop_proc, node);
        p->done = NULL;
        kill_group(p);
        if (!p->exited) reap(p->child.pid);
        release(p);
    }
}
