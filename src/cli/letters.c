/* Reads the checkpoint on the Lease, and writes orders; see letters.h. */
#include "letters.h"
#include "base/json.h"
#include "leader/lease_object.h"
#include <errno.h>

enum { CHECKPOINT_CAP = 256 << 10, ORDERS_CAP = 60 << 10 };

struct part {
    struct letters_poll *p;
    struct kube_op *op;
};
struct letters_poll {
    struct kube *kube;
    char *ns, *name;
    letters_done done;
    void *ctx;
    struct kube_op *op;
    struct checkpoint_reader *reader;
    struct part part[CHECKPOINT_READ_MAX];
    size_t open;
    struct letters letters;
};

static void on_key(void *ctx, const struct checkpoint_key *k) {
    struct letters *l = ctx;
    if (k->kind != CHECKPOINT_DEAD) return;
    l->v = xgrow(l->v, &l->cap, l->n + 1, sizeof *l->v);
    l->v[l->n++] = (struct letter){.controller = slice_dup(k->controller),
                                   .key = slice_dup(k->key),
                                   .reason = slice_dup(k->reason),
                                   .since_ns = k->at_wall_ns,
                                   .failures = k->failures};
}

static void finish(struct letters_poll *p) {
    if (p->open) return;
    if (p->reader) checkpoint_each(p->reader, on_key, &p->letters);
    p->done(p->ctx, NULL, &p->letters);
}

static void on_part(void *ctx, const struct err *err, struct slice raw) {
    struct part *part = ctx;
    struct letters_poll *p = part->p;
    struct err bad = {0};
    part->op = NULL;
    p->open--;
    cleanup_json cJSON *cm = err ? NULL : json_parse(raw, &bad);
    const char *text = json_str(json_obj(cm, "data"), CHECKPOINT_DATA_KEY);
    if (!err && checkpoint_give(p->reader, (size_t)(part - p->part), slice_of(text), &bad) == CHECKPOINT_OK)
        bad.kind = ERR_NONE;
    if (!p->letters.part_err.kind && (err || bad.kind)) p->letters.part_err = err ? *err : bad;
    finish(p);
}

static void read_parts(struct letters_poll *p) {
    const struct checkpoint_head *head = checkpoint_reader_head(p->reader);
    size_t n = checkpoint_reader_parts(p->reader);
    p->letters.dropped = head->dropped;
    p->letters.at_ns = head->at_wall_ns;
    for (size_t i = 0; i < n && i < CHECKPOINT_READ_MAX; i++) {
        const struct checkpoint_part_id *id = checkpoint_reader_part(p->reader, i);
        cleanup_buf struct buf name = BUF(400);
        if (checkpoint_part_name(slice_of(p->name), id->made, id->number, &name) < 0) continue;
        struct kube_spec spec = {
            .verb = KUBE_GET,
            .lane = LANE_CALL,
            .no_retry = true,
            .ref = {.gvr = &gvr_configmaps, .ns = slice_of(p->ns), .name = buf_slice(&name)}};
        p->part[i].p = p;
        p->open++;
        p->part[i].op = kube_call(p->kube, &spec, on_part, &p->part[i]);
    }
}

static void on_lease(void *ctx, const struct err *err, struct slice raw) {
    struct letters_poll *p = ctx;
    struct letters *l = &p->letters;
    struct lease_rec rec;
    struct err bad = {0};
    p->op = NULL;
    if (err || lease_parse(raw, &rec, &bad) < 0) {
        p->done(p->ctx, err ? err : &bad, NULL);
        return;
    }
    cleanup_buf struct buf text = BUF(CHECKPOINT_CAP), orders = BUF(CHECKPOINT_CAP);
    l->holder = xstrdup(rec.holder);
    l->rv = xstrdup(rec.rv);
    if (lease_annotation(raw, LEASE_ANNOTATION_ORDERS, &orders) && orders.n)
        l->orders = xstrdup(buf_str(&orders));
    if (lease_annotation(raw, LEASE_ANNOTATION_CHECKPOINT, &text)) {
        enum checkpoint_fault fault = checkpoint_open(buf_slice(&text), -1, &p->reader, &bad);
        if (fault != CHECKPOINT_OK && fault != CHECKPOINT_EMPTY) {
            p->done(p->ctx, &bad, NULL);
            return;
        }
    }
    if (p->reader) read_parts(p);
    finish(p);
}

