/* SPDX-License-Identifier: MIT */
/* Semaphores: who waits is granted its permits by who gives them back, in turn; a first waiter that gives up may have
 * been what held up those behind it. */
#include <eff/channel.h>

#include "internal.h"

struct request {
	struct eff__wait wait;
	struct eff_sem *sem;
	uint64_t n;
};

static void grant(struct eff_sem *sem)
{
	while (!eff_list_empty(&sem->waiters)) {
		struct request *first = eff_container(sem->waiters.next, struct request, wait.link);

		if (first->n > sem->permits)
			return;
		sem->permits -= first->n;
		eff__wake(&first->wait, 0);
	}
}

static void give_up(struct eff__wait *wait)
{
	eff_list_remove(&wait->link);
	grant(eff_container(wait, struct request, wait)->sem);
}

void eff_sem_init(struct eff_sem *sem, uint64_t permits)
{
	eff_list_init(&sem->waiters);
	sem->permits = permits;
}

int eff_sem_try_acquire(struct eff_sem *sem, uint64_t n)
{
	if (n > sem->permits || !eff_list_empty(&sem->waiters))
		return -EAGAIN;
	sem->permits -= n;
	return 0;
}

int eff_sem_acquire(struct eff_sem *sem, uint64_t n)
{
	struct request request = {
		.wait = {.what = "semaphore", .abort = give_up}, .sem = sem, .n = n};
	int r;

	if (n > sem->permits || !eff_list_empty(&sem->waiters)) {
		eff_list_append(&sem->waiters, &request.wait.link);
		return eff__park(&request.wait);
	}
	r = eff__check_wait("eff_sem_acquire");
	return r < 0 ? r : eff_sem_try_acquire(sem, n);
}

void eff_sem_release(struct eff_sem *sem, uint64_t n)
{
	if (n > UINT64_MAX - sem->permits)
		eff__misuse("eff_sem_release", "more permits than can be counted");
	sem->permits += n;
	grant(sem);
}

eff_exit eff_sem_with(struct eff_sem *sem, uint64_t n, eff e)
{
	int r = eff_sem_acquire(sem, n);
	eff_exit exit;

	if (r < 0)
		return eff_exit_of(r);
	exit = e.fn(e.arg);
	eff_sem_release(sem, n);
	return exit;
}
