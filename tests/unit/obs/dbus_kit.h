/* A dbus-daemon and the stand-in for logind (tests/host), and the inhibitors under test on a loop. All that
 * happens ends up as lines in one transcript: what logind saw, what it announced, what is logged. Everything
 * is a cmocka assertion: what does not come within 20 s fails the test. */
#ifndef DBUS_KIT_H
#define DBUS_KIT_H
#include "../check.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "obs/inhibit.h"
#include <sys/types.h>

struct fixture {
    struct loop *l;
    struct world *w;
    char address[128];
    pid_t daemon, logind;
    int to_logind, from_logind;
    struct fd_watch *watch;
    struct timer *patience;
    struct log log;
    struct inhibit *inhibit;
    bool let_go_inside, late;
    const char *awaited;
    struct buf transcript, partial; /* partial: a line of logind that is not whole yet */
};

struct fixture *kit_new(bool bus); /* a dbus-daemon at DBUS_SYSTEM_BUS_ADDRESS, or nothing there */
void kit_free(struct fixture *f);
/* Cases of case.h with a fixture of their own, f. */
#define ON_BUS(name) CASE_OF(struct fixture, f, kit_new(true), kit_free, name)
#define NO_BUS(name) CASE_OF(struct fixture, f, kit_new(false), kit_free, name)
void kit_start_logind(struct fixture *f, const char *delay_usec);
void kit_tell(struct fixture *f, const char *line); /* a command for logind; returns when it is carried out */
/* logind says that the host goes; the inhibitors have so many ms. */
void kit_announce(struct fixture *f, const char *what, const char *ms);
void kit_start_inhibit(struct fixture *f);
void kit_stop_inhibit(struct fixture *f);
void kit_both_are_held(struct fixture *f);                     /* waits for it */
void kit_hold_both(struct fixture *f, const char *delay_usec); /* starts logind and both, and waits for it */
void kit_end(pid_t *pid);                                      /* SIGKILL */

/* Runs the loop until there is a line that begins so, and takes it out; the others stay. */
void kit_expect(struct fixture *f, const char *line);
void kit_never_came(struct fixture *f, const char *line);
void kit_noted(struct fixture *f); /* after a line was added to the transcript */
#endif
