/* See credential_file.h. */
#include "credential_file.h"
#include "base/hash.h"
#include <errno.h>

int credential_file_decode(struct credential_file *m, const char *base64, const char *where,
                           struct err *err) {
    struct buf text = BUF(CREDENTIAL_FILE_CAP);
    if (base64_decode(slice_of(base64), &text) < 0 || !text.n) {
        buf_free(&text);
        return err_set(err, ERR_CONFIG, -EINVAL, "%s: no base64, or of more than %d bytes", where,
                       CREDENTIAL_FILE_CAP);
    }
    credential_file_free(m);
    m->text = text;
    return 0;
}

int credential_file_read(struct credential_file *m, struct world *w, const char *path, const char *where,
                         struct err *err) {
    struct buf text = BUF(CREDENTIAL_FILE_CAP);
    int64_t mtime = world_file_mtime(w, path); /* before: a change in between is seen the next time */
    int r = world_read_file(w, path, CREDENTIAL_FILE_CAP, &text, err);
    if (r < 0) {
        buf_free(&text);
        if (err) err->kind = ERR_CONFIG;
        return err_wrap(err, "%s", where);
    }
    char *own = xstrdup(path);
    credential_file_free(m);
    *m = (struct credential_file){own, text, mtime};
    return 0;
}

bool credential_file_refresh(struct credential_file *m, struct world *w, struct log *log, bool force) {
    if (!m->path) return false;
    int64_t mtime = world_file_mtime(w, m->path);
    if (!force && mtime == m->mtime) return false;
    bool again = mtime == m->mtime; /* a failure was reported already */
    m->mtime = mtime;
    struct buf text = BUF(CREDENTIAL_FILE_CAP);
    struct err err = {0};
    if (world_read_file(w, m->path, CREDENTIAL_FILE_CAP, &text, &err) < 0) {
        LOG_EVENT(log, again ? LOG_DEBUG : LOG_WARN, "CredentialFileUnreadable",
                  "credential file cannot be read again; the old content stays in use",
                  LF_STR("path", m->path), LF_ERR(&err));
        buf_free(&text);
        return false;
    }
    bool changed = !slice_eq(buf_slice(&text), buf_slice(&m->text));
    buf_free(&m->text);
    m->text = text;
    return changed;
}

void credential_file_free(struct credential_file *m) {
    if (!m) return;
    free(m->path);
    buf_free(&m->text);
    *m = (struct credential_file){0};
}
