/* The other programs of Handover: beside this one, else in PATH. */
#include "sibling.h"
#include "base/mem.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *own_folder(void) {
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return xstrdup("");
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    return slash ? xasprintf("%.*s", (int)(slash - path), path) : xstrdup("");
}

/* Like a shell, an empty folder in PATH is the working directory. */
static bool find_in(const char *folder, size_t n, const char *name, char **ret_path) {
    struct stat st;
    char *path = xasprintf("%.*s%s%s", (int)n, folder, n ? "/" : "./", name);
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0) {
        *ret_path = path;
        return true;
    }
    free(path);
    return false;
}

int sibling_find(const char *name, char **ret_path, struct err *err) {
    cleanup_free char *own = own_folder();
    const char *path = getenv("PATH");
    if (*own && find_in(own, strlen(own), name, ret_path)) return 0;
    for (const char *at = path; at;) {
        size_t n = strcspn(at, ":");
        if (find_in(at, n, name, ret_path)) return 0;
        at = at[n] ? at + n + 1 : NULL;
    }
    return err_set(err, ERR_CONFIG, -ENOENT,
                   "%s was found neither in %s, beside this program, nor in PATH (%s)", name, own,
                   path ? path : "unset");
}
