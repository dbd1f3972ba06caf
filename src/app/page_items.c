/* What the page shows of an instance: itself and its leadership, its queue, its targets. docs/reference/page.md has the members. */
#include "app_impl.h"
#include "api/rfc3339.h"

enum { ROWS_SHOWN = 500, KEYS_SHOWN = 50, LETTERS_SHOWN = 100, ITEM_CAP = 256 << 10 };

static void text(struct buf *out, const char *key, const char *v) {
    buf_addf(out, ",\"%s\":", key);
    buf_add_json(out, slice_of(v));
}

static void instant(struct buf *out, const char *key, int64_t wall_ns) {
    char at[32];
    if (!wall_ns) return;
    rfc3339_seconds(wall_ns, at);
    text(out, key, at);
}

static void add_instance(const struct app *a, struct page_items *to) {
    const struct election *e = leadership_election(a->leadership);
    cleanup_buf struct buf out = BUF(ITEM_CAP);
    struct election_lead lead = election_lead(e);
    buf_addf(&out, "{\"leading\":%s,\"draining\":%s,\"term\":%lld", election_leading(e) ? "true" : "false",
             leadership_stopping(a->leadership) ? "true" : "false", (long long)election_term(e));
    text(&out, "version", a->opt.version ? a->opt.version : "");
    text(&out, "identity", election_identity(e));
    text(&out, "holder", election_holder(e));
    instant(&out, "trialUntil", election_trial_until(e));
    if (election_trial_until(e)) text(&out, "guardian", election_guardian(e));
    text(&out, "leaseNamespace", a->lease_namespace);
    text(&out, "pod", a->instance);
    text(&out, "trouble", rollout_trouble(a->rollout));
    if (election_leading(e)) {
        instant(&out, "since", lead.since_wall_ns);
        text(&out, "reason", lease_reason_name(lead.reason));
        if (lead.gap_ns >= 0) buf_addf(&out, ",\"gapMs\":%.4g", (double)lead.gap_ns / (double)NS_PER_MS);
    }
    buf_addc(&out, '}');
    page_item(to, "instance", buf_slice(&out));
}

struct queue_view {
    struct buf keys, letters;
    size_t nkeys, nletters, letters_all;
};

static void on_key(void *ctx, const struct key_state *k) {
    static const char *const kinds[] = {
        [KEY_INTERRUPTED] = "interrupted", [KEY_INFLIGHT] = "in flight",     [KEY_QUEUED] = "queued",
        [KEY_DELAYED] = "delayed",         [KEY_FAILURES] = "failed before", [KEY_DEAD] = "dead"};
    struct queue_view *q = ctx;
    struct buf *out = k->kind == KEY_DEAD ? &q->letters : &q->keys;
    if (k->kind == KEY_DEAD) q->letters_all++;
    if (k->kind == KEY_DEAD ? q->nletters == LETTERS_SHOWN : k->failures == 0 || q->nkeys == KEYS_SHOWN)
        return;
    size_t *n = k->kind == KEY_DEAD ? &q->nletters : &q->nkeys;
    buf_adds(out, (*n)++ ? ",{\"key\":" : "{\"key\":");
    buf_add_json(out, k->key);
    text(out, "state", kinds[k->kind]);
    buf_addf(out, ",\"failures\":%u", k->failures);
    if (k->kind == KEY_DEAD) {
        instant(out, "since", k->at_wall_ns);
        buf_adds(out, ",\"reason\":");
        buf_add_json(out, k->reason);
    }
    buf_addc(out, '}');
}

/* Of the keys only those that have failed: which ones are delayed is another list every second. */
static void add_queue(const struct app *a, struct page_items *to) {
    const struct controller *c = rollout_controller(a->rollout);
    struct queue_view q = {.keys = BUF(ITEM_CAP), .letters = BUF(ITEM_CAP)};
    cleanup_buf struct buf out = BUF(3 * (size_t)ITEM_CAP);
    (void)controller_snapshot_first(c, ROWS_SHOWN, on_key, &q);
    buf_addf(&out, "{\"pending\":%zu,\"inflight\":%zu,\"failing\":[%s],\"dead\":%zu,\"letters\":[%s]}",
             controller_pending(c), controller_inflight(c), buf_str(&q.keys), q.letters_all,
             buf_str(&q.letters));
    if (!q.keys.full && !q.letters.full) page_item(to, "queue", buf_slice(&out));
    buf_free(&q.keys);
    buf_free(&q.letters);
}

static void on_row(void *ctx, const char *key, struct slice row) {
    cleanup_free char *item = xasprintf("t/%s", key);
    page_item(ctx, item, row);
}

void app_page_items(void *ctx, struct page_items *to) {
    struct app *a = ctx;
    cleanup_buf struct buf counts = BUF(4096);
    add_instance(a, to);
    if (!leadership_leading(a->leadership)) return; /* a standby has no targets and no queue */
    rollout_view_counts(a->rollout, &counts);
    page_item(to, "counts", buf_slice(&counts));
    add_queue(a, to);
    rollout_view(a->rollout, ROWS_SHOWN, on_row, to);
}

void app_page_unseen(void *ctx) {
    const struct app *a = ctx;
    rollout_view_end(a->rollout);
}
