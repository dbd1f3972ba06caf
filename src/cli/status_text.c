/* The status report as text: a line a target, a second line while one is on trial or needs attention. */
#include "api/rfc3339.h"
#include "base/time.h"
#include "status_report.h"
#include "text.h"
#include <stdio.h>

static const char *const bold = "\x1b[1m", *const dim = "\x1b[2m", *const red = "\x1b[31m",
                         *const green = "\x1b[32m", *const yellow = "\x1b[33m", *const cyan = "\x1b[36m";

enum columns { NAMESPACE, TARGET, PHASE, SINCE, READY, CANARY, VERSION, COLUMNS };
static const struct table_column titles[COLUMNS] = {
    [NAMESPACE] = {"NAMESPACE", TABLE_CUT_END}, [TARGET] = {"TARGET", TABLE_CUT_END},
    [PHASE] = {"PHASE", TABLE_WHOLE},           [SINCE] = {"SINCE", TABLE_WHOLE},
    [READY] = {"READY", TABLE_WHOLE},           [CANARY] = {"CANARY", TABLE_WHOLE},
    [VERSION] = {"VERSION", TABLE_CUT_PAIR},
};

enum { DIGITS = 12 };
static const char digest_mark[] = "@sha256:";

static const char *base_name(const char *image) {
    const char *slash = strrchr(image, '/');
    return slash ? slash + 1 : image;
}

/* digits: how many of a digest are shown. */
static void add_version(struct buf *out, const char *from, size_t digits) {
    const char *digest = strstr(from, digest_mark);
    size_t n = strlen(from), shown = digest ? (size_t)(digest - from) + sizeof digest_mark - 1 + digits : n;
    buf_add(out, slice_make(from, shown < n ? shown : n));
}

void status_version(struct buf *out, const char *image) {
    add_version(out, base_name(image), DIGITS);
}

static size_t same_digits(const char *a, const char *b) {
    const char *x = strstr(a, digest_mark), *y = strstr(b, digest_mark);
    size_t n = 0;
    if (!x || !y) return 0;
    x += sizeof digest_mark - 1;
    y += sizeof digest_mark - 1;
    while (x[n] && x[n] == y[n]) n++;
    return n;
}

/* "STABLE -> NEW", or the one that there is; of two digests as many digits as it takes to tell them apart. */
static void add_versions(struct buf *out, const struct status_row *r) {
    const char *old = r->stable_image, *new = r->image;
    if (!old) {
        status_version(out, new);
        return;
    }
    const char *a = base_name(old), *b = base_name(new);
    if (strcmp(a, b) == 0) { /* another registry or folder */
        a = old;
        b = new;
    }
    size_t digits = same_digits(a, b) + 4;
    if (digits < DIGITS) digits = DIGITS;
    add_version(out, a, digits);
    buf_adds(out, " -> ");
    add_version(out, b, digits);
}

const char *status_colour(const struct status_row *r) {
    if (!r->has_state) return r->problem.kind ? red : dim;
    switch (r->state.phase) {
    case PHASE_STABLE: return green;
    case PHASE_ROLLING_BACK:
    case PHASE_ROLLED_BACK: return red;
    case PHASE_REHEARSING:
    case PHASE_SOAKING:
    case PHASE_STARTING:
    case PHASE_PROMOTING:
    case PHASE_FINISHING: return cyan;
    default: return yellow;
    }
}

static void bar(const struct table_style *style, double share, struct buf *out) {
    enum { CELLS = 12 };
    int full = (int)(share < 0 ? 0 : share > 1 ? CELLS : share * CELLS + 0.5);
    buf_adds(out, style->utf8 ? "▕" : "[");
    for (int i = 0; i < CELLS; i++)
        buf_adds(out, style->utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : "."));
    buf_adds(out, style->utf8 ? "▏" : "]");
}

static double rate(uint64_t errors, uint64_t total) {
    return total ? 100.0 * (double)errors / (double)total : 0;
}

enum { NOTES = 6 };
struct note {
    char *text;
    const char *colour;
};
struct line { /* a row and what is said below it */
    const struct status_row *r;
    struct note note[NOTES];
    size_t n;
};

