/* Whether another process's datagram socket would take a message now: libsystemd sends with calls that
 * block. */
#ifndef OBS_SOCKET_WRITABLE_H
#define OBS_SOCKET_WRITABLE_H
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A receiver whose queue is full shows as a connected socket that does not poll writable. Waits wait_ms at
 * most. */
bool socket_writable(const struct sockaddr_un *addr, socklen_t len, int wait_ms);
#endif
