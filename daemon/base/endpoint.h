/* SPDX-License-Identifier: MIT */
/* Where something listens: "tcp:127.0.0.1:8080", "tcp:[::1]:8080", "tcp:localhost:8080" (the first of its addresses),
 * "tcp:*:8080" (every address, of IPv4 and IPv6), "unix:/run/x.sock". Names are not looked up. Nothing here suspends. */
#ifndef EFFD_ENDPOINT_H
#define EFFD_ENDPOINT_H

#include <netinet/in.h>
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
};

/* 0, or -EINVAL; -ENAMETOOLONG for a path that no socket can have. */
int endpoint_parse(const char *text, struct endpoint *ret_endpoint);

#endif
