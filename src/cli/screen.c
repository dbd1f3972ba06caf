/* Frames of a screen; see screen.h. */
#include "screen.h"

const char screen_enter[] = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[H\x1b[2J",
           screen_leave[] = "\x1b[?25h\x1b[?7h\x1b[?1049l";

void screen_frame(struct buf *out, struct slice text, unsigned height) {
    struct slice rest = text, line;
    unsigned n = 0;
    buf_adds(out, "\x1b[H");
    for (; rest.n && (!height || n < height); n++) {
        slice_cut(rest, '\n', &line, &rest);
        buf_adds(out, n ? "\r\n\x1b[K"
                        : "\x1b[K"); /* before it: behind a full line it would take its last letter */
        buf_add(out, line);
    }
    if (!height || n < height) buf_adds(out, n ? "\r\n\x1b[J" : "\x1b[J");
}
