/* SPDX-License-Identifier: MIT */
/* A datagram socket of its own for each child that may notify. It lies in effd's runtime folder under a short number, for
 * a path is 108 bytes at most and a unit's name has no such limit; only effd and the unit's user can reach it, and of
 * what arrives only that counts whose sender, as the kernel names it, is of the unit. Empty and oversize datagrams are
 * ordinary; descriptors that come along are closed at once, which is also what BARRIER=1 wants. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <eff/clock.h>
#include <eff/fiber.h>
#include <eff/io.h>

#include "base/auto.h"
#include "os/internal.h"

/* A datagram carries at most 253 descriptors. After so many dropped ones the others have their turn. */
enum { MOST_FDS = 253, BURST = 64 };

/* Whoever has one of these is not asked about modes. */
#define PASSES_ANYWHERE (1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH)

/* When the kernel, which had no memory to hand one over, is asked again. */
#define TRY_AGAIN EFF_MS(10)

/* ── the socket's place ── */

/* The folder is effd's: nobody else may have put anything there, or could. */
static int runtime_dir_check(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

static int runtime_dir_make(struct os_linux *os, uid_t uid)
{
	int r = os->runtime_dir ? os_folders_make(os->runtime_dir, 0700, true) : -ENOENT;

	if (r >= 0)
		r = runtime_dir_check(os->runtime_dir);
	if (r < 0)
		return r;
	os->owns_runtime_dir = true;
	/* Another user passes through it to its socket, and sees nothing else. */
	if (uid != (uid_t)-1 && uid != geteuid() && chmod(os->runtime_dir, 0711) < 0)
		return -errno;
	return 0;
}

static bool ids_have_group(const struct ids *ids, gid_t gid)
{
	for (size_t i = 0; i < ids->n_groups; i++)
		if (ids->groups[i] == gid)
			return true;
	return ids->gid == gid;
}

/* By the folder's mode, as the kernel reads it. Whoever has given it a list of who may besides has meant something by it. */
static bool folder_lets_pass(const char *folder, const struct ids *ids)
{
	struct stat st;
	mode_t bit;

	if (stat(folder, &st) < 0)
		return true;
	bit = st.st_uid == ids->uid              ? S_IXUSR
		: ids_have_group(ids, st.st_gid) ? S_IXGRP
						 : S_IXOTH;
	return (st.st_mode & bit) || getxattr(folder, "system.posix_acl_access", NULL, 0) > 0;
}

/* A folder on the way to `path` that they cannot pass through: what is sent would never arrive, and the unit be waited for
 * in vain. False: there is none. */
static bool way_is_closed(const char *path, const struct ids *ids, char *ret_folder, size_t size)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(ret_folder, size, "%.*s", (int)(slash - path), path);
		if (!folder_lets_pass(ret_folder, ids))
			return true;
	}
	return false;
}

/* Says which folder is to be opened. `ambient`: the capabilities that it keeps. */
static int way_check(struct os_linux *os, const char *path, const struct ids *ids, uint64_t ambient)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (!ids || ids->uid == 0 || ids->uid == geteuid() || (ambient & PASSES_ANYWHERE) ||
		!way_is_closed(path, ids, folder, sizeof(folder)))
		return 0;
	(void)snprintf(os->fault_what, sizeof(os->fault_what),
		"its user cannot pass through %s (chmod go+x)", folder);
	return -EACCES;
}

static int bind_at(int fd, const char *path, uid_t uid)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path));
	/* One that a killed effd has left; no other is there. */
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	/* What the mode is before, it has from its first moment. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (uid != (uid_t)-1 && uid != geteuid() && lchown(path, uid, (gid_t)-1) < 0)
		return -errno;
	return 0;
}

int os_notify_open(struct os_linux *os, const struct os_spawn *spawn, const struct ids *ids,
	struct notify *ret_notify)
{
	struct notify notify = {.fd = -1};
	uid_t uid = ids ? ids->uid : (uid_t)-1;
	int on = 1;
	int r;

	os->fault_what[0] = '\0';
	r = runtime_dir_make(os, uid);
	if (!os->runtime_dir)
		(void)snprintf(os->fault_what, sizeof(os->fault_what),
			"without a control socket there is no folder for one to notify by, either");
	if (r < 0)
		return r;
	if (asprintf(&notify.path, "%s/n%" PRIx64, os->runtime_dir, ++os->n_notify) < 0)
		return -ENOMEM;
	if (strlen(notify.path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		r = -ENAMETOOLONG;
	if (r >= 0)
		r = way_check(os, notify.path, ids, spawn->terms ? spawn->terms->ambient : 0);
	if (r >= 0)
		notify.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r >= 0 && notify.fd < 0)
		r = -errno;
	if (r >= 0 && setsockopt(notify.fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		r = -errno;
	if (r >= 0)
		r = bind_at(notify.fd, notify.path, uid);
	if (r < 0)
		os_notify_close(&notify);
	else
		*ret_notify = notify;
	return r;
}

void os_notify_close(struct notify *notify)
{
	if (notify->fd >= 0) {
		eff_fd_close(notify->fd);
		(void)unlink(notify->path);
	}
	free(notify->path);
	*notify = (struct notify){.fd = -1};
}

void os_notify_remove_dir(struct os_linux *os)
{
	auto_closedir DIR *dir = os->owns_runtime_dir ? opendir(os->runtime_dir) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		(void)rmdir(os->runtime_dir);
}

/* ── what arrives ── */

static void close_all(const struct cmsghdr *cmsg)
{
	size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd), sizeof(fd));
		(void)close(fd);
	}
}

/* Who sent it, by the kernel's word; 0: it does not say. */
static pid_t sender_of(struct msghdr *message)
{
	pid_t sender = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg;
		cmsg = CMSG_NXTHDR(message, cmsg)) {
		struct ucred ucred;

		if (cmsg->cmsg_level != SOL_SOCKET)
			continue;
		if (cmsg->cmsg_type == SCM_RIGHTS)
			close_all(cmsg);
		if (cmsg->cmsg_type == SCM_CREDENTIALS &&
			cmsg->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
			memcpy(&ucred, CMSG_DATA(cmsg), sizeof(ucred));
			sender = ucred.pid;
		}
	}
	return sender;
}

static ssize_t receive(int fd, void *buf, size_t size, pid_t *ret_sender)
{
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MOST_FDS * sizeof(int))];
	struct iovec part = {.iov_base = buf, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*ret_sender = sender_of(&message);
	return n;
}

ssize_t linux_notified(struct os_child *child, void *buf, size_t size, pid_t *ret_sender)
{
	unsigned n_dropped = 0;
	int r = 0; /* what is there already is taken, whatever became of the caller's scope */

	if (child->notify.fd < 0)
		return -EBADF;
	while (r >= 0) {
		pid_t sender = 0;
		ssize_t n = receive(child->notify.fd, buf, size, &sender);

		if (n >= 0 && os_family_has(child, sender)) {
			if (ret_sender)
				*ret_sender = sender;
			return n;
		}
		if (n >= 0)
			r = ++n_dropped % BURST ? 0 : eff_yield();
		else if (n == -EAGAIN)
			r = eff_wait_fd(child->notify.fd, EFF_READ);
		else
			r = n == -ENOMEM || n == -ENOBUFS ? eff_sleep(TRY_AGAIN) : (int)n;
	}
	return r;
}
