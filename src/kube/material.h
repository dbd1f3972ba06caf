/* Text that stands in a configuration (certificates, keys) or in a file that may be replaced under us. */
#ifndef KUBE_MATERIAL_H
#define KUBE_MATERIAL_H
#include "base/log.h"
#include "world/world.h"

enum { MATERIAL_CAP = 1 << 20 };
struct material {
    char *path; /* NULL: it does not come from a file */
    struct buf text;
    int64_t mtime;
};
/* base64, as in the -data fields. where: "cluster \"x\" of FILE: certificate-authority-data". */
int material_decode(struct material *m, const char *base64, const char *where, struct err *err);
int material_read(struct material *m, struct world *w, const char *path, const char *where, struct err *err);
/* Has the file changed (or force)? Reads it again; what cannot be read leaves the old text, and says so in
 * the log. */
bool material_refresh(struct material *m, struct world *w, struct log *log, bool force);
void material_free(struct material *m);
#endif
