/* The flood bench: do metrics pages that never end delay the lease? Renewals while 100 scrapes at a time read pages
 * of empty lines and of one-byte chunks, as fast as they come. Usage: bench_flood [SCRAPES]. Exits with 1 when p99
 * is 20 ms or more. */
#include "renewals.h"
#include "side.h"
#include "judge/promtext.h"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RENEWALS = 200, LIMIT_MS = 20, CONNECTIONS = 256, BLOCK = 60 * 1024 };

/* ---- pages without an end, in a process of their own ---- */

static void send_pages(int listener) {
    static struct pollfd fds[1 + CONNECTIONS];
    static char lines[BLOCK], chunks[BLOCK];
    const char *head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
               *chunked = "Transfer-Encoding: chunked\r\n";
    memset(lines, '\n', sizeof lines);
    for (size_t i = 0; i < sizeof chunks; i++) chunks[i] = "1\r\n\n\r\n"[i % 6];
    size_t n = 1, at[1 + CONNECTIONS] = {0};
    fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        if (poll(fds, n, -1) < 0) abort();
        for (size_t i = 1; i < n; i++) {
            if (!fds[i].revents) continue;
            bool odd = fds[i].fd % 2;
            ssize_t sent =
                send(fds[i].fd, (odd ? chunks : lines) + at[i], BLOCK - at[i], MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent > 0) at[i] = (at[i] + (size_t)sent) % BLOCK;
            if (sent > 0 || !(fds[i].revents & (POLLERR | POLLHUP))) continue;
            close(fds[i].fd);
            fds[i] = fds[--n];
            at[i--] = at[n];
        }
        if (!fds[0].revents || n > CONNECTIONS) continue;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        dprintf(fd, "%s%s\r\n", head, fd % 2 ? chunked : "");
        fds[n] = (struct pollfd){.fd = fd, .events = POLLOUT};
        at[n++] = 0;
    }
}

static pid_t pages_start(int *ret_port) {
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof sa;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0 || listen(fd, CONNECTIONS) < 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        abort();
    *ret_port = ntohs(sa.sin_port);
    pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        send_pages(fd);
    }
    close(fd);
    return pid;
}

/* ---- those who read them ---- */

struct page {
    struct kube *k;
    struct promtext *text;
    char url[64];
    uint64_t *bytes;
};

static void page_start(struct page *p);

static int on_piece(void *ctx, struct slice piece, struct err *err) {
    struct page *p = ctx;
    *p->bytes += piece.n;
    return promtext_feed(p->text, piece, err);
}

static void on_page(void *ctx, const struct err *err, struct slice raw) {
    struct page *p = ctx;
    (void)err, (void)raw;
    promtext_free(p->text);
    page_start(p);
}

static void page_start(struct page *p) {
    static const struct kube_scrape_cb cb = {.chunk = on_piece, .done = on_page};
    p->text = promtext_new(NULL, NULL);
    kube_scrape(p->k, &(struct kube_scrape){.url = p->url, .timeout_ns = 5 * NS_PER_S}, &cb, p);
}

int main(int argc, char **argv) {
    int64_t scrapes = 100;
    if (argc > 1 && (slice_i64(slice_of(argv[1]), &scrapes) < 0 || scrapes > 200)) return 2;
    int port;
    pid_t pages = pages_start(&port);
    struct side side;
    struct renewals r;
    side_open(&side, &(struct kube_config_spec){.kubeconfig = "/dev/null", .server = "http://127.0.0.1:1"},
              NULL);
    renewals_init(&r, side.loop);
    renewals_run(&r, RENEWALS / 4);
    renewals_report(&r, "renewal_quiet");
    uint64_t bytes = 0;
    struct page *p = xcalloc((size_t)scrapes, sizeof *p);
    for (int i = 0; i < scrapes; i++) {
        p[i] = (struct page){.k = side.kube, .bytes = &bytes};
        snprintf(p[i].url, sizeof p[i].url, "http://127.0.1.%d:%d/metrics", i + 1, port);
        page_start(&p[i]);
    }
    int64_t began = world_boot_ns(r.w);
    renewals_run(&r, RENEWALS);
    double p99 = renewals_report(&r, "renewal"), s = (double)(world_boot_ns(r.w) - began) / 1e9;
    printf("flood_scrapes %lld scrapes\nflood_bytes %.1f MiB/s\n", (long long)scrapes,
           (double)bytes / s / (1 << 20));
    kube_free(side.kube); /* with the scrapes that are open */
    side.kube = NULL;
    for (int i = 0; i < scrapes; i++) promtext_free(p[i].text);
    free(p);
    bool failed = r.failed || p99 >= LIMIT_MS || bytes == 0;
    renewals_free(&r);
    side_close(&side);
    kill(pages, SIGKILL);
    waitpid(pages, NULL, 0);
    if (p99 >= LIMIT_MS) fprintf(stderr, "p99 is %.2f ms, and must be below %d ms\n", p99, LIMIT_MS);
    return failed;
}
