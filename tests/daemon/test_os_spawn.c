/* SPDX-License-Identifier: MIT */
/* What a child finds when its program begins, and what is told when it cannot. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "daemon/os_world.h"

static void tell_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while ((entry = readdir(dir))) {
		char target[256];
		ssize_t n;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		target[strcspn(target, ":")] = '\0';
		dprintf(1, "%s %s\n", entry->d_name, target);
	}
	closedir(dir);
}

static void play(const char *name)
{
	int sig = 0;

	if (!strcmp(name, "descriptors"))
		tell_descriptors();
	if (!strcmp(name, "deathsig")) {
		prctl(PR_GET_PDEATHSIG, &sig);
		dprintf(1, "%d\n", sig);
	}
}
OS_ROLES(play)

/* ── what it finds ── */

OS_TEST(its_environment_is_what_it_was_given_and_nothing_else)
{
	static const char *const argv[] = {"/usr/bin/env", NULL};
	static const char *const environment[] = {"B=two words", "A=", NULL};
	struct os_spawn spawn = spawn_of(argv);

	spawn.environment = environment;
	ck_assert_str_eq(output_of(spawn), "B=two words\nA=\n");
}

OS_TEST(it_has_three_descriptors)
{
	int stray = open("/dev/null", O_RDONLY);
	struct os_spawn spawn = role("descriptors");

	ck_assert_str_eq(output_of(spawn), "0 /dev/null\n1 pipe\n2 pipe\n");
	spawn.err = OS_NULL;
	ck_assert_str_eq(output_of(spawn), "0 /dev/null\n1 pipe\n2 /dev/null\n");
	close(stray);
}

OS_TEST(its_ready_descriptor_takes_a_newline)
{
	struct os_spawn spawn = shell("ls /proc/self/fd; echo almost >&7; exec tail -f /dev/null");
	struct os_child *child;
	char text[64];

	spawn.ready_fd = 7;
	child = started(spawn);
	(void)read_lines(child, text, sizeof(text), 5);
	/* ls itself has its folder open, as 3. */
	ck_assert_str_eq(text, "0\n1\n2\n3\n7\n");
	ck_assert_int_eq(os->ops->await_ready(child), 0);
	kill_all(child);
	spawn = shell("exec 7>&-; exec tail -f /dev/null");
	spawn.ready_fd = 7;
	child = started(spawn);
	ck_assert_int_eq(os->ops->await_ready(child), -EPIPE);
	kill_all(child);
	child = started(shell("exec tail -f /dev/null"));
	ck_assert_int_eq(os->ops->await_ready(child), -EBADF);
	kill_all(child);
}

OS_TEST(a_watched_one_is_told_how_often_and_that_it_is_meant)
{
	struct os_spawn spawn = shell("test $WATCHDOG_PID = $$ && echo $WATCHDOG_USEC");

	spawn.watchdog_ns = EFF_MS(1500);
	ck_assert_str_eq(output_of(spawn), "1500000\n");
}

static void look_at_signals(void)
{
	static const char *const argv[] = {"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", NULL};

	ck_assert_str_eq(output_of(spawn_of(argv)),
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

START_TEST(its_signals_are_as_if_nobody_had_touched_them)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGRTMAX, SIG_IGN);
	world_run(look_at_signals, (struct os_linux_opts){.nofile_soft = -1, .subreaper = true});
}
END_TEST

OS_TEST(it_leads_a_session_and_a_group)
{
	static const char *const argv[] = {"cut", "-d ", "-f1,5,6", "/proc/self/stat", NULL};
	int pid, group, session;

	ck_assert_int_eq(sscanf(output_of(spawn_of(argv)), "%d %d %d", &pid, &group, &session), 3);
	ck_assert_int_eq(pid, group);
	ck_assert_int_eq(pid, session);
}

OS_TEST(it_has_the_mask_and_the_folder_it_was_given)
{
	struct os_spawn spawn = shell("umask; pwd");

	spawn.umask = 027;
	spawn.working_dir = "/usr/bin";
	ck_assert_str_eq(output_of(spawn), "0027\n/usr/bin\n");
}

OS_TEST(it_is_killed_when_effd_dies)
{
	struct os_spawn spawn = role("deathsig");

	ck_assert_str_eq(output_of(spawn), "9\n");
	if (geteuid() != 0)
		return;
	/* A change of ids forgets it, so it must come after. What runs as nobody may not open this program. */
	spawn.user = "0";
	spawn.group = "65534";
	ck_assert_str_eq(output_of(spawn), "9\n");
}

