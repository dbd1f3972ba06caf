/* Orders that a person has put on Handover's Lease: dead letters to be retried, or dropped. A list of objects, as
 * docs/reference/checkpoint.md has it; what is not understood is reported, and the others are carried out. */
#include "leadership_impl.h"

enum { ORDERS_SHOWN = 20, ORDERS = 1000 };

struct order {
    bool retry;
    const char *controller, *key, *by; /* controller, key NULL: all of them */
};
struct letters {
    const char *key; /* NULL: all */
    char **found;
    size_t n, cap;
};

static void on_letter(void *ctx, const struct key_state *k) {
    struct letters *l = ctx;
    if (k->kind != KEY_DEAD || (l->key && !slice_eqs(k->key, l->key))) return;
    l->found = xgrow(l->found, &l->cap, l->n + 1, sizeof *l->found);
    l->found[l->n++] = slice_dup(k->key);
}

static void log_order(const struct leadership *l, const struct order *o, const char *controller,
                      const char *key) {
    struct log *log = kube_log(l->kube);
    if (o->retry)
        LOG_EVENT(log, LOG_INFO, "DeadLetterRetried", "a dead letter is taken up again",
                  LF_STR("controller", controller), LF_STR("key", key), LF_STR("by", o->by));
    else
        LOG_EVENT(log, LOG_INFO, "DeadLetterDropped", "a dead letter is dropped",
                  LF_STR("controller", controller), LF_STR("key", key), LF_STR("by", o->by));
}

static size_t carry_out(struct leadership *l, const struct order *o, const struct member *m, size_t shown) {
    struct letters letters = {.key = o->key};
    controller_snapshot_first(m->controller, 0, on_letter, &letters);
    for (size_t i = 0; i < letters.n; i++) {
        char *key = letters.found[i];
        (o->retry ? controller_dead_retry : controller_dead_drop)(m->controller, slice_of(key));
        if (shown + i < ORDERS_SHOWN) log_order(l, o, m->name, key);
        free(key);
    }
    free(letters.found);
    return letters.n;
}

static bool read_order(const cJSON *item, struct order *ret) {
    const char *what = json_str(item, "do");
    *ret = (struct order){.retry = what && strcmp(what, "retry") == 0,
                          .controller = json_str(item, "controller"),
                          .key = json_str(item, "key"),
                          .by = json_str_or(item, "by", "")};
    return what && (ret->retry || strcmp(what, "drop") == 0);
}

void leadership_orders(void *ctx, struct slice text) {
    struct leadership *l = ctx;
    struct order o;
    size_t carried = 0, bad = 0, n = 0;
    cleanup_json cJSON *list = json_parse(text, NULL);
    if (!cJSON_IsArray(list)) bad++;
    for (const cJSON *item = cJSON_IsArray(list) ? list->child : NULL; item && n < ORDERS;
         item = item->next, n++) {
        if (!read_order(item, &o)) {
            bad++;
            continue;
        }
        for (size_t i = 0; i < l->nmembers; i++)
            if (!o.controller || strcmp(o.controller, l->members[i].name) == 0)
                carried += carry_out(l, &o, &l->members[i], carried);
    }
    if (carried > ORDERS_SHOWN)
        LOG_EVENT(kube_log(l->kube), LOG_INFO, "DeadLettersOrdered", "all orders are carried out",
                  LF_INT("dead_letters", carried));
    if (bad)
        LOG_EVENT(kube_log(l->kube), LOG_WARN, "OrderNotUnderstood",
                  "the Lease has orders that this version does not know", LF_INT("orders", bad));
}
