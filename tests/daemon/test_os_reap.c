/* SPDX-License-Identifier: MIT */
/* Orphans are reaped in bounded batches, and a child of ours never loses its end to that. */
#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "daemon/os_world.h"

/* In a session of its own; it says that it is there, and ends when nobody holds the other end any more. */
static void orphan(const int ends[static 2])
{
	char c;

	prctl(PR_SET_PDEATHSIG, 0);
	setsid();
	close(ends[1]);
	dprintf(1, ".\n");
	close(1);
	close(2);
	_exit((int)read(ends[0], &c, 1));
}

static void play(const char *name)
{
	int ends[2];

	if (strcmp(name, "orphans") != 0 || pipe(ends) < 0)
		return;
	for (int i = 0; i < 20; i++) {
		if (fork() == 0)
			orphan(ends);
	}
	pause();
}
OS_ROLES(play)

/* Until `n` orphans more are there to be reaped: all of ours is a zombie then. */
static void await_zombies(int n)
{
	int found = 0;

	while (found < n) {
		FILE *list = popen("cat /proc/[0-9]*/stat 2>/dev/null", "r");
		char line[1024];

		found = 0;
		while (fgets(line, sizeof(line), list)) {
			const char *state = strrchr(line, ')');
			int parent = 0;

			if (state && sscanf(state, ") Z %d", &parent) == 1 && parent == getpid())
				found++;
		}
		(void)pclose(list);
	}
}

/* In a world whose own reaper never gets a turn while this looks. */
OS_TEST(orphans_are_reaped_in_batches)
{
	struct os_child *child = started(role("orphans"));
	char text[128];

	(void)read_lines(child, text, sizeof(text), 20);
	ck_assert_int_eq(kill(os->ops->pid(child), SIGKILL), 0);
	await_zombies(21);
	ck_assert(os_linux_reap(os, 5));
	ck_assert(os_linux_reap(os, 5));
	ck_assert_uint_le(os_linux_reaped(os), 10);
	ck_assert_uint_ge(os_linux_reaped(os), 9);
	ck_assert(!os_linux_reap(os, 100));
	ck_assert_uint_eq(os_linux_reaped(os), 20);
	ck_assert(!os_linux_reap(os, 100));
	ck_assert_int_eq(ended(child).signal, SIGKILL);
	finish(child);
}

OS_TEST(a_known_childs_end_goes_to_its_own_wait)
{
	struct os_child *child = started(shell("exec sleep 1000"));

	/* From here to the reaping nobody waits, so nobody else can have collected it. */
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_MAIN), 0);
	await_zombies(1);
	ck_assert(!os_linux_reap(os, 10));
	ck_assert_uint_eq(os_linux_reaped(os), 0);
	ck_assert_int_eq(ended(child).signal, SIGTERM);
	finish(child);
}

OS_TEST(a_stranger_that_was_never_ours_is_reaped_and_counted)
{
	char name[] = "true", *argv[] = {name, NULL};
	pid_t pid;

	ck_assert_int_eq(posix_spawnp(&pid, name, NULL, NULL, argv, environ), 0);
	await_zombies(1);
	ck_assert(!os_linux_reap(os, 10));
	ck_assert_uint_eq(os_linux_reaped(os), 1);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), -1);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_reap", &tcase);

	tcase_add_test(tcase, orphans_are_reaped_in_batches);
	tcase_add_test(tcase, a_known_childs_end_goes_to_its_own_wait);
	tcase_add_test(tcase, a_stranger_that_was_never_ours_is_reaped_and_counted);
	return suite;
}