static void with_its_limit(void)
{
	ck_assert_str_eq(output_of(shell("ulimit -Sn; [ $(ulimit -Hn) -gt 77 ] && echo more")),
		"77\nmore\n");
}

START_TEST(its_soft_limit_of_descriptors_is_the_one_effd_was_started_with)
{
	world_run(with_its_limit, (struct os_linux_opts){.nofile_soft = 77, .subreaper = true});
}
END_TEST

OS_TEST(stderr_may_be_apart_or_nowhere)
{
	struct os_spawn spawn = shell("echo out; echo err >&2");
	struct os_child *child;
	char buf[16];

	ck_assert_str_eq(output_of(spawn), "out\nerr\n");
	spawn.err = OS_NULL;
	ck_assert_str_eq(output_of(spawn), "out\n");
	spawn.err = OS_CAPTURE;
	child = started(spawn);
	ck_assert_int_eq(world_read(child, OS_STDERR, buf, sizeof(buf)), 4);
	ck_assert_mem_eq(buf, "err\n", 4);
	ck_assert_int_eq(world_read(child, OS_STDERR, buf, sizeof(buf)), 0);
	finish(child);
}

OS_TEST(output_nobody_asked_for_cannot_be_read)
{
	struct os_spawn spawn = shell("echo out; echo err >&2");
	struct os_child *child;
	char buf[16];

	spawn.out = OS_NULL;
	child = started(spawn);
	ck_assert_int_eq(world_read(child, OS_STDOUT, buf, sizeof(buf)), -EBADF);
	ck_assert_int_eq(world_read(child, OS_STDERR, buf, sizeof(buf)), -EBADF);
	finish(child);
}

OS_TEST(a_program_is_searched_in_the_childs_own_path)
{
	static const char *const argv[] = {"the-program", NULL};
	char path[256], *environment[] = {path, NULL};
	struct os_spawn spawn = spawn_of(argv);

	ck_assert_int_eq(symlink("/bin/true", world_path("the-program")), 0);
	ck_assert_str_eq(fault_of(spawn).stage, "exec");
	(void)snprintf(path, sizeof(path), "PATH=/nowhere:%s", world_dir);
	spawn.environment = (const char *const *)environment;
	(void)output_of(spawn);
}

OS_TEST(what_it_was_told_may_go_when_it_has_been_started)
{
	char *script = strdup("cat; echo $0 $HELD $PWD");
	char *zero = strdup("zero"), *held = strdup("HELD=on"), *dir = strdup("/usr");
	const char *argv[] = {"/bin/sh", "-c", script, zero, NULL};
	const char *environment[] = {held, NULL};
	struct os_spawn spawn = spawn_of(argv);
	struct os_child *child;
	char text[64];

	spawn.environment = environment;
	spawn.working_dir = dir;
	child = started(spawn);
	free(script);
	free(zero);
	free(held);
	free(dir);
	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert_str_eq(text, "zero on /usr\n");
	finish(child);
}

OS_TEST(the_end_tells_code_signal_and_core)
{
	struct os_child *child = started(shell("exit 7"));
	struct os_end end = ended(child);

	ck_assert_int_eq(end.code, 7);
	ck_assert_int_eq(end.signal, 0);
	finish(child);
	child = started(shell("kill -TERM $$"));
	end = ended(child);
	ck_assert_int_eq(end.code, -1);
	ck_assert_int_eq(end.signal, SIGTERM);
	ck_assert(!end.core);
	ck_assert_int_eq(ended(child).signal, SIGTERM);
	finish(child);
}

/* ── when it cannot ── */

static void assert_fault(struct os_fault fault, const char *stage, int error, const char *what)
{
	ck_assert_str_eq(fault.stage, stage);
	ck_assert_int_eq(fault.error, error);
	ck_assert_str_eq(fault.what, what);
}

OS_TEST(a_missing_folder_is_named)
{
	struct os_spawn spawn = shell("true");

	spawn.working_dir = "/no/such";
	assert_fault(fault_of(spawn), "chdir", ENOENT, "/no/such");
}

OS_TEST(a_program_that_cannot_be_executed_is_named)
{
	static const char *const missing[] = {"./x", NULL}, *const folder[] = {"/usr", NULL};
	static const char *const nothing[] = {"", NULL}, *const none[] = {NULL};

	assert_fault(fault_of(spawn_of(missing)), "exec", ENOENT, "./x");
	assert_fault(fault_of(spawn_of(folder)), "exec", EACCES, "/usr");
	assert_fault(fault_of(spawn_of(nothing)), "exec", ENOENT, "");
	assert_fault(fault_of(spawn_of(none)), "exec", ENOENT, "");
}

