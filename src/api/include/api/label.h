/* What Kubernetes allows as label keys and values. */
#ifndef API_LABEL_H
#define API_LABEL_H
#include "base/slice.h"

/* NULL, or what is allowed, for a person. */
const char *label_key_problem(struct slice key);
const char *label_value_problem(struct slice value);
#endif
