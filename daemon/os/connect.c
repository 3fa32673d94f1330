/* SPDX-License-Identifier: MIT */
/* Connecting, for probes. An address is taken as it is and `localhost` is both of its addresses, so that what nearly every
 * probe asks for needs no thread; any other name goes through the resolver, which may take its time. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <eff/fiber.h>
#include <eff/io.h>

#include "base/alloc.h"
#include "os/internal.h"

/* A host name is no longer; more addresses of one are not tried. */
enum { HOST_MOST = 255, MOST_ADDRESSES = 8 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct question {
	char host[HOST_MOST + 1];
	union address addresses[MOST_ADDRESSES];
	size_t n;
	int error;
};

static socklen_t address_len(const union address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
}

/* An address in figures; false for a name. */
static bool address_parse(const char *host, union address *ret_address)
{
	union address address = {0};

	if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1)
		address.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1)
		address.v6.sin6_family = AF_INET6;
	else
		return false;
	*ret_address = address;
	return true;
}

/* ── a name's addresses, on a thread ── */

static int resolver_error(int error)
{
	switch (error) {
	case 0:
		return 0;
	case EAI_AGAIN:
		return EAGAIN;
	case EAI_MEMORY:
		return ENOMEM;
	case EAI_SYSTEM:
		return errno ? errno : EIO;
	default:
		return ENODATA;
	}
}

static void resolve(void *arg)
{
	struct question *question = arg;
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	const struct addrinfo *one;

	question->error = resolver_error(getaddrinfo(question->host, NULL, &hints, &found));
	if (question->error)
		return;
	for (one = found; one && question->n < MOST_ADDRESSES; one = one->ai_next) {
		if (one->ai_addrlen <= sizeof(*question->addresses))
			memcpy(&question->addresses[question->n++], one->ai_addr, one->ai_addrlen);
	}
	freeaddrinfo(found);
	if (!question->n)
		question->error = ENODATA;
}

/* ── connecting ── */

/* To the first that takes it. */
static int connect_any(const union address *addresses, size_t n, uint16_t port)
{
	int r = -EHOSTUNREACH;

	for (size_t i = 0; i < n; i++) {
		union address address = addresses[i];

		/* Both have it at the same place. */
		address.v4.sin_port = htons(port);
		r = eff_connect(&address.any, address_len(&address));
		if (r >= 0 || r == -ECANCELED || eff_check() < 0)
			return r;
	}
	return r;
}

static int connect_named(const char *host, uint16_t port)
{
	struct question *question = alloc_new(sizeof(*question));
	int r;

	if (!question)
		return -ENOMEM;
	(void)snprintf(question->host, sizeof(question->host), "%s", host);
	r = eff_blocking(resolve, question, free);
	if (r == -ECANCELED || r == -ETIMEDOUT)
		return r; /* the thread has it now */
	if (r >= 0)
		r = -question->error;
	if (r >= 0)
		r = connect_any(question->addresses, question->n, port);
	free(question);
	return r;
}

int os_connect_tcp(const char *host, uint16_t port)
{
	union address addresses[2] = {
		{.v4 = {.sin_family = AF_INET}}, {.v6 = {.sin6_family = AF_INET6}}};

	if (!host || !*host || !strcmp(host, "localhost")) {
		addresses[0].v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		addresses[1].v6.sin6_addr = in6addr_loopback;
		return connect_any(addresses, 2, port);
	}
	if (strlen(host) > HOST_MOST)
		return -ENAMETOOLONG;
	if (address_parse(host, addresses))
		return connect_any(addresses, 1, port);
	return connect_named(host, port);
}

int os_connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	return eff_connect((struct sockaddr *)&address, sizeof(address));
}
