/* What the signals say to people: one sentence each, with the figures that it rests on. */
#include "judge/signals.h"
#include <math.h>
#include <stdio.h>

typedef unsigned long long ull;

static double rate(uint64_t x, uint64_t n) {
    return n ? (double)x / (double)n : 0;
}

static void say_work(const struct signals *s, char ret[240]) {
    double mine = rate(s->total[TRACK_CANARY], s->podlooks[TRACK_CANARY]),
           other = rate(s->total[TRACK_STABLE], s->podlooks[TRACK_STABLE]);
    bool odd = signals_log(s, SIGNAL_WORK, 0) >= log(SIGNALS_DOUBT);
    snprintf(ret, 240,
             "a canary pod reconciles %s times as often as a pod of stable (%llu reconciles, stable %llu)%s",
             judge_figure(other > 0 ? mine / other : 0).text, (ull)s->total[TRACK_CANARY],
             (ull)s->total[TRACK_STABLE],
             !odd           ? ""
             : mine > other ? ": a hot loop?"
                            : ": it hardly works");
}

static void say_stuck(const struct signals *s, char ret[240]) {
    if (s->waits_stable && s->waits)
        snprintf(ret, 240,
                 "%.0f keys wait and the canary has reconciled none in the last %llu scrapes; stable did "
                 "%llu reconciles",
                 s->depth, (ull)s->waits, (ull)s->waits_stable);
    else
        snprintf(ret, 240,
                 "a reconcile of the canary has been running for %.0f s; stable's longest took %.0f s",
                 s->longest[TRACK_CANARY], ceil(s->longest[TRACK_STABLE]));
}

static void say_memory(const struct signals_memory *m, char ret[240]) {
    const double mib = 1024.0 * 1024;
    snprintf(
        ret, 240,
        "a canary pod's memory %s from %.0f MiB to %.0f MiB; a stable pod's went from %.0f MiB to %.0f MiB",
        m->last[TRACK_CANARY] > m->first[TRACK_CANARY] ? "grew" : "went", m->first[TRACK_CANARY] / mib,
        m->last[TRACK_CANARY] / mib, m->first[TRACK_STABLE] / mib, m->last[TRACK_STABLE] / mib);
}

/* The canary's two numbers, then stable's. */
#define FIGURES(t)                                                                                           \
    (ull)(t).x[TRACK_CANARY], (ull)(t).n[TRACK_CANARY], (ull)(t).x[TRACK_STABLE], (ull)(t).n[TRACK_STABLE]

void signals_words(const struct signals *s, enum signal which, char ret[240]) {
    const struct signals_test *slow = &s->pair[PAIR_SLOW];
    switch (which) {
    case SIGNAL_WORK: say_work(s, ret); break;
    case SIGNAL_STUCK: say_stuck(s, ret); break;
    case SIGNAL_WRITES:
        snprintf(ret, 240, "%llu writes in %llu reconciles; stable %llu in %llu",
                 FIGURES(s->pair[PAIR_WRITES]));
        break;
    case SIGNAL_LATENCY:
        snprintf(ret, 240, "%llu of %llu reconciles took longer than %g s; stable %llu of %llu",
                 (ull)slow->x[TRACK_CANARY], (ull)slow->n[TRACK_CANARY], s->bound, (ull)slow->x[TRACK_STABLE],
                 (ull)slow->n[TRACK_STABLE]);
        break;
    case SIGNAL_PANICS:
        snprintf(ret, 240, "%llu panics in %llu reconciles; stable %llu in %llu",
                 FIGURES(s->pair[PAIR_PANICS]));
        break;
    case SIGNAL_WEBHOOKS:
        snprintf(ret, 240, "%llu of %llu webhook requests failed; stable %llu of %llu",
                 FIGURES(s->pair[PAIR_WEBHOOKS]));
        break;
    case SIGNAL_API:
        snprintf(ret, 240,
                 "the API server answered %llu of %llu requests with 429 or 5xx; stable's %llu of %llu",
                 FIGURES(s->pair[PAIR_API]));
        break;
    case SIGNAL_MEMORY: say_memory(&s->memory, ret); break;
    case SIGNAL_OOM:
        snprintf(ret, 240, "%llu container%s of the canary %s OOM killed; %llu of stable",
                 (ull)s->oom[TRACK_CANARY], s->oom[TRACK_CANARY] == 1 ? "" : "s",
                 s->oom[TRACK_CANARY] == 1 ? "was" : "were", (ull)s->oom[TRACK_STABLE]);
        break;
    case SIGNAL_LEADERSHIP:
        snprintf(ret, 240, "the canary lost its leadership %llu times; stable %llu times",
                 (ull)s->lost[TRACK_CANARY], (ull)s->lost[TRACK_STABLE]);
        break;
    case SIGNALS: ret[0] = '\0'; break;
    }
}
