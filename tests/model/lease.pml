/* The lease protocol of leader/lease.c as a model for Spin: N candidates, one Lease, for each a write that is waited for
 * and the late copy of one that is not any more, lost answers, crashes with and without certificates, drains, edits by
 * others. A process may be slower than any clock (that is a pause too) until the faults are over.
 *
 * Versions are not numbers here. What matters of a resourceVersion is whether it is still the present one: a bit with
 * every piece of knowledge and every write, cleared for all others when a write is executed. Terms count modulo 2: one that
 * does not follow the last one is noticed. Time goes by ticks: the fence lasts F ticks from the decision on a write, others
 * wait L ticks from the moment they saw it. While there are faults a tick may come at any time; afterwards (`stable`) only
 * when nothing else can be done, so that "within a bound" means something.
 *
 * With TRIAL the last candidate is a canary (leader/lease_trial.c): a release may name it, and then the others leave it the lease for
 * a tick; it takes no other, unless nobody has taken the lease for LC ticks.
 *
 * The faults NO_FENCE, FENCE_FROM_ANSWER, RELEASE_EARLY, BLIND_RELEASE, LYING_CERTIFICATE, NO_PRECONDITION, UNNAMED, STALE_NAME (-D) must be
 * found. tests/model/run.sh runs it all. */
#ifndef N
#define N 2
#endif
#define L 3
#define F 2
#ifndef BOUND
#define BOUND L
#endif
#define NOBODY N
#define LC     (L + 1)

#ifdef TRIAL
bit named = 0;                    /* the release that stands there names the canary */
byte since = 0;                   /* ticks since the last write of a candidate, at most LC */
bit knamed[N], wnames[N], cnames[N];
#define CANARY(i)  ((i) == N - 1)
#define COPY_NAMES(i) cnames[i] = wnames[i]
#define NAMED(w, i) w[i]
#ifdef UNNAMED
#define LEFT_TO_OTHERS(i) (false)
#else
#define LEFT_TO_OTHERS(i) (CANARY(i) && !(kholder[i] == NOBODY && knamed[i]) && age[i] < LC || \
                           !CANARY(i) && kholder[i] == NOBODY && knamed[i] && age[i] < 1)
#endif
#define WAITS(i)   (kholder[i] != i)
#define AGES(i)    (CANARY(i) -> LC : L)
#else
#define LEFT_TO_OTHERS(i) (false)
#define COPY_NAMES(i) skip
#define NAMED(w, i) 0
#define WAITS(i)   (kholder[i] != NOBODY && kholder[i] != i)
#define AGES(i)    L
#endif

#define STANDBY 0
#define LEAD    1
#define CLOSING 2
#define GONE    3

#define FREE     0
#define SENT     1
#define DONE     2

#define ACQUIRE 0
#define RENEW   1
#define RELEASE 2

/* The server. */
byte holder = NOBODY;
bit term = 0;
byte xage = F; /* ticks since the decision on the write that made the present holder's record, at most F */

/* The write that is waited for, and the late copy of an earlier one (only if it can still be executed). */
byte wstate[N], wkind[N], wage[N], ckind[N], cage[N];
bit wvalid[N], wterm[N], wseen[N], copy[N], cterm[N];

/* The candidates. */
byte st[N], kholder[N], age[N], fence[N];
bit kterm[N], kcur[N], unres[N], working[N], stop[N], dead[N];

byte gap = 0;
bit stable = 0; /* no more faults */

#ifdef NO_FENCE
#define MAY(i) (st[i] == LEAD)
#else
#define MAY(i) (fence[i] > 0)
#endif
#define MUTATES(i) (working[i] && MAY(i))
#define LEADS(i)   (MUTATES(i) && kholder[i] == i)
#define COULD(i)   (st[i] < CLOSING && !stop[i])
#if N > 2
#define TWO (MUTATES(0) && MUTATES(1) || MUTATES(0) && MUTATES(2) || MUTATES(1) && MUTATES(2))
#define SOMEBODY_LEADS (LEADS(0) || LEADS(1) || LEADS(2))
#define SOMEBODY_COULD (COULD(0) || COULD(1) || COULD(2))
#else
#define TWO (MUTATES(0) && MUTATES(1))
#define SOMEBODY_LEADS (LEADS(0) || LEADS(1))
#define SOMEBODY_COULD (COULD(0) || COULD(1))
#endif

#if defined(BLIND_RELEASE)
#define UNCONDITIONAL(kind) ((kind) == RELEASE)
#elif defined(NO_PRECONDITION)
#define UNCONDITIONAL(kind) ((kind) == ACQUIRE)
#else
#define UNCONDITIONAL(kind) (false)
#endif

