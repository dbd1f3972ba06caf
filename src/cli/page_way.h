/* How a browser gets to the page of a pod, as commands for a shell. Pure. */
#ifndef CLI_PAGE_WAY_H
#define CLI_PAGE_WAY_H
#include "base/buf.h"
#include "base/json.h"

enum { PAGE_WAY_PORT = 8080 };
struct page_way {
    const char *ns, *pod;
    int port;
    const char *kubeconfig, *context,
        *server; /* as they were given; NULL: kubectl finds them as this program did */
};
int page_way_port(const cJSON *pod); /* the container port named "admin", else PAGE_WAY_PORT */
void page_way_text(const struct page_way *w, struct buf *out);
#endif
