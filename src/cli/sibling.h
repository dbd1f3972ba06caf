/* The other programs of Handover: beside this one, else in PATH. */
#ifndef CLI_SIBLING_H
#define CLI_SIBLING_H
#include "base/err.h"

/* -ENOENT, and err says where it was looked for. */
int sibling_find(const char *name, char **ret_path, struct err *err);
#endif
