/* A mutation with the server's answers in a row; what was asked and what the operator got, as one text with ' for ". */
#ifndef OVERLAY_SCRIPT_H
#define OVERLAY_SCRIPT_H
#include "overlay_kit.h"

/* answers: "STATUS BODY", in the order of the questions. "GET web|PATCH web {'a':1}=>200 {...}"; targets without the namespace's path
 * and the dry run. Valid until the next. */
static inline const char *carried_out(struct overlay *o, struct gate_request r, const char *const *answers) {
    static char text[16384];
    struct buf said = BUF(sizeof text - 1);
    struct overlay_step step;
    struct overlay_write *w = overlay_write_begin(o, &r, 50 * SECOND, &step);
    while (!step.answered) {
        const struct upstream *u = step.ask;
        struct slice target = buf_slice(&u->target), query;
        slice_cut(target, '?', &target, &query);
        if (u->verb != UPSTREAM_GET) assert_true(slice_ends(query, SL("dryRun=All")));
        const char *tail = memmem(target.p, target.n, r.resource.p, r.resource.n);
        assert_non_null(tail);
        slice_cut(slice_make(tail, target.n - (size_t)(tail - target.p)), '/', &query, &target);
        buf_addf(&said, "%s%s", said.n ? "|" : "", upstream_method(u));
        if (target.n) buf_addf(&said, " %.*s", SLF(target));
        if (u->body.n) buf_addf(&said, " %s", buf_str(&u->body));
        if (!*answers) fail_msg("asked too much: %s", buf_str(&said));
        struct slice status, body;
        int64_t code = 0;
        cleanup_free char *copy = xstrdup(*answers++);
        slice_cut(slice_of(quoted(copy)), ' ', &status, &body);
        assert_int_equal(slice_i64(status, &code), 0);
        overlay_write_feed(w, 50 * SECOND, (int)code, body, &step);
    }
    if (*answers) fail_msg("not asked for %s: %s", *answers, buf_str(&said));
    buf_addf(&said, "=>%d %.*s", step.status, SLF(step.body));
    if (step.body.n) assert_int_equal(json_raw_check(step.body, NULL), 0);
    overlay_write_free(w);
    snprintf(text, sizeof text, "%s", buf_str(&said));
    for (char *p = text; *p; p++) *p = *p == '"' ? '\'' : *p;
    buf_free(&said);
    return text;
}
#define assert_carried(o, r, want, ...)                                                                      \
    assert_string_equal(carried_out(o, r, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}), want)
#define assert_carried_has(o, r, part, ...)                                                                  \
    assert_has(carried_out(o, r, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}), part)

/* Of a body with ' for ", valid until the next but seven. */
static inline struct gate_request with_body(struct gate_request r, enum gate_form form, const char *body) {
    static char text[8][2048];
    static unsigned next;
    char *t = text[next++ % 8];
    snprintf(t, sizeof text[0], "%s", body);
    r.form = form;
    r.body = slice_of(quoted(t));
    return r;
}

/* "KIND NAME live>rehearsed|...": what the label l was and is, "-" where there is no object; a superseded one with "!". */
struct rows {
    struct buf out;
};
static inline void row(void *ctx, const struct overlay_row *r) {
    struct rows *x = ctx;
    struct slice v;
    const struct slice texts[] = {r->live, r->rehearsed};
    buf_addf(&x->out, "%s%.*s %.*s ", x->out.n ? "|" : "", SLF(r->kind), SLF(r->name));
    for (int i = 0; i < 2; i++) {
        if (!texts[i].n) {
            buf_addc(&x->out, '-');
        } else if (json_raw_at(texts[i], "metadata/labels/l", &v)) {
            json_raw_unescape(v, &x->out);
        }
        if (i == 0) buf_addc(&x->out, '>');
    }
    if (r->superseded) buf_addc(&x->out, '!');
}
#define assert_rows(o, now, want)                                                                            \
    do {                                                                                                     \
        struct rows rows_ = {BUF(1 << 16)};                                                                  \
        overlay_rows(o, now, row, &rows_);                                                                   \
        assert_string_equal(buf_str(&rows_.out), want);                                                      \
        buf_free(&rows_.out);                                                                                \
    } while (0)
#endif
