/* SPDX-License-Identifier: MIT */
/* Rights. The kernel's numbers of a peer are compared with the numbers of the tree's names; nothing is formatted and read
 * back, and a pid decides nothing: it is there for the log alone. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <eff/fiber.h>
#include <eff/io.h>
#include <eff/scope.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "control/access.h"

#define NAME_BYTES_MAX ((size_t)1 << 20)

static void command_read(pid_t pid, char *command, size_t size)
{
	char path[32];
	auto_close int fd = -1;
	ssize_t n;

	command[0] = '\0';
	if (pid <= 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, command, size - 1);
	if (n < 0)
		n = 0;
	command[n] = '\0';
	command[strcspn(command, "\n")] = '\0';
	/* Any process may call itself anything: what goes into logs is one line of plain characters. */
	for (char *c = command; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			*c = '?';
}

static int groups_read(int fd, struct peer *peer)
{
	socklen_t len = 64 * sizeof(gid_t);

	for (;;) {
		gid_t *groups = alloc_new(len ? len : sizeof(gid_t));
		socklen_t room = len;

		if (!groups)
			return -ENOMEM;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
			peer->groups = groups;
			peer->n_groups = len / sizeof(gid_t);
			return 0;
		}
		free(groups);
		if (errno != ERANGE || len <= room)
			return errno == ENOPROTOOPT ? 0 : -EIO;
	}
}

int peer_read(int fd, struct peer *ret)
{
	struct peer peer = {.gid = ACCESS_NO_GROUP};
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	peer.who.pid = cred.pid;
	peer.who.unseen = cred.pid == 0;
	peer.who.uid = cred.uid;
	peer.gid = cred.gid;
	command_read(cred.pid, peer.who.command, sizeof(peer.who.command));
	r = groups_read(fd, &peer);
	if (r < 0)
		return r;
	*ret = peer;
	return 0;
}

void peer_done(struct peer *peer)
{
	free(peer->groups);
	peer->groups = NULL;
	peer->n_groups = 0;
}

/* ── names to numbers, on a thread ── */

struct lookup {
	char **names; /* "user", "@group" */
	bool *found;
	size_t n_names;
	char *socket_group;
	bool has_socket_group;
	struct access access;
	int error;
};

static int buffer_grow(char **buf, size_t *size)
{
	char *bigger;

	if (*size >= NAME_BYTES_MAX)
		return -ENOMEM;
	*size = *size ? *size * 4 : 1024;
	bigger = realloc(*buf, *size);
	if (!bigger)
		return -ENOMEM;
	*buf = bigger;
	return 0;
}

