/* Files and environment of a host, in memory. */
#include "internal.h"
#include <errno.h>

enum { MAX_FILE = 16 << 20 };

struct file {
    struct list all;
    char *path, *data; /* data NULL: only an error is planned for it */
    size_t n;
    int64_t mtime;
    int error;
};
struct var {
    struct list all;
    char *name, *value;
};

static struct file *find(struct host *h, const char *path) {
    list_each(it, &h->files) {
        struct file *f = container_of(it, struct file, all);
        if (strcmp(f->path, path) == 0) return f;
    }
    return NULL;
}

static struct file *make(struct host *h, const char *path) {
    struct file *f = find(h, path);
    if (f) return f;
    f = xcalloc(1, sizeof *f);
    f->path = xstrdup(path);
    list_push(&h->files, &f->all);
    return f;
}

static void file_free(struct file *f) {
    list_remove(&f->all);
    free(f->path);
    free(f->data);
    free(f);
}

void simworld_file(struct world *w, const char *path, struct slice data) {
    struct file *f = make(host_of(w), path);
    char *copy = slice_dup(data);
    free(f->data);
    f->data = copy;
    f->n = data.n;
    f->mtime = world_wall_ns(w);
}

void simworld_file_error(struct world *w, const char *path, int neg_errno) {
    make(host_of(w), path)->error = neg_errno;
}

struct slice simworld_file_get(struct world *w, const char *path) {
    struct file *f = find(host_of(w), path);
    return f && f->data ? slice_make(f->data, f->n) : (struct slice){0};
}

void simworld_file_remove(struct world *w, const char *path) {
    struct file *f = find(host_of(w), path);
    if (f) file_free(f);
}

static int fail(struct err *err, int neg_errno, const char *path) {
    return err_set(err, ERR_CONFIG, neg_errno, "%s: %s", path, strerror(-neg_errno));
}

int host_read_file(struct world *w, const char *path, size_t cap, struct buf *ret, struct err *err) {
    struct file *f = find(host_of(w), path);
    if (f && f->error) return fail(err, f->error, path);
    if (!f || !f->data) return fail(err, -ENOENT, path);
    if (f->n > cap) return fail(err, -EFBIG, path);
    return buf_add(ret, slice_make(f->data, f->n));
}

int host_write_file(struct world *w, const char *path, struct slice data, struct err *err) {
    struct host *h = host_of(w);
    struct file *f = find(h, path);
    if (f && f->error) return fail(err, f->error, path);
    if (data.n > MAX_FILE) return fail(err, -ENOSPC, path);
    if (!h->alive) return 0; /* a dead process writes nothing */
    trace(h->sw, h, "write %s", path);
    trace_bytes(h->sw, data);
    simworld_file(w, path, data);
    return 0;
}

int64_t host_file_mtime(struct world *w, const char *path) {
    struct file *f = find(host_of(w), path);
    if (f && f->error) return f->error;
    return f && f->data ? f->mtime : -ENOENT;
}

/* ---- environment ---- */

static struct var *var_find(struct host *h, const char *name) {
    list_each(it, &h->vars) {
        struct var *v = container_of(it, struct var, all);
        if (strcmp(v->name, name) == 0) return v;
    }
    return NULL;
}

static void var_free(struct var *v) {
    list_remove(&v->all);
    free(v->name);
    free(v->value);
    free(v);
}

void simworld_setenv(struct world *w, const char *name, const char *value) {
    struct host *h = host_of(w);
    struct var *v = var_find(h, name);
    if (v) var_free(v);
    if (!value) return;
    v = xcalloc(1, sizeof *v);
    v->name = xstrdup(name);
    v->value = xstrdup(value);
    list_push(&h->vars, &v->all);
}

const char *host_getenv(struct world *w, const char *name) {
    struct var *v = var_find(host_of(w), name);
    return v ? v->value : NULL;
}

void host_files_free(struct host *h) {
    list_each_safe(it, tmp, &h->files) file_free(container_of(it, struct file, all));
    list_each_safe(it, tmp, &h->vars) var_free(container_of(it, struct var, all));
}
