/* What a plain scalar is: YAML 1.1 with the octal numbers of 1.2, the rules of gopkg.in/yaml.v2. Pure. */
#ifndef YAML_SCALAR_H
#define YAML_SCALAR_H
#include "yaml/yaml.h"

/* NULL, BOOL, NUMBER or STRING. json: for BOOL and NUMBER their JSON text is appended. YAML_IS_LIST stands for a
 * number that JSON does not have (.inf, .nan). */
enum yaml_type scalar_resolve(struct slice text, struct buf *json);
#endif