static void add_note(struct line *l, const char *colour, char *text) {
    if (l->n < NOTES)
        l->note[l->n++] = (struct note){text, colour};
    else
        free(text);
}

static void add_progress(const struct table_style *style, int64_t done, int64_t whole, struct buf *out) {
    char took[32], of[32];
    status_span(done, took);
    status_span(whole, of);
    bar(style, whole > 0 ? (double)done / (double)whole : 0, out);
    buf_addf(out, "  %s of %s", took, of);
}

static void add_step(struct line *l, const struct table_style *style, int64_t now) {
    const struct status_row *r = l->r;
    const struct state *s = &r->state;
    struct buf b = BUF(1024);
    buf_addf(&b, "step %u of %zu, %u %%  ", s->step + 1, r->steps ? r->steps : 1, s->percent);
    add_progress(style, state_watched_ns(s, now), s->param.soak_ns, &b);
    add_note(l, NULL, buf_take(&b));
}

/* While it goes on; what it has found is in the message of the phase, or of the hold. */
static void add_rehearsal(struct line *l, const struct table_style *style, int64_t now) {
    const struct state_rehearsal *x = &l->r->state.rehearsal;
    struct buf b = BUF(1024);
    if (x->over || !x->from_ns) return;
    int64_t whole = l->r->rehearse_ns, done = now - x->from_ns;
    buf_adds(&b, "rehearsal  ");
    add_progress(style, done < whole ? done : whole, whole, &b);
    add_note(l, NULL, buf_take(&b));
}

bool status_evidence(const struct state *s, int64_t now_wall_ns, struct judge_report *ret) {
    if (!plan_report(s, now_wall_ns, ret)) return false;
    if (!judge_clean_to_pass(&s->judge, &s->param, &ret->more)) ret->more = 0;
    return true;
}

void status_counts(const struct judge_test *t, double upper, double tolerated, struct buf *out) {
    buf_addf(out, "canary %llu errors of %llu (%.1f %%", (unsigned long long)t->ec, (unsigned long long)t->nc,
             rate(t->ec, t->nc));
    if (upper < 1) buf_addf(out, ", at most %.1f %%", 100 * upper);
    buf_addf(out, ")   stable %llu of %llu (%.1f %%)   tolerated %.1f %%", (unsigned long long)t->es,
             (unsigned long long)t->ns, rate(t->es, t->ns), 100 * tolerated);
}

static void add_trial(struct line *l, const struct table_style *style, int64_t now) {
    const struct state *s = &l->r->state;
    struct judge_report rep;
    if (s->phase == PHASE_SOAKING) add_step(l, style, now);
    if (s->phase == PHASE_REHEARSING) add_rehearsal(l, style, now);
    if (!status_evidence(s, now, &rep)) return;
    struct buf counts = BUF(1024), words = BUF(1024);
    status_counts(&s->judge.all, rep.upper, s->param.theta, &counts);
    add_note(l, NULL, buf_take(&counts));
    judge_words(&rep, &words);
    add_note(l, NULL, buf_take(&words));
}

const char *status_phase(const struct status_row *r) {
    return r->has_state ? phase_name(r->state.phase) : r->problem.kind ? "Invalid" : "Waiting";
}

/* A message with the versions of the row's images, as the row itself has them. A message may have an image's beginning alone. */
static char *with_version(char *taken, const char *image) {
    enum { BEGINNING = 140 };
    cleanup_free char *message = taken;
    cleanup_buf struct buf version = BUF(16384), out = BUF(64 << 10);
    size_t n = image ? strlen(image) : 0;
    if (!n || base_name(image) == image) return xstrdup(message);
    status_version(&version, image);
    struct slice rest = slice_of(message);
    if (n > BEGINNING && strncmp(message, image, BEGINNING) == 0 && message[BEGINNING] == ',') {
        buf_add(&out, buf_slice(&version));
        rest = slice_of(message + BEGINNING);
    }
    for (const char *at; rest.n && (at = memmem(rest.p, rest.n, image, n));) {
        size_t before = (size_t)(at - rest.p);
        buf_add(&out, slice_make(rest.p, before));
        buf_add(&out, buf_slice(&version));
        rest = slice_make(at + n, rest.n - before - n);
    }
    buf_add(&out, rest);
    return xstrdup(buf_str(&out));
}

