/* The system bus on the world's loop: a watched descriptor and a timer, as sd_bus_get_fd(3) asks for. Only
 * the opening is a direct call, and that of a local socket that does not wait. */
#include "dbus.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>

#define RETRY (30 * NS_PER_S)
enum { MESSAGES_A_TURN = 16 }; /* the rest next time: a flood on the bus must not starve the loop */

struct dbus {
    struct world *world;
    sd_bus *bus;
    struct fd_watch *watch;
    struct timer *timer; /* sd-bus's own time-outs, or the next try */
    world_fn up;
    void (*lost)(void *, int);
    void *ctx;
};

static void process(struct dbus *b);

static void hang_up(struct dbus *b) {
    fd_watch_free(b->watch);
    b->watch = NULL;
    b->bus = sd_bus_close_unref(b->bus); /* what waits to be sent is not waited for */
}

static void fail(struct dbus *b, int error) {
    hang_up(b);
    timer_in(b->timer, RETRY);
    b->lost(b->ctx, error);
}

static void on_ready(void *ctx, unsigned ready) {
    (void)ready;
    process(ctx);
}

/* sd-bus says until when it may be left alone, on CLOCK_MONOTONIC. */
static int arm(struct dbus *b) {
    uint64_t usec;
    int events = sd_bus_get_events(b->bus);
    int r = events < 0 ? events : sd_bus_get_timeout(b->bus, &usec);
    if (r < 0) return r;
    fd_watch_want(b->watch, (events & POLLIN ? FD_READ : 0) | (events & POLLOUT ? FD_WRITE : 0));
    if (usec > (uint64_t)(INT64_MAX / NS_PER_US)) {
        timer_stop(b->timer);
    } else {
        timer_in(b->timer, (int64_t)usec * NS_PER_US - world_mono_ns(b->world));
    }
    return 0;
}

static void process(struct dbus *b) {
    int r = 1;
    for (int n = 0; r > 0 && n < MESSAGES_A_TURN; n++) r = sd_bus_process(b->bus, NULL);
    if (r >= 0) r = arm(b);
    if (r < 0) fail(b, r);
}

static int open_bus(struct dbus *b) {
    int r = sd_bus_open_system(&b->bus);
    if (r < 0) return r;
    sd_bus_set_exit_on_disconnect(b->bus, 0);
    r = sd_bus_get_fd(b->bus);
    if (r >= 0) r = world_watch_fd(b->world, r, on_ready, b, &b->watch);
    return r;
}

static void on_timer(void *ctx) {
    struct dbus *b = ctx;
    if (b->bus) {
        process(b);
        return;
    }
    int r = open_bus(b);
    if (r < 0) {
        fail(b, r);
        return;
    }
    b->up(b->ctx); /* what it asks waits in sd-bus's queue until the bus has said hello */
    process(b);
}

struct dbus *dbus_start(struct world *w, world_fn up, void (*lost)(void *ctx, int error), void *ctx) {
    struct dbus *b = xcalloc(1, sizeof *b);
    *b = (struct dbus){.world = w, .up = up, .lost = lost, .ctx = ctx};
    b->timer = timer_new(w, on_timer, b);
    timer_in(b->timer, 0);
    return b;
}

void dbus_stop(struct dbus *b) {
    if (!b) return;
    hang_up(b);
    timer_free(b->timer);
    free(b);
}

int dbus_call(struct dbus *b, const char *to, const char *path, const char *interface, const char *member,
              sd_bus_message_handler_t fn, void *ctx, const char *types, ...) {
    sd_bus_message *m = NULL;
    va_list ap;
    int r = sd_bus_message_new_method_call(b->bus, &m, to, path, interface, member);
    va_start(ap, types);
    if (r >= 0) r = sd_bus_message_set_auto_start(m, 0);
    if (r >= 0) r = sd_bus_message_appendv(m, types, ap);
    va_end(ap);
    if (r >= 0) r = sd_bus_call_async(b->bus, NULL, m, fn, ctx, 0);
    sd_bus_message_unref(m);
    return r;
}

static int on_match(sd_bus_message *m, void *ctx, sd_bus_error *ret) {
    (void)m, (void)ctx, (void)ret;
    return 0; /* sd-bus's own handler closes the connection when a rule is refused */
}

void dbus_match(struct dbus *b, const char *from, const char *path, const char *interface, const char *member,
                const char *arg0, sd_bus_message_handler_t fn, void *ctx) {
    cleanup_free char *rule =
        xasprintf("type='signal',sender='%s',path='%s',interface='%s',member='%s'%s%s%s", from, path,
                  interface, member, arg0 ? ",arg0='" : "", arg0 ? arg0 : "", arg0 ? "'" : "");
    (void)sd_bus_add_match_async(b->bus, NULL, rule, fn, on_match, ctx);
}

bool dbus_nobody_there(sd_bus_message *error) {
    return sd_bus_message_is_method_error(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
           sd_bus_message_is_method_error(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}
