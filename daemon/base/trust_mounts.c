/* SPDX-License-Identifier: MIT */
/* A folder that all may write, on a mount that nobody may write to: so the kubelet mounts what it makes of a ConfigMap. By its
 * mode the folder is anybody's; who could use that would have to come by another mount of the same files. Those that can be
 * seen are looked at: of this process, and of process 1, as a service whose own view is read-only has all others beside it
 * that have not. What cannot be seen is taken to be there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/trust.h"

/* A line of mountinfo, cut to pieces: proc_pid_mountinfo(5). */
struct mount {
	unsigned long long id;
	const char *device, *root, *options;
};

static bool mount_read(char *line, struct mount *ret)
{
	char *words[6], *end, *rest = line;

	for (int i = 0; i < 6; i++) {
		words[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	ret->id = strtoull(words[0], &end, 10);
	ret->device = words[2];
	ret->root = words[3];
	ret->options = words[5];
	return *end == '\0';
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (len > 0 && folder[len - 1] == '/')
		len--;
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_read_only(const struct mount *m)
{
	return strncmp(m->options, "ro", 2) == 0 && (m->options[2] == ',' || m->options[2] == '\0');
}

/* What one mount has of a file system. */
struct piece {
	unsigned long long mount;
	char device[32];
	char *root; /* malloc'd; NULL: not found yet */
};

/* Go through the mounts that a process sees, until `fn` says true. Returns that, or -errno. */
static int mounts_find(
	const char *of, bool (*fn)(struct piece *p, const struct mount *m), struct piece *p)
{
	FILE *from = fopen(of, "re");
	auto_free char *line = NULL;
	size_t room = 0;
	int r = 0;

	if (!from)
		return -errno;
	while (r == 0 && getline(&line, &room, from) >= 0) {
		struct mount m;

		r = mount_read(line, &m) ? fn(p, &m) : -EBADMSG;
	}
	if (r == 0 && ferror(from))
		r = -EIO;
	(void)fclose(from);
	return r;
}

static bool piece_take(struct piece *p, const struct mount *m)
{
	if (m->id != p->mount || !is_read_only(m))
		return false;
	(void)snprintf(p->device, sizeof(p->device), "%s", m->device);
	p->root = strdup(m->root);
	return true;
}

static bool is_way_in(struct piece *p, const struct mount *m)
{
	return strcmp(m->device, p->device) == 0 && !is_read_only(m) &&
		(is_below(p->root, m->root) || is_below(m->root, p->root));
}

bool trust_mount(int fd)
{
	struct statvfs fs;
	struct statx st;
	struct piece p = {0};
	bool sealed;

	if (fstatvfs(fd, &fs) < 0 || !(fs.f_flag & ST_RDONLY) ||
		statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 ||
		!(st.stx_mask & STATX_MNT_ID))
		return false;
	p.mount = st.stx_mnt_id;
	sealed = mounts_find("/proc/self/mountinfo", piece_take, &p) == 1 && p.root &&
		mounts_find("/proc/self/mountinfo", is_way_in, &p) == 0 &&
		(getpid() == 1 || mounts_find("/proc/1/mountinfo", is_way_in, &p) == 0);
	free(p.root);
	return sealed;
}
