/* JSON text as YAML, for people who read it: kubectl's -o yaml. */
#ifndef CLI_YAML_PRINT_H
#define CLI_YAML_PRINT_H
#include "base/buf.h"

/* json has passed json_raw_check(). What is read from the YAML is what is in the JSON: numbers are copied, and a text that could be
 * read as something else is quoted. */
void yaml_print(struct slice json, struct buf *out);
#endif
