/* Small files, read and written at once: configuration, tokens, certificates, the termination log. */
#include "loop_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_err(struct err *err, int neg_errno, const char *verb, const char *path) {
    return err_set(err, ERR_CONFIG, neg_errno, "cannot %s %s: %s", verb, path, strerror(-neg_errno));
}

int loop_read_file(struct world *w, const char *path, size_t cap, struct buf *ret, struct err *err) {
    (void)w;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_err(err, -errno, "open", path);
    cleanup_buf struct buf all = BUF(cap);
    char part[4096];
    int r = 0;
    for (;;) {
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) r = file_err(err, -errno, "read", path);
        if (n <= 0) break;
        if (buf_add(&all, slice_make(part, (size_t)n)) < 0) {
            r = err_set(err, ERR_CONFIG, -EFBIG, "%s is larger than the %zu bytes that are allowed for it",
                        path, cap);
            break;
        }
    }
    close(fd);
    if (r < 0) return r;
    if (buf_add(ret, buf_slice(&all)) < 0)
        return err_set(err, ERR_CONFIG, -EFBIG, "%s is larger than the %zu bytes that are allowed for it",
                       path, ret->max);
    return 0;
}

int loop_write_file(struct world *w, const char *path, struct slice data, struct err *err) {
    (void)w;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return file_err(err, -errno, "open", path);
    int r = 0;
    while (data.n > 0 && r == 0) {
        ssize_t n = write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            r = file_err(err, -errno, "write", path);
        } else {
            data = slice_make(data.p + n, data.n - (size_t)n);
        }
    }
    if (close(fd) < 0 && r == 0) r = file_err(err, -errno, "write", path);
    return r;
}

int64_t loop_file_mtime(struct world *w, const char *path) {
    (void)w;
    struct stat st;
    if (stat(path, &st) < 0) return -errno;
    return (int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
}
