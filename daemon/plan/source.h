/* SPDX-License-Identifier: MIT */
/* What the making of a plan asks of the world around it. */
#ifndef EFFD_PLAN_SOURCE_H
#define EFFD_PLAN_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <eff/time.h>

#include "base/terms.h"

/* NULL-terminated vectors of strings, as execve() takes them. */
typedef const char *const *plan_strv;

/* What effd may grant to a process. */
struct plan_rights {
	uint64_t capabilities;         /* bit n: effd is permitted capability n */
	uint64_t hard[TERMS_N_LIMITS]; /* its own hard limits */
	int nice, oom_score_adj;       /* its own */
};

/* How a plan reads the world: main hands it in, tests and fuzzers hand in text. */
struct plan_source {
	/* Reads a regular file whole. Returns 0 and a malloc'd buffer (NUL after its end) that the caller frees; or
	 * -errno: -EISDIR for a folder, -ENOENT, -EFBIG over `limit` bytes, -EPERM for one that others may write. */
	int (*read)(void *context, const char *path, size_t limit, char **ret_bytes,
		size_t *ret_size);
	/* The names of the `*.yaml` files of a folder in name order, NULL-terminated, malloc'd one by one, as the
	 * vector itself. Returns 0 or -errno (-ENOTDIR when it is no folder). */
	int (*list)(void *context, const char *path, char ***ret_names);
	/* What is to blame that one of these was -EPERM: the file, or a folder or link on the way to it, malloc'd; NULL: nobody
	 * knows. NULL: not asked. */
	char *(*blame)(void *context, const char *path, bool *ret_link);
	/* Is there an executable of this name (searched in `search`, a PATH value, when it has no slash)? NULL: never
	 * asked, and W404 is not reported. */
	bool (*executable)(void *context, const char *path, const char *search);
	/* Is there a folder of this path? NULL: not asked. */
	bool (*folder)(void *context, const char *path);
	/* May everybody read this file? NULL: not asked. */
	bool (*open_to_others)(void *context, const char *path);
	/* Is there a user (group) of this name or number? NULL: not asked. */
	bool (*user)(void *context, const char *name);
	bool (*group)(void *context, const char *name);
	/* Is there a time zone of this name? NULL: not asked. */
	bool (*zone)(void *context, const char *name);
	/* May effd, unprivileged, run a process as this user and group (either may be NULL)? NULL: as its own uid only. */
	bool (*may_run_as)(void *context, const char *user, const char *group);
	void *context;
	eff_ns read_at; /* by the clock of files: whatever changes from then on was perhaps not read */
	plan_strv environment; /* effd's own, for ${NAME} and env_inherit */
	bool privileged;       /* effd's effective uid is 0 */
	bool only_checks; /* nothing is started here: what only root may do may be meant for root, and is a warning */
	struct plan_rights rights; /* of one that is not */
	uid_t uid;
};

#endif
