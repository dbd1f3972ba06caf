/* How many clean reconciles more would pass the canary: asked of the rule itself, which is fed with them. */
#include "judge/counter.h"
#include "judge/judge.h"

enum { MOST_SCRAPES = 4096 }; /* ahead */

/* The canary goes on at its pace, and without an error; stable goes on as it did. Fractions are carried. */
struct ahead {
    struct judge j;
    const struct judge *past;
    uint64_t clean; /* reconciles so far */
    uint64_t looks, nc, ns, es, by[JUDGE_CONTROLLERS];
};

static uint64_t take(uint64_t *carry, uint64_t sum, uint64_t of) {
    *carry += sum % of;
    uint64_t whole = sum / of + *carry / of;
    *carry %= of;
    return whole;
}

static void ahead_init(struct ahead *a, const struct judge *past) {
    *a = (struct ahead){.past = past, .looks = past->scrapes - 1}; /* the next scrape is one of its looks */
    judge_copy(past, &a->j);
}

static void ahead_copy(const struct ahead *from, struct ahead *ret) {
    *ret = *from;
    judge_copy(&from->j, &ret->j);
}

static void ahead_move(struct ahead *from, struct ahead *to) {
    judge_free(&to->j);
    *to = *from;
    judge_init(&from->j);
}

static void scrape(struct ahead *a, const struct judge_param *p) {
    const struct judge *past = a->past;
    const struct judge_test *all = &past->all;
    bool look = take(&a->looks, all->looks, past->scrapes) > 0;
    uint64_t nc = look ? take(&a->nc, all->nc, all->looks) : 0;
    if (look && !nc) nc = 1;
    const struct judge_counts c = {
        .nc = nc, .ns = take(&a->ns, all->ns, past->scrapes), .es = take(&a->es, all->es, past->scrapes)};
    judge_feed(&a->j, p, &c);
    for (size_t i = 0; i < past->n; i++) {
        const struct judge_test *t = &past->controller[i];
        const struct judge_counts own = {.nc = look ? take(&a->by[i], t->nc, all->looks) : 0};
        judge_feed_controller(&a->j, p, t->name, &own);
    }
    counter_sum(&a->clean, nc);
}

static void scrapes(struct ahead *a, const struct judge_param *p, unsigned n) {
    while (n--) scrape(a, p);
}

static bool passes(const struct ahead *a, const struct judge_param *p) {
    struct judge_report r;
    judge_verdict(&a->j, p, INT64_MAX, &r);
    return r.verdict == VERDICT_PASS;
}

/* *lo does not pass, *hi, which is so many scrapes ahead of it, does. */
static void narrow(struct ahead *lo, struct ahead *hi, unsigned apart, const struct judge_param *p) {
    while (apart > 1) {
        struct ahead mid;
        ahead_copy(lo, &mid);
        scrapes(&mid, p, apart / 2);
        bool enough = passes(&mid, p);
        apart = enough ? apart / 2 : apart - apart / 2;
        ahead_move(&mid, enough ? hi : lo);
    }
}

bool judge_clean_to_pass(const struct judge *j, const struct judge_param *p, uint64_t *ret) {
    struct ahead lo, hi;
    if (!j->scrapes || !j->all.looks || !j->all.nc) return false;
    ahead_init(&lo, j);
    ahead_copy(&lo, &hi);
    bool pass = passes(&lo, p);
    for (unsigned far = 1, ahead = 0; !pass && ahead + far <= MOST_SCRAPES; far *= 2) {
        scrapes(&hi, p, far);
        ahead += far;
        pass = passes(&hi, p);
        if (pass) {
            narrow(&lo, &hi, far, p);
            break;
        }
        judge_free(&lo.j);
        ahead_copy(&hi, &lo);
    }
    if (pass) *ret = hi.clean;
    judge_free(&lo.j);
    judge_free(&hi.j);
    return pass;
}
