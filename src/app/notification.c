/* A notification as a key, as a CloudEvent, and signed; see notification.h. */
#include "notification.h"
#include "api/rfc3339.h"
#include "base/hash.h"

void notification_key(const struct notification *n, struct buf *out) {
    buf_addf(out, "%.*s/%.*s/%.*s/%lld/%.*s/%.*s", SLF(n->ns), SLF(n->name), SLF(n->phase),
             (long long)n->at_us, SLF(n->uid), SLF(n->hash));
}

bool notification_read(struct slice key, struct notification *ret) {
    struct slice at;
    return slice_cut(key, '/', &ret->ns, &key) && slice_cut(key, '/', &ret->name, &key) &&
           slice_cut(key, '/', &ret->phase, &key) && slice_cut(key, '/', &at, &key) &&
           slice_cut(key, '/', &ret->uid, &ret->hash) && slice_i64(at, &ret->at_us) == 0 && ret->at_us >= 0 &&
           ret->at_us < INT64_MAX / 1000 && ret->ns.n && ret->name.n && ret->phase.n &&
           !slice_has(ret->hash, '/');
}

static void member(struct buf *out, const char *before, struct slice value) {
    buf_adds(out, before);
    buf_add_json(out, value);
}

void notification_event(const struct notification *n, const char *source, struct slice words,
                        struct buf *out) {
    cleanup_buf struct buf key = BUF(4096), subject = BUF(1024);
    char id[65], at[40];
    notification_key(n, &key);
    sha256_hex(buf_slice(&key), id);
    rfc3339_micro(n->at_us * 1000, at);
    buf_addf(&subject, "%.*s/%.*s", SLF(n->ns), SLF(n->name));
    buf_adds(
        out,
        "{\"specversion\":\"1.0\",\"type\":\"dev.handover.phase\",\"datacontenttype\":\"application/json\"");
    member(out, ",\"source\":", slice_of(source));
    member(out, ",\"id\":", slice_make(id, 32));
    member(out, ",\"time\":", slice_of(at));
    member(out, ",\"subject\":", buf_slice(&subject));
    member(out, ",\"data\":{\"namespace\":", n->ns);
    member(out, ",\"name\":", n->name);
    member(out, ",\"uid\":", n->uid);
    member(out, ",\"phase\":", n->phase);
    if (n->hash.n) member(out, ",\"template\":", n->hash);
    buf_add(out, words);
    buf_adds(out, "}}");
}

void notification_sign(struct slice secret, int64_t unix_s, struct slice body, struct buf *out) {
    cleanup_buf struct buf text = BUF(body.n + 32);
    char hex[65];
    buf_addf(&text, "%lld.", (long long)unix_s);
    buf_add(&text, body);
    hash_hmac_hex(secret, buf_slice(&text), hex);
    buf_addf(out, "t=%lld,v1=%s", (long long)unix_s, hex);
}
