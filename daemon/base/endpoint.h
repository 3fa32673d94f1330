/* SPDX-License-Identifier: MIT */
/* Where something listens: "tcp:127.0.0.1:8080", "tcp:[::1]:8080", "tcp:localhost:8080" (the first of its addresses),
 * "tcp:*:8080" (every address, of IPv4 and IPv6), "unix:/run/x.sock". Names are not looked up. Nothing here suspends. */
#ifndef EFFD_ENDPOINT_H
#define EFFD_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
	} address;
	socklen_t len;
	int type; /* SOCK_STREAM, SOCK_DGRAM */
};

/* Of a stream: 0, or -EINVAL; -ENAMETOOLONG for a path that no socket can have. */
int endpoint_parse(const char *text, struct endpoint *ret_endpoint);
/* Of a stream, or of datagrams: "udp:127.0.0.1:53" and so on. */
int endpoint_parse_any(const char *text, struct endpoint *ret_endpoint);
/* A socket for it, close-on-exec, with `flags` of socket(2) besides. Every address is those of IPv4 alone where there is no
 * IPv6. Returns a descriptor or -errno. */
int endpoint_socket(struct endpoint *endpoint, int flags);
/* Is the port the kernel's to choose? */
bool endpoint_is_open(const struct endpoint *endpoint);
/* Can nobody listen at one of them while somebody else does at the other? A file's is made anew for who comes later. */
bool endpoint_excludes(const struct endpoint *a, const struct endpoint *b);
/* Has the other end of a connection sent something that nobody has read? Its end is nothing. */
bool endpoint_has_input(int fd);
/* Does nobody listen on the unix socket that lies there? */
bool endpoint_is_stale(const struct sockaddr_un *address);

#endif
