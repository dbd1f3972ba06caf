/* One line of a metrics page. */
#ifndef ROLLOUT_PROMLINE_H
#define ROLLOUT_PROMLINE_H
#include "judge/promsel.h"

enum { PROM_MAX_LABELS = 128 };
struct prom_line {
    struct slice metric; /* empty: a comment or a blank line */
    struct prom_label label[PROM_MAX_LABELS];
    size_t n;
    double value; /* as printed, NaN and infinities included */
    bool eof;     /* "# EOF" */
};
/* text: without its newline. scratch: room for text.n bytes, holds what had to be unescaped as long as *ret
 * is looked at; NULL will do for a text without a backslash. On error err says what was expected and what was
 * found; the caller adds the number of the line. */
int prom_line_read(struct slice text, char *scratch, struct prom_line *ret, struct err *err);
#endif
