/* Continue tokens: what is taken can be made again and reads the same; what is not is refused with a reason. */
#include "fuzz.h"
#include "base/hash.h"
#include "base/mem.h"
#include "rest/list_token.h"

static void check_same(const struct list_token *t, struct api_status *f) {
    struct list_token again = {0};
    cleanup_free char *text = list_token_make(t->ns, t->name, t->rv, t->inconsistent, t->left);
    FUZZ_CHECK(list_token_read(text, &again, f) == 0);
    FUZZ_CHECK(again.set && again.inconsistent == t->inconsistent && again.rv == t->rv);
    FUZZ_CHECK(!strcmp(again.ns, t->ns) && !strcmp(again.name, t->name) && again.left == t->left);
    list_token_free(&again);
}

static void check_text(const char *text) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    struct list_token t = {0};
    if (list_token_read(text, &t, &f) < 0) {
        FUZZ_CHECK(f.code == 400 && f.message && !t.ns && !t.name);
        return;
    }
    FUZZ_CHECK(t.set && t.ns && t.name && t.left >= 0 && (t.rv > 0) == !t.inconsistent);
    check_same(&t, &f);
    FUZZ_CHECK(list_token_expired(&t, &f) < 0 && f.code == 410 && f.more);
    struct list_token more = {0};
    FUZZ_CHECK(list_token_read(f.more, &more, &f) == 0 && more.inconsistent);
    list_token_free(&more);
    list_token_free(&t);
}

FUZZ(in) { /* as it is, and as the JSON inside of a token */
    cleanup_free char *text = slice_dup_text(in, in.n);
    check_text(text);
    struct buf b = BUF((size_t)1 << 20);
    base64_encode(in, &b);
    check_text(buf_str(&b));
    buf_free(&b);
}
