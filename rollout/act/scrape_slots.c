/* Which client reads a page next; see scrape_slots.h. */
#include "act/scrape_slots.h"

enum { AT_ONCE = 4 };                   /* of one target */
#define FIRST_COST_NS (500 * NS_PER_MS) /* of a turn, before there was one */
#define MOST_AHEAD_NS (60 * NS_PER_S)   /* no client waits longer than that for its turn */

void scrape_slots_init(struct scrape_slots *s, unsigned max) {
    *s = (struct scrape_slots){.max = max};
    list_init(&s->waiting);
    list_init(&s->used);
}

void scrape_slots_client(struct slot_client *c, struct slot_share *ns) {
    *c = (struct slot_client){.ns = ns, .own.cost_ns = FIRST_COST_NS};
    if (!ns->cost_ns) ns->cost_ns = FIRST_COST_NS;
    list_init(&c->waiting);
}

static int64_t latest(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Time in which a client did not wait is not saved up. */
void scrape_slots_wait(struct scrape_slots *s, struct slot_client *c, bool fresh, bool suspect,
                       int64_t now_ns) {
    bool new = list_empty(&c->waiting);
    c->fresh = fresh;
    c->suspect = suspect;
    list_remove(&c->waiting);
    if (!fresh && !suspect) return;
    list_push(&s->waiting, &c->waiting);
    if (new) c->own.tag_ns = latest(c->own.tag_ns, now_ns);
    if (new) c->ns->tag_ns = latest(c->ns->tag_ns, now_ns);
}

static int64_t turn_of(const struct slot_share *s) {
    return s->tag_ns + s->held * s->cost_ns;
}

static bool before(const struct slot_client *a, const struct slot_client *b) {
    int64_t x = turn_of(a->ns), y = turn_of(b->ns);
    return a->ns != b->ns && x != y ? x < y : turn_of(&a->own) < turn_of(&b->own);
}

static struct slot_client *first(const struct scrape_slots *s, bool suspect) {
    struct slot_client *best = NULL;
    list_each(it, &s->waiting) {
        struct slot_client *c = container_of(it, struct slot_client, waiting);
        if (!(suspect ? c->suspect : c->fresh) || c->own.held >= AT_ONCE) continue;
        if (!best || before(c, best)) best = c;
    }
    return best;
}

/* Would the waiting client have had its turn before this read, had its duration been known? */
static bool goes_before(const struct slot_client *waits, const struct slot_use *u, int64_t now_ns) {
    const struct slot_client *has = u->client;
    bool same = has->ns == waits->ns;
    const struct slot_share *theirs = same ? &has->own : has->ns, *ours = same ? &waits->own : waits->ns;
    return turn_of(ours) < latest(turn_of(theirs), theirs->tag_ns + now_ns - u->since_ns);
}

static struct slot_use *victim_for(const struct scrape_slots *s, const struct slot_client *c, int64_t now_ns,
                                   int64_t *ret_again_ns) {
    struct slot_use *old = NULL;
    *ret_again_ns = TIME_NEVER;
    list_each(it, &s->used) {
        struct slot_use *u = container_of(it, struct slot_use, node);
        if (old || u->client == c) continue;
        if (now_ns - u->since_ns >= SCRAPE_QUANTUM_NS)
            old = goes_before(c, u, now_ns) ? u : NULL;
        else if (*ret_again_ns == TIME_NEVER)
            *ret_again_ns = u->since_ns + SCRAPE_QUANTUM_NS;
    }
    return old;
}

struct slot_client *scrape_slots_next(struct scrape_slots *s, int64_t now_ns, bool *ret_suspect,
                                      struct slot_use **ret_victim, int64_t *ret_again_ns) {
    struct slot_client *c = first(s, false);
    *ret_suspect = false;
    *ret_victim = NULL;
    *ret_again_ns = TIME_NEVER;
    if (c && s->held < s->max) return c;
    if (c) {
        *ret_victim = victim_for(s, c, now_ns, ret_again_ns);
        return *ret_victim ? c : NULL;
    }
    *ret_suspect = true;
    return s->held < s->max && s->suspects < (s->max + 1) / 2 ? first(s, true) : NULL;
}

static void pay(struct slot_share *s, int64_t took_ns, int64_t price, int64_t now_ns) {
    int64_t tag = s->tag_ns + took_ns * price;
    s->tag_ns = tag < now_ns + MOST_AHEAD_NS ? tag : now_ns + MOST_AHEAD_NS;
    s->cost_ns = (s->cost_ns + took_ns * price) / 2;
    s->held--;
}

void scrape_slots_take(struct scrape_slots *s, struct slot_use *u, struct slot_client *c, bool suspect,
                       int64_t now_ns) {
    *u = (struct slot_use){.client = c, .since_ns = now_ns, .suspect = suspect};
    list_push(&s->used, &u->node);
    s->held++;
    s->suspects += suspect;
    c->ns->held++;
    c->own.held++;
}

/* The more clients wait, the longer each of them has to wait for a turn. */
void scrape_slots_give(struct scrape_slots *s, struct slot_use *u, int64_t now_ns) {
    unsigned waiting = 0;
    list_each(it, &s->waiting) waiting++;
    int64_t price = 1 + (waiting + s->max - 1) / s->max;
    list_remove(&u->node);
    s->held--;
    s->suspects -= u->suspect;
    pay(u->client->ns, now_ns - u->since_ns, price, now_ns);
    pay(&u->client->own, now_ns - u->since_ns, price, now_ns);
}