static char *message_of(const struct status_row *r) {
    return with_version(with_version(xstrdup(r->state.message), r->image), r->stable_image);
}

/* What its message does not say: when a check that has not passed is asked again. */
static char *held_words(const struct state *s, const char *message, int64_t now) {
    bool waits = s->hold == HOLD_CHECK || s->hold == HOLD_NO_ANSWER;
    int64_t next = TIME_NEVER;
    char span[32] = "";
    for (int k = 0; k < CHECKS && waits; k++)
        if (s->check[k].says != CHECK_PASS && s->check[k].next_ns > now && s->check[k].next_ns < next)
            next = s->check[k].next_ns;
    if (next != TIME_NEVER) status_span(next - now, span);
    return xasprintf("%s: %s%s%s", hold_name(s->hold), message, *span ? "; asked again in " : "", span);
}

/* What is most important first: of a long list nothing else is shown. */
static void add_notes(struct line *l, const struct table_style *style, int64_t now) {
    const struct status_row *r = l->r;
    if (r->problem.kind) add_note(l, red, xstrdup(r->problem.msg));
    if (r->hint) add_note(l, yellow, xstrdup(r->hint));
    if (!r->has_state) return;
    bool held = r->state.hold != HOLD_NONE;
    cleanup_free char *message = r->state.message ? message_of(r) : NULL;
    if (held && message)
        add_note(l, yellow, held_words(&r->state, message, now));
    else if (message && r->state.phase != PHASE_STABLE)
        add_note(l, dim, xstrdup(message));
    add_trial(l, style, now);
}

static void add_row(struct table *t, const bool has[COLUMNS], const struct status_row *r, int64_t now) {
    cleanup_buf struct buf version = BUF(16384);
    char ready[32], took[32] = "", canary[32] = "";
    add_versions(&version, r);
    snprintf(ready, sizeof ready, "%d/%d", r->ready, r->replicas);
    if (r->canary_pods >= 0) snprintf(canary, sizeof canary, "%d/%d", r->canary_ready, r->canary_pods);
    if (r->has_state) status_age(now - r->state.since_ns, took);
    const struct {
        const char *colour, *text;
    } cell[COLUMNS] = {
        [NAMESPACE] = {NULL, r->ns},
        [TARGET] = {bold, r->name},
        [PHASE] = {status_colour(r), status_phase(r)},
        [SINCE] = {NULL, took},
        [READY] = {r->ready < r->replicas ? yellow : NULL, ready},
        [CANARY] = {r->canary_ready < r->canary_pods ? yellow : NULL, canary},
        [VERSION] = {NULL, buf_str(&version)},
    };
    for (int i = 0; i < COLUMNS; i++)
        if (has[i]) table_cell(t, cell[i].colour, cell[i].text);
}

/* How many notes each row has, so that the lines fit: all, one, and then as many rows as there is room for. */
static size_t plan_lines(const struct line *l, size_t n, size_t room, size_t *ret_notes) {
    size_t all = n, brief = n;
    *ret_notes = NOTES;
    if (!room) return n;
    for (size_t i = 0; i < n; i++) {
        all += l[i].n;
        brief += l[i].n > 0;
    }
    if (all <= room) return n;
    *ret_notes = 1;
    if (brief <= room) return n;
    size_t used = 1, shown = 0; /* the line that says how many more */
    for (; shown < n; shown++) {
        size_t lines = l[shown].n > 0 ? 2 : 1;
        if (used + lines > room) break;
        used += lines;
    }
    return shown;
}

/* "12 more: 2 RolledBack, 10 Stable" */
static void add_more(const struct line *l, size_t n, struct buf *out) {
    const char *was = NULL;
    size_t count = 0;
    buf_addf(out, "%zu more:", n);
    for (size_t i = 0; i <= n; i++) {
        const char *phase = i < n ? status_phase(l[i].r) : NULL;
        if (was && (!phase || strcmp(phase, was) != 0)) {
            buf_addf(out, "%s %zu %s", i > count ? "," : "", count, was);
            count = 0;
        }
        was = phase;
        count++;
    }
    buf_addc(out, '\n');
}

static bool on_trial(const struct status_report *r, int64_t now) {
    return r->trial_wall_ns > now;
}

