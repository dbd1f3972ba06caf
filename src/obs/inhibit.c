/* logind's delay inhibitors: what is asked, what is answered. The connection itself is in dbus.c. */
#include "obs/inhibit.h"
#include "dbus.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define LOGIND         "org.freedesktop.login1"
#define LOGIND_PATH    "/org/freedesktop/login1"
#define LOGIND_MANAGER "org.freedesktop.login1.Manager"
#define DEFAULT_DELAY  (5 * NS_PER_S) /* logind's own InhibitDelayMaxSec */
#define USELESS_DELAY  NS_PER_S /* below it a service manager's SIGTERM gives more time than the inhibitor */

struct lock {
    struct inhibit *owner;
    const char *what, *signal;
    int fd;      /* -1: not held */
    bool wanted; /* false: let go of until the host stays, or is back */
    bool going;
};
struct inhibit {
    struct world *world;
    struct inhibit_config cfg;
    struct dbus *bus;
    struct lock locks[INHIBIT_WHATS];
    int64_t delay_ns;
    char *logind; /* the unique name of who answered us: only its announcements are believed */
    bool said;    /* why it does not work */
};

static void complain(struct inhibit *i, const char *what, const char *why) {
    if (i->said) return;
    i->said = true;
    LOG_EVENT(i->cfg.log, i->cfg.level, "InhibitorUnavailable",
              "no inhibitor lock: the host does not wait for a drain", LF_STR("what", what),
              LF_STR("reason", why));
}

static void drop(struct lock *l) {
    if (l->fd >= 0) close(l->fd);
    l->fd = -1;
}

/* ---- asking ---- */

