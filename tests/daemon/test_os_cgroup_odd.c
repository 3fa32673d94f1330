/* SPDX-License-Identifier: MIT */
/* A child's control group in odd moments: it was empty before that mattered, the kernel denies what it gives else, or says more of
 * other groups than of this one. */
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

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

/* One beside it, and it does not run away. */
#define HELPER "sleep 1000 >/dev/null & echo $!; exec sleep 1000 >/dev/null"

CGROUP_TEST(a_group_that_could_not_be_killed_for_want_of_descriptors_is_killed_whole_later)
{
	struct os_child *child = started_held(shell(HELPER));
	pid_t helper = line_of_pid(child);
	struct rlimit before, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	(void)os->ops->signal(child, SIGKILL, OS_GROUP);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert(lives(helper));

	ck_assert_int_eq(os->ops->await_gone(child), 0);

	ck_assert(!lives(helper));
	ck_assert(child->cgroup->killed);
	finish(child);
}

/* The file is another for a while: a folder cannot be read. */
CGROUP_TEST(a_group_that_cannot_be_looked_into_is_not_taken_for_empty)
{
	struct eff_list *all = &linux_of(os)->cgroups.all;
	struct os_child *child = started_held(
		shell("setsid sh -c 'echo $$; exec sleep 1000 >/dev/null' &"));
	pid_t left = line_of_pid(child);
	struct cgroup *group = child->cgroup;
	int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), events;

	(void)ended(child);
	os->ops->free(child);
	ck_assert(group->waited);
	events = fcntl(group->events_fd, F_DUPFD_CLOEXEC, 0);
	ck_assert_int_ge(dup3(folder, group->events_fd, O_CLOEXEC), 0);
	/* Of which that file tells, too. */
	ck_assert_int_eq(os_cgroup_write(group->fd, "cgroup.freeze", "1"), 0);
	ck_assert_int_eq(poll(&(struct pollfd){.fd = events, .events = POLLPRI}, 1, -1), 1);
	for (int i = 0; i < 10; i++)
		(void)eff_await_turn();

	ck_assert(!eff_list_empty(all));
	ck_assert(is_there("unit:test"));

	ck_assert_int_ge(dup3(events, group->events_fd, O_CLOEXEC), 0);
	(void)close(events);
	(void)close(folder);
	ck_assert_int_eq(os_cgroup_write(group->fd, "cgroup.freeze", "0"), 0);
	ck_assert_int_eq(kill(left, SIGKILL), 0);
	while (!eff_list_empty(all))
		(void)eff_await_turn();
	ck_assert(!is_there("unit:test"));
}

/* The third of four, which had ended well, is not there any more. */
CGROUP_TEST(what_a_killed_effd_has_left_is_found_behind_a_gap)
{
	struct os_linux_opts opts = {.nofile_soft = -1};
	struct os_child *child = started(shell("exec sleep 1000"));
	char path[4300];
	struct os *next;

	(void)snprintf(path, sizeof(path), "%s/effd+4", home);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/effd+4/unit:test", home);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "echo %d > %s/effd+4/unit:test/cgroup.procs",
		(int)os->ops->pid(child), home);
	ck_assert_int_eq(system(path), 0);

	ck_assert_int_eq(os_linux_new(&opts, &next), 0);
	ck_assert_int_eq(os_linux_hold(next), 0);

	ck_assert_str_eq(linux_of(next)->cgroups.base, "effd+2");
	ck_assert(!lives(os->ops->pid(child)));
	os_linux_free(next);
	finish(child);
}

/* ── beside groups of version 1 ── */

#define OLD "/sys/fs/cgroup/freezer"
enum { DEEP = 8, NAME = 180 };

/* Ways there: the last is the longest. */
static char old_ways[DEEP][sizeof(OLD) + (size_t)DEEP * (NAME + 1)];

static bool old_make(void)
{
	for (int i = 0; i < DEEP; i++) {
		char *to = stpcpy(old_ways[i], i ? old_ways[i - 1] : OLD);

		*to = '/';
		memset(to + 1, 'x', NAME);
		(void)memcpy(to + 1, strrchr(home, '/') + 1, strlen(strrchr(home, '/') + 1));
		if (mkdir(old_ways[i], 0755) < 0)
			return false;
	}
	return true;
}

static void old_remove(void)
{
	for (int i = DEEP; i-- > 0;)
		ck_assert_int_eq(rmdir(old_ways[i]), 0);
}

CGROUP_TEST(who_is_in_it_is_known_however_much_there_is_of_other_groups)
{
	struct os_child *child;

	if (access(OLD "/cgroup.procs", W_OK) < 0 || !old_make()) {
		fprintf(stderr, "there are no groups of version 1 here\n");
		return;
	}
	ck_assert(cgroup_join(old_ways[DEEP - 1]));
	child = started_held(shell("exec sleep 1000"));
	ck_assert(cgroup_join(OLD));

	ck_assert(os_cgroup_has(child->cgroup, os->ops->pid(child)));
	kill_all(child);
	old_remove();
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_cgroup_odd", &tcase);

	tcase_add_test(tcase, what_was_empty_before_it_was_kept_no_more_is_removed);
	tcase_add_test(tcase, what_a_killed_effd_has_left_is_found_behind_a_gap);
	tcase_add_test(tcase, who_is_in_it_is_known_however_much_there_is_of_other_groups);
	tcase_add_test(tcase, a_group_that_cannot_be_looked_into_is_not_taken_for_empty);
	tcase_add_test(tcase,
		a_group_that_could_not_be_killed_for_want_of_descriptors_is_killed_whole_later);
	return suite;
}
