/* The inhibitors on a real bus, with the stand-in for logind. Skipped where there is no dbus-daemon. */
#include "../case.h"
#include "dbus_kit.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

ON_BUS(the_host_waits_until_let_go) {
    kit_hold_both(f, "3000000");
    kit_announce(f, "shutdown", "3000");
    kit_tell(f, "prepare shutdown yes"); /* said again */
    kit_announce(f, "sleep", "3000");
    kit_never_came(f, "going");
    kit_never_came(f, "closed");
    inhibit_let_go(f->inhibit, INHIBIT_SHUTDOWN);
    kit_expect(f, "closed shutdown");
    kit_never_came(f, "closed");
    kit_stop_inhibit(f);
    kit_expect(f, "closed sleep");
}

ON_BUS(taken_again_when_the_host_stays) {
    kit_hold_both(f, "5000000");
    f->let_go_inside = true;
    kit_announce(f, "sleep", "5000");
    kit_expect(f, "closed sleep");
    kit_tell(f, "prepare sleep no");
    kit_expect(f, "asked sleep delay handover");
    kit_expect(f, "log 0 inhibitor lock taken; sleep");
    kit_announce(f, "sleep", "5000");
    kit_expect(f, "closed sleep");
    f->let_go_inside = false;
    kit_announce(f, "shutdown", "5000");
    kit_tell(f, "prepare shutdown no"); /* still held: not asked again */
    kit_announce(f, "shutdown", "5000");
    kit_never_came(f, "asked");
}

/* To every connection of the bus, ours among them; the bus has handed them out when this returns. */
static void claim_that_the_host_goes(void) {
    sd_bus *bus = NULL;
    char **names = NULL;
    assert_true(sd_bus_open_system(&bus) >= 0);
    assert_true(sd_bus_list_names(bus, &names, NULL) >= 0);
    for (char **n = names; *n; free(*n++)) {
        sd_bus_message *m = NULL;
        if (**n != ':') continue;
        assert_true(sd_bus_message_new_signal(bus, &m, "/org/freedesktop/login1",
                                              "org.freedesktop.login1.Manager", "PrepareForShutdown") >= 0);
        assert_true(sd_bus_message_append(m, "b", 1) >= 0);
        assert_true(sd_bus_send_to(bus, m, *n, NULL) >= 0);
        sd_bus_message_unref(m);
    }
    free(names);
    assert_true(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                   "org.freedesktop.DBus", "GetId", NULL, NULL, "") >= 0);
    sd_bus_flush_close_unref(bus);
}

ON_BUS(who_is_not_logind_is_not_believed) {
    kit_hold_both(f, "5000000");
    claim_that_the_host_goes();
    kit_tell(f, "prepare sleep yes");
    kit_expect(f, "going sleep");
    kit_never_came(f, "going shutdown");
}

ON_BUS(taken_again_when_logind_comes_back) {
    kit_hold_both(f, "5000000");
    kit_tell(f, "restart");
    kit_both_are_held(f);
    kit_announce(f, "shutdown", "5000");
    kit_tell(f, "away"); /* it may come back with the inhibitors that it gave */
    kit_never_came(f, "closed");
    kit_tell(f, "back");
    kit_expect(f, "closed shutdown"); /* the old one, when the new one is there */
    kit_both_are_held(f);
    kit_tell(f, "prepare shutdown yes"); /* by the new one */
    kit_expect(f, "going shutdown 5000");
}

#define DOES_NOT_WAIT "log 0 no inhibitor lock: the host does not wait for a drain; "

ON_BUS(logind_comes_later) {
    kit_start_inhibit(f);
    kit_expect(f, DOES_NOT_WAIT "logind");
    kit_start_logind(f, "5000000");
    kit_both_are_held(f);
}

