/* SPDX-License-Identifier: MIT */
/* A control group that stays from one run to the next, and when it does not. */
#include "daemon/cgroup_home.h"

static struct os_kept *kept;

/* Its flags, as it finds them; then it leaves them as nobody would want to find them. */
static void tell_flags(void)
{
	printf("%d", fcntl(STDOUT_FILENO, F_GETFL));
	(void)fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK | O_ASYNC);
}

/* As much as a pipe holds, and dead. */
static void fill(void)
{
	static char bytes[65536];

	memset(bytes, 'x', sizeof(bytes));
	(void)!write(STDOUT_FILENO, bytes, sizeof(bytes));
	(void)raise(SIGKILL);
}

static void play(const char *name)
{
	if (!strcmp(name, "tells flags"))
		tell_flags();
	else
		fill();
	(void)fflush(stdout);
}
OS_ROLES(play)

/* What is printed is the number of the folder of the group that it begins in. */
static struct os_spawn tells_group(void)
{
	struct os_spawn spawn = shell("stat -c %i \"$1$(sed -n 's/^0:://p' /proc/self/cgroup)\"");
	static const char *argv[] = {"sh", "-c", NULL, "sh", NULL, NULL};
	static char at[4096];

	(void)snprintf(at, sizeof(at), "%.*s",
		(int)(strlen(home) - strlen(linux_of(os)->cgroups.own)), home);
	argv[2] = spawn.argv[2];
	argv[4] = at;
	spawn.argv = argv;
	spawn.all = OS_ALL_CGROUP;
	spawn.kept = &kept;
	return spawn;
}

static struct os_spawn kept_shell(const char *script)
{
	struct os_spawn spawn = shell(script);

	spawn.all = OS_ALL_CGROUP;
	spawn.kept = &kept;
	return spawn;
}

static unsigned long long number(const char *name)
{
	char path[4300];
	struct stat st = {.st_ino = 0};

	(void)snprintf(path, sizeof(path), "%s/effd/%s", home, name);
	(void)stat(path, &st);
	return st.st_ino;
}

static void close_kept(void)
{
	os->ops->close_kept(kept);
	kept = NULL;
}

/* The number of its group, as it sees it itself. */
static unsigned long long run_kept(void)
{
	return strtoull(output_of(tells_group()), NULL, 10);
}

CGROUP_TEST(the_next_run_begins_in_the_group_of_the_last_one)
{
	unsigned long long first = run_kept();

	ck_assert_uint_ne(first, 0);
	ck_assert_uint_eq(number("unit:test"), first);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(run_kept(), first);
	ck_assert_uint_eq(linux_of(os)->cgroups.n_made, 0);
	close_kept();
	ck_assert(!is_there("unit:test"));
}

/* It is the third: from the second on pipes are kept, too. */
CGROUP_TEST(what_is_known_to_be_the_last_run_takes_its_group_along)
{
	struct os_child *child;
	char line[8];

	(void)run_kept();
	(void)run_kept();
	child = started(kept_shell("echo told; exec sleep 1000"));
	ck_assert_uint_gt(read_lines(child, line, sizeof(line), 1), 0);
	os->ops->keep_no_more(child, &kept);
	ck_assert_ptr_null(kept);
	ck_assert(is_there("unit:test"));
	ck_assert_int_eq(os->ops->signal_and_wake(child, SIGTERM, OS_GROUP), 0);
	ck_assert_int_eq(ended(child).signal, SIGTERM);
	ck_assert_int_eq(os->ops->await_gone(child), 0);
	ck_assert(!is_there("unit:test"));
	ck_assert_int_eq(os->ops->read(child, OS_STDOUT, line, sizeof(line)), 0);
	os->ops->free(child);
	ck_assert_uint_ne(run_kept(), 0);
	close_kept();
}

