/* One verdict as text or JSON; see judge_print.h. */
#include "judge_print.h"
#include "api/rfc3339.h"
#include "judge/json_number.h"

static void add_number(struct buf *out, const char *key, double v) {
    buf_addf(out, ",\"%s\":", key);
    json_number_add(out, v);
}

static void add_json(uint64_t scrape, const char *at, const struct judge_report *r, enum verdict v,
                     struct buf *out) {
    buf_addf(out, "{\"scrape\":%llu", (unsigned long long)scrape);
    if (*at) buf_addf(out, ",\"time\":\"%s\"", at);
    add_number(out, "log_e_fail", r->log_fail);
    add_number(out, "log_e_pass", r->log_pass);
    add_number(out, "log_e_regression", r->log_two);
    add_number(out, "log_e_any_regression", r->log_two_equal);
    add_number(out, "log_e_late", r->log_late);
    add_number(out, "log_e_late_stable", r->log_stable);
    add_number(out, "log_e", r->v.log_e);
    buf_addf(out, ",\"verdict\":\"%s\",\"why\":", verdict_name(v));
    buf_add_json(out, slice_of(r->why));
    buf_adds(out, "}\n");
}

enum verdict judge_print(const struct judge_printer *p, uint64_t scrape, int64_t wall_ns,
                         const struct judge_report *r, struct buf *out) {
    char at[32] = "";
    bool over = p->deadline && scrape >= p->deadline;
    enum verdict v = over && (r->verdict == VERDICT_WATCHING || r->verdict == VERDICT_HOLD)
                         ? VERDICT_INCONCLUSIVE
                         : r->verdict;
    if (wall_ns) rfc3339_seconds(wall_ns, at);
    buf_clear(out);
    if (p->json) {
        add_json(scrape, at, r, v, out);
        return v;
    }
    buf_addf(out, "%5llu  %s%s%-12s  %s; ", (unsigned long long)scrape, at, *at ? "  " : "", verdict_name(v),
             r->why);
    judge_words(r, out);
    buf_addc(out, '\n');
    return v;
}
