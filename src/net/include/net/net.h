/* HTTP for the real world: a client on libcurl's multi-socket interface, one multi per lane, and a server on
 * libuv. */
#ifndef NET_NET_H
#define NET_NET_H
#include "loop/loop.h"

struct net;
struct net *net_install(struct loop *l);
void net_uninstall(struct net *n); /* cancels what is open without callbacks */
#endif
