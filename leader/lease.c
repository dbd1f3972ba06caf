/* The lease machine: an event is taken in, then everything known is looked at and the next thing to do is
 * decided. */
#include "lease_state.h"

#define WARM_NS (30 * NS_PER_S) /* far below the idle time-outs of libcurl (118 s) and of usual proxies */

struct lease *lease_new(const struct lease_config *checked) {
    struct lease *l = xcalloc(1, sizeof(*l));
    l->cfg = *checked;
    memcpy(l->id, checked->identity, strlen(checked->identity) + 1);
    l->cfg.identity = l->id;
    buf_init(&l->raw, LEASE_RAW_MAX);
    l->now_ns = INT64_MIN;
    l->renewed_ns = l->term = l->claim_seen_ns = -1;
    l->max_term = -1;
    return l;
}

void lease_free(struct lease *l) {
    if (!l) return;
    buf_free(&l->raw);
    free(l);
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- the fence ---- */

int64_t lease_fence_ns(const struct lease *l) {
    bool open = l->state == S_LEADING && !l->shut && l->renewed_ns >= 0;
    return open ? l->renewed_ns + l->cfg.renew_ns : 0;
}

bool lease_may_mutate(const struct lease *l, int64_t boot_ns) {
    return boot_ns < lease_fence_ns(l);
}

bool lease_leading(const struct lease *l) {
    return l->state == S_LEADING && !l->shut;
}

bool lease_over(const struct lease *l) {
    return l->state == S_OVER;
}

int64_t lease_term(const struct lease *l) {
    return l->term;
}

const struct lease_rec *lease_last(const struct lease *l) {
    return l->known && !l->absent ? &l->rec : NULL;
}

struct slice lease_raw(const struct lease *l) {
    return l->known && !l->absent ? buf_slice(&l->raw) : (struct slice){0};
}

/* ---- acting ---- */

static int64_t wanted_timeout(const struct lease *l) {
    return l->cfg.renew_ns / 3; /* three attempts fit between a renewal and the deadline */
}

/* A standby whose watch delivers reads the lease even so, now and then: on a connection that was idle for too
 * long the next request, which may be the one that takes the lease over, would first have to connect anew. */
static void keep_warm(struct lease *l) {
    l->warm_ns = l->now_ns + WARM_NS - (int64_t)(l->rnd % (uint64_t)(WARM_NS / 4));
}

static void get(struct lease *l, struct lease_out *out) {
    keep_warm(l);
    l->pending = P_GET;
    l->reread = false;
    memcpy(l->get_rv, l->rec.rv, sizeof(l->get_rv));
    l->effects |= LEASE_GET;
    out->timeout_ns = wanted_timeout(l);
}

/* A renewTime that no other write of ours has, and that differs from what stands there: others take a change
 * for a sign of life, and it identifies which of our writes was executed. */
static int64_t unique_us(const struct lease *l, int64_t wall_ns) {
    int64_t us = wall_ns < NS_PER_US ? 1 : wall_ns / NS_PER_US;
    for (unsigned i = 0; i < LEASE_SENT; i++) {
        if (l->sent[i].renew_us != us && l->rec.renew_us != us) continue;
        us++;
        i = (unsigned)-1; /* look again from the start */
    }
    return us;
}

static void write_lease(struct lease *l, enum lease_write_kind kind, int64_t wall_ns, struct lease_out *out) {
    bool present = l->known && !l->absent;
    struct lease_rec rec = {0};
    if (present) rec = l->rec;
    rec.renew_us = unique_us(l, wall_ns);
    rec.duration_ns = kind == LEASE_RELEASE ? NS_PER_S : l->cfg.lease_ns;
    memcpy(rec.holder, kind == LEASE_RELEASE ? "" : l->id, kind == LEASE_RELEASE ? 1 : sizeof(rec.holder));
    if (kind == LEASE_ACQUIRE && !lease_is_ours(l)) {
        rec.transitions = l->max_term < 0 ? 0 : l->max_term >= INT32_MAX ? INT32_MAX : l->max_term + 1;
    } else if (kind != LEASE_ACQUIRE && l->term >= 0) {
        rec.transitions = l->term;
    }
    if (!present || kind == LEASE_RELEASE || !lease_is_ours(l)) rec.acquire_us = rec.renew_us;
    lease_mark_trial(l, kind, &rec);

    keep_warm(l);
    l->pending = P_WRITE;
    l->writing = kind;
    l->decided_ns = l->now_ns;
    memcpy(l->base_rv, present ? l->rec.rv : "", present ? sizeof(l->base_rv) : 1);
    if (kind != LEASE_RELEASE) {
        l->sent[l->nsent % LEASE_SENT].renew_us = rec.renew_us;
        l->sent[l->nsent++ % LEASE_SENT].at_ns = l->now_ns;
        l->next_renew_ns = l->now_ns + l->cfg.retry_ns;
        l->renew_now = false;
    }
    l->effects |= LEASE_WRITE;
    out->write.kind = kind;
    out->write.create = !present;
    out->write.rec = rec;
    out->timeout_ns = wanted_timeout(l);
}

static void lead(struct lease *l, struct lease_out *out) {
    l->state = S_LEADING;
    l->term = l->rec.transitions;
    l->next_renew_ns = l->renewed_ns + l->cfg.retry_ns;
    l->reported_ns = sooner(l->reported_ns, l->now_ns + l->cfg.retry_ns);
    l->effects |= LEASE_LEAD;
    out->reason = l->claim;
    out->before_us = l->before_us;
    out->from_trial = l->from_trial;
    out->gap_ns = l->claim_seen_ns < 0 ? -1 : l->now_ns - l->claim_seen_ns;
    l->contested = false;
}

static void lose(struct lease *l, enum lease_reason reason, struct lease_out *out) {
    l->state = S_LOST;
    l->shut = true;
    l->lost = reason;
    l->effects |= LEASE_STOP_WORK;
    out->reason = reason;
}

static void leave(struct lease *l, enum lease_reason reason, struct lease_out *out) {
    l->state = S_OVER;
    l->shut = true;
    l->effects = (l->effects & ~(unsigned)(LEASE_GET | LEASE_WRITE)) | LEASE_EXIT;
    out->reason = reason;
}

/* ---- deciding, by state ---- */

static bool may_ask(const struct lease *l) {
    return l->pending == P_NONE && l->now_ns >= l->wait_ns && l->now_ns >= l->reported_ns;
}

static void standby(struct lease *l, int64_t wall_ns, struct lease_out *out) {
    if (lease_is_ours(l) && l->now_ns < l->renewed_ns + l->cfg.renew_ns && l->renewed_ns >= 0) {
        lead(l, out);
        return;
    }
    if (l->pending == P_WRITE) return;
    int64_t when;
    enum lease_reason claim = lease_claimable(l, &when);
    bool doubt = l->unresolved || l->must_read;
    if (!doubt && !claim) { /* another candidate has won */
        l->conflicts = 0;
        l->contested = false;
    }
    bool calm = l->now_ns >= l->wait_ns && l->now_ns >= l->reported_ns;
    if (!doubt && lease_is_ours(l) && calm) {
        write_lease(l, LEASE_ACQUIRE, wall_ns, out); /* ours, but by a write too old to lead on */
    } else if (!doubt && claim && l->ready && calm) {
        l->claim = claim;
        l->claim_seen_ns = l->known ? l->observed_ns : -1;
        l->before_us = l->known ? l->rec.renew_us : 0;
        l->from_trial = l->known && !l->absent && l->rec.trial_us;
        write_lease(l, LEASE_ACQUIRE, wall_ns, out);
        if (!l->contested) l->log = LEASE_LOG_CONTEST;
        l->contested = true;
    } else if (may_ask(l) && (doubt || !l->heard || l->now_ns >= sooner(l->poll_ns, l->warm_ns))) {
        get(l, out);
    }
}

/* Stop is wanted and we never led: nothing to give back, unless an acquisition got through unnoticed. */
static void standby_stop(struct lease *l, struct lease_out *out) {
    if (l->pending == P_WRITE) return;
    if (l->unresolved) {
        if (may_ask(l)) get(l, out);
    } else if (lease_is_ours(l)) {
        l->state = S_CLOSING;
        l->shut = true;
        l->term = l->rec.transitions;
    } else {
        leave(l, LEASE_R_NOT_HELD, out);
    }
}

static void leading(struct lease *l, int64_t wall_ns, struct lease_out *out) {
    if (l->known && !l->absent && !lease_is_ours(l)) {
        lose(l, LEASE_R_TAKEN, out);
    } else if (l->now_ns >= l->renewed_ns + l->cfg.renew_ns) {
        lose(l, LEASE_R_DEADLINE, out);
    } else if (may_ask(l)) {
        if (l->unresolved || l->must_read) {
            get(l, out);
        } else if (l->absent) {
            write_lease(l, LEASE_RENEW, wall_ns, out);
            l->log = LEASE_LOG_RECREATE;
        } else if (l->renew_now || l->now_ns >= l->next_renew_ns) {
            write_lease(l, LEASE_RENEW, wall_ns, out);
        }
    }
}

/* Nothing of ours mutates any more. Release what the server says is ours, and only that. */
static void closing(struct lease *l, int64_t wall_ns, struct lease_out *out) {
    if (l->pending == P_WRITE && (lease_is_ours(l) || !lease_moved_on(l))) return;
    if (l->unresolved || l->must_read) {
        if (may_ask(l)) get(l, out);
    } else if (!lease_is_ours(l)) {
        bool free_now = l->absent || !l->rec.holder[0];
        leave(l, l->released ? LEASE_R_GIVEN_BACK : free_now ? LEASE_R_NOT_HELD : LEASE_R_TAKEN, out);
    } else if (l->now_ns >= l->wait_ns && l->now_ns >= l->reported_ns) {
        l->released = true;
        write_lease(l, LEASE_RELEASE, wall_ns, out);
    }
}

static void decide(struct lease *l, int64_t wall_ns, struct lease_out *out) {
    if (l->state == S_STANDBY) {
        if (l->stopping)
            standby_stop(l, out);
        else
            standby(l, wall_ns, out);
    }
    if (l->state == S_LEADING) leading(l, wall_ns, out);
    if (l->state == S_CLOSING) closing(l, wall_ns, out);
}

/* ---- taking in ---- */

static void told_to_wait(struct lease *l, int64_t retry_after_ns) {
    int64_t most = l->state == S_STANDBY ? 30 * NS_PER_S : l->cfg.retry_ns;
    if (retry_after_ns > 0) l->reported_ns = l->now_ns + (retry_after_ns < most ? retry_after_ns : most);
}

/* The request under way has ended without success: unless a watch has shown that it was executed, a renewal
 * is due again as soon as the backoff allows. */
static void ended(struct lease *l) {
    if (l->pending == P_WRITE && l->renewed_ns < l->decided_ns) l->next_renew_ns = l->now_ns;
    l->pending = P_NONE;
}

static void failed(struct lease *l, int64_t retry_after_ns) {
    ended(l);
    told_to_wait(l, retry_after_ns);
    int64_t backoff = l->cfg.retry_ns >> (l->fails < 3 ? 3 - l->fails : 0);
    l->fails++;
    l->wait_ns = l->now_ns + lease_jittered(l, backoff);
}

/* Of several candidates that contest at once all but one get a conflict, read, and see the winner: no jitter
 * is needed. A candidate that gets one conflict after the other (the Lease is edited all the time, a proxy
 * answers 5xx) backs off exponentially. */
static void doubtful(struct lease *l) {
    ended(l);
    lease_observe_doubt(l);
    if (++l->conflicts < 2) return;
    unsigned shift = l->conflicts < 12 ? l->conflicts : 12;
    int64_t backoff = (5 * NS_PER_MS) << shift;
    l->wait_ns = l->now_ns + lease_jittered(l, backoff < l->cfg.retry_ns ? backoff : l->cfg.retry_ns);
}

static void drained(struct lease *l) {
    l->stopping = true;
    if (l->state == S_LEADING || l->state == S_LOST) {
        /* Past the fence the memory of being the holder is worth nothing. */
        if (l->state == S_LOST || l->now_ns >= l->renewed_ns + l->cfg.renew_ns) l->must_read = true;
        if (l->lost == LEASE_R_TAKEN && !lease_is_ours(l)) l->must_read = false;
        l->state = S_CLOSING;
        l->shut = true;
        l->wait_ns = l->now_ns; /* a backoff meant for renewals */
        l->fails = 0;
    }
}

static void give_up(struct lease *l, struct lease_out *out) {
    bool maybe = l->unresolved || l->pending == P_WRITE || lease_is_ours(l);
    enum lease_reason r = maybe                                            ? LEASE_R_NOT_RELEASED
                          : l->released                                    ? LEASE_R_GIVEN_BACK
                          : l->state == S_LOST && l->lost == LEASE_R_TAKEN ? LEASE_R_TAKEN
                                                                           : LEASE_R_NOT_HELD;
    if (maybe) l->log = LEASE_LOG_GIVE_UP;
    leave(l, r, out);
}

static void take_answer(struct lease *l, const struct lease_in *in) {
    if (l->pending != P_WRITE) return;
    switch (in->ev) {
    case LEASE_EV_WRITTEN: lease_observe_written(l, in->rec, in->raw); break;
    case LEASE_EV_CONFLICT:
    case LEASE_EV_UNKNOWN:
        doubtful(l);
        told_to_wait(l, in->retry_after_ns);
        break;
    default: failed(l, in->retry_after_ns); break;
    }
}

static void take(struct lease *l, const struct lease_in *in, struct lease_out *out) {
    switch (in->ev) {
    case LEASE_EV_TICK: break;
    case LEASE_EV_SEEN: lease_observe_record(l, in->rec, in->raw, in->watched); break;
    case LEASE_EV_ABSENT: lease_observe_absent(l, in->watched); break;
    case LEASE_EV_READ_FAILED:
        if (l->pending == P_GET) failed(l, in->retry_after_ns);
        break;
    case LEASE_EV_WRITTEN:
    case LEASE_EV_CONFLICT:
    case LEASE_EV_FAILED:
    case LEASE_EV_UNKNOWN: take_answer(l, in); break;
    case LEASE_EV_REFUSED:
        if (l->state == S_CLOSING && l->pending == P_WRITE) { /* asking again would be refused again */
            l->pending = P_NONE;
            give_up(l, out);
        } else {
            take_answer(l, in);
        }
        break;
    case LEASE_EV_DEAD:
        if (in->holder.n && in->holder.n < sizeof(l->dead) && !slice_eqs(in->holder, l->id)) {
            memcpy(l->dead, in->holder.p, in->holder.n);
            l->dead[in->holder.n] = '\0';
            l->dead_ns = l->now_ns;
        }
        break;
    case LEASE_EV_WATCH:
        l->watch_up = in->on;
        if (!in->on && l->poll_ns > l->now_ns + l->cfg.retry_ns)
            l->poll_ns = l->now_ns + lease_jittered(l, l->cfg.retry_ns);
        break;
    case LEASE_EV_READY: l->ready = in->on; break;
    case LEASE_EV_RENEW: l->renew_now = l->state == S_LEADING; break;
    case LEASE_EV_YIELD:
        if (!in->holder.n || in->holder.n >= sizeof l->yield) break;
        memcpy(l->yield, in->holder.p, in->holder.n);
        l->yield[in->holder.n] = '\0';
        l->yield_us = in->until_us;
        break;
    case LEASE_EV_STOP: l->stopping = true; break;
    case LEASE_EV_DRAINED: drained(l); break;
    case LEASE_EV_GIVE_UP: give_up(l, out); break;
    }
}

/* ---- when to look again ---- */

static int64_t wake(const struct lease *l) {
    if (l->state == S_OVER || l->state == S_LOST) return TIME_NEVER;
    int64_t at = TIME_NEVER, calm = later(l->wait_ns, l->reported_ns), when;
    bool doubt = l->unresolved || l->must_read;
    if (l->state == S_LEADING) {
        at = l->renewed_ns + l->cfg.renew_ns;
        if (l->pending == P_NONE)
            at = sooner(at, later(calm, doubt || l->absent || l->renew_now ? 0 : l->next_renew_ns));
        return at;
    }
    if (l->pending == P_WRITE) return TIME_NEVER;
    if (l->state == S_CLOSING || l->stopping) return l->pending == P_NONE ? calm : TIME_NEVER;
    enum lease_reason claim = lease_claimable(l, &when);
    if (!doubt && l->ready) at = later(calm, claim ? 0 : when);
    if (!doubt && lease_is_ours(l)) at = calm;
    if (l->pending == P_NONE)
        at = sooner(at, later(calm, doubt || !l->heard ? 0 : sooner(l->poll_ns, l->warm_ns)));
    return at;
}

static void list_effects(unsigned set, struct lease_out *out) {
    static const enum lease_effect order[LEASE_EFFECTS] = {LEASE_RENEWED, LEASE_LEAD, LEASE_STOP_WORK,
                                                           LEASE_EXIT,    LEASE_GET,  LEASE_WRITE};
    for (size_t i = 0; i < LEASE_EFFECTS; i++)
        if (set & order[i]) out->effects[out->neffects++] = order[i];
}

void lease_step(struct lease *l, const struct lease_in *in, struct lease_out *ret) {
    struct lease_out out = {.wake_ns = TIME_NEVER, .term = l->term, .gap_ns = -1};
    l->now_ns = later(l->now_ns, in->boot_ns);
    l->rnd = in->rnd;
    l->log = LEASE_LOG_NONE;
    l->renewed = false;
    l->effects = 0;
    if (l->state != S_OVER) {
        take(l, in, &out);
        if (!(l->effects & (LEASE_EXIT | LEASE_WRITE))) decide(l, in->wall_ns, &out);
        out.wake_ns = wake(l);
        out.term = l->term;
        if (l->renewed && l->state == S_LEADING) {
            l->effects |= LEASE_RENEWED;
            out.renewed_at = l->renewed_ns;
        }
    }
    out.log = l->log;
    list_effects(l->effects, &out);
    *ret = out;
}
