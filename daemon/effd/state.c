/* SPDX-License-Identifier: MIT */
/* The folder in which effd remembers what must outlive it. Two effds that remember in one folder would each take the other's
 * runs for its own: whose it is, a lock decides, which the kernel gives back whatever becomes of its holder. It is taken when
 * the tree has something to remember, and the folder made with it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "control/listen.h"
#include "effd/effd.h"

static bool has_something(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan_n_units(plan); i++)
		if (plan_unit(plan, i)->rules->schedule.catch_up != PLAN_CATCH_UP_NO)
			return true;
	return false;
}

static int lock_of(const char *folder, int *ret_fd)
{
	auto_free char *path = NULL;
	int r;

	if (asprintf(&path, "%s/lock", folder) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = lock_take(path, ret_fd);
	if (r != -ENOENT)
		return r;
	r = folders_make(folder, 0700);
	return r < 0 ? r : lock_take(path, ret_fd);
}

int state_take(struct effd *e, const struct plan *plan)
{
	int r;

	if (e->state_lock > 0 || !has_something(plan))
		return 0;
	if (!e->state_dir) {
		log_warn("cannot remember anything: set HOME, or `daemon.state_dir`");
		return 0;
	}
	r = lock_of(e->state_dir, &e->state_lock);
	if (r == -EADDRINUSE)
		log_error("another effd remembers in %s: give one of them another `daemon.state_dir`",
			e->state_dir);
	else if (r < 0)
		log_warn("cannot remember anything in %s: %s", e->state_dir, strerror(-r));
	return r == -EADDRINUSE ? r : 0;
}

const char *state_place(const struct effd *e)
{
	return e->state_lock > 0 ? e->state_dir : NULL;
}

void state_done(struct effd *e)
{
	if (e->state_lock > 0)
		(void)close(e->state_lock);
}
