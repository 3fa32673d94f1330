/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/endpoint.h"

static bool port_parse(const char *text, in_port_t *ret_port)
{
	size_t len = strspn(text, "0123456789");
	unsigned long port = strtoul(text, NULL, 10);

	if (len == 0 || len > 5 || text[len] != '\0' || port > 65535)
		return false;
	*ret_port = htons((in_port_t)port);
	return true;
}

static int v6(const char *host, in_port_t port, struct endpoint *ret_endpoint)
{
	*ret_endpoint = (struct endpoint){.len = sizeof(ret_endpoint->address.v6)};
	ret_endpoint->address.v6.sin6_family = AF_INET6;
	ret_endpoint->address.v6.sin6_port = port;
	return inet_pton(AF_INET6, host, &ret_endpoint->address.v6.sin6_addr) == 1 ? 0 : -EINVAL;
}

static int v4(const char *host, in_port_t port, struct endpoint *ret_endpoint)
{
	*ret_endpoint = (struct endpoint){.len = sizeof(ret_endpoint->address.v4)};
	ret_endpoint->address.v4.sin_family = AF_INET;
	ret_endpoint->address.v4.sin_port = port;
	return inet_pton(AF_INET, host, &ret_endpoint->address.v4.sin_addr) == 1 ? 0 : -EINVAL;
}

static int host_and_port(const char *text, struct endpoint *ret_endpoint)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	char host[INET6_ADDRSTRLEN + 2];
	in_port_t port;

	if (len == 0 || len >= sizeof(host) || !port_parse(colon + 1, &port))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (host[0] == '[') {
		if (host[len - 1] != ']')
			return -EINVAL;
		host[len - 1] = '\0';
		return v6(host + 1, port, ret_endpoint);
	}
	if (strcmp(host, "*") == 0)
		return v6("::", port, ret_endpoint);
	return v4(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, ret_endpoint);
}

static int path(const char *text, struct endpoint *ret_endpoint)
{
	size_t len = strlen(text);

	*ret_endpoint = (struct endpoint){
		.len = sizeof(ret_endpoint->address.un), .type = SOCK_STREAM};
	if (*text != '/')
		return -EINVAL;
	if (len >= sizeof(ret_endpoint->address.un.sun_path))
		return -ENAMETOOLONG;
	ret_endpoint->address.un.sun_family = AF_UNIX;
	memcpy(ret_endpoint->address.un.sun_path, text, len + 1);
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *ret_endpoint)
{
	int r;

	if (strncmp(text, "unix:", 5) == 0)
		return path(text + 5, ret_endpoint);
	if (strncmp(text, "tcp:", 4) != 0)
		return -EINVAL;
	r = host_and_port(text + 4, ret_endpoint);
	ret_endpoint->type = SOCK_STREAM;
	return r;
}

int endpoint_parse_any(const char *text, struct endpoint *ret_endpoint)
{
	int r;

	if (strncmp(text, "udp:", 4) != 0)
		return endpoint_parse(text, ret_endpoint);
	r = host_and_port(text + 4, ret_endpoint);
	ret_endpoint->type = SOCK_DGRAM;
	return r;
}

static void without_v6(struct endpoint *at)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = at->address.v6.sin6_port};

	if (at->address.any.sa_family != AF_INET6 ||
		!IN6_IS_ADDR_UNSPECIFIED(&at->address.v6.sin6_addr))
		return;
	at->address.v4 = v4;
	at->len = sizeof(v4);
}

int endpoint_socket(struct endpoint *endpoint, int flags)
{
	int type = endpoint->type | SOCK_CLOEXEC | flags, off = 0;
	int fd = socket(endpoint->address.any.sa_family, type, 0);

	if (fd < 0 && errno == EAFNOSUPPORT) {
		without_v6(endpoint);
		fd = socket(endpoint->address.any.sa_family, type, 0);
	}
	if (fd < 0)
		return -errno;
	/* Whatever the machine's preset is. */
	if (endpoint->address.any.sa_family == AF_INET6 &&
		IN6_IS_ADDR_UNSPECIFIED(&endpoint->address.v6.sin6_addr))
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	return fd;
}

bool endpoint_is_open(const struct endpoint *endpoint)
{
	return (endpoint->address.any.sa_family == AF_INET && endpoint->address.v4.sin_port == 0) ||
		(endpoint->address.any.sa_family == AF_INET6 && endpoint->address.v6.sin6_port == 0);
}

static in_port_t port_of(const struct endpoint *e)
{
	return e->address.any.sa_family == AF_INET ? e->address.v4.sin_port
						   : e->address.v6.sin6_port;
}

/* Every address of its own kind, or of both. */
static bool takes_all(const struct endpoint *e)
{
	return e->address.any.sa_family == AF_INET
		? e->address.v4.sin_addr.s_addr == htonl(INADDR_ANY)
		: IN6_IS_ADDR_UNSPECIFIED(&e->address.v6.sin6_addr);
}

static bool is_same_host(const struct endpoint *a, const struct endpoint *b)
{
	if (a->address.any.sa_family == AF_INET)
		return a->address.v4.sin_addr.s_addr == b->address.v4.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->address.v6.sin6_addr, &b->address.v6.sin6_addr);
}

bool endpoint_excludes(const struct endpoint *a, const struct endpoint *b)
{
	sa_family_t family = a->address.any.sa_family, other = b->address.any.sa_family;

	if (family == AF_UNIX || other == AF_UNIX || a->type != b->type ||
		port_of(a) != port_of(b) || port_of(a) == 0)
		return false;
	if (family != other)
		return takes_all(family == AF_INET6 ? a : b);
	return takes_all(a) || takes_all(b) || is_same_host(a, b);
}

bool endpoint_has_input(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool endpoint_is_stale(const struct sockaddr_un *address)
{
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		errno == ECONNREFUSED;
}
