/* SPDX-License-Identifier: MIT */
/* Deferreds: the exit is handed to each waiter's frame when it is completed, so the completer may free the deferred while
 * those it woke have not run yet. */
#include <eff/channel.h>

#include "internal.h"

struct awaiting {
	struct eff__wait wait;
	eff_exit *exit; /* NULL: it is not wanted */
};

void eff_deferred_init(struct eff_deferred *deferred)
{
	eff_list_init(&deferred->waiters);
	deferred->exit = eff_ok(NULL);
	deferred->completed = false;
}

void eff_deferred_done(struct eff_deferred *deferred)
{
	if (!eff_list_empty(&deferred->waiters))
		eff__misuse("eff_deferred_done", "fibers still wait for it");
	eff_exit_drop(deferred->exit);
	deferred->exit = eff_ok(NULL);
}

int eff_deferred_complete(struct eff_deferred *deferred, eff_exit exit)
{
	if (deferred->completed) {
		eff_exit_drop(exit);
		return -EALREADY;
	}
	deferred->completed = true;
	deferred->exit = exit;
	while (!eff_list_empty(&deferred->waiters)) {
		struct awaiting *waiter = eff_container(
			deferred->waiters.next, struct awaiting, wait.link);

		if (waiter->exit)
			*waiter->exit = eff_exit_keep(exit);
		eff__wake(&waiter->wait, 0);
	}
	return 0;
}

int eff_deferred_await(struct eff_deferred *deferred, eff_exit *ret_exit)
{
	struct awaiting awaiting = {.wait = {.what = "deferred"}, .exit = ret_exit};
	int r;

	if (!deferred->completed) {
		eff_list_append(&deferred->waiters, &awaiting.wait.link);
		return eff__park(&awaiting.wait);
	}
	r = eff__check_wait("eff_deferred_await");
	if (r >= 0 && ret_exit)
		*ret_exit = eff_exit_keep(deferred->exit);
	return r;
}

bool eff_deferred_poll(const struct eff_deferred *deferred, eff_exit *ret_exit)
{
	if (deferred->completed && ret_exit)
		*ret_exit = deferred->exit;
	return deferred->completed;
}