ON_BUS(refused) {
    kit_start_logind(f, "5000000");
    kit_tell(f, "answer refuse");
    kit_start_inhibit(f);
    kit_expect(f, DOES_NOT_WAIT "shutdown; Permission denied");
    kit_tell(f, "prepare shutdown yes"); /* it would not wait: the signal that follows is the one to act on */
    kit_expect(f, "asked shutdown");
    kit_expect(f, "asked sleep");
    kit_tell(f, "answer grant");
    kit_tell(f, "prepare shutdown no"); /* it refuses while the host is going: that is over */
    kit_expect(f, "asked shutdown");
    kit_expect(f, "log 0 inhibitor lock taken; shutdown");
    kit_never_came(f, "asked sleep");
    kit_tell(f, "restart");
    kit_both_are_held(f);
    kit_never_came(f, "going");
    kit_never_came(f, DOES_NOT_WAIT); /* once was enough */
}

ON_BUS(an_answer_that_never_comes) {
    kit_start_logind(f, "5000000");
    kit_tell(f, "answer hang");
    kit_start_inhibit(f);
    kit_expect(f, "asked shutdown");
    kit_expect(f, "asked sleep");
    inhibit_let_go(f->inhibit, INHIBIT_SLEEP);
    kit_stop_inhibit(f);
}

ON_BUS(a_delay_that_is_none_is_not_asked_for) {
    kit_start_logind(f, "999999");
    kit_start_inhibit(f);
    kit_expect(f, DOES_NOT_WAIT "InhibitDelayMaxSec");
    kit_never_came(f, "asked");
}

ON_BUS(the_bus_goes) {
    kit_hold_both(f, "5000000");
    kit_end(&f->daemon);
    kit_expect(f, DOES_NOT_WAIT "bus");
}

NO_BUS(no_bus) {
    static const char *const cases[][2] = {{"unix:path=/nonexistent/bus", "bus; No such file or directory"},
                                           {"nonsense", "bus; "}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_free char *line = xasprintf("%s%s", DOES_NOT_WAIT, cases[i][1]);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", cases[i][0], 1);
        kit_start_inhibit(f);
        kit_expect(f, line);
        kit_stop_inhibit(f);
    }
}

static void on_tick(void *ctx) {
    struct fixture *f = ctx;
    buf_adds(&f->transcript, "tick\n");
    kit_noted(f);
}

/* A bus that takes the connection and says nothing, and one that does not even take it. */
NO_BUS(a_silent_bus_does_not_stop_the_loop) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), full[8];
    snprintf(addr.sun_path + 1, sizeof addr.sun_path - 1, "handover-silent-bus-%d", (int)getpid());
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(addr.sun_path + 1));
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    char address[160];
    snprintf(address, sizeof address, "unix:abstract=%s", addr.sun_path + 1);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
    struct timer *t = timer_new(f->w, on_tick, f);
    kit_start_inhibit(f);
    timer_in(t, 5 * NS_PER_MS);
    kit_expect(f, "tick");
    kit_never_came(f, "log");
    kit_stop_inhibit(f);
    for (size_t i = 0; i < 8; i++) {
        full[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(full[i], (struct sockaddr *)&addr, len);
    }
    kit_start_inhibit(f);
    timer_in(t, 5 * NS_PER_MS);
    kit_expect(f, "tick");
    kit_expect(f, DOES_NOT_WAIT "bus; Resource temporarily unavailable");
    timer_free(t);
    for (size_t i = 0; i < 8; i++) close(full[i]);
    close(fd);
}

ON_BUS(stopped_before_anything) {
    kit_start_inhibit(f);
    inhibit_let_go(f->inhibit, INHIBIT_SHUTDOWN);
    kit_stop_inhibit(f);
    inhibit_stop(NULL);
    assert_int_equal(f->transcript.n, 0);
}

int main(void) {
    if (system("command -v dbus-daemon >/dev/null") != 0) {
        puts("SKIPPED: dbus-daemon is not installed");
        return 77;
    }
    return _cmocka_run_group_tests("obs/inhibit", case_list, case_count, NULL, NULL);
}
