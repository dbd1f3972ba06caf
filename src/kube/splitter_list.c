/* The end of a stream: is it whole, and what a list says of itself; see kube/splitter.h. */
#include "base/json_raw.h"
#include "kube/splitter.h"
#include <errno.h>

int splitter_finish(const struct splitter *s, struct err *err) {
    if (s->dead) return err_set(err, ERR_PROTOCOL, -EPROTO, "no list: %s", s->why);
    if (s->mode == SPLIT_LIST && !s->ended)
        return err_set(err, ERR_PROTOCOL, -EPROTO, "the list ends in the middle");
    if (s->mode == SPLIT_WATCH && (s->depth || s->skipping)) {
        return err_set(err, ERR_PROTOCOL, -EPROTO, "the stream ends in the middle of an event");
    }
    return 0;
}

/* Whole, and a string. */
static struct slice string_of(const struct buf *b) {
    struct slice s = buf_slice(b);
    bool good = !b->full && json_raw_check(s, NULL) == 0 && json_raw_type(s) == JR_STRING;
    return good ? s : (struct slice){0};
}

static char *meta_string(struct slice meta, const char *name) {
    struct slice v;
    if (!json_raw_get(meta, slice_of(name), &v) || json_raw_type(v) == JR_NULL) return xstrdup("");
    struct buf b = BUF(SPLIT_META_CAP);
    if (json_raw_unescape(v, &b) == 0 && !slice_has(buf_slice(&b), '\0')) return buf_take(&b);
    buf_free(&b);
    return NULL;
}

int splitter_list(const struct splitter *s, struct split_list *ret, struct err *err) {
    int r = splitter_finish(s, err);
    if (r < 0) return r;
    struct slice kind = buf_slice(&s->kind), meta = buf_slice(&s->meta), v;
    bool list = !s->kind.full && (!kind.n || (kind.p[0] == '"' && slice_ends(kind, SL("List\""))));
    if (!list || !s->seen_items) {
        return err_set(err, ERR_PROTOCOL, -EPROTO, "no list: kind %.*s, %s", (int)(kind.n < 64 ? kind.n : 64),
                       kind.n ? kind.p : "", s->seen_items ? "with items" : "without items");
    }
    if (s->meta.full || (meta.n && json_raw_check(meta, err) < 0) ||
        (meta.n && json_raw_type(meta) != JR_OBJECT)) {
        return err_set(err, ERR_PROTOCOL, -EPROTO, "no list: its metadata is no object of at most %d bytes",
                       SPLIT_META_CAP);
    }
    struct split_list l = {
        .rv = meta_string(meta, "resourceVersion"), .token = meta_string(meta, "continue"), .remaining = -1};
    if (!l.rv || !l.token) {
        split_list_free(&l);
        return err_set(err, ERR_PROTOCOL, -EPROTO, "no list: resourceVersion and continue must be strings");
    }
    if (json_raw_get(meta, SL("remainingItemCount"), &v)) (void)slice_i64(v, &l.remaining);
    l.kind = string_of(&s->kind);
    l.api_version = string_of(&s->api);
    *ret = l;
    return 0;
}

void split_list_free(struct split_list *l) {
    if (!l) return;
    free(l->rv);
    free(l->token);
    *l = (struct split_list){0};
}
