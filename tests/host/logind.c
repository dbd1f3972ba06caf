/* A stand-in for systemd-logind on a bus of the tests' own: Inhibit with a pipe, InhibitDelayMaxUSec, the two
 * announcements. Lines on stdin say what it does, lines on stdout what it saw:
 *   prepare shutdown|sleep yes|no   announces it                      -> told
 *   answer grant|refuse|hang        to Inhibit                        -> done
 *   restart                         loses the name and the inhibitors, and comes back   -> done
 *   away                            loses the name only               -> done
 *   back                            has it again                      -> done
 *   -> ready; asked WHAT MODE WHO; closed WHAT (the last holder of that inhibitor has let go)
 * Usage: logind [DELAY_USEC]; the bus is DBUS_SYSTEM_BUS_ADDRESS. */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME    "org.freedesktop.login1"
#define PATH    "/org/freedesktop/login1"
#define MANAGER "org.freedesktop.login1.Manager"
enum { MAX_LOCKS = 16 };
static struct lock {
    int fd;
    char what[32];
} locks[MAX_LOCKS];
static size_t nlocks;
static enum { GRANT, REFUSE, HANG } answer;
static uint64_t delay_usec = 5000000;

static void check(int r, const char *what) {
    if (r >= 0) return;
    fprintf(stderr, "logind: %s: %s\n", what, strerror(-r));
    exit(1);
}

static int on_inhibit(sd_bus_message *m, void *ctx, sd_bus_error *err) {
    const char *what, *who, *why, *mode;
    int fd[2];
    (void)ctx;
    check(sd_bus_message_read(m, "ssss", &what, &who, &why, &mode), "Inhibit");
    printf("asked %s %s %s\n", what, mode, who);
    if (answer == HANG) return 1;
    if (answer == REFUSE || nlocks == MAX_LOCKS || pipe2(fd, O_CLOEXEC) < 0)
        return sd_bus_error_set(err, SD_BUS_ERROR_ACCESS_DENIED, "Permission denied");
    locks[nlocks].fd = fd[0];
    snprintf(locks[nlocks++].what, sizeof locks->what, "%s", what);
    int r = sd_bus_reply_method_return(m, "h", fd[1]);
    close(fd[1]);
    return r;
}

static int on_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *ctx, sd_bus_error *err) {
    (void)bus, (void)path, (void)interface, (void)property, (void)ctx, (void)err;
    return sd_bus_message_append(reply, "t", delay_usec);
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("InhibitDelayMaxUSec", "t", on_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static void command(sd_bus *bus, char *line) {
    char verb[16] = "", what[16] = "", flag[16] = "";
    sscanf(line, "%15s %15s %15s", verb, what, flag);
    if (strcmp(verb, "prepare") == 0) {
        check(sd_bus_emit_signal(bus, PATH, MANAGER,
                                 strcmp(what, "sleep") == 0 ? "PrepareForSleep" : "PrepareForShutdown", "b",
                                 strcmp(flag, "yes") == 0),
              "announce");
        check(sd_bus_flush(bus), "flush");
        printf("told\n");
        return;
    }
    if (strcmp(verb, "answer") == 0)
        answer = strcmp(what, "refuse") == 0 ? REFUSE : strcmp(what, "hang") == 0 ? HANG : GRANT;
    if (strcmp(verb, "restart") == 0 || strcmp(verb, "away") == 0)
        check(sd_bus_release_name(bus, NAME), "away");
    if (strcmp(verb, "restart") == 0)
        while (nlocks) close(locks[--nlocks].fd);
    if (strcmp(verb, "restart") == 0 || strcmp(verb, "back") == 0)
        check(sd_bus_request_name(bus, NAME, 0), "name");
    printf("done\n");
}

int main(int argc, char **argv) {
    sd_bus *bus = NULL;
    char line[256];
    size_t have = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1) delay_usec = strtoull(argv[1], NULL, 10);
    check(sd_bus_open_system(&bus), "bus");
    check(sd_bus_add_object_vtable(bus, NULL, PATH, MANAGER, vtable, NULL), "object");
    check(sd_bus_request_name(bus, NAME, 0), "name");
    printf("ready\n");
    for (;;) {
        int r;
        while ((r = sd_bus_process(bus, NULL)) > 0) {
        }
        check(r, "process");
        check(sd_bus_flush(bus), "flush");
        struct pollfd p[2 + MAX_LOCKS] = {{.fd = sd_bus_get_fd(bus), .events = POLLIN},
                                          {.fd = STDIN_FILENO, .events = POLLIN}};
        for (size_t i = 0; i < nlocks; i++) p[2 + i] = (struct pollfd){.fd = locks[i].fd, .events = POLLIN};
        if (poll(p, 2 + nlocks, -1) < 0) return 1;
        for (size_t i = nlocks; i-- > 0;) {
            if (!p[2 + i].revents) continue;
            printf("closed %s\n", locks[i].what);
            close(locks[i].fd);
            locks[i] = locks[--nlocks];
        }
        if (!p[1].revents) continue;
        ssize_t n = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
        if (n <= 0) return 0; /* its parent has gone */
        have += (size_t)n;
        line[have] = '\0';
        for (char *end; (end = strchr(line, '\n'));) {
            *end = '\0';
            command(bus, line);
            have -= (size_t)(end + 1 - line);
            memmove(line, end + 1, have + 1);
        }
    }
}
