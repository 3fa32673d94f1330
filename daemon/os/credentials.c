/* SPDX-License-Identifier: MIT */
/* Whom a child is to be. Names are looked up on a thread, for a directory service may take its time. What cannot be
 * understood is an error and never falls back to effd's own ids: "0day", "0x0", "-1", and 4294967295, which means "leave
 * it" to the kernel. Digits are an id, with or without an entry behind it. A user has the supplementary groups of its
 * entry, one without an entry has none, and its group is of the same number unless `group` says more. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

enum { ENTRY_FIRST = 1024, ENTRY_MOST = 1 << 20, GROUPS_FIRST = 32, GROUPS_MOST = 65536 };

/* 1: an id; 0: a name; -EINVAL: neither, though it begins as a number does; -ERANGE: no id. */
static int id_parse(const char *s, uint32_t *ret_id)
{
	uint64_t id = 0;

	if (!*s || *s == '-' || *s == '+')
		return -EINVAL;
	if (*s < '0' || *s > '9')
		return 0;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		id = id * 10 + (uint64_t)(*s - '0');
		if (id >= UINT32_MAX)
			return -ERANGE;
	}
	*ret_id = (uint32_t)id;
	return 1;
}

/* ── on the thread ── */

/* Whatever the database says for "not found", it is one error. */
static int not_found(int error, const void *entry)
{
	if (entry)
		return 0;
	if (!error || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)
		return -ENOENT;
	return -error;
}

/* The entry of `name`, or of the id when it is NULL. -ENOENT: none. */
static int passwd_find(struct ids *ids, const char *name)
{
	struct passwd entry, *found = NULL;
	size_t size = ENTRY_FIRST;
	auto_free char *buf = NULL;
	int error;
	int r;

	do {
		char *bigger = alloc_grow(buf, size);

		if (!bigger)
			return -ENOMEM;
		buf = bigger;
		error = name ? getpwnam_r(name, &entry, buf, size, &found)
			     : getpwuid_r(ids->uid, &entry, buf, size, &found);
		size *= 2;
	} while (error == ERANGE && size <= ENTRY_MOST);
	r = not_found(error, found);
	if (r < 0)
		return r;
	ids->uid = entry.pw_uid;
	ids->gid = entry.pw_gid;
	ids->name = alloc_text(entry.pw_name);
	ids->home = alloc_text(entry.pw_dir && *entry.pw_dir ? entry.pw_dir : "/");
	ids->shell = alloc_text(entry.pw_shell && *entry.pw_shell ? entry.pw_shell : "/bin/sh");
	return ids->name && ids->home && ids->shell ? 0 : -ENOMEM;
}

static int group_find(const char *name, gid_t *ret_gid)
{
	struct group entry, *found = NULL;
	size_t size = ENTRY_FIRST;
	auto_free char *buf = NULL;
	int error;
	int r;

	do {
		char *bigger = alloc_grow(buf, size);

		if (!bigger)
			return -ENOMEM;
		buf = bigger;
		error = getgrnam_r(name, &entry, buf, size, &found);
		size *= 2;
	} while (error == ERANGE && size <= ENTRY_MOST);
	r = not_found(error, found);
	if (r >= 0)
		*ret_gid = entry.gr_gid;
	return r;
}

static int look_up_user(struct ids *ids)
{
	int kind = id_parse(ids->user, &ids->uid);
	int r;

	if (kind < 0)
		return kind;
	r = passwd_find(ids, kind ? NULL : ids->user);
	if (r != -ENOENT || !kind)
		return r < 0 ? r : (ids->uid == (uid_t)-1 ? -ERANGE : 0);
	/* No entry: it is nobody but this number, and in no group but that of its number. */
	ids->gid = ids->uid;
	ids->home = alloc_text("/");
	ids->shell = alloc_text("/bin/sh");
	return ids->home && ids->shell ? 0 : -ENOMEM;
}

static int group_of(const char *name, gid_t *ret_gid)
{
	int kind = id_parse(name, ret_gid);

	if (kind < 0)
		return kind;
	return kind ? 0 : group_find(name, ret_gid);
}

