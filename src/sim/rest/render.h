/* The forms that an answer may have: whole objects, metadata only, or a Table as kubectl prints it. */
#ifndef SIM_RENDER_H
#define SIM_RENDER_H
#include "store/core.h"

enum form { FORM_FULL, FORM_META, FORM_TABLE };
enum include {
    INCLUDE_META,
    INCLUDE_NONE,
    INCLUDE_OBJECT
}; /* what each row of a Table carries beside its cells */
struct render {
    enum form form;
    bool beta; /* meta.k8s.io/v1beta1 */
    enum include include;
    bool events_view; /* whole objects are core/v1 Events as events.k8s.io/v1 has them */
};
/* The first media range of an Accept header that we can serve; include: the query's includeObject or NULL.
 * 406. */
int render_choose(struct slice accept, const char *include, struct render *ret, struct api_status *f);
static inline bool render_same(struct render a, struct render b) {
    return a.form == b.form && a.beta == b.beta && a.include == b.include && a.events_view == b.events_view;
}
/* One object, or a Table of one. columns: with the columns' definitions. */
void render_one(const struct sim *s, const struct sim_type *t, const struct json_doc *d, struct render r,
                bool columns, struct buf *out);
/* A list is its head, its items separated by ',', its tail. more: continue token or NULL; remaining < 0: not
 * known. */
void render_list_head(const struct sim_type *t, struct render r, uint64_t rv, const char *more,
                      int64_t remaining, struct buf *out);
void render_item(const struct sim *s, const struct sim_type *t, const struct json_doc *d, struct render r,
                 struct buf *out);
void render_list_tail(struct buf *out);
void render_bookmark(const struct sim_type *t, struct render r, uint64_t rv, bool initial_end,
                     struct buf *out);

/* printer.c */
struct column {
    const char *name, *type, *format; /* format: "" or "name" */
    int priority;
};
struct printer {
    const struct column *columns;
    size_t n;
    /* Appends the cells, each a JSON value, separated by ','. */
    void (*cells)(const struct sim *s, const cJSON *obj, struct buf *out);
};
const struct printer *printer_of(const struct sim_type *t);
void printer_cell_str(struct buf *out, const char *s);
void printer_cell_int(struct buf *out, int64_t v);
void printer_cell_age(const struct sim *s, struct buf *out, const char *since); /* "5m"; "<unknown>" */
void printer_pod_cells(const struct sim *s, const cJSON *obj, struct buf *out); /* printer_pod.c */
#endif
