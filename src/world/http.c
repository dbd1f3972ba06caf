/* Header lists and status texts, shared by client and server. */
#include "world/http.h"
#include <strings.h>

bool http_name_eq(struct slice a, struct slice b) {
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool http_headers_add(struct http_headers *h, struct slice name, struct slice value) {
    if (h->n == HTTP_MAX_HEADERS) return false;
    h->v[h->n++] = (struct http_header){name, value};
    return true;
}

struct slice http_headers_get(const struct http_headers *h, const char *name) {
    struct slice want = slice_of(name);
    for (size_t i = 0; i < h->n; i++)
        if (http_name_eq(h->v[i].name, want)) return h->v[i].value;
    return (struct slice){0};
}

const char *http_status_text(int status) {
    static const struct {
        int code;
        const char *text;
    } known[] = {{200, "OK"},
                 {201, "Created"},
                 {202, "Accepted"},
                 {204, "No Content"},
                 {301, "Moved Permanently"},
                 {304, "Not Modified"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {406, "Not Acceptable"},
                 {408, "Request Timeout"},
                 {409, "Conflict"},
                 {410, "Gone"},
                 {413, "Payload Too Large"},
                 {415, "Unsupported Media Type"},
                 {422, "Unprocessable Entity"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {507, "Insufficient Storage"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].code == status) return known[i].text;
    return "Unknown";
}