struct letters_poll *letters_start(struct kube *k, const char *ns, const char *name, letters_done done,
                                   void *ctx) {
    struct letters_poll *p = xcalloc(1, sizeof *p);
    *p = (struct letters_poll){.kube = k, .done = done, .ctx = ctx, .ns = xstrdup(ns), .name = xstrdup(name)};
    struct kube_spec spec = {.verb = KUBE_GET,
                             .lane = LANE_CALL,
                             .no_retry = true,
                             .ref = {.gvr = &gvr_leases, .ns = slice_of(p->ns), .name = slice_of(p->name)}};
    p->op = kube_call(k, &spec, on_lease, p);
    return p;
}

void letters_end(struct letters_poll *p) {
    if (!p) return;
    struct letters *l = &p->letters;
    kube_cancel(p->op);
    for (size_t i = 0; i < CHECKPOINT_READ_MAX; i++) kube_cancel(p->part[i].op);
    checkpoint_close(p->reader);
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i].controller);
        free(l->v[i].key);
        free(l->v[i].reason);
    }
    free(l->v);
    free(l->holder);
    free(l->rv);
    free(l->orders);
    free(p->ns);
    free(p->name);
    free(p);
}

const struct letter *letters_find(const struct letters *l, const char *name) {
    const struct letter *found = NULL;
    for (size_t i = 0; i < l->n; i++) {
        const struct letter *x = &l->v[i];
        size_t n = strlen(x->controller);
        if (strncmp(name, x->controller, n) == 0 && name[n] == '/' && strcmp(name + n + 1, x->key) == 0)
            return x;
        if (strcmp(name, x->key) != 0) continue;
        if (found) return NULL;
        found = x;
    }
    return found;
}

static void add_order(struct buf *out, const struct letters_order *o) {
    buf_addf(out, "{\"do\":\"%s\"", o->what);
    if (o->letter) {
        buf_adds(out, ",\"controller\":");
        buf_add_json(out, slice_of(o->letter->controller));
        buf_adds(out, ",\"key\":");
        buf_add_json(out, slice_of(o->letter->key));
    }
    buf_adds(out, ",\"by\":");
    buf_add_json(out, slice_of(o->by));
    buf_addc(out, '}');
}

int letters_patch(const struct letters *l, const struct letters_order *orders, size_t n, struct buf *out,
                  struct err *err) {
    cleanup_buf struct buf list = BUF(ORDERS_CAP);
    struct slice there = slice_trim(slice_of(l->orders));
    cleanup_json cJSON *known = l->orders ? json_parse(there, NULL) : NULL;
    buf_addc(&list, '[');
    if (known && cJSON_IsArray(known) && known->child) { /* the leader has not taken them up yet */
        buf_add(&list, slice_make(there.p + 1, there.n - 2));
        buf_addc(&list, ',');
    }
    for (size_t i = 0; i < n; i++) {
        if (i) buf_addc(&list, ',');
        add_order(&list, &orders[i]);
    }
    buf_addc(&list, ']');
    if (list.full)
        return err_set(err, ERR_CONFIG, -E2BIG, "too many at once: use --all, or do it in several commands");
    buf_adds(out, "{\"metadata\":{\"resourceVersion\":");
    buf_add_json(out, slice_of(l->rv));
    buf_adds(out, ",\"annotations\":{\"" LEASE_ANNOTATION_ORDERS "\":");
    buf_add_json(out, buf_slice(&list));
    buf_adds(out, "}}}");
    return 0;
}
