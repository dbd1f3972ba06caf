/* A stand-in for the service manager: binds the socket PATH and prints what services say to it, a datagram a
 * line, "MS STATE;STATE;..." with the milliseconds of CLOCK_MONOTONIC. Usage: manager PATH; ends with its
 * stdin. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 2 || fd < 0 || strlen(argv[1]) >= sizeof addr.sun_path) return 2;
    memcpy(addr.sun_path, argv[1], strlen(argv[1]) + 1);
    if (bind(fd, (const struct sockaddr *)&addr, sizeof addr) < 0) {
        perror(argv[1]);
        return 1;
    }
    printf("listening\n");
    for (;;) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
        char text[4096];
        struct timespec now;
        if (poll(p, 2, -1) < 0) return 1;
        if (p[0].revents) {
            ssize_t n = recv(fd, text, sizeof text - 1, 0);
            if (n < 0) return 1;
            text[n] = '\0';
            for (char *c = text; *c; c++)
                if (*c == '\n') *c = ';';
            clock_gettime(CLOCK_MONOTONIC, &now);
            printf("%lld %s\n", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, text);
        } else if (p[1].revents && read(STDIN_FILENO, text, sizeof text) <= 0) {
            return 0;
        }
    }
}
