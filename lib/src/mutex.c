/* SPDX-License-Identifier: MIT */
/* Mutexes: handed from the owner to the first that waits, so that nobody gets in between. */
#include <eff/channel.h>

#include "internal.h"

void eff_mutex_init(struct eff_mutex *mutex)
{
	eff_list_init(&mutex->waiters);
	mutex->owner = NULL;
}

static struct eff_fiber *check_lock(const struct eff_mutex *mutex, const char *where)
{
	struct eff_fiber *self = eff__in_fiber(where);

	if (mutex->owner == self)
		eff__misuse(where, "this fiber holds it already");
	return self;
}

int eff_mutex_try_lock(struct eff_mutex *mutex)
{
	struct eff_fiber *self = check_lock(mutex, "eff_mutex_try_lock");

	if (mutex->owner)
		return -EAGAIN;
	mutex->owner = self;
	self->n_locked++;
	return 0;
}

int eff_mutex_lock(struct eff_mutex *mutex)
{
	struct eff__wait wait = {.what = "mutex"};
	struct eff_fiber *self = check_lock(mutex, "eff_mutex_lock");
	int r;

	if (!mutex->owner) {
		r = eff__reason(self);
		return r < 0 ? r : eff_mutex_try_lock(mutex);
	}
	eff_list_append(&mutex->waiters, &wait.link);
	return eff__park(&wait);
}

void eff_mutex_unlock(struct eff_mutex *mutex)
{
	struct eff__wait *next = NULL;

	if (mutex->owner != eff__in_fiber("eff_mutex_unlock"))
		eff__misuse("eff_mutex_unlock", "this fiber does not hold it");
	if (!eff_list_empty(&mutex->waiters))
		next = eff_container(mutex->waiters.next, struct eff__wait, link);
	mutex->owner->n_locked--;
	mutex->owner = next ? next->fiber : NULL;
	if (!next)
		return;
	next->fiber->n_locked++;
	eff__wake(next, 0);
}

eff_exit eff_mutex_with(struct eff_mutex *mutex, eff e)
{
	int r = eff_mutex_lock(mutex);
	eff_exit exit;

	if (r < 0)
		return eff_exit_of(r);
	exit = e.fn(e.arg);
	eff_mutex_unlock(mutex);
	return exit;
}
