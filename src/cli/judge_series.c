/* A recorded series of counts, judged line by line. */
#include "judge_series.h"
#include "judge_print.h"
#include "base/mem.h"
#include "base/slice.h"
#include <errno.h>
#include <stdlib.h>

#define HEADER "canary_errors,canary_total,stable_errors,stable_total"
static const int64_t most = INT64_C(1) << 53; /* where JSON numbers end to be exact */

struct series {
    const struct judge_param *p;
    struct judge judge;
    struct buf line; /* of the output */
    struct judge_printer printer;
};

static bool counts_of(struct slice text, struct judge_counts *ret) {
    uint64_t *const to[] = {&ret->ec, &ret->nc, &ret->es, &ret->ns};
    *ret = (struct judge_counts){0};
    for (size_t i = 0; i < ARRAY_LEN(to); i++) {
        struct slice word;
        int64_t v;
        bool more = slice_cut(text, ',', &word, &text);
        if (more != (i + 1 < ARRAY_LEN(to))) return false;
        if (slice_i64(slice_trim(word), &v) < 0 || v < 0 || v > most) return false;
        *to[i] = (uint64_t)v;
    }
    return ret->ec <= ret->nc && ret->es <= ret->ns;
}

static void judge_line(struct series *s, const struct judge_counts *c) {
    struct judge_report r;
    judge_feed(&s->judge, s->p, c);
    judge_verdict(&s->judge, s->p, (int64_t)s->judge.scrapes, &r);
    judge_print(&s->printer, s->judge.scrapes, 0, &r, &s->line);
}

static int bad_line(const char *name, unsigned number, struct slice text, struct err *err) {
    cleanup_free char *shown = slice_dup_text(text, 80);
    return err_set(err, ERR_CONFIG, -EINVAL,
                   "%s:%u: read \"%s\"; allowed is " HEADER
                   ": whole numbers up to 2^53, no more errors than their total",
                   name, number, shown);
}

static int each_line(struct series *s, FILE *from, const char *name, FILE *to, struct err *err) {
    char *text = NULL;
    size_t cap = 0;
    int rc = 0;
    for (unsigned number = 1; rc == 0; number++) {
        ssize_t n = getline(&text, &cap, from);
        if (n < 0) break;
        struct slice line = slice_trim(slice_make(text, (size_t)n));
        struct judge_counts c;
        if (!line.n || line.p[0] == '#' || (number == 1 && slice_eqs(line, HEADER))) continue;
        if (!counts_of(line, &c)) {
            rc = bad_line(name, number, line, err);
            break;
        }
        judge_line(s, &c);
        if (fwrite(s->line.p, 1, s->line.n, to) != s->line.n)
            rc = err_set(err, ERR_CONFIG, -EIO, "cannot write the verdicts");
    }
    free(text);
    if (rc == 0 && ferror(from)) rc = err_set(err, ERR_CONFIG, -EIO, "cannot read %s", name);
    if (rc == 0 && fflush(to) != 0) rc = err_set(err, ERR_CONFIG, -EIO, "cannot write the verdicts");
    return rc;
}

int judge_series(FILE *from, const char *name, const struct judge_param *p, bool json, FILE *to,
                 struct err *err) {
    struct series s = {.p = p, .printer = {.deadline = p->deadline_looks, .json = json}};
    judge_init(&s.judge);
    buf_init(&s.line, 8192);
    int rc = each_line(&s, from, name, to, err);
    judge_free(&s.judge);
    buf_free(&s.line);
    return rc;
}
