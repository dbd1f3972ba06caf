/* Dead letters: keys that were given up, with the reason, oldest first; bounded. Pure. */
#ifndef CONTROL_DEAD_LETTERS_H
#define CONTROL_DEAD_LETTERS_H
#include "base/buf.h"

struct dead_letter {
    struct slice key, reason;
    int64_t since_wall_ns;
    unsigned failures;
};
struct dead_letters;
struct dead_letters *dead_letters_new(size_t max);
void dead_letters_free(struct dead_letters *d);
/* A key that is there keeps its place and its `since`, and takes the new reason. The reason is cut at 512
 * bytes. False: the oldest letter was dropped to make room. */
bool dead_letters_put(struct dead_letters *d, const struct dead_letter *l);
bool dead_letters_remove(struct dead_letters *d, struct slice key); /* false: not there */
bool dead_letters_has(const struct dead_letters *d, struct slice key);
size_t dead_letters_count(const struct dead_letters *d);
void dead_letters_each(const struct dead_letters *d, void (*fn)(void *ctx, const struct dead_letter *l),
                       void *ctx);
#endif