/* Digits name a number, whether anybody is called so or not. */
static bool number_of(const char *name, uint32_t *ret)
{
	char *end;
	unsigned long long number;

	if (*name < '0' || *name > '9')
		return false;
	errno = 0;
	number = strtoull(name, &end, 10);
	if (*end || errno || number >= UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool user_of(const char *name, uid_t *ret)
{
	auto_free char *buf = NULL;
	struct passwd entry, *found = NULL;
	size_t size = 0;
	int r = ERANGE;

	if (number_of(name, ret))
		return true;
	while (r == ERANGE && buffer_grow(&buf, &size) == 0)
		r = getpwnam_r(name, &entry, buf, size, &found);
	if (r != 0 || !found)
		return false;
	*ret = found->pw_uid;
	return true;
}

static bool group_of(const char *name, gid_t *ret)
{
	auto_free char *buf = NULL;
	struct group entry, *found = NULL;
	size_t size = 0;
	int r = ERANGE;

	if (number_of(name, ret))
		return true;
	while (r == ERANGE && buffer_grow(&buf, &size) == 0)
		r = getgrnam_r(name, &entry, buf, size, &found);
	if (r != 0 || !found)
		return false;
	*ret = found->gr_gid;
	return true;
}

static void lookup_run(void *arg)
{
	struct lookup *l = arg;

	if (l->socket_group)
		l->has_socket_group = group_of(l->socket_group, &l->access.socket_group);
	for (size_t i = 0; i < l->n_names; i++) {
		const char *name = l->names[i];

		if (*name == '@')
			l->found[i] = group_of(name + 1, &l->access.groups[l->access.n_groups]);
		else
			l->found[i] = user_of(name, &l->access.users[l->access.n_users]);
		if (!l->found[i])
			continue;
		if (*name == '@')
			l->access.n_groups++;
		else
			l->access.n_users++;
	}
}

static void lookup_free(void *arg)
{
	struct lookup *l = arg;

	if (!l)
		return;
	for (size_t i = 0; l->names && i < l->n_names; i++)
		free(l->names[i]);
	free(l->names);
	free(l->found);
	free(l->socket_group);
	access_done(&l->access);
	free(l);
}

/* All of it copied: the thread may outlive the plan. */
static struct lookup *lookup_new(const struct plan_daemon *daemon)
{
	struct lookup *l = alloc_new(sizeof(*l));
	size_t n = daemon->n_readers;

	if (!l)
		return NULL;
	l->access = (struct access){.self = geteuid(), .socket_group = ACCESS_NO_GROUP};
	l->n_names = n;
	l->names = alloc_new((n + 1) * sizeof(*l->names));
	l->found = alloc_new((n + 1) * sizeof(*l->found));
	l->access.users = alloc_new((n + 1) * sizeof(*l->access.users));
	l->access.groups = alloc_new((n + 1) * sizeof(*l->access.groups));
	if (!l->names || !l->found || !l->access.users || !l->access.groups)
		goto fail;
	if (daemon->socket_group && !(l->socket_group = strdup(daemon->socket_group)))
		goto fail;
	for (size_t i = 0; i < n; i++) {
		l->names[i] = strdup(daemon->readers[i].name);
		if (!l->names[i])
			goto fail;
	}
	return l;
fail:
	lookup_free(l);
	return NULL;
}

static int lookup_await(struct lookup *l)
{
	int r;

	if (!eff_self() || (!l->n_names && !l->socket_group)) {
		lookup_run(l);
		return 0;
	}
	r = eff_blocking(lookup_run, l, lookup_free);
	/* One that was begun is freed when it has ended. */
	if (r < 0 && r != -ECANCELED && r != -ETIMEDOUT)
		lookup_free(l);
	return r;
}

int access_resolve(const struct plan_daemon *daemon, struct access *ret)
{
	struct lookup *l = lookup_new(daemon);
	int r = l ? lookup_await(l) : -ENOMEM;

	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n_names; i++)
		if (!l->found[i])
			log_warn("daemon.readers: there is no %s \"%s\"; left out",
				l->names[i][0] == '@' ? "group" : "user", l->names[i]);
	if (l->socket_group && !l->has_socket_group) {
		lookup_free(l);
		return -ENOENT;
	}
	*ret = l->access;
	l->access = (struct access){0};
	lookup_free(l);
	return 0;
}

int access_resolve_readers(const struct plan_daemon *daemon, gid_t socket_group, struct access *ret)
{
	struct plan_daemon readers = *daemon;
	int r;

	readers.socket_group = NULL;
	r = access_resolve(&readers, ret);
	if (r == 0)
		ret->socket_group = socket_group;
	return r;
}

void access_done(struct access *access)
{
	free(access->users);
	free(access->groups);
	*access = (struct access){.socket_group = ACCESS_NO_GROUP};
}

/* ── the decision ── */

static bool peer_has_group(const struct peer *peer, gid_t group)
{
	if (group == ACCESS_NO_GROUP)
		return false;
	if (peer->gid == group)
		return true;
	for (size_t i = 0; i < peer->n_groups; i++)
		if (peer->groups[i] == group)
			return true;
	return false;
}

bool access_is_self(const struct access *access, const struct peer *peer)
{
	return peer->who.uid == 0 || (peer->who.uid == access->self && access->self != (uid_t)-1);
}

enum access_level access_level(const struct access *access, const struct peer *peer)
{
	/* What the kernel calls itself when it cannot say who: nobody. */
	if (peer->who.uid == (uid_t)-1)
		return ACCESS_NONE;
	if (access_is_self(access, peer) || peer_has_group(peer, access->socket_group))
		return ACCESS_OWNER;
	for (size_t i = 0; i < access->n_users; i++)
		if (access->users[i] == peer->who.uid)
			return ACCESS_READER;
	for (size_t i = 0; i < access->n_groups; i++)
		if (peer_has_group(peer, access->groups[i]))
			return ACCESS_READER;
	return ACCESS_NONE;
}
