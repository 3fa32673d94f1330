/* SPDX-License-Identifier: MIT */
/* Tests that need control groups: each has a home of its own in the real kernel's, so that nobody else's effd meets it. Where
 * there are none they say so and end. */
#ifndef TESTS_CGROUP_HOME_H
#define TESTS_CGROUP_HOME_H

#include <fcntl.h>
#include <sys/wait.h>

#include "cgroups.h"
#include "daemon/os_world.h"
#include "os/internal.h"

static char home[4096];

static int held;             /* what os_linux_hold() said */
static bool home_was_killed; /* before it was home to anybody */

#define CGROUP_TEST(name) \
	static void body_of_##name(void); \
	START_TEST(name) \
	{ \
		run_at_home(body_of_##name); \
	} \
	END_TEST \
	static void body_of_##name(void)

static void (*body)(void);

static inline void hold_and_run(void)
{
	held = os_linux_hold(os);
	ck_assert_int_eq(held, 0);
	body();
	/* A group is empty a moment before the last that was in it can be reaped. */
	while (waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) == 0)
		(void)eff_await_turn();
}

/* In a group that is this test's alone, and which must be empty in the end. */
static inline void run_at_home(void (*test)(void))
{
	char above[4096];
	int fd;

	if (!cgroup_own(above, sizeof(above)) || (fd = cgroup_new(home, sizeof(home))) < 0) {
		fprintf(stderr, "there are no control groups to be tested here\n");
		return;
	}
	if (home_was_killed)
		ck_assert_int_eq(os_cgroup_write(fd, "cgroup.kill", "1"), 0);
	close(fd);
	ck_assert(cgroup_join(home));
	body = test;
	world_run(hold_and_run, (struct os_linux_opts){.nofile_soft = -1, .subreaper = true});
	ck_assert(cgroup_join(above));
	ck_assert_msg(rmdir(home) == 0, "%s: %s", home, strerror(errno));
}

static inline struct os_child *started_held(struct os_spawn spawn)
{
	spawn.all = OS_ALL_CGROUP;
	return started(spawn);
}

static inline bool is_there(const char *name)
{
	char path[4300];

	(void)snprintf(path, sizeof(path), "%s/effd/%s", home, name);
	return access(path, F_OK) == 0;
}

static inline bool lives(pid_t pid)
{
	struct procfs_stat st;

	return os_procfs_stat(pid, &st) && st.state != 'Z' && st.state != 'X';
}

#endif
