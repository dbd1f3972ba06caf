/* What the lease machine has observed of the Lease: which record is the newest, which of our writes were
 * executed, and whether it may be taken. */
#include "lease_state.h"

/* -1, 0, 1; 2: not comparable. Resource versions are decimal numbers that grow with every write of the
 * server. */
static int rv_cmp(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    bool numbers =
        n && m && strspn(a, "0123456789") == n && strspn(b, "0123456789") == m && a[0] != '0' && b[0] != '0';
    if (!numbers) return strcmp(a, b) == 0 ? 0 : 2;
    int c = n != m ? (n < m ? -1 : 1) : memcmp(a, b, n);
    return c < 0 ? -1 : c > 0;
}

bool lease_is_ours(const struct lease *l) {
    return l->known && !l->absent && strcmp(l->rec.holder, l->id) == 0;
}

int64_t lease_jittered(const struct lease *l, int64_t ns) {
    return ns - (int64_t)(l->rnd % (uint64_t)(ns / 2 + 1));
}

static void heard(struct lease *l) {
    if (l->heard && l->now_ns - l->heard_ns > l->cfg.lease_ns) l->sighted_ns = l->now_ns;
    l->heard = true;
    l->heard_ns = l->now_ns;
    l->poll_ns = l->now_ns + (l->watch_up ? 2 : 1) * l->cfg.retry_ns +
                 (int64_t)(l->rnd % (uint64_t)(l->cfg.retry_ns / 5 + 1));
}

/* A record of ours: which write made it, and since when is the lease renewed? Its renewTime identifies the
 * write, as no two of ours have the same. A version that moved because a label was edited proves nothing. */
static void match_sent(struct lease *l) {
    if (!lease_is_ours(l)) return;
    for (unsigned i = 0; i < LEASE_SENT; i++) {
        if (l->sent[i].renew_us != l->rec.renew_us || !l->rec.renew_us) continue;
        int64_t at = l->sent[i].at_ns;
        if (at <= l->renewed_ns) continue;
        l->renewed_ns = at;
        l->renewed = true;
    }
}

static void accept(struct lease *l, const struct lease_rec *rec, struct slice raw) {
    const struct lease_rec *old = &l->rec;
    bool same = l->known && !l->absent && strcmp(old->holder, rec->holder) == 0 &&
                strcmp(old->uid, rec->uid) == 0 && old->renew_us == rec->renew_us &&
                old->acquire_us == rec->acquire_us && old->transitions == rec->transitions &&
                old->duration_ns == rec->duration_ns;
    if (!same) l->observed_ns = l->now_ns;
    l->rec = *rec;
    l->known = true;
    l->absent = false;
    buf_clear(&l->raw);
    buf_add(&l->raw, raw); /* without it if it is too large: then a write carries our fields only */
    if (rec->transitions > l->max_term) l->max_term = rec->transitions;
    match_sent(l);
}

void lease_observe_record(struct lease *l, const struct lease_rec *rec, struct slice raw, bool watched) {
    int c = l->known ? rv_cmp(rec->rv, l->rec.rv) : 1;
    if (watched) {
        heard(l);
        if (c == 2 && !l->absent) {
            l->must_read = l->reread = true; /* old news or new? ask */
        } else if (c > 0) {
            accept(l, rec, raw);
            l->wait_ns = 0; /* fresh news need not wait for the backoff of an older failure */
            if (l->unresolved && strcmp(l->base_rv, rec->rv) != 0) l->unresolved = l->must_read = false;
        }
        return;
    }
    if (l->pending != P_GET) return;
    l->pending = P_NONE;
    heard(l);
    l->fails = 0;
    l->unresolved = false;
    l->must_read = l->reread;
    l->reread = false;
    /* Older than what a watch has shown meanwhile: keep that. Older than what was known when we asked: the
     * server itself went back (restored from a backup), and its answer counts. */
    bool superseded = c < 0 && rv_cmp(rec->rv, l->get_rv) >= 0;
    if (!superseded) accept(l, rec, raw);
}

/* Why it may be taken, at this moment or one to come, and since when anybody may. */
static enum lease_reason claim_since(const struct lease *l, int64_t *ret_ns) {
    if (l->absent || !l->known) {
        *ret_ns = l->held_until_ns > l->absent_ns ? l->held_until_ns : l->absent_ns;
        return LEASE_R_ABSENT;
    }
    *ret_ns = l->observed_ns;
    if (!l->rec.holder[0]) return LEASE_R_RELEASED;
    if (strcmp(l->rec.holder, l->dead) == 0) {
        if (l->dead_ns > l->observed_ns) *ret_ns = l->dead_ns;
        return LEASE_R_DEAD;
    }
    int64_t duration = l->rec.duration_ns > 0 ? l->rec.duration_ns : l->cfg.lease_ns;
    *ret_ns = l->observed_ns > INT64_MAX - duration ? INT64_MAX : l->observed_ns + duration;
    return LEASE_R_EXPIRED;
}

void lease_observe_absent(struct lease *l, bool watched) {
    heard(l);
    if (watched) {
        l->must_read = l->reread = true; /* the event may be older than a new Lease */
        l->wait_ns = 0;
        return;
    }
    if (l->pending != P_GET) return;
    l->pending = P_NONE;
    l->fails = 0;
    l->unresolved = false;
    l->must_read = l->reread;
    l->reread = false;
    if (l->absent) return;
    /* Deleted under its holder, which may mutate until its fence shuts: wait as for an expiry. */
    bool held = l->known && l->rec.holder[0] && !lease_is_ours(l) && strcmp(l->rec.holder, l->dead) != 0;
    int64_t when;
    l->held_until_ns = 0;
    if (held && claim_since(l, &when) == LEASE_R_EXPIRED && when > l->now_ns) l->held_until_ns = when;
    l->absent = true;
    l->absent_ns = l->now_ns;
    buf_clear(&l->raw);
}

void lease_observe_written(struct lease *l, const struct lease_rec *rec, struct slice raw) {
    l->pending = P_NONE;
    l->fails = l->conflicts = 0;
    l->unresolved = false;
    heard(l);
    if (l->writing != LEASE_RELEASE && l->decided_ns >= l->renewed_ns) {
        l->renewed_ns = l->decided_ns;
        l->renewed = true;
    }
    if (!l->known || l->absent || rv_cmp(rec->rv, l->rec.rv) > 0) accept(l, rec, raw);
}

bool lease_moved_on(const struct lease *l) {
    return l->known && !l->absent && (!l->base_rv[0] || strcmp(l->rec.rv, l->base_rv) != 0);
}

void lease_observe_doubt(struct lease *l) {
    if (!lease_moved_on(l)) l->unresolved = l->must_read = true;
}

enum lease_reason lease_claimable(const struct lease *l, int64_t *ret_when_ns) {
    int64_t when;
    *ret_when_ns = TIME_NEVER;
    if (!l->heard) return LEASE_R_NONE;
    enum lease_reason claim = claim_since(l, &when);
    int64_t patience = lease_patience(l, claim);
    if (patience && l->now_ns - l->heard_ns > l->cfg.lease_ns) return LEASE_R_NONE; /* not unseen */
    if (patience && when < l->sighted_ns) when = l->sighted_ns;
    when = when > INT64_MAX - patience ? INT64_MAX : when + patience;
    if (l->now_ns >= when) return claim;
    *ret_when_ns = when;
    return LEASE_R_NONE;
}
