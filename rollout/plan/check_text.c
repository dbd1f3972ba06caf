/* What a check's URL is sent, and what its answer says; see check.h. */
#include "base/utf8.h"
#include "judge/json_time.h"
#include "plan/check.h"
#include <errno.h>

uint64_t check_question(const struct state *s, const char *text) {
    cleanup_buf struct buf b = BUF(4096);
    buf_addf(&b, "%lld %u %s %s", (long long)s->began_ns, s->step, s->hash, text);
    return (slice_hash(buf_slice(&b), 0) & INT64_MAX) | 1;
}

int64_t check_backoff_ns(int64_t soak_ns, uint32_t asked) {
    int64_t base = soak_ns / 30;
    base = base < NS_PER_S ? NS_PER_S : base > 10 * NS_PER_S ? 10 * NS_PER_S : base;
    return asked > 5 ? 30 * base : base << (asked ? asked - 1 : 0);
}

static void member(struct buf *out, const char *before, const char *value) {
    if (!value || !*value) return;
    buf_adds(out, before);
    buf_add_json(out, slice_of(value));
}

static const char *image_of(const struct state *s, const char *hash) {
    for (size_t i = 0; i < s->nhistory; i++)
        if (s->history[i].ended == ENDED_PROMOTED && strcmp(s->history[i].hash, hash) == 0)
            return s->history[i].image;
    return NULL;
}

static void counts(struct buf *out, const char *before, uint64_t errors, uint64_t total) {
    buf_addf(out, "%s{\"errors\":%llu,\"total\":%llu}", before, (unsigned long long)errors,
             (unsigned long long)total);
}

void check_request(const struct obs_target *t, const struct state *s, const struct spec *spec,
                   int64_t now_wall_ns, struct buf *out) {
    const struct judge_test *all = &s->judge.all;
    buf_addf(out, "{\"version\":%d", CHECK_FORMAT);
    member(out, ",\"kind\":", t->kind->gvr->kind);
    member(out, ",\"namespace\":", t->ns);
    member(out, ",\"name\":", t->name);
    member(out, ",\"uid\":", t->uid);
    buf_addf(out, ",\"phase\":\"%s\",\"step\":%u,\"steps\":%zu,\"percent\":%u,\"asked\":%u",
             phase_name(s->phase), s->step + 1, spec->nsteps, s->percent, s->check[CHECK_URL].asked);
    json_time_add(out, "time", now_wall_ns);
    json_time_add(out, "startedAt", s->began_ns);
    json_time_add(out, "passedAt", s->check_ns);
    member(out, ",\"stable\":{\"template\":", s->stable_hash);
    member(out, ",\"image\":", image_of(s, s->stable_hash));
    member(out, "},\"canary\":{\"template\":", s->hash);
    member(out, ",\"image\":", s->image);
    member(out, ",\"replicaSet\":", s->canary);
    counts(out, "},\"evidence\":{\"canary\":", all->ec, all->nc);
    counts(out, ",\"stable\":", all->es, all->ns);
    buf_adds(out, "}}");
}

static char *words(const char *text) {
    cleanup_buf struct buf safe = BUF((size_t)4 * CHECK_MAX_ANSWER);
    if (!text || !*text) return NULL;
    utf8_add_safe(&safe, slice_of(text));
    return slice_dup_text(buf_slice(&safe), CHECK_MAX_WORDS);
}

int check_answer_read(struct slice body, enum check_says *ret, char **ret_message, struct err *err) {
    struct err bad = {0};
    cleanup_json cJSON *v = body.n > CHECK_MAX_ANSWER ? NULL : json_parse(body, &bad);
    const cJSON *message = json_get(v, "message");
    const char *verdict = json_str_or(v, "verdict", "");
    enum check_says says = !strcmp(verdict, "pass")   ? CHECK_PASS
                           : !strcmp(verdict, "fail") ? CHECK_FAIL
                           : !strcmp(verdict, "wait") ? CHECK_WAIT
                                                      : CHECK_NOTHING;
    if (!cJSON_IsObject(v) || says == CHECK_NOTHING)
        return err_set(err, ERR_PROTOCOL, -EPROTO,
                       "expected {\"verdict\":\"pass\"}, \"fail\" or \"wait\", found something else");
    if (message && !cJSON_IsString(message))
        return err_set(err, ERR_PROTOCOL, -EPROTO, "its message is no string");
    *ret = says;
    *ret_message = words(message ? message->valuestring : NULL);
    return 0;
}
