/* The network between the hosts: who reaches whom, how fast, and what gets lost. */
#include "internal.h"
#include <errno.h>
#include <fnmatch.h>

static const struct simnet usual = {.latency_ns = 200 * NS_PER_US, .jitter_ns = 100 * NS_PER_US};

struct proxy {
    struct list all;
    char *url;
};

static bool fits(const char *from_pattern, const char *to_pattern, const char *from, const char *to) {
    return fnmatch(from_pattern, from, 0) == 0 && fnmatch(to_pattern, to, 0) == 0;
}

/* ---- rules ---- */

static void rule_remove(struct simworld *sw, const char *from, const char *to) {
    for (size_t i = 0; i < sw->nrules; i++) {
        struct net_rule *r = &sw->rules[i];
        if (strcmp(r->from, from) != 0 || strcmp(r->to, to) != 0) continue;
        free(r->from);
        free(r->to);
        memmove(r, r + 1, (sw->nrules - i - 1) * sizeof *r);
        sw->nrules--;
        return;
    }
}

void simworld_net(struct simworld *sw, const char *from, const char *to, const struct simnet *net) {
    rule_remove(sw, from, to);
    trace(sw, NULL, "net %s -> %s %s", from, to, net ? "set" : "default");
    if (!net) return;
    sw->rules = xgrow(sw->rules, &sw->rules_cap, sw->nrules + 1, sizeof *sw->rules);
    sw->rules[sw->nrules++] = (struct net_rule){xstrdup(from), xstrdup(to), *net};
}

const struct simnet *net_between(const struct simworld *sw, const char *from, const char *to) {
    if (strcmp(from, "outside") == 0) return &usual; /* the test itself is never cut off */
    for (size_t i = sw->nrules; i > 0; i--)
        if (fits(sw->rules[i - 1].from, sw->rules[i - 1].to, from, to)) return &sw->rules[i - 1].net;
    return &usual;
}

bool net_chance(struct simworld *sw, double p) {
    return p > 0 && rng_unit(&sw->rng) < p;
}

int64_t net_latency(struct simworld *sw, const struct simnet *n) {
    int64_t t = n->latency_ns;
    if (n->jitter_ns > 0) t += (int64_t)rng_below(&sw->rng, (uint64_t)n->jitter_ns);
    if (n->slow_ns > 0 && net_chance(sw, n->slow)) t += (int64_t)rng_below(&sw->rng, (uint64_t)n->slow_ns);
    return t < 0 ? 0 : t;
}

/* ---- partitions ---- */

static bool link_fits(const struct link *l, const char *from, const char *to) {
    return fits(from, to, l->from->name, l->to);
}

bool net_blocked(const struct simworld *sw, const char *from, const char *to) {
    if (strcmp(from, "outside") == 0) return false;
    for (size_t i = 0; i < sw->ncuts; i++)
        if (fits(sw->cuts[i].from, sw->cuts[i].to, from, to)) return true;
    return false;
}

void simworld_partition(struct simworld *sw, const char *from, const char *to) {
    trace(sw, NULL, "partition %s -> %s", from, to);
    sw->cuts = xgrow(sw->cuts, &sw->cuts_cap, sw->ncuts + 1, sizeof *sw->cuts);
    sw->cuts[sw->ncuts++] = (struct cut_off){xstrdup(from), xstrdup(to)};
    list_each(it, &sw->links) {
        struct link *l = container_of(it, struct link, all);
        if (link_fits(l, from, to)) link_stall(l);
    }
}

void simworld_heal(struct simworld *sw, const char *from, const char *to) {
    trace(sw, NULL, "heal %s -> %s", from ? from : "*", to ? to : "*");
    size_t kept = 0;
    for (size_t i = 0; i < sw->ncuts; i++) {
        struct cut_off c = sw->cuts[i];
        bool goes = (!from || strcmp(c.from, from) == 0) && (!to || strcmp(c.to, to) == 0);
        if (!goes) {
            sw->cuts[kept++] = c;
            continue;
        }
        free(c.from);
        free(c.to);
    }
    sw->ncuts = kept;
    list_each_safe(it, tmp, &sw->links) {
        struct link *l = container_of(it, struct link, all);
        if (!net_blocked(sw, l->from->name, l->to)) link_resume(l);
    }
}

void simworld_reset(struct simworld *sw, const char *from, const char *to) {
    trace(sw, NULL, "reset %s -> %s", from, to);
    list_each_safe(it, tmp, &sw->links) {
        struct link *l = container_of(it, struct link, all);
        if (link_fits(l, from, to)) link_break(l, -ECONNRESET, "connection reset by peer");
    }
}

/* ---- names ---- */

struct server *server_by_name(const struct simworld *sw, const char *name) {
    list_each(it, &sw->servers) {
        struct server *s = container_of(it, struct server, all);
        if (strcmp(s->name, name) == 0) return s;
    }
    return NULL;
}

void simworld_proxy(struct simworld *sw, const char *url) {
    struct proxy *p = xcalloc(1, sizeof *p);
    p->url = xstrdup(url);
    list_push(&sw->proxies, &p->all);
}

bool proxy_exists(const struct simworld *sw, const char *url) {
    list_each(it, &sw->proxies) if (strcmp(container_of(it, struct proxy, all)->url, url) == 0) return true;
    return false;
}

void net_free(struct simworld *sw) {
    for (size_t i = 0; i < sw->nrules; i++) {
        free(sw->rules[i].from);
        free(sw->rules[i].to);
    }
    free(sw->rules);
    for (size_t i = 0; i < sw->ncuts; i++) {
        free(sw->cuts[i].from);
        free(sw->cuts[i].to);
    }
    free(sw->cuts);
    list_each_safe(it, tmp, &sw->proxies) {
        struct proxy *p = container_of(it, struct proxy, all);
        free(p->url);
        free(p);
    }
}
