/* SPDX-License-Identifier: MIT */
/* What a child has when its program begins, and what is told when it does not come to that. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "children.h"
#include "folder.h"

static struct outcome got;

static void check_ran(void)
{
	ck_assert_int_eq(got.exec, 0);
	ck_assert_int_eq(got.status, 0);
}

static void check_failed(const char *stage, int error)
{
	ck_assert_int_eq(got.exec, -ECHILD);
	ck_assert_str_eq(got.fault.stage, stage);
	ck_assert_int_eq(got.fault.error, error);
	ck_assert_int_eq(got.status, 127 << 8);
}

/* ── descriptors ── */

static eff_exit descriptors(void *arg)
{
	const char *const list[] = {"/bin/ls", "/proc/self/fd", NULL};
	const char *const links[] = {"/bin/readlink", "/proc/self/fd/3", "/proc/self/fd/4", NULL};
	int fds[5] = {5, -1, 2, 3, 3}, n_released;
	struct eff_spawn spawn = spawn_of(list, &n_released);

	spawn.n_fds = 5;
	run_child(spawn, fds, &got);
	check_ran();
	ck_assert_str_eq(got.out, "0\n1\n2\n3\n4\n5\n"); /* the last is the folder that ls reads */

	fds[0] = -1;
	fds[3] = 4;
	fds[4] = 3;
	spawn.path = links[0];
	spawn.argv = links;
	run_child(spawn, fds, &got);
	check_ran();
	ck_assert_str_eq(got.out, "/memfd:four (deleted)\n/memfd:three (deleted)\n");
	return eff_ok(arg);
}

