/* Text that stands in a configuration (certificates, keys) or in a file that may be replaced under us. */
#ifndef KUBE_CREDENTIAL_FILE_H
#define KUBE_CREDENTIAL_FILE_H
#include "base/log.h"
#include "world/world.h"

enum { CREDENTIAL_FILE_CAP = 1 << 20 };
struct credential_file {
    char *path; /* NULL: it does not come from a file */
    struct buf text;
    int64_t mtime;
};
/* base64, as in the -data fields. where: "cluster \"x\" of FILE: certificate-authority-data". */
int credential_file_decode(struct credential_file *m, const char *base64, const char *where, struct err *err);
int credential_file_read(struct credential_file *m, struct world *w, const char *path, const char *where,
                         struct err *err);
/* Has the file changed (or force)? Reads it again; what cannot be read leaves the old text, and says so in
 * the log. */
bool credential_file_refresh(struct credential_file *m, struct world *w, struct log *log, bool force);
void credential_file_free(struct credential_file *m);
#endif