/* A new version of Handover itself leads, or is about to. */
static void add_own_trial(const struct status_report *r, const struct table_style *style, struct buf *out) {
    char until[32];
    cleanup_buf struct buf line = BUF(8192);
    rfc3339_seconds(r->trial_wall_ns, until);
    const char *guardian = r->guardian ? r->guardian : "";
    buf_adds(&line, "on trial, guarded by ");
    text_clean(&line, slice_make(guardian, strcspn(guardian, "_")), style->utf8);
    buf_addf(&line, ", until %s at the latest", until);
    table_line(style, buf_slice(&line), out);
}

static void add_leader(const struct status_report *r, const struct table_style *style, int64_t now,
                       struct buf *out) {
    char since[32];
    cleanup_buf struct buf line = BUF(8192);
    buf_adds(&line, "leader: ");
    if (r->lease_err.kind == ERR_FORBIDDEN) {
        buf_adds(&line, "not allowed to read the Lease");
    } else if (r->lease_err.kind && r->lease_err.kind != ERR_NOTFOUND) {
        buf_adds(&line, "unknown: ");
        text_clean(&line, slice_of(r->lease_err.msg), style->utf8);
    } else if (!r->has_lease) {
        buf_adds(&line, "none, the Lease does not exist");
    } else if (!*r->holder) {
        buf_addf(&line, "none at this moment (term %lld was released)", (long long)r->term);
    } else {
        status_span(now - r->renewed_wall_ns, since);
        text_clean(&line, slice_make(r->holder, strcspn(r->holder, "_")), style->utf8);
        buf_addf(&line, " (term %lld, renewed %s ago)", (long long)r->term, since);
    }
    table_line(style, buf_slice(&line), out);
    if (on_trial(r, now)) add_own_trial(r, style, out);
}

static void add_none(const struct status_report *r, const struct table_style *style, struct buf *out) {
    cleanup_buf struct buf text = BUF(1024);
    buf_addf(&text,
             "no Deployment or StatefulSet%s%s carries the annotation " HANDOVER_PREFIX "canary-percent%s",
             r->ns ? " in namespace " : "", r->ns ? r->ns : "", r->ns ? "; -A looks in all namespaces" : "");
    cleanup_free char *clean = text_cleaned(buf_str(&text), style->utf8);
    table_paragraph(style, slice_of(clean), out);
}

static void print_lines(const struct status_report *r, const struct line *l, const struct table_style *style,
                        int64_t now, struct buf *out) {
    bool has[COLUMNS] = {[NAMESPACE] = !r->ns, true, true, true, true, false, true};
    struct table_column columns[COLUMNS];
    size_t n = 0, notes, above = 2 + on_trial(r, now), /* leader, its trial, header */
        lines = style->height > above ? style->height - above
                : style->height       ? 1
                                      : 0;
    for (size_t i = 0; i < r->n; i++) has[CANARY] |= r->rows[i].canary_pods >= 0;
    for (int i = 0; i < COLUMNS; i++)
        if (has[i]) columns[n++] = titles[i];
    cleanup_table struct table *t = table_new(style, columns, n);
    size_t shown = plan_lines(l, r->n, r->n > 1 ? lines : 0, &notes);
    for (size_t i = 0; i < shown; i++) {
        add_row(t, has, l[i].r, now);
        for (size_t k = 0; k < l[i].n && k < notes; k++)
            (r->n > 1 ? table_brief_note : table_note)(t, l[i].note[k].colour, l[i].note[k].text);
    }
    table_print(t, out);
    if (shown < r->n) add_more(l + shown, r->n - shown, out);
}

void status_text(const struct status_report *r, const struct table_style *style, int64_t now_wall_ns,
                 struct buf *out) {
    add_leader(r, style, now_wall_ns, out);
    if (!r->n) {
        add_none(r, style, out);
        return;
    }
    cleanup_free const struct status_row **row = status_sorted(r);
    cleanup_free struct line *l = xcalloc(r->n, sizeof *l);
    for (size_t i = 0; i < r->n; i++) {
        l[i].r = row[i];
        add_notes(&l[i], style, now_wall_ns);
    }
    print_lines(r, l, style, now_wall_ns, out);
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < l[i].n; k++) free(l[i].note[k].text);
}
