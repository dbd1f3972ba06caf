/* A pod's processes, as its kubelet knows them. Private to the controllers. */
#ifndef SIM_POD_H
#define SIM_POD_H
#include "controllers/ctl.h"
#include "controllers/operator.h"
#include <uthash.h>

enum pod_stage {
    POD_NEW,     /* not scheduled */
    POD_ALIVE,   /* on the node, containers starting or running */
    POD_ENDING,  /* asked to stop */
    POD_ENDED,   /* all containers have ended; about to be removed */
    POD_REMOVED, /* removed by its kubelet, kept by a finalizer */
};
enum run_state {
    RUN_CREATING,
    RUN_PULL_FAILED,  /* ErrImagePull: just tried */
    RUN_PULL_BACKOFF, /* ImagePullBackOff */
    RUN_RUNNING,
    RUN_EXITED,  /* ended, to be started again */
    RUN_BACKOFF, /* CrashLoopBackOff */
    RUN_DONE,    /* ended for good */
};

struct exit_info {
    bool set;
    int code;
    char reason[64], message[4097], id[65];
    int64_t started, finished;
};
struct container {
    char *name, *image;
    struct script script;
    enum run_state state;
    int64_t next;           /* when the state changes by itself; TIME_NEVER */
    int64_t started;        /* of the present run */
    int64_t ready_at;       /* of the present run */
    bool ready, told_ready; /* told_ready: an external process says so */
    bool killed;            /* an external process that was sent SIGKILL; it reports its end */
    int64_t restarts, crashes;
    int64_t backoff_ns;         /* of the next restart or pull */
    struct exit_info last, now; /* lastState.terminated; state.terminated while RUN_EXITED or RUN_DONE */
    char id[65];                /* of the present run */
    struct oper op;
};
struct pod_proc {
    struct ctl_obj *co;
    char ip[16];
    UT_hash_handle hh; /* by ip */
    enum pod_stage stage;
    bool never_restart, restart_on_failure_only;
    int64_t created, started, end_at, remove_at; /* end_at: when the processes will have ended */
    int64_t grace_ns;                            /* as asked for last */
    int64_t scheduled_at, ready_since;
    bool ready;     /* the condition */
    bool unwritten; /* a process has ended from outside; the status does not say so yet */
    struct container *v;
    size_t n;
};

/* container.c: the states of containers; `now` runs them up to the present, true if anything changed. */
bool container_step(struct ctl *c, struct pod_proc *p, struct container *k);
void container_end(struct ctl *c, struct pod_proc *p, struct container *k, int code, const char *reason,
                   struct slice message);
int64_t container_next(const struct container *k);
bool container_ready(const struct container *k);

/* pod_status.c */
void pod_write_status(struct ctl *c, struct pod_proc *p);

struct container *pod_container(struct pod_proc *p, const char *name); /* NULL if there is none */
#endif
