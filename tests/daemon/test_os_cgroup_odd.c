/* SPDX-License-Identifier: MIT */
/* A child's control group in odd moments: it was empty before that mattered, the kernel denies what it gives else, or says more of
 * other groups than of this one. */
#include "daemon/cgroup_home.h"

static struct os_kept *kept;

static struct os_child *started_kept(void)
{
	struct os_spawn spawn = shell("exit 0");

	spawn.all = OS_ALL_CGROUP;
	spawn.kept = &kept;
	return started(spawn);
}

/* It ended while it was not known yet that it is the last. From the second one on pipes are kept, whose end that tells. */
CGROUP_TEST(what_was_empty_before_it_was_kept_no_more_is_removed)
{
	struct os_child *child;
	char line[8];

	for (int i = 0; i < 2; i++) {
		child = started_kept();
		(void)ended(child);
		finish(child);
	}
	child = started_kept();
	(void)ended(child);
	while (os->ops->read(child, OS_STDOUT, line, sizeof(line)) != 0)
		(void)eff_await_turn();
	os->ops->keep_no_more(child, &kept);
	os->ops->free(child);
	ck_assert(!is_there("unit:test"));
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_cgroup_odd", &tcase);

	tcase_add_test(tcase, what_was_empty_before_it_was_kept_no_more_is_removed);
	return suite;
}
