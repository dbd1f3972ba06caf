/* Lists and watches in chunks: the first byte chooses the mode, the second the size of a chunk. However it is
 * cut, the same comes out. */
#include "fuzz.h"
#include "kube/splitter.h"

static void run(enum split_mode mode, struct slice text, size_t chunk, struct buf *out) {
    struct splitter s;
    struct err err;
    splitter_init(&s, mode, 512);
    size_t before = text.n;
    while (text.n) {
        size_t n = chunk < text.n ? chunk : text.n;
        struct slice in = slice_make(text.p, n), item;
        enum split_event ev;
        size_t events = 0;
        while ((ev = splitter_next(&s, &in, &item)) != SPLIT_MORE) {
            FUZZ_CHECK(events++ <= 2 * before + 2);
            FUZZ_CHECK(ev != SPLIT_ITEM ||
                       (item.n >= 2 && item.n <= 512 && item.p[0] == '{' && item.p[item.n - 1] == '}'));
            buf_addf(out, "%d:", (int)ev);
            buf_add(out, item);
        }
        FUZZ_CHECK(in.n == 0);
        text = slice_make(text.p + n, text.n - n);
    }
    buf_addf(out, "end %d", splitter_finish(&s, &err));
    struct split_list l;
    if (mode == SPLIT_LIST && splitter_list(&s, &l, &err) == 0) {
        buf_addf(out, " %s %s %lld", l.rv, l.token, (long long)l.remaining);
        split_list_free(&l);
    }
    splitter_free(&s);
}

FUZZ(in) {
    if (in.n < 2 || in.n > 1 << 16) return;
    enum split_mode mode = in.p[0] & 1 ? SPLIT_WATCH : SPLIT_LIST;
    struct slice text = slice_make(in.p + 2, in.n - 2);
    cleanup_buf struct buf whole = BUF(1 << 22), cut = BUF(1 << 22);
    run(mode, text, text.n + 1, &whole);
    run(mode, text, (size_t)(unsigned char)in.p[1] + 1, &cut);
    FUZZ_CHECK(slice_eq(buf_slice(&whole), buf_slice(&cut)));
}
