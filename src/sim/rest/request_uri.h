/* A request's path and query, taken apart. */
#ifndef SIM_REQUEST_URI_H
#define SIM_REQUEST_URI_H
#include "store/api_status.h"

enum { REQUEST_URI_SEGMENTS = 64, REQUEST_URI_PARAMS = 64 };
struct request_uri {
    /* unescaped; empty ones between slashes are kept, one at the end is not */
    char *seg[REQUEST_URI_SEGMENTS];
    size_t n;
    struct {
        char *key, *value;
    } param[REQUEST_URI_PARAMS];
    size_t nparams;
};
int request_uri_parse(struct slice target, struct request_uri *ret, struct api_status *f); /* 400 */
void request_uri_free(struct request_uri *t);
const char *request_uri_param(const struct request_uri *t, const char *key); /* the first; NULL if absent */
/* "true", "1", or there without a value */
bool request_uri_flag(const struct request_uri *t, const char *key);
/* The segments from i on, joined by '/'. */
char *request_uri_rest(const struct request_uri *t, size_t i);
#endif
