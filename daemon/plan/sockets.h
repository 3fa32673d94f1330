/* SPDX-License-Identifier: MIT */
/* Sockets that effd opens for units, as a plan says them. */
#ifndef EFFD_PLAN_SOCKETS_H
#define EFFD_PLAN_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan/place.h"

/* A socket that effd opens for units. */
struct plan_socket {
	const char *name, *listen; /* "tcp:127.0.0.1:80", as base/endpoint.h has it, and "udp:…" */
	struct plan_place at;
	uint32_t backlog;
	mode_t mode;              /* of unix: */
	const char *user, *group; /* of unix:; NULL: effd's own */
	bool reuse_port;
	uint32_t owner; /* the loader's */
};

/* Are these the same, all that is said of them? */
bool plan_socket_equals(const struct plan_socket *a, const struct plan_socket *b);

#endif