static int on_lock(sd_bus_message *m, void *ctx, sd_bus_error *ret) {
    struct lock *l = ctx;
    struct inhibit *i = l->owner;
    int fd;
    (void)ret;
    if (sd_bus_message_is_method_error(m, NULL)) {
        complain(i, l->what, sd_bus_message_get_error(m)->message);
        return 0;
    }
    if (sd_bus_message_read(m, "h", &fd) < 0 || (fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0) {
        complain(i, l->what, "logind's answer has no file descriptor");
        return 0;
    }
    drop(l); /* of an earlier logind */
    l->fd = fd;
    l->going = false;
    if (!l->wanted) drop(l); /* let go of in the meantime */
    i->said = false;
    LOG_EVENT(i->cfg.log, LOG_DEBUG, "InhibitorTaken", "inhibitor lock taken", LF_STR("what", l->what),
              LF_DUR("max_delay", i->delay_ns));
    return 0;
}

static void ask(struct lock *l) {
    if (!l->wanted) return;
    int r = dbus_call(l->owner->bus, LOGIND, LOGIND_PATH, LOGIND_MANAGER, "Inhibit", on_lock, l, "ssss",
                      l->what, "handover", "The lease is released first, and work in flight ends", "delay");
    if (r < 0) complain(l->owner, l->what, strerror(-r));
}

static int on_delay(sd_bus_message *m, void *ctx, sd_bus_error *ret) {
    struct inhibit *i = ctx;
    uint64_t usec;
    (void)ret;
    i->delay_ns = DEFAULT_DELAY;
    if (sd_bus_message_is_method_error(m, NULL)) {
        if (dbus_nobody_there(m)) { /* its name will tell when it is */
            complain(i, "logind", sd_bus_message_get_error(m)->message);
            return 0;
        }
    } else if (sd_bus_message_read(m, "v", "t", &usec) >= 0) {
        i->delay_ns = usec > (uint64_t)(INT64_MAX / NS_PER_US) ? INT64_MAX : (int64_t)usec * NS_PER_US;
    }
    free(i->logind);
    i->logind = xstrdup_null(sd_bus_message_get_sender(m));
    if (i->delay_ns < USELESS_DELAY) {
        complain(i, "InhibitDelayMaxSec", "logind waits for less than 1s");
        return 0;
    }
    for (int k = 0; k < INHIBIT_WHATS; k++) ask(&i->locks[k]);
    return 0;
}

static void ask_all(struct inhibit *i) {
    int r = dbus_call(i->bus, LOGIND, LOGIND_PATH, "org.freedesktop.DBus.Properties", "Get", on_delay, i,
                      "ss", LOGIND_MANAGER, "InhibitDelayMaxUSec");
    if (r < 0) complain(i, "logind", strerror(-r));
}

/* ---- announcements ---- */

/* A match rule names the sender, but a message that is addressed to us needs no rule: any process may send one. */
static bool from_logind(const struct inhibit *i, sd_bus_message *m) {
    const char *sender = sd_bus_message_get_sender(m);
    return sender && i->logind && strcmp(sender, i->logind) == 0;
}

static int on_prepare(sd_bus_message *m, void *ctx, sd_bus_error *ret) {
    struct lock *l = ctx;
    struct inhibit *i = l->owner;
    int going;
    (void)ret;
    if (!from_logind(i, m) || sd_bus_message_read(m, "b", &going) < 0) return 0;
    LOG_EVENT(i->cfg.log, LOG_DEBUG, "HostPrepares", "logind signal received", LF_STR("what", l->what),
              LF_INT("begins", going));
    if (!going) {
        l->going = false;
        l->wanted = true;
        if (l->fd < 0) ask(l);
    } else if (l->fd >= 0 && !l->going) {
        l->going = true;
        i->cfg.going(i->cfg.ctx, (enum inhibit_what)(l - i->locks), i->delay_ns);
    }
    return 0;
}

/* The old inhibitors are kept while logind is away: one that comes back may still honour them. */
static int on_owner(sd_bus_message *m, void *ctx, sd_bus_error *ret) {
    struct inhibit *i = ctx;
    const char *name, *before, *now, *sender = sd_bus_message_get_sender(m);
    (void)ret;
    if (!sender || strcmp(sender, "org.freedesktop.DBus") != 0) return 0;
    if (sd_bus_message_read(m, "sss", &name, &before, &now) < 0 || strcmp(name, LOGIND) != 0) return 0;
    if (*now) ask_all(i);
    return 0;
}

static void on_bus(void *ctx) {
    struct inhibit *i = ctx;
    for (int k = 0; k < INHIBIT_WHATS; k++)
        dbus_match(i->bus, LOGIND, LOGIND_PATH, LOGIND_MANAGER, i->locks[k].signal, NULL, on_prepare,
                   &i->locks[k]);
    dbus_match(i->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
               "NameOwnerChanged", LOGIND, on_owner, i);
    ask_all(i);
}

/* Who does not hear an announcement must not make the host wait for an answer to it. */
static void on_bus_lost(void *ctx, int error) {
    struct inhibit *i = ctx;
    complain(i, "bus", strerror(-error));
    for (int k = 0; k < INHIBIT_WHATS; k++)
        if (!i->locks[k].going) drop(&i->locks[k]);
}

/* ---- coming and going ---- */

struct inhibit *inhibit_start(struct world *w, const struct inhibit_config *cfg) {
    struct inhibit *i = xcalloc(1, sizeof *i);
    *i = (struct inhibit){.world = w, .cfg = *cfg, .delay_ns = DEFAULT_DELAY};
    i->locks[INHIBIT_SHUTDOWN] = (struct lock){i, "shutdown", "PrepareForShutdown", -1, true, false};
    i->locks[INHIBIT_SLEEP] = (struct lock){i, "sleep", "PrepareForSleep", -1, true, false};
    i->bus = dbus_start(w, on_bus, on_bus_lost, i);
    return i;
}

void inhibit_let_go(struct inhibit *i, enum inhibit_what what) {
    drop(&i->locks[what]);
    i->locks[what].wanted = false;
}

void inhibit_stop(struct inhibit *i) {
    if (!i) return;
    dbus_stop(i->bus);
    for (int k = 0; k < INHIBIT_WHATS; k++) drop(&i->locks[k]);
    free(i->logind);
    free(i);
}