/* The first has done something; the second has hardly begun. */
CGROUP_TEST(the_time_of_the_last_run_is_not_this_ones)
{
	struct os_usage first, second;
	struct os_child *child;
	char line[8];

	child = started(kept_shell(
		"i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; echo; exec sleep 1000 >/dev/null"));
	ck_assert_uint_gt(read_lines(child, line, sizeof(line), 1), 0);
	ck_assert(os->ops->usage(child, &first));
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	finish(child);

	child = started(kept_shell("echo; exec sleep 1000 >/dev/null"));
	ck_assert_uint_gt(read_lines(child, line, sizeof(line), 1), 0);
	ck_assert(kept->group->used);
	ck_assert(os->ops->usage(child, &second));
	ck_assert_double_ge(second.cpu_s, 0);
	ck_assert_double_lt(second.cpu_s, first.cpu_s / 2);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	finish(child);
	close_kept();
}

/* To read the kernel's count costs more than such a run; it is read after many of them, though. */
CGROUP_TEST(the_time_of_a_short_run_is_taken_from_its_end)
{
	uint64_t counted;

	(void)run_kept();
	for (unsigned i = 1; i <= 3; i++) {
		kept->group->began_at = eff_now();
		(void)run_kept();
		ck_assert_uint_eq(kept->group->n_told, i);
		ck_assert_uint_gt(kept->group->cpu_before_us, 0);
	}
	counted = os_cgroup_cpu_us(kept->group);
	ck_assert_uint_le(kept->group->cpu_before_us, counted);

	kept->group->began_at = eff_now();
	kept->group->n_told = 64;
	(void)run_kept();
	ck_assert_uint_eq(kept->group->n_told, 0);
	ck_assert_uint_ge(kept->group->cpu_before_us, counted);
	close_kept();
}

/* It is looked into at the end of each run. */
CGROUP_TEST(its_file_of_events_stays_open_unless_descriptors_are_dear)
{
	int fd;

	(void)run_kept();
	(void)run_kept();
	fd = kept->group->events_fd;
	ck_assert_int_ge(fd, 0);
	(void)run_kept();
	ck_assert_int_eq(kept->group->events_fd, fd);
	linux_of(os)->cgroups.spare_below = 0;
	(void)run_kept();
	ck_assert_int_eq(kept->group->events_fd, -1);
	close_kept();
}

CGROUP_TEST(no_descriptor_more_is_open_after_many_runs)
{
	char path[64];
	struct stat before, after;

	/* What is kept is made in the first run, and its pipe in the second. */
	(void)run_kept();
	(void)run_kept();
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)getpid());
	ck_assert_int_eq(stat(path, &before), 0);
	for (int i = 0; i < 20; i++)
		(void)run_kept();
	/* Its size is how many there are. */
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	close_kept();
}

static struct os_spawn kept_role(const char *name)
{
	struct os_spawn spawn = role(name);

	spawn.all = OS_ALL_CGROUP;
	spawn.kept = &kept;
	return spawn;
}

CGROUP_TEST(its_pipes_are_kept_from_the_second_run_on)
{
	int ours, theirs;

	(void)run_kept();
	ck_assert_int_eq(kept->pipes[OS_STDOUT].ours, -1);
	(void)run_kept();
	ours = kept->pipes[OS_STDOUT].ours;
	theirs = kept->pipes[OS_STDOUT].theirs;
	ck_assert_int_ge(ours, 0);
	ck_assert_int_ge(theirs, 0);
	(void)run_kept();
	ck_assert_int_eq(kept->pipes[OS_STDOUT].ours, ours);
	ck_assert_int_eq(kept->pipes[OS_STDOUT].theirs, theirs);
	linux_of(os)->cgroups.spare_below = 0;
	(void)run_kept();
	ck_assert_int_eq(kept->pipes[OS_STDOUT].ours, -1);
	close_kept();
}

CGROUP_TEST(what_a_run_does_to_its_pipe_is_not_the_next_ones)
{
	for (int i = 0; i < 4; i++)
		ck_assert_str_eq(output_of(kept_role("tells flags")), "1");
	close_kept();
}

/* Each of them is told its end, after all that it wrote. */
CGROUP_TEST(nothing_of_a_run_is_lost_or_the_next_ones)
{
	static char bytes[65536 + 2];

	for (int i = 0; i < 5; i++) {
		struct os_child *child = started(kept_role("fills"));

		ck_assert_int_eq(ended(child).signal, SIGKILL);
		ck_assert_uint_eq(read_lines(child, bytes, sizeof(bytes), 1), 65536);
		finish(child);
	}
	close_kept();
}