static void write_script(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fchmod(fileno(file), 0755), 0);
	fclose(file);
}

OS_TEST(a_script_whose_interpreter_is_missing_names_it)
{
	static const char *const here[] = {"./x", NULL}, *const searched[] = {"x", NULL};
	char path[256], *environment[] = {path, NULL};
	struct os_spawn spawn = spawn_of(here);

	write_script(world_path("x"), "#! /no/such -a\necho\n");
	spawn.working_dir = world_dir;
	assert_fault(fault_of(spawn), "exec", ENOENT, "./x: interpreter /no/such");
	write_script(world_path("x"), "#!/bin/sh\r\necho\r\n");
	spawn.argv = searched;
	(void)snprintf(path, sizeof(path), "PATH=/usr/bin:%s", world_dir);
	spawn.environment = (const char *const *)environment;
	spawn.working_dir = "/";
	ck_assert_str_eq(fault_of(spawn).stage, "exec");
	assert_fault(fault_of(spawn), "exec", ENOENT, "x: interpreter /bin/sh\r");
}

static void fails_without_descriptors(const char *stage)
{
	struct rlimit before, limit;
	struct os_fault fault;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 4;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fault = fault_of(shell("true"));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_str_eq(fault.stage, stage);
	ck_assert_int_eq(fault.error, EMFILE);
}

OS_TEST(without_descriptors_the_start_fails_and_nothing_else)
{
	(void)output_of(shell("true"));
	/* For one child some are kept in store: then it is the process itself that gets none. */
	fails_without_descriptors("fork");
	fails_without_descriptors("log");
	(void)output_of(shell("true"));
}

OS_TEST(a_stop_before_its_program_runs_leaves_nothing)
{
	struct os_spawn spawn = shell("echo never; exec tail -f /dev/null");
	struct os_child *child = NULL;
	struct os_fault fault;
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_cancel(&within);
	ck_assert_int_eq(os->ops->spawn(os, &spawn, &child, &fault), -ECANCELED);
	(void)eff_scope_close(&within);
	ck_assert_ptr_nonnull(child);
	ck_assert_int_gt(os->ops->pid(child), 0);
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), 0);
	ck_assert_int_eq(ended(child).signal, SIGKILL);
	finish(child);
}

OS_TEST(a_stop_while_names_are_looked_up_leaves_nothing)
{
	struct os_spawn spawn = shell("true");
	struct os_child *child = NULL;
	struct os_fault fault;
	struct eff_scope within;

	spawn.user = "nobody";
	eff_scope_open(&within);
	eff_scope_cancel(&within);
	ck_assert_int_eq(os->ops->spawn(os, &spawn, &child, &fault), -ECANCELED);
	(void)eff_scope_close(&within);
	ck_assert_ptr_null(child);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_spawn", &tcase);

	tcase_add_test(tcase, its_environment_is_what_it_was_given_and_nothing_else);
	tcase_add_test(tcase, it_has_three_descriptors);
	tcase_add_test(tcase, its_ready_descriptor_takes_a_newline);
	tcase_add_test(tcase, a_watched_one_is_told_how_often_and_that_it_is_meant);
	tcase_add_test(tcase, its_signals_are_as_if_nobody_had_touched_them);
	tcase_add_test(tcase, it_leads_a_session_and_a_group);
	tcase_add_test(tcase, it_has_the_mask_and_the_folder_it_was_given);
	tcase_add_test(tcase, it_is_killed_when_effd_dies);
	tcase_add_test(tcase, its_soft_limit_of_descriptors_is_the_one_effd_was_started_with);
	tcase_add_test(tcase, stderr_may_be_apart_or_nowhere);
	tcase_add_test(tcase, output_nobody_asked_for_cannot_be_read);
	tcase_add_test(tcase, a_program_is_searched_in_the_childs_own_path);
	tcase_add_test(tcase, what_it_was_told_may_go_when_it_has_been_started);
	tcase_add_test(tcase, the_end_tells_code_signal_and_core);
	tcase_add_test(tcase, a_missing_folder_is_named);
	tcase_add_test(tcase, a_program_that_cannot_be_executed_is_named);
	tcase_add_test(tcase, a_script_whose_interpreter_is_missing_names_it);
	tcase_add_test(tcase, without_descriptors_the_start_fails_and_nothing_else);
	tcase_add_test(tcase, a_stop_before_its_program_runs_leaves_nothing);
	tcase_add_test(tcase, a_stop_while_names_are_looked_up_leaves_nothing);
	return suite;
}
