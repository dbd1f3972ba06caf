/* A screen that is drawn in place: the terminal's other one, which leaves what was there before as it was. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H
#include "table.h"

/* Bytes for the terminal. Nothing of them scrolls it: a frame has no more lines than fit, and a line that is too long (the terminal
 * has just become narrower) is cut by it. */
extern const char screen_enter[], screen_leave[];
/* text: lines, each ended. height: of the terminal, 0: not known. */
void screen_frame(struct buf *out, struct slice text, unsigned height);
#endif
