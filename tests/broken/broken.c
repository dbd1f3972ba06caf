/* A Handover that is broken on purpose, for the tests of its own upgrade: HANDOVER_BROKEN in its environment says how, without it it
 * works. The linker puts these functions in the place of the program's own (-Wl,--wrap), so that nothing of it is in what ships. */
#include "act/controller.h"
#include "act/reconcile.h"
#include "broken.h"
#include "election_impl.h"
#include "kube/client.h"
#include "lease_state.h"
#include <stdio.h>
#include <unistd.h>

enum { LEAK = 8 << 20, SLOW_MS = 1200 };
#define HOT_NS (20 * NS_PER_MS)

static bool is(struct world *w, const char *how) {
    const char *text = world_getenv(w, "HANDOVER_BROKEN");
    return text && strcmp(text, how) == 0;
}

void __real_reconcile_start(struct rollout *r, struct target *t, struct task *task);
void __wrap_reconcile_start(struct rollout *r, struct target *t, struct task *task);
void __wrap_reconcile_start(struct rollout *r, struct target *t, struct task *task) {
    static unsigned n;
    struct world *w = kube_world(r->kube);
    if (is(w, "fails") && n++ % 2) {
        struct err err = {.kind = ERR_SERVER};
        (void)snprintf(err.msg, sizeof err.msg, "broken on purpose");
        task_finish(task, OUT_RETRY, 0, &err);
        return;
    }
    if (is(w, "slow")) usleep(SLOW_MS * 1000);
    if (is(w, "leaks")) memset(xmalloc(LEAK), 1, LEAK);
    if (is(w, "hot")) controller_add(r->controller, slice_of(t->key), PRIO_NORMAL, HOT_NS);
    __real_reconcile_start(r, t, task);
}

void __real_rollout_add_all(struct rollout *r);
void __wrap_rollout_add_all(struct rollout *r);
void __wrap_rollout_add_all(struct rollout *r) {
    if (is(kube_world(r->kube), "crashes") && r->part != ROLLOUT_OWN) broken_die(kube_world(r->kube));
    __real_rollout_add_all(r);
}

/* The drain: its last step never comes. */
void __real_election_drained(struct election *e, int64_t parts_ns);
void __wrap_election_drained(struct election *e, int64_t parts_ns);
void __wrap_election_drained(struct election *e, int64_t parts_ns) {
    if (!is(kube_world(e->kube), "hangs")) __real_election_drained(e, parts_ns);
}
void __real_election_give_up(struct election *e);
void __wrap_election_give_up(struct election *e);
void __wrap_election_give_up(struct election *e) {
    if (!is(kube_world(e->kube), "hangs")) __real_election_give_up(e);
}

bool __real_checkpoint_io_note(struct election *e, const struct lease_out *out, struct buf *value);
bool __wrap_checkpoint_io_note(struct election *e, const struct lease_out *out, struct buf *value);
bool __wrap_checkpoint_io_note(struct election *e, const struct lease_out *out, struct buf *value) {
    bool noted = __real_checkpoint_io_note(e, out, value);
    if (!noted || !is(kube_world(e->kube), "checkpoint")) return noted;
    buf_clear(value);
    return buf_adds(value, "handover/99 of=a-version-to-come") == 0;
}

/* A Handover from before it upgraded itself: it knows no Deployment as its own, contests whatever is released, and leaves the marks. */
int __real_rollout_new(struct kube *k, const struct rollout_options *opt, struct rollout **ret,
                       struct err *err);
int __wrap_rollout_new(struct kube *k, const struct rollout_options *opt, struct rollout **ret,
                       struct err *err);
int __wrap_rollout_new(struct kube *k, const struct rollout_options *opt, struct rollout **ret,
                       struct err *err) {
    struct rollout_options o = *opt;
    if (is(kube_world(k), "old")) o.pod_ns = o.pod_name = NULL;
    return __real_rollout_new(k, &o, ret, err);
}
void __real_rollout_take_part(struct rollout *r, enum rollout_part part, const char *guardian);
void __wrap_rollout_take_part(struct rollout *r, enum rollout_part part, const char *guardian);
void __wrap_rollout_take_part(struct rollout *r, enum rollout_part part, const char *guardian) {
    __real_rollout_take_part(r, is(kube_world(r->kube), "old") ? ROLLOUT_ALL : part, guardian);
}
enum { OLD_MAX = 64 };
static char old_pod[OLD_MAX][64];
static size_t old_pods;
void __real_lease_mark_trial(const struct lease *l, enum lease_write_kind kind, struct lease_rec *rec);
void __wrap_lease_mark_trial(const struct lease *l, enum lease_write_kind kind, struct lease_rec *rec);
void __wrap_lease_mark_trial(const struct lease *l, enum lease_write_kind kind, struct lease_rec *rec) {
    for (size_t i = 0; i < old_pods; i++)
        if (strncmp(l->id, old_pod[i], strlen(old_pod[i])) == 0) return;
    __real_lease_mark_trial(l, kind, rec);
}
int __real_election_new(struct kube *k, const struct election_config *cfg, const struct election_cb *cb,
                        void *ctx, struct election **ret, struct err *err);
int __wrap_election_new(struct kube *k, const struct election_config *cfg, const struct election_cb *cb,
                        void *ctx, struct election **ret, struct err *err);
int __wrap_election_new(struct kube *k, const struct election_config *cfg, const struct election_cb *cb,
                        void *ctx, struct election **ret, struct err *err) {
    struct election_config c = *cfg;
    if (is(kube_world(k), "old")) {
        c.canary = false;
        if (old_pods < OLD_MAX) snprintf(old_pod[old_pods++], sizeof *old_pod, "%.60s_", c.id.pod);
    }
    return __real_election_new(k, &c, cb, ctx, ret, err);
}