/* A new version: what others know is old, what they have sent will be refused. */
inline new_version() {
    k = 0;
    do
    :: k < N ->
        kcur[k] = 0; wseen[k] = 0;
        if
        :: UNCONDITIONAL(wkind[k]) && wvalid[k]
        :: else -> wvalid[k] = 0; wkind[k] = 0; wage[k] = 0; wterm[k] = 0
        fi;
        if
        :: UNCONDITIONAL(ckind[k]) && copy[k]
        :: else -> copy[k] = 0; ckind[k] = 0; cage[k] = 0; cterm[k] = 0
        fi;
        k++
    :: else -> break
    od;
    k = 0
}

inline execute(i, kind, newterm, decided, names) {
    if
    :: kind == RELEASE ->
        assert(holder == i);   /* nobody releases what is another's */
        assert(!working[i]);   /* and not before its own work has stopped */
        holder = NOBODY; xage = F;
#ifdef TRIAL
        named = names; since = 0
#endif
    :: else ->
        assert(holder == i || newterm != term); /* terms grow */
#ifdef TRIAL
        assert(!CANARY(i) || holder == i || holder == NOBODY && named || since >= LC - 1); /* nobody else's turn */
#ifndef STALE_NAME
        named = 0;
#endif
        since = 0;
#endif
        holder = i; term = newterm; xage = decided
    fi;
    new_version()
}

#ifdef FENCE_FROM_ANSWER
#define DECIDED_AGO 0
#else
#define DECIDED_AGO xage
#endif

/* The fence counts from the decision on the write that is known to be executed. */
inline renewed(i) {
    if
    :: holder == i && st[i] < CLOSING && F - DECIDED_AGO > fence[i] -> fence[i] = F - DECIDED_AGO
    :: else
    fi
}

inline know(i) {
    if
    :: st[i] == STANDBY && !kcur[i] -> age[i] = 0
    :: else
    fi;
    kcur[i] = 1; kholder[i] = holder; kterm[i] = term;
#ifdef TRIAL
    knamed[i] = named;
#endif
    if
    :: !WAITS(i) -> age[i] = 0
    :: else
    fi;
    renewed(i)
}

inline send(i, kind) {
    wstate[i] = SENT; wkind[i] = kind; wage[i] = 0; wvalid[i] = kcur[i];
    wterm[i] = (kind == ACQUIRE && kholder[i] != i -> 1 - kterm[i] : kterm[i]);
    if :: UNCONDITIONAL(kind) -> wvalid[i] = 1 :: else fi;
#ifdef TRIAL
    if :: kind == RELEASE && !CANARY(i) -> wnames[i] = 1 :: else -> wnames[i] = 0 fi;
    if :: wnames[i] = 0 :: skip fi; /* it may, and need not */
#endif
    if :: !wvalid[i] -> wkind[i] = 0; wterm[i] = 0 :: else fi
}

inline forget_write(i) {
    wstate[i] = FREE; wkind[i] = 0; wage[i] = 0; wvalid[i] = 0; wterm[i] = 0; wseen[i] = 0
}

/* Nobody waits for the answer any more; as long as the write is valid it may come through. */
inline let_go(i) {
    if
    :: wstate[i] == SENT && wvalid[i] -> copy[i] = 1; ckind[i] = wkind[i]; cage[i] = wage[i]; cterm[i] = wterm[i]; COPY_NAMES(i)
    :: else
    fi;
    forget_write(i)
}

inline leave(i) {
    st[i] = GONE; fence[i] = 0; working[i] = 0; unres[i] = 0; kcur[i] = 0; kholder[i] = NOBODY; kterm[i] = 0; age[i] = 0; stop[i] = 0;
    let_go(i)
}

/* The fence is shut: the work can only end, and what is remembered of the lease counts for nothing. */
inline lose(i) {
    st[i] = CLOSING; fence[i] = 0; working[i] = 0; unres[i] = 1
}

#define CALM(i) (wstate[i] == FREE && !unres[i])

