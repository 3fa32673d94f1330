/* SPDX-License-Identifier: MIT */
/* Who may do what, by what the kernel says of a peer: numbers, from accept to the decision. */
#ifndef EFFD_ACCESS_H
#define EFFD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <eff/api.h>

#include "base/cause.h"
#include "plan/plan.h"

#define ACCESS_NO_GROUP ((gid_t)-1)

enum access_level { ACCESS_NONE, ACCESS_READER, ACCESS_OWNER };

struct peer {
	struct asker who;
	gid_t gid;
	gid_t *groups; /* supplementary ones */
	size_t n_groups;
};

/* Read what the kernel says of the other end of a connected unix socket. Returns 0 or -errno. */
int peer_read(int fd, struct peer *ret);
void peer_done(struct peer *peer);

/* The tree's rules with names looked up. */
struct access {
	uid_t self;         /* effd's own effective uid */
	gid_t socket_group; /* ACCESS_NO_GROUP: none */
	uid_t *users;       /* readers */
	size_t n_users;
	gid_t *groups;
	size_t n_groups;
};

/* Look the names of `daemon.readers` and `daemon.socket_group` up, on a thread, since name services may block. Inside a
 * runtime it Suspends; outside it blocks. Readers that do not exist are left out and logged. Returns 0; -ENOENT when there is
 * no such socket_group; -ENOMEM, -ECANCELED. */
EFF_SUSPENDS int access_resolve(const struct plan_daemon *daemon, struct access *ret);
/* The same for `daemon.readers` alone: who owns the socket stays as it is. Suspends. */
EFF_SUSPENDS int access_resolve_readers(
	const struct plan_daemon *daemon, gid_t socket_group, struct access *ret);
void access_done(struct access *access);

/* Pure. */
enum access_level access_level(const struct access *access, const struct peer *peer);
/* Root, or effd's own user: who may see secrets. */
bool access_is_self(const struct access *access, const struct peer *peer);

#endif
