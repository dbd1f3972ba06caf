/* See chores.h. */
#include "chores.h"
#include "kube/informer.h"
#include "ledger.h"

#define POLL_NS     (2 * NS_PER_S)
#define POLL_PREFIX "poll/"

enum mode { MODE_PLAIN, MODE_FAIL, MODE_POLL };
struct item { /* of a ConfigMap, in the store */
    int64_t want, done;
    enum mode mode;
};
struct chores {
    struct kube *kube;
    struct chores_options opt;
    struct controller *controller;
    struct informer *informer;
    world_fn synced;
    void *synced_ctx;
};
struct job { /* a reconcile that works */
    struct chores *w;
    struct task *t;
    struct timer *timer;
    struct kube_op *op;
    char *rv;
    int64_t want;
    enum mode mode;
};

/* ---- the cache ---- */

static int64_t number(const cJSON *data, const char *key) {
    int64_t n = 0;
    slice_i64(slice_of(json_str(data, key)), &n);
    return n;
}

static void *project(void *ctx, struct slice raw, const cJSON *obj) {
    const cJSON *data = json_get(obj, "data");
    const char *mode = json_str_or(data, "mode", "");
    struct item *it = xmalloc(sizeof *it);
    (void)ctx, (void)raw;
    *it = (struct item){number(data, "want"), number(data, "done"),
                        strcmp(mode, "fail") == 0   ? MODE_FAIL
                        : strcmp(mode, "poll") == 0 ? MODE_POLL
                                                    : MODE_PLAIN};
    return it;
}

static void unproject(void *ctx, void *data) {
    (void)ctx;
    free(data);
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct chores *w = ctx;
    const struct store_rec *rec = now ? now : old;
    cleanup_free char *key = key_of(slice_of(rec->ns), slice_of(rec->name));
    controller_add(w->controller, slice_of(key), initial ? PRIO_LOW : PRIO_NORMAL, 0);
}

static void on_synced(void *ctx) {
    struct chores *w = ctx;
    w->synced(w->synced_ctx);
}

/* ---- a reconcile ---- */

static void finish(struct job *j, enum outcome out, int64_t after_ns, const struct err *err) {
    struct task *t = j->t;
    timer_free(j->timer);
    free(j->rv);
    free(j);
    task_finish(t, out, after_ns, err);
}

static void poll_from_now_on(struct chores *w, struct slice key) {
    cleanup_free char *poll = xasprintf(POLL_PREFIX "%.*s", SLF(key));
    controller_add(w->controller, slice_of(poll), PRIO_NORMAL, POLL_NS);
}

static void on_written(void *ctx, const struct err *err, struct slice raw) {
    struct job *j = ctx;
    struct slice key = task_key(j->t);
    (void)raw;
    j->op = NULL;
    if (!err) {
        ledger("end %.*s %lld", SLF(key), (long long)j->want);
        if (j->mode == MODE_POLL) poll_from_now_on(j->w, key);
        finish(j, OUT_DONE, 0, NULL);
        return;
    }
    ledger("refused %.*s %s", SLF(key), err_kind_name(err->kind));
    finish(j, OUT_RETRY, 0, err);
}

static void write_done(struct job *j) {
    struct slice ns, name;
    cleanup_buf struct buf body = BUF(512);
    key_split(task_key(j->t), &ns, &name);
    buf_addf(&body, "{\"metadata\":{\"resourceVersion\":\"%s\"},\"data\":{\"done\":\"%lld\"}}", j->rv,
             (long long)j->want);
    const struct kube_spec spec = {.verb = KUBE_PATCH_MERGE,
                                   .ref = {.gvr = &gvr_configmaps, .ns = ns, .name = name},
                                   .body = buf_slice(&body),
                                   .lane = LANE_CALL};
    j->op = kube_call(j->w->kube, &spec, on_written, j);
}

static void worked(void *ctx) {
    struct job *j = ctx;
    struct err err = {0};
    if (j->mode != MODE_FAIL) {
        write_done(j);
        return;
    }
    ledger("fail %.*s", SLF(task_key(j->t)));
    err_set(&err, ERR_PROTOCOL, 0, "this one always fails");
    finish(j, OUT_RETRY, 0, &err);
}

static void start(void *self, struct slice key, struct task *t) {
    struct chores *w = self;
    struct slice ns, name;
    bool poll = slice_starts(key, SL(POLL_PREFIX));
    key_split(key, &ns, &name);
    const struct store_rec *rec = poll ? NULL : store_get(informer_store(w->informer), ns, name);
    const struct item *it = rec ? rec->data : NULL;
    ledger("start %.*s %lld", SLF(key), (long long)(it ? it->want : -1));
    if (!it || (it->mode != MODE_FAIL && it->want == it->done)) {
        ledger("same %.*s", SLF(key));
        task_finish(t, poll ? OUT_AFTER : OUT_DONE, poll ? POLL_NS : 0, NULL);
        return;
    }
    struct job *j = xcalloc(1, sizeof *j);
    *j = (struct job){.w = w, .t = t, .rv = xstrdup(rec->rv), .want = it->want, .mode = it->mode};
    j->timer = timer_new(kube_world(w->kube), worked, j);
    task_set_data(t, j);
    timer_in(j->timer, w->opt.work_ns);
}

static void cancel(void *self, struct task *t) {
    struct job *j = task_data(t);
    (void)self;
    ledger("interrupted %.*s", SLF(task_key(t)));
    kube_cancel(j->op);
    finish(j, OUT_INTERRUPTED, 0, NULL);
}

/* ---- coming and going ---- */

int chores_new(struct kube *k, const struct chores_options *opt, world_fn synced, void *ctx,
               struct chores **ret, struct err *err) {
    static const struct reconciler reconciler = {start, cancel};
    static const struct informer_cb cb = {.change = on_change, .synced = on_synced};
    const struct informer_spec spec = {.gvr = &gvr_configmaps,
                                       .ns = opt->ns,
                                       .labels = SL("bench=work"),
                                       .store = {.project = project, .unproject = unproject},
                                       .name = "work"};
    const struct controller_limits limits = {
        .workers = opt->workers, .queue = {.base_ns = 50 * NS_PER_MS, .max_ns = 4 * NS_PER_S, .rate = -1}};
    struct chores *w = xcalloc(1, sizeof *w);
    *w = (struct chores){.kube = k, .opt = *opt, .synced = synced, .synced_ctx = ctx};
    int rc = informer_new(k, &spec, &cb, w, &w->informer, err);
    if (rc < 0) {
        free(w);
        return rc;
    }
    w->controller =
        controller_new(kube_world(k), kube_log(k), kube_metrics(k), "work", &reconciler, w, &limits);
    *ret = w;
    return 0;
}

void chores_free(struct chores *w) {
    if (!w) return;
    informer_free(w->informer);
    controller_free(w->controller);
    free(w);
}

void chores_start(struct chores *w) {
    informer_start(w->informer);
}

struct controller *chores_controller(struct chores *w) {
    return w->controller;
}

static void tell(void *ctx, const struct key_state *k) {
    static const char *const kinds[] = {"interrupted", "inflight", "queued", "delayed", "failures", "dead"};
    ledger_keep("%s %s %.*s %u %lld", (const char *)ctx, kinds[k->kind], SLF(k->key), k->failures,
                (long long)(k->at_wall_ns / NS_PER_US));
}

void chores_tell(struct chores *w, const char *verb) {
    cleanup_free char *own = xstrdup(verb);
    controller_snapshot(w->controller, tell, own);
}