proctype candidate(byte i) {
    byte k;
    do
    /* A watch tells, or a GET answers; a GET settles what a lost answer has left open. */
    :: atomic { st[i] != GONE && (!kcur[i] || unres[i] && wstate[i] == FREE) -> know(i);
                if :: wstate[i] == FREE -> unres[i] = 0 :: else fi; assert(!TWO) }

    /* standing by */
    :: atomic { CALM(i) && st[i] == STANDBY && !stop[i] && kholder[i] != i &&
                (kholder[i] == NOBODY || age[i] >= L || dead[kholder[i]]) && !LEFT_TO_OTHERS(i) -> send(i, ACQUIRE) }
    :: atomic { CALM(i) && st[i] == STANDBY && !stop[i] && kholder[i] == i && fence[i] == 0 -> send(i, ACQUIRE) }
    :: atomic { st[i] == STANDBY && !stop[i] && kholder[i] == i && fence[i] > 0 -> st[i] = LEAD; working[i] = 1; age[i] = 0; assert(!TWO) }
    :: atomic { CALM(i) && st[i] == STANDBY && stop[i] ->
                if
                :: kholder[i] == i -> st[i] = CLOSING; fence[i] = 0
                :: else -> leave(i)
                fi }

    /* leading; a renewal is due a tick after the last */
    :: atomic { CALM(i) && st[i] == LEAD && kholder[i] == i && fence[i] < F -> send(i, RENEW) }
#ifdef NO_FENCE
    :: atomic { st[i] == LEAD && kholder[i] != i -> lose(i) }
#else
    :: atomic { st[i] == LEAD && (kholder[i] != i || fence[i] == 0) -> lose(i) }
#endif
    :: atomic { working[i] && stop[i] -> working[i] = 0 }
    :: atomic { st[i] == LEAD && stop[i] && !working[i] -> st[i] = CLOSING; fence[i] = 0 }
#ifdef RELEASE_EARLY
    :: atomic { CALM(i) && st[i] == LEAD && stop[i] && working[i] && kholder[i] == i -> send(i, RELEASE) }
#endif

    /* closing */
#ifdef BLIND_RELEASE
    :: atomic { st[i] == CLOSING && wstate[i] == FREE -> send(i, RELEASE) }
#endif
    :: atomic { CALM(i) && st[i] == CLOSING && kholder[i] == i -> send(i, RELEASE) }
    :: atomic { CALM(i) && st[i] == CLOSING && kholder[i] != i -> leave(i) }

    /* answers */
    :: atomic { wstate[i] == DONE ->
                if
                :: wseen[i] -> know(i); unres[i] = 0
                :: else -> renewed(i); unres[i] = 1
                fi;
                forget_write(i); assert(!TWO) }
    :: atomic { wstate[i] == SENT && !wvalid[i] -> forget_write(i); unres[i] = 1 } /* a conflict */
    /* none comes: it may have been executed, and if not, it may be yet */
    :: atomic { wstate[i] != FREE && !stable && !copy[i] -> let_go(i); unres[i] = 1 }

    /* what can happen to it */
    :: atomic { !stable && st[i] < CLOSING && !stop[i] -> stop[i] = 1 }
    :: atomic { !stable && st[i] != GONE && !copy[i] -> leave(i);
                if
                :: dead[i] = 1 /* the kubelet wrote a certificate */
                :: skip
                fi }
#ifdef LYING_CERTIFICATE
    :: atomic { !stable && !dead[i] -> dead[i] = 1 }
#endif
    od
}

proctype network(byte i) {
    byte k;
    do
    :: atomic { wstate[i] == SENT && wvalid[i] ->
                execute(i, wkind[i], wterm[i], wage[i], NAMED(wnames, i));
                wseen[i] = 1; wstate[i] = DONE; wvalid[i] = 0; wkind[i] = 0; wage[i] = 0; wterm[i] = 0 }
    :: atomic { copy[i] -> /* executed late, or lost for good */
                if
                :: execute(i, ckind[i], cterm[i], cage[i], NAMED(cnames, i))
                :: skip
                fi;
                copy[i] = 0; ckind[i] = 0; cage[i] = 0; cterm[i] = 0 }
    od
}

proctype world() {
    byte k;
    do
    :: atomic { !stable -> new_version() } /* somebody edits the Lease */
    :: atomic { !stable -> stable = 1 }
    od
}

proctype clock() {
    byte i;
    do
    :: atomic { (!stable || timeout) ->
        do
        :: i < N ->
            if :: age[i] < AGES(i) && st[i] == STANDBY && WAITS(i) -> age[i]++ :: else fi;
            if :: fence[i] > 0 -> fence[i]-- :: else fi;
            if :: wage[i] < F && wstate[i] == SENT && wvalid[i] && wkind[i] != RELEASE -> wage[i]++ :: else fi;
            if :: cage[i] < F && copy[i] && ckind[i] != RELEASE -> cage[i]++ :: else fi;
            i++
        :: else -> break
        od;
        i = 0;
        if :: xage < F && holder != NOBODY -> xage++ :: else fi;
#ifdef TRIAL
        if :: since < LC -> since++ :: else fi;
#endif
        if
        :: stable && !SOMEBODY_LEADS && SOMEBODY_COULD -> gap++; assert(gap <= BOUND)
        :: else -> gap = 0
        fi }
    od
}

init {
    byte i;
    atomic {
        do
        :: i < N -> kholder[i] = NOBODY; kcur[i] = 1; i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < N -> run candidate(i); run network(i); i++
        :: else -> break
        od;
        i = 0;
        run world(); run clock()
    }
}
