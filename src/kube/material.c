/* See material.h. */
#include "material.h"
#include "base/hash.h"
#include <errno.h>

int material_decode(struct material *m, const char *base64, const char *where, struct err *err) {
    struct buf text = BUF(MATERIAL_CAP);
    if (base64_decode(slice_of(base64), &text) < 0 || !text.n) {
        buf_free(&text);
        return err_set(err, ERR_CONFIG, -EINVAL, "%s: no base64, or of more than %d bytes", where,
                       MATERIAL_CAP);
    }
    material_free(m);
    m->text = text;
    return 0;
}

int material_read(struct material *m, struct world *w, const char *path, const char *where, struct err *err) {
    struct buf text = BUF(MATERIAL_CAP);
    int64_t mtime = world_file_mtime(w, path); /* before: a change in between is seen the next time */
    int r = world_read_file(w, path, MATERIAL_CAP, &text, err);
    if (r < 0) {
        buf_free(&text);
        if (err) err->kind = ERR_CONFIG;
        return err_wrap(err, "%s", where);
    }
    char *own = xstrdup(path);
    material_free(m);
    *m = (struct material){own, text, mtime};
    return 0;
}

bool material_refresh(struct material *m, struct world *w, struct log *log, bool force) {
    if (!m->path) return false;
    int64_t mtime = world_file_mtime(w, m->path);
    if (!force && mtime == m->mtime) return false;
    bool said = mtime == m->mtime; /* by the time before */
    m->mtime = mtime;
    struct buf text = BUF(MATERIAL_CAP);
    struct err err = {0};
    if (world_read_file(w, m->path, MATERIAL_CAP, &text, &err) < 0) {
        LOG(log, said ? LOG_DEBUG : LOG_WARN,
            "a file of the configuration cannot be read again, the old content stays in use",
            LF_STR("path", m->path), LF_ERR(&err));
        buf_free(&text);
        return false;
    }
    bool changed = !slice_eq(buf_slice(&text), buf_slice(&m->text));
    buf_free(&m->text);
    m->text = text;
    return changed;
}

void material_free(struct material *m) {
    if (!m) return;
    free(m->path);
    buf_free(&m->text);
    *m = (struct material){0};
}
