/* Text from outside (names, images, identities, messages) made fit for a terminal, and how many columns text
 * takes there. `utf8`: the locale's encoding is UTF-8; else what is not ASCII becomes '?'. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H
#include "base/buf.h"

/* Appends s with unsafe characters as escapes (utf8_add_safe()): nothing of it reaches the terminal as a command, and
 * what it was can be read. */
void text_clean(struct buf *out, struct slice s, bool utf8);
char *text_cleaned(const char *s, bool utf8); /* the same as a string; NULL is "". free() */
/* Lines that are clean already, colours of ours in them, for a terminal without UTF-8: '?' for a character that is not ASCII. */
void text_ascii(struct buf *out, struct slice clean);
unsigned text_columns(struct slice clean, bool utf8);
/* The longest beginning (from_end: end) of clean text that takes at most so many columns. */
struct slice text_fit(struct slice clean, unsigned columns, bool from_end, bool utf8);
/* Clean text "OLD -> NEW" in at most so many columns (8 at least): the name that both have in common goes first from NEW, then from
 * OLD; then each is cut so that where they differ is still there. False: there is no arrow in it, and nothing was added. */
bool text_fit_pair(struct buf *out, struct slice clean, unsigned columns, bool utf8);
/* How many columns it takes without the name in common; 0: there is no arrow in it. */
unsigned text_pair_columns(struct slice clean, bool utf8);
#endif