/* As long as somebody may write there is no end, and what he would write later is not the next run's. */
CGROUP_TEST(a_pipe_that_somebody_is_left_with_is_not_kept)
{
	struct os_child *child;
	char line[32];
	ssize_t n;
	pid_t pid;

	(void)run_kept();
	(void)run_kept();
	ck_assert_int_ge(kept->pipes[OS_STDOUT].ours, 0);
	child = started(kept_shell("(setsid sh -c 'echo $$; exec sleep 1000' &)"));
	(void)read_lines(child, line, sizeof(line), 1);
	pid = (pid_t)atoi(line);
	(void)ended(child);
	n = os->ops->read(child, OS_STDOUT, line, sizeof(line));
	ck_assert_int_eq(n, -EAGAIN);
	os->ops->free(child);
	ck_assert_int_eq(kept->pipes[OS_STDOUT].ours, -1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	close_kept();
	while (is_there("unit:test"))
		(void)eff_await_turn();
}

CGROUP_TEST(a_group_in_which_somebody_is_left_is_not_used_again)
{
	struct os_child *child = started(
		kept_shell("(setsid sh -c 'echo $$; exec sleep 1000 >/dev/null' &)"));
	unsigned long long first = number("unit:test");
	char line[32];
	pid_t pid;

	(void)read_lines(child, line, sizeof(line), 1);
	pid = (pid_t)atoi(line);
	(void)ended(child);
	/* Given up on purpose. */
	os->ops->free(child);
	ck_assert_uint_ne(run_kept(), first);
	ck_assert_int_eq(number("unit:test"), first);
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	while (is_there("unit:test"))
		(void)eff_await_turn();
	close_kept();
	ck_assert(!is_there("unit:test+1"));
}

CGROUP_TEST(a_group_with_another_below_it_is_not_used_again)
{
	unsigned long long first = run_kept();

	ck_assert_int_eq(mkdirat(kept->group->fd, "below", 0755), 0);
	ck_assert_uint_ne(run_kept(), first);
	close_kept();
	ck_assert(!is_there("unit:test"));
}

/* Of the controllers this one is not held by groups of version 1 anywhere. */
static const char *const huge[CGROUP_N_CONTROLLERS] = {"hugetlb", "cpu", "pids", "io"};

static void gives_on(void)
{
	struct cgroups *own = &linux_of(os)->cgroups;

	own->controllers = huge;
	ck_assert_int_eq(os_cgroups_give(own, CGROUP_MEMORY), 0);
	(void)run_kept();
	ck_assert_int_eq(os_cgroup_write(kept->group->fd, "cgroup.subtree_control", "+hugetlb"), 0);
	(void)run_kept();
	close_kept();
	ck_assert(!is_there("unit:test"));
}

START_TEST(a_group_that_gives_on_its_controllers_costs_no_start)
{
	if (!cgroup_gives("+hugetlb"))
		return; /* there is none to be given here */
	run_at_home(gives_on);
	(void)cgroup_gives("-hugetlb");
}
END_TEST

CGROUP_TEST(a_group_that_is_frozen_is_not_used_again)
{
	unsigned long long first = run_kept();

	ck_assert_int_eq(os_cgroup_write(kept->group->fd, "cgroup.freeze", "1"), 0);
	kept->group->empty_at = 0; /* it was empty a while ago */
	ck_assert_uint_ne(run_kept(), first);
	close_kept();
}

CGROUP_TEST(one_of_another_kind_takes_the_place_of_what_was_kept)
{
	const struct terms terms = {.given = 0};
	struct os_spawn spawn;

	(void)run_kept();
	spawn = kept_shell("exit 0");
	spawn.all = OS_ALL_KIN;
	spawn.terms = &terms;
	(void)output_of(spawn);
	ck_assert_ptr_null(kept);
	ck_assert(!is_there("unit:test"));
}

/* Where there is no such controller it cannot be set back, which is told as a limit is that cannot be set. */
static void is_taken_back(int r, struct os_child *child, const struct os_fault *fault)
{
	if (r == 0) {
		ck_assert_uint_eq(kept->group->limits, 0);
		finish(child);
		return;
	}
	ck_assert_str_eq(fault->stage, "cgroup");
	ck_assert_ptr_nonnull(strstr(fault->what, "pids_max"));
	kept->group->limits = 0;
}

CGROUP_TEST(a_limit_of_the_last_run_is_taken_back_for_the_next_one)
{
	struct os_spawn spawn;
	struct os_child *child = NULL;
	struct os_fault fault = {0};

	(void)run_kept();
	kept->group->limits = 1U << TERMS_PIDS_MAX;
	spawn = kept_shell("exit 0");
	is_taken_back(os->ops->spawn(os, &spawn, &child, &fault), child, &fault);
	close_kept();
}

/* The kernel would kill the next one in it as it is born. */
CGROUP_TEST(a_group_that_was_killed_is_not_used_again)
{
	struct os_child *child = started(kept_shell("exec sleep 1000"));
	unsigned long long first = number("unit:test");

	kill_all(child);
	ck_assert(is_there("unit:test"));
	ck_assert_uint_ne(run_kept(), first);
	close_kept();
}

CGROUP_TEST(a_group_that_others_have_killed_costs_no_start)
{
	(void)run_kept();
	ck_assert_int_eq(os_cgroup_write(kept->group->fd, "cgroup.kill", "1"), 0);
	(void)run_kept();
	ck_assert(!linux_of(os)->cgroups.moved);
	close_kept();
	ck_assert(!is_there("unit:test"));
}

CGROUP_TEST(a_home_that_was_killed_before_costs_no_start)
{
	(void)run_kept();
	(void)output_of(kept_shell("exit 0"));
	close_kept();
	/* Nor one without a group that is kept. */
	kill_all(started_held(shell("exec sleep 1000")));
}

static void use_killed_home(void)
{
	home_was_killed = true;
}

Suite *test_suite(void)
{
	TCase *tcase, *killed = tcase_create("a home that was killed");
	Suite *suite = world_suite("os_cgroup_kept", &tcase);

	tcase_add_test(tcase, the_next_run_begins_in_the_group_of_the_last_one);
	tcase_add_test(tcase, what_is_known_to_be_the_last_run_takes_its_group_along);
	tcase_add_test(tcase, the_time_of_the_last_run_is_not_this_ones);
	tcase_add_test(tcase, the_time_of_a_short_run_is_taken_from_its_end);
	tcase_add_test(tcase, its_file_of_events_stays_open_unless_descriptors_are_dear);
	tcase_add_test(tcase, its_pipes_are_kept_from_the_second_run_on);
	tcase_add_test(tcase, what_a_run_does_to_its_pipe_is_not_the_next_ones);
	tcase_add_test(tcase, nothing_of_a_run_is_lost_or_the_next_ones);
	tcase_add_test(tcase, a_pipe_that_somebody_is_left_with_is_not_kept);
	tcase_add_test(tcase, no_descriptor_more_is_open_after_many_runs);
	tcase_add_test(tcase, a_group_in_which_somebody_is_left_is_not_used_again);
	tcase_add_test(tcase, a_group_with_another_below_it_is_not_used_again);
	tcase_add_test(tcase, a_group_that_gives_on_its_controllers_costs_no_start);
	tcase_add_test(tcase, a_group_that_is_frozen_is_not_used_again);
	tcase_add_test(tcase, one_of_another_kind_takes_the_place_of_what_was_kept);
	tcase_add_test(tcase, a_limit_of_the_last_run_is_taken_back_for_the_next_one);
	tcase_add_test(tcase, a_group_that_was_killed_is_not_used_again);
	tcase_add_test(tcase, a_group_that_others_have_killed_costs_no_start);
	tcase_add_checked_fixture(killed, use_killed_home, NULL);
	test_leak_guard(killed);
	tcase_add_test(killed, a_home_that_was_killed_before_costs_no_start);
	suite_add_tcase(suite, killed);
	return suite;
}
