/* The checks that the plan of one target asks for; see check_work.h. */
#include "act/check_work.h"
#include "act/check.h"
#include "judge/promql.h"
#include <errno.h>

enum { BODY_CAP = 16 << 10, PRIO_ANSWER = 20 };
struct check_work {
    struct rollout *r;
    struct target *t;
    struct check_target *asks;
};

/* As an ended round: mostly little is written, and a version that fails may be found out. */
static void on_answered(void *ctx) {
    struct check_work *w = ctx;
    controller_add(w->r->controller, slice_of(w->t->key), PRIO_ANSWER, 0);
}

void check_work_drop(struct target *t) {
    if (!t->checks) return;
    check_target_free(t->checks->asks);
    free(t->checks);
    t->checks = NULL;
}

void check_work_offer(const struct target *t, struct observed *o) {
    for (int k = 0; k < CHECKS; k++)
        o->check[k] = t->checks ? check_target_answer(t->checks->asks, (enum check_kind)k) : NULL;
}

static int fill_query(const struct observed *o, const struct state *s, int64_t now_ns, struct buf *out,
                      struct err *err) {
    const char *name[SCRAPE_MAX_PODS];
    struct promql_values v = {.ns = o->target->ns, .track = name};
    for (size_t i = 0; i < o->npods && v.ntrack < SCRAPE_MAX_PODS; i++)
        if (o->pods[i].track == TRACK_CANARY && !o->pods[i].finished) name[v.ntrack++] = o->pods[i].name;
    if (!v.ntrack) return err_set(err, ERR_PROTOCOL, -ENOENT, "the canary has no pods");
    int64_t watched = s->soak_from_ns && now_ns > s->soak_from_ns ? now_ns - s->soak_from_ns : 0;
    v.range_ms = watched / NS_PER_MS > 1000 ? watched / NS_PER_MS : 1000;
    return promql_fill(slice_of(o->spec->check_query), &v, out, err);
}

void check_work_ask(struct rollout *r, struct target *t, const struct observed *o, const struct plan *p) {
    const struct state *s = p->next;
    bool any = p->ask[CHECK_URL] || p->ask[CHECK_QUERY];
    if (t->checks) check_target_taken(t->checks->asks);
    if (!s || !(any || (s->check_ns && state_on_trial(s)))) {
        check_work_drop(t);
        return;
    }
    if (!any) return;
    if (!t->checks) {
        t->checks = xcalloc(1, sizeof *t->checks);
        *t->checks = (struct check_work){.r = r, .t = t};
        t->checks->asks = check_target_new(r->checks, t->ns, on_answered, t->checks);
    }
    cleanup_buf struct buf body = BUF(BODY_CAP), query = BUF(PROMQL_MAX);
    int64_t now_ns = world_wall_ns(kube_world(r->kube));
    struct err err = {0};
    if (p->ask[CHECK_URL]) {
        check_request(o->target, s, o->spec, now_ns, &body);
        check_target_ask(t->checks->asks, CHECK_URL, p->ask[CHECK_URL], slice_of(o->spec->check),
                         buf_slice(&body));
    }
    if (!p->ask[CHECK_QUERY]) return;
    if (fill_query(o, s, now_ns, &query, &err) < 0)
        check_target_fail(t->checks->asks, CHECK_QUERY, p->ask[CHECK_QUERY], &err);
    else
        check_target_ask(t->checks->asks, CHECK_QUERY, p->ask[CHECK_QUERY], buf_slice(&query),
                         (struct slice){0});
}
