/* The rehearsal in a target's state: through text and back. */
#include "judge/json_number.h"
#include "judge/json_time.h"
#include "plan/state_json.h"

enum { LINE_MAX_BYTES = 300 };

void state_rehearsal_clear(struct state_rehearsal *r) {
    free(r->line);
    *r = (struct state_rehearsal){.line = NULL};
}

static void text(struct buf *out, const char *key, const char *v) {
    if (!v || !*v) return;
    buf_addf(out, ",\"%s\":", key);
    buf_add_json(out, slice_of(v));
}

static void flag(struct buf *out, const char *key, bool v) {
    if (v) buf_addf(out, ",\"%s\":true", key);
}

static void write_counts(const struct state_rehearsal *r, struct buf *out) {
    bool any = false;
    for (int k = 0; k < REPORT_KINDS; k++) {
        if (!r->count[k]) continue;
        buf_addf(out, "%s\"%s\":%llu", any ? "," : ",\"counts\":{", report_kind_name((enum report_kind)k),
                 (unsigned long long)r->count[k]);
        any = true;
    }
    if (any) buf_addc(out, '}');
}

void state_rehearsal_write(const struct state_rehearsal *r, struct buf *out) {
    if (!r->key[0]) return;
    buf_addf(out, ",\"rehearsal\":{\"key\":%s%s%s", r->for_eyes ? "" : "\"", r->for_eyes ? "null" : r->key,
             r->for_eyes ? "" : "\"");
    if (r->run) buf_addf(out, ",\"run\":\"%lld\"", (long long)r->run);
    json_time_add(out, "from", r->from_ns);
    text(out, "digest", r->digest);
    text(out, "line", r->line);
    flag(out, "empty", r->empty);
    flag(out, "full", r->full);
    flag(out, "alone", r->alone);
    write_counts(r, out);
    flag(out, "over", r->over);
    text(out, "approved", r->approved);
    buf_addc(out, '}');
}

/* At most size - 1 of these letters; an absent one is empty. */
static bool letters(const cJSON *obj, const char *key, const char *allowed, char *ret, size_t size) {
    const char *v = json_str(obj, key);
    if (!v) return !json_get(obj, key);
    size_t n = strlen(v);
    if (n >= size || strspn(v, allowed) != n) return false;
    memcpy(ret, v, n + 1);
    return true;
}

/* Kinds of a later version are not known here, and nothing asks for them. */
static bool read_counts(const cJSON *obj, uint64_t ret[REPORT_KINDS]) {
    for (int k = 0; k < REPORT_KINDS; k++) {
        const char *name = report_kind_name((enum report_kind)k);
        if (json_get(obj, name) && !json_number_u64(obj, name, &ret[k])) return false;
    }
    return true;
}

bool state_rehearsal_read(const cJSON *obj, struct state_rehearsal *ret) {
    static const char hex[] = "0123456789abcdef";
    struct state_rehearsal r = {.line = NULL};
    const char *line = json_str(obj, "line"), *run = json_str_or(obj, "run", "0");
    int64_t n = 0;
    if (!obj) return true;
    bool ok = letters(obj, "key", hex, r.key, sizeof r.key) && r.key[0] &&
              letters(obj, "digest", hex, r.digest, sizeof r.digest) &&
              letters(obj, "approved", hex, r.approved, sizeof r.approved) &&
              slice_i64(slice_of(run), &n) == 0 && n >= 0 && json_time_get(obj, "from", &r.from_ns) &&
              read_counts(json_get(obj, "counts"), r.count) && (!line || strlen(line) <= LINE_MAX_BYTES);
    if (!ok) return false;
    r.run = (uint64_t)n;
    r.empty = json_bool(obj, "empty", false);
    r.full = json_bool(obj, "full", false);
    r.alone = json_bool(obj, "alone", false);
    r.over = json_bool(obj, "over", false);
    if (r.over && !r.digest[0]) return false;
    r.line = xstrdup_null(line);
    state_rehearsal_clear(ret);
    *ret = r;
    return true;
}
