/* Lines without an event id, for the tests of what becomes of a line. */
#ifndef UNIT_LOG_LINE_H
#define UNIT_LOG_LINE_H
#include "base/log.h"

#define LOG(log, level, msg, ...)                                                                            \
    log_write((log), (level), (msg), (const struct log_field[]){__VA_ARGS__},                                \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
#define LOG0(log, level, msg) log_write((log), (level), (msg), NULL, 0)
#endif
