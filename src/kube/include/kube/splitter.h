/* Cuts what the API server streams into single objects: the items of a List, or the events of a watch. Fed in
 * chunks of any size, holds at most the one item that a chunk's end has cut. Pure.
 *
 *   while ((ev = splitter_next(&s, &chunk, &item)) != SPLIT_MORE) ...       item is valid until the next call
 *
 * What an item says is not looked at: brackets, commas, colons and strings are checked here, numbers, words
 * and escapes by the item's parser. */
#ifndef KUBE_SPLITTER_H
#define KUBE_SPLITTER_H
#include "base/buf.h"
#include "base/err.h"

enum {
    SPLIT_ITEM_CAP = 4 << 20, /* default cap of one item */
    SPLIT_META_CAP = 256 << 10,
    SPLIT_DEPTH = 1000, /* as in base/json_raw.h */
};
enum split_mode {
    SPLIT_LIST, /* one JSON object: its "items" one by one, its "metadata" captured */
    SPLIT_WATCH /* JSON objects one behind the other, with or without line ends between them */
};
enum split_event {
    SPLIT_MORE,   /* the chunk is used up */
    SPLIT_ITEM,   /* ret is one item */
    SPLIT_BROKEN, /* LIST: not a list, nothing more will come. WATCH: something was left out up to the next
                     line, go on */
    SPLIT_END,    /* LIST: the list is complete (only blanks may follow) */
};

struct splitter {
    enum split_mode mode;
    size_t item_cap;
    /* private */
    unsigned char state, capture;
    bool key, noted, ended, dead, skipping, too_big, in_items, seen_items, given;
    unsigned depth, level;
    unsigned char open[SPLIT_DEPTH / 8 + 1]; /* one bit a level: 1 object, 0 array */
    struct buf item;                         /* the start of an item that continues in the next chunk */
    struct buf replay;                       /* what stood behind the last line end of a broken item */
    size_t replay_pos;
    struct buf name, kind, api, meta; /* LIST: the present member's name, and three values, raw */
    char why[96];
};

void splitter_init(struct splitter *s, enum split_mode mode, size_t item_cap /* 0: SPLIT_ITEM_CAP */);
void splitter_free(struct splitter *s);
/* Takes from the front of *in. ret: the item, else empty. */
enum split_event splitter_next(struct splitter *s, struct slice *in, struct slice *ret);
/* At the end of the stream: 0 if it ended where it may, else -EPROTO with err filled. */
int splitter_finish(const struct splitter *s, struct err *err);
const char *splitter_why(const struct splitter *s); /* of the last SPLIT_BROKEN */

/* Of a list, once SPLIT_END has come. */
struct split_list {
    char *rv, *token;               /* owned; "" when absent */
    int64_t remaining;              /* remainingItemCount, -1 when absent */
    struct slice kind, api_version; /* JSON strings, of the splitter; empty when absent */
};
/* -EPROTO: no List at all (a Status, no items, no usable metadata). */
int splitter_list(const struct splitter *s, struct split_list *ret, struct err *err);
void split_list_free(struct split_list *l);
#endif
