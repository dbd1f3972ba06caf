/* See socket_writable.h. */
#include "socket_writable.h"
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

bool socket_writable(const struct sockaddr_un *addr, socklen_t len, int wait_ms) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    bool takes = connect(fd, (const struct sockaddr *)addr, len) == 0 && poll(&p, 1, wait_ms) == 1 &&
                 (p.revents & POLLOUT);
    close(fd);
    return takes;
}
