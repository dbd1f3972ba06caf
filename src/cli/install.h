/* What `handover install` applies and `handover uninstall` takes away: the files of deploy/manifests, packed into the program. Pure. */
#ifndef CLI_INSTALL_H
#define CLI_INSTALL_H
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#define INSTALL_MANAGER                                                                                      \
    "handover-cli" /* field manager of what is installed: uninstall knows its objects by it */
#define INSTALL_NAMESPACE "handover-system"
#define INSTALL_IMAGE     "handover:dev"
/* On the Deployment: what --arg has added to its container's arguments, a JSON array. An install without --arg keeps them; those of the
 * manifests are of its own version. */
#define INSTALL_ARGS "cli.handover.dev/args"
enum { INSTALL_REPLICAS = 2, INSTALL_MAX_ARGS = 64 };

enum install_part {
    INSTALL_BASE,
    INSTALL_PDB,  /* policy/v1, Kubernetes 1.21 */
    INSTALL_FLOW, /* flowcontrol.apiserver.k8s.io/v1, 1.29 */
    INSTALL_HOLD, /* MutatingAdmissionPolicy v1, 1.36 */
    INSTALL_PARTS
};
struct install_packed {
    const unsigned char *p;
    size_t n;
};
extern const struct install_packed install_packed[INSTALL_PARTS];

struct install_options {
    const char *ns, *image;
    long replicas;
    char **args; /* of `run`, behind those of the manifests, NULL-terminated; NULL: none, and nothing noted */
    bool part[INSTALL_PARTS];
};
void install_parts_of(long minor, bool ret_part[INSTALL_PARTS]); /* what Kubernetes 1.minor serves */
/* What a part needs: the resources of this API path have this one. NULL: nothing. */
const char *install_part_api(enum install_part p, const char **ret_resource);
bool install_api_has(struct slice resource_list, const char *resource);
/* -EINVAL: what was read and what is allowed. */
int install_check_image(const char *image, struct err *err);
int install_check_arg(const char *arg, struct err *err);
int install_check_namespace(const char *ns, struct err *err);
/* The YAML of the parts that are chosen, with the options in it: as of the files where these have their defaults. */
void install_text(const struct install_options *o, struct buf *out);

struct install_object {
    struct slice text; /* of the YAML */
    char *path;        /* on the API server */
    char *what;        /* "deployment.apps/handover", for people */
    bool is_namespace, is_deployment;
};
/* In the order in which they are applied. */
int install_objects(struct slice yaml, struct install_object **ret, size_t *ret_n, struct err *err);
void install_objects_free(struct install_object *v, size_t n);
/* The arguments that the last install has put into this Deployment, NULL-terminated; NULL: none. install_args_free(). -EINVAL: the annotation
 * is not as it was written. */
int install_kept_args(const cJSON *deployment, char ***ret, struct err *err);
void install_args_free(char **args);
/* Has `handover install` applied it? By its metadata.managedFields. */
bool install_made(const cJSON *obj);
#endif