/* What initgroups() would set. */
static int look_up_user_groups(struct ids *ids)
{
	int n = GROUPS_FIRST;

	if (!ids->name)
		return 0;
	for (int tries = 0; n <= GROUPS_MOST && tries < 4; tries++) {
		gid_t *groups = alloc_grow(ids->groups, (size_t)n * sizeof(*groups));

		if (!groups)
			return -ENOMEM;
		ids->groups = groups;
		if (getgrouplist(ids->name, ids->gid, groups, &n) >= 0) {
			ids->n_groups = (size_t)n;
			return 0;
		}
	}
	return -E2BIG;
}

/* The further ones that were asked for. */
static int look_up_further(struct ids *ids)
{
	size_t n = 0;
	gid_t *groups;

	while (ids->further && ids->further[n])
		n++;
	groups = n ? alloc_grow(ids->groups, (ids->n_groups + n) * sizeof(*groups)) : NULL;
	if (n && !groups)
		return -ENOMEM;
	if (n)
		ids->groups = groups;
	for (; ids->n_found < n; ids->n_found++) {
		int r = group_of(ids->further[ids->n_found], &groups[ids->n_groups]);

		if (r < 0)
			return r;
		ids->n_groups++;
	}
	return 0;
}

static void look_up(void *arg)
{
	struct ids *ids = arg;
	int r = 0;

	ids->stage = "user";
	if (ids->user)
		r = look_up_user(ids);
	if (r >= 0 && ids->group) {
		ids->stage = "group";
		r = group_of(ids->group, &ids->gid);
	}
	if (r >= 0)
		r = look_up_user_groups(ids);
	if (r >= 0 && ids->further) {
		ids->stage = "group";
		ids->at_further = true;
		r = look_up_further(ids);
	}
	ids->error = -r;
}

/* ── on the loop ── */

void os_ids_free(struct ids *ids)
{
	if (!ids)
		return;
	for (size_t i = 0; ids->further && ids->further[i]; i++)
		free(ids->further[i]);
	free(ids->further);
	free(ids->user);
	free(ids->group);
	free(ids->groups);
	free(ids->name);
	free(ids->home);
	free(ids->shell);
	free(ids);
}

static void ids_done(void *arg)
{
	os_ids_free(arg);
}

static bool further_copy(struct ids *ids, const char *const *groups)
{
	size_t n = 0;

	while (groups[n])
		n++;
	ids->further = alloc_new((n + 1) * sizeof(*ids->further));
	for (size_t i = 0; ids->further && i < n; i++) {
		ids->further[i] = alloc_text(groups[i]);
		if (!ids->further[i])
			return false;
	}
	return ids->further;
}

static struct ids *ids_new(const struct os_spawn *spawn)
{
	struct ids *ids = alloc_new(sizeof(*ids));

	if (!ids)
		return NULL;
	/* The thread may still look when who asked is gone, so it has names of its own. */
	ids->user = spawn->user ? alloc_text(spawn->user) : NULL;
	ids->group = spawn->group ? alloc_text(spawn->group) : NULL;
	if ((spawn->user && !ids->user) || (spawn->group && !ids->group) ||
		(spawn->groups && !further_copy(ids, spawn->groups))) {
		os_ids_free(ids);
		return NULL;
	}
	ids->uid = geteuid();
	ids->gid = getegid();
	return ids;
}

/* Which name it was. */
static const char *name_at(const struct os_spawn *spawn, const struct ids *ids)
{
	if (!ids || !ids->stage)
		return spawn->user ? spawn->user : spawn->group;
	if (ids->at_further)
		return spawn->groups[ids->n_found];
	return strcmp(ids->stage, "user") == 0 ? spawn->user : spawn->group;
}

int os_ids_find(const struct os_spawn *spawn, struct ids **ret_ids, struct os_fault *ret_fault)
{
	struct ids *ids = ids_new(spawn);
	int r = ids ? eff_blocking(look_up, ids, ids_done) : -ENOMEM;

	if (r == -ECANCELED || r == -ETIMEDOUT)
		return r;
	if (r >= 0 && !ids->error) {
		*ret_ids = ids;
		return 0;
	}
	ret_fault->stage = ids && ids->stage ? ids->stage : (spawn->user ? "user" : "group");
	ret_fault->error = r < 0 ? -r : ids->error;
	ret_fault->what = name_at(spawn, ids);
	os_ids_free(ids);
	return -ECHILD;
}

bool os_ids_change(const struct ids *ids)
{
	/* Without rights a process may still be asked to be what it is. */
	return geteuid() == 0 || ids->further || ids->uid != geteuid() || ids->gid != getegid();
}