START_TEST(a_child_has_exactly_the_descriptors_that_it_was_given)
{
	pid_t pid = libuv_would_close(ways[_i]) ? -1 : fork();
	int status = 0;

	/* In a process of its own, which knows its numbers. None of them closes at exec by itself. */
	if (pid == 0) {
		closefrom(3);
		ck_assert_int_eq(memfd_create("three", 0), 3);
		ck_assert_int_eq(memfd_create("four", 0), 4);
		ck_assert_int_eq(open("/dev/null", O_RDONLY), 5);
		ck_assert_int_eq(dup(2), 6);
		eff__proc_without = ways[_i];
		run_root(descriptors);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static eff_exit descriptor_that_is_none(void *arg)
{
	const char *const argv[] = {"/bin/true", NULL};
	int fds[4] = {-1, -1, 2, 999}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	spawn.n_fds = 4;
	run_child(spawn, fds, &got);
	check_failed("fds", EBADF);
	return eff_ok(arg);
}

START_TEST(a_descriptor_that_is_not_open_is_told)
{
	eff__proc_without = ways[_i];
	run_root(descriptor_that_is_none);
}
END_TEST

/* ── signals, session, steps ── */

static void nothing(int sig)
{
	(void)sig;
}

static uint64_t signals_ignored(void)
{
	struct sigaction now;
	uint64_t set = 0;

	for (int sig = 1; sig < 65; sig++)
		if (sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			set |= UINT64_C(1) << (sig - 1);
	return set;
}

/* Is it told which signals are ignored? */
static bool told;

static eff_exit signal_state(void *arg)
{
	const char *const argv[] = {"/bin/cat", "/proc/self/status", NULL};
	static const char *const lines[] = {"SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"};
	struct sigaction handled = {.sa_handler = nothing};
	uint64_t ignored;
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	sigset_t set, before, after;
	struct sigaction now;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGRTMIN + 3, SIG_IGN);
	sigaction(SIGUSR1, &handled, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGRTMAX);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	ignored = signals_ignored();
	spawn.ignored = told ? &ignored : NULL;
	run_child(spawn, fds, &got);

	check_ran();
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const char *line = strstr(got.out, lines[i]);

		ck_assert_ptr_nonnull(line);
		ck_assert_msg(strtoull(line + 7, NULL, 16) == 0, "%.24s", line);
	}
	/* And nothing of it has touched the parent. */
	sigaction(SIGPIPE, NULL, &now);
	ck_assert(now.sa_handler == SIG_IGN);
	sigaction(SIGUSR1, NULL, &now);
	ck_assert(now.sa_handler == nothing);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	sigdelset(&after, SIGCHLD);
	ck_assert_int_eq(memcmp(&before, &after, 8), 0);
	return eff_ok(arg);
}

START_TEST(a_child_begins_with_no_signal_blocked_ignored_or_pending)
{
	eff__proc_without = ways[_i];
	for (int i = 0; i < 2; i++) {
		told = i;
		run_root(signal_state);
	}
}
END_TEST

static eff_exit steps(void *arg)
{
	const char *const argv[] = {"/bin/sh", "-c",
		"umask; ulimit -n; ulimit -H -n; pwd; read -r pid x x x pgrp sid rest </proc/self/stat;"
		"test $$ = $pgrp -a $$ = $sid && echo leads",
		NULL};
	const struct eff_step list[] = {
		{.kind = EFF_STEP_UMASK, .stage = "umask", .number = 027},
		{.kind = EFF_STEP_RLIMIT, .stage = "limits", .limit = {RLIMIT_NOFILE, {77, 99}}},
		{.kind = EFF_STEP_CHDIR, .stage = "chdir", .path = "/usr"},
	};
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	mode_t mask = umask(022);

	spawn.steps = list;
	spawn.n_steps = 3;
	spawn.new_session = true;
	run_child(spawn, fds, &got);
	check_ran();
	ck_assert_str_eq(got.out, "0027\n77\n99\n/usr\nleads\n");
	ck_assert_int_eq(umask(mask), 022);
	return eff_ok(arg);
}

START_TEST(steps_are_taken_in_the_child_alone)
{
	eff__proc_without = ways[_i];
	run_root(steps);
}
END_TEST

static eff_exit failing_step(void *arg)
{
	const char *const argv[] = {"/bin/true", NULL};
	const struct eff_step list[] = {
		{.kind = EFF_STEP_UMASK, .stage = "umask", .number = 022},
		{.kind = EFF_STEP_CHDIR, .stage = "chdir", .path = "/nowhere"},
	};
	const struct eff_step no_user = {
		.kind = EFF_STEP_SETUID, .stage = "user", .id = (uint32_t)-1};
	const struct eff_step no_group = {
		.kind = EFF_STEP_SETGID, .stage = "group", .id = (uint32_t)-1};

	run_simply(argv, list, 2, &got);
	check_failed("chdir", ENOENT);
	run_simply(argv, &no_user, 1, &got);
	check_failed("user", EINVAL);
	run_simply(argv, &no_group, 1, &got);
	check_failed("group", EINVAL);
	return eff_ok(arg);
}

START_TEST(a_step_that_fails_is_told_by_its_word)
{
	eff__proc_without = ways[_i];
	run_root(failing_step);
}
END_TEST

static eff_exit own_pid(void *arg)
{
	const char *const argv[] = {
		"/bin/sh", "-c", "test $A = a && test $ME = $$ && echo yes", NULL};
	char entry[] = "ME=0123456789";
	const char *const envp[] = {"A=a", entry, NULL};
	const struct eff_step step = {.kind = EFF_STEP_PID_ENTRY, .stage = "pid", .number = 1};
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	spawn.envp = envp;
	spawn.steps = &step;
	spawn.n_steps = 1;
	run_child(spawn, fds, &got);
	check_ran();
	ck_assert_str_eq(got.out, "yes\n");
	spawn.own_memory = true;
	run_child(spawn, fds, &got);
	check_ran();
	ck_assert_str_eq(got.out, "yes\n");
	return eff_ok(arg);
}

START_TEST(a_child_can_be_told_its_own_pid)
{
	eff__proc_without = ways[_i];
	run_root(own_pid);
}
END_TEST

static eff_exit credentials(void *arg)
{
	const char *const argv[] = {
		"/bin/grep", "-E", "^(Uid|Gid|Groups):", "/proc/self/status", NULL};
	const gid_t groups[] = {2002, 2003};
	const struct eff_step list[] = {
		{.kind = EFF_STEP_SETGROUPS, .stage = "groups", .ids = {groups, 2}},
		{.kind = EFF_STEP_SETGID, .stage = "group", .id = 2001},
		{.kind = EFF_STEP_SETUID, .stage = "user", .id = 1001},
	};
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	spawn.steps = list;
	spawn.n_steps = 3;
	spawn.own_memory = true;
	run_child(spawn, fds, &got);
	check_ran();
	ck_assert_str_eq(got.out,
		"Uid:\t1001\t1001\t1001\t1001\nGid:\t2001\t2001\t2001\t2001\n"
		"Groups:\t2002 2003 \n");
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
	ck_assert_int_eq((int)getuid(), 0);
	return eff_ok(arg);
}

START_TEST(credentials_change_in_the_child_alone)
{
	eff__proc_without = ways[_i];
	if (getuid() == 0)
		run_root(credentials);
}
END_TEST

/* The parent of the child that is to die with it: never returns. */
static eff_exit dies_as_parent(void *arg)
{
	const char *const argv[] = {"/bin/sleep", "1000", NULL};
	const struct eff_step step = {
		.kind = EFF_STEP_DEATHSIG, .stage = "deathsig", .number = SIGKILL};
	int fds[3] = {-1, *(int *)arg, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	struct eff_proc *proc;

	spawn.fds = fds;
	spawn.steps = &step;
	spawn.n_steps = 1;
	if (eff_spawn(&spawn, &proc) < 0 || eff_proc_await_exec(proc, NULL) < 0)
		_exit(1);
	_exit(0);
}

START_TEST(a_child_can_die_with_its_parent)
{
	int ends[2], status;
	pid_t pid;
	char c;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct eff_rt *rt;

		eff__proc_without = ways[_i];
		if (eff_rt_new(NULL, &rt) == 0)
			(void)eff_rt_run(rt, EFF(dies_as_parent, &ends[1]));
		_exit(2);
	}
	close(ends[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	/* The pipe ends when the grandchild does, which is not by itself. */
	ck_assert_int_eq(read(ends[0], &c, 1), 0);
	close(ends[0]);
}
END_TEST

/* ── the program ── */

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static char folder[64];

static eff_exit bad_programs(void *arg)
{
	static const struct {
		const char *text;
		mode_t mode;
		int error;
	} bad[] = {
		{"echo no program\n", 0755, ENOEXEC},
		{"#!/no/such/interpreter\n", 0755, ENOENT},
		{"#!/bin/true\n", 0644, EACCES},
	};
	static char path[96], large[140000];
	const char *argv[] = {path, NULL, NULL};

	snprintf(path, sizeof path, "%s/program", folder);
	for (size_t i = 0; i < 3; i++) {
		write_file(path, bad[i].text, bad[i].mode);
		run_simply(argv, NULL, 0, &got);
		check_failed("exec", bad[i].error);
	}
	ck_assert_int_eq(unlink(path), 0);
	run_simply(argv, NULL, 0, &got);
	check_failed("exec", ENOENT);
	memset(large, 'x', sizeof large - 1);
	argv[0] = "/bin/true";
	argv[1] = large;
	run_simply(argv, NULL, 0, &got);
	check_failed("exec", E2BIG);
	return eff_ok(arg);
}

START_TEST(why_a_program_cannot_be_executed_is_told)
{
	eff__proc_without = ways[_i];
	run_root(bad_programs);
}
END_TEST

static eff_exit search(void *arg)
{
	static char search[128], path[96];
	const char *argv[] = {"true", NULL};
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	snprintf(path, sizeof path, "%s/true", folder);
	snprintf(search, sizeof search, "/nowhere:%s:/bin:/usr/bin", folder);
	write_file(path, "#!/bin/false\n", 0644); /* in the way, and may not be executed */
	spawn.search = search;
	run_child(spawn, fds, &got);
	check_ran();
	spawn.path = "no-such-program";
	run_child(spawn, fds, &got);
	check_failed("exec", ENOENT);
	snprintf(search, sizeof search, "%s:/nowhere", folder);
	spawn.path = "true";
	run_child(spawn, fds, &got);
	check_failed("exec", EACCES);
	spawn.path = "";
	run_child(spawn, fds, &got);
	check_failed("exec", ENOENT);
	ck_assert_int_eq(unlink(path), 0);
	return eff_ok(arg);
}

START_TEST(the_child_searches_the_path)
{
	eff__proc_without = ways[_i];
	run_root(search);
}
END_TEST

static void folder_make(void)
{
	(void)test_folder(folder, sizeof(folder));
}

static void folder_remove(void)
{
	ck_assert_int_eq(rmdir(folder), 0);
}

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("spawn_child");
	TCase *tcase = tcase_create("child");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, folder_make, folder_remove);
	tcase_add_loop_test(tcase, a_child_has_exactly_the_descriptors_that_it_was_given, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_descriptor_that_is_not_open_is_told, 0, N_WAYS);
	tcase_add_loop_test(
		tcase, a_child_begins_with_no_signal_blocked_ignored_or_pending, 0, N_WAYS);
	tcase_add_loop_test(tcase, steps_are_taken_in_the_child_alone, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_step_that_fails_is_told_by_its_word, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_can_be_told_its_own_pid, 0, N_WAYS);
	tcase_add_loop_test(tcase, credentials_change_in_the_child_alone, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_can_die_with_its_parent, 0, N_WAYS);
	tcase_add_loop_test(tcase, why_a_program_cannot_be_executed_is_told, 0, N_WAYS);
	tcase_add_loop_test(tcase, the_child_searches_the_path, 0, N_WAYS);
	suite_add_tcase(suite, tcase);
	return suite;
}
