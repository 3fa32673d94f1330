/* SPDX-License-Identifier: MIT */
/* A child's control group: it begins there, all that comes of it stays there wherever else it goes, it dies there in one go,
 * and nothing stays behind. Each test has a home of its own in the real kernel's groups, so that nobody else's effd meets
 * this one. Where there are none the tests of the real kernel say so and end. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "daemon/cgroup_home.h"

CGROUP_TEST(a_child_begins_in_a_group_that_goes_with_it)
{
	struct os_spawn spawn = shell("sed -n 's/^0:://p' /proc/self/cgroup");
	struct os_child *child;
	char line[512];

	spawn.unit = "workers/index";
	child = started_held(spawn);
	ck_assert_uint_gt(read_lines(child, line, sizeof(line), 1), 0);
	ck_assert_msg(strstr(line, "/effd/unit:workers:index\n"), "it is in %s", line);
	(void)ended(child);
	ck_assert(is_there("unit:workers:index"));
	ck_assert_uint_eq(os->ops->left(child, NULL, 0), 0);
	ck_assert(!is_there("unit:workers:index"));
	finish(child);
}

CGROUP_TEST(two_of_one_name_have_a_group_each)
{
	struct os_child *one = started_held(shell("exec sleep 1000"));
	struct os_child *other = started_held(shell("exec sleep 1000"));

	ck_assert_str_eq(one->cgroup->name, "unit:test");
	ck_assert_str_eq(other->cgroup->name, "unit:test+1");
	kill_all(one);
	ck_assert(lives(os->ops->pid(other)));
	kill_all(other);
	ck_assert(!is_there("unit:test"));
	ck_assert(!is_there("unit:test+1"));
}

/* Session, group and parents are left behind; its output is, too. */
#define ESCAPE \
	"(setsid sh -c '(setsid sh -c \"echo \\$\\$; exec sleep 1000 >/dev/null\" &) >&3' 3>&1 &); "

CGROUP_TEST(who_left_its_session_and_its_parents_dies_with_it)
{
	struct os_child *child = started_held(shell(ESCAPE "exit 3"));
	pid_t escaped = line_of_pid(child);
	struct os_left left[2];

	ck_assert_int_eq(ended(child).code, 3);
	/* Those in between may still be on their way out. */
	while (os->ops->left(child, left, 2) > 1)
		(void)eff_await_turn();
	ck_assert_int_eq(left[0].pid, escaped);
	ck_assert_int_ne(left[0].command[0], '\0');
	ck_assert(os_family_has(child, escaped));
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), 0);
	ck_assert_int_eq(os->ops->await_gone(child), 0);
	ck_assert(!lives(escaped));
	ck_assert(!is_there("unit:test"));
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), -ESRCH);
	finish(child);
}

CGROUP_TEST(without_a_group_it_is_nobodys)
{
	struct os_spawn spawn = shell(ESCAPE);
	struct os_child *child = started(spawn);
	pid_t escaped = line_of_pid(child);

	ck_assert_int_eq(ended(child).code, 0);
	ck_assert_ptr_null(child->cgroup);
	ck_assert(!os_family_has(child, escaped));
	(void)kill(escaped, SIGKILL);
	finish(child);
	while (lives(escaped))
		(void)eff_await_turn();
}

CGROUP_TEST(a_kernel_that_cannot_kill_in_one_go_kills_until_nobody_is_left)
{
	struct os_child *child = started_held(shell(
		"trap '' TERM; fork() { (setsid sh -c 'echo $$; exec sleep 1000 >/dev/null' &) ; }; fork; fork; fork; exec sleep 1000"));
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = line_of_pid(child);
	child->cgroup->unkilled = -ENOENT;
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), 0);
	ck_assert_int_eq(os->ops->await_gone(child), 0);
	for (int i = 0; i < 3; i++)
		ck_assert(!lives(pids[i]));
	finish(child);
}

/* ── roles of this program, in which nothing can be asserted ── */

static void on_term(int sig)
{
	static const char word[] = "term\n";

	(void)sig;
	(void)!write(1, word, sizeof(word) - 1);
	_exit(0);
}

__attribute__((noreturn)) static void stay(void)
{
	signal(SIGTERM, on_term);
	dprintf(1, "%d\n", (int)getpid());
	for (;;)
		pause();
}

/* Itself, and one in a session of its own. */
static void is_two(void)
{
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, 0);
		setsid();
	}
	stay();
}

/* Upon SIGUSR1 it has another begin, as a shell does that has a trap. */
static void grows(void)
{
	sigset_t usr1;
	int sig;

	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &usr1, NULL);
	(void)signal(SIGTERM, on_term);
	dprintf(1, "%d\n", (int)getpid());
	if (sigwait(&usr1, &sig) == 0 && fork() == 0)
		stay();
	for (;;)
		pause();
}

/* It makes groups below its own, one in the other, and sits in the last. */
static void goes_deeper(void)
{
	char path[4096] = "";
	size_t len;

	(void)cgroup_own(path, sizeof(path));
	for (int i = 0; i < 3; i++) {
		len = strlen(path);
		(void)snprintf(path + len, sizeof(path) - len, "/deeper");
		(void)mkdir(path, 0755);
	}
	if (cgroup_join(path))
		stay();
}

static eff_exit lives_until_killed(void *arg)
{
	const struct os_linux_opts opts = {.nofile_soft = -1};
	struct os_spawn spawn = shell("exec >/proc/$PPID/fd/1; " ESCAPE "exec sleep 1000");
	struct os_fault fault;
	struct os_child *child;
	struct os_end end;

	spawn.all = OS_ALL_CGROUP;
	if (os_linux_new(&opts, &os) == 0 && os_linux_hold(os) == 0 &&
		os->ops->spawn(os, &spawn, &child, &fault) == 0)
		(void)os->ops->await_end(child, &end);
	return eff_ok(arg);
}

/* An effd that leaves one that has escaped. */
static void is_killed(void)
{
	const struct eff_rt_opts opts = {.stack_bytes = (size_t)256 * 1024};
	struct eff_rt *rt;

	if (eff_rt_new(&opts, &rt) == 0)
		eff_exit_drop(eff_rt_run(rt, EFF(lives_until_killed, NULL)));
}

static void play(const char *name)
{
	if (strcmp(name, "two") == 0)
		is_two();
	if (strcmp(name, "grows") == 0)
		grows();
	if (strcmp(name, "goes deeper") == 0)
		goes_deeper();
	if (strcmp(name, "is killed") == 0)
		is_killed();
}
OS_ROLES(play)

CGROUP_TEST(a_signal_for_all_comes_to_each_once)
{
	struct os_child *child = started_held(role("two"));
	char text[64];

	(void)line_of_pid(child);
	(void)line_of_pid(child);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	(void)read_lines(child, text, sizeof(text), UINT32_MAX);
	ck_assert_str_eq(text, "term\nterm\n");
	finish(child);
}

/* Also where the kernel does not tell who is younger. */
CGROUP_TEST(who_is_beside_the_main_process_gets_its_signal_after_it)
{
	struct os_linux *own = linux_of(os);
	int births_fd = own->births_fd;
	char text[64];

	for (int i = 0; i < 2; i++) {
		struct os_child *child = started_held(role("two"));

		(void)line_of_pid(child);
		(void)line_of_pid(child);
		ck_assert_int_eq(os->ops->signal_and_wake(child, SIGTERM, OS_GROUP), 0);
		(void)read_lines(child, text, sizeof(text), UINT32_MAX);
		ck_assert_str_eq(text, "term\nterm\n");
		finish(child);
		own->births_fd = -1;
	}
	own->births_fd = births_fd;
}

/* Of a main process that ends at once, too. */
CGROUP_TEST(who_is_left_by_a_main_process_gets_its_signal)
{
	struct os_child *child = started_held(
		shell("(trap 'echo told; exit 0' TERM; echo $$; while :; do :; done) & wait"));
	char text[64];

	(void)line_of_pid(child);
	ck_assert_int_eq(os->ops->signal_and_wake(child, SIGTERM, OS_GROUP), 0);
	ck_assert_int_eq(ended(child).signal, SIGTERM);
	(void)read_lines(child, text, sizeof(text), UINT32_MAX);
	ck_assert_str_eq(text, "told\n");
	kill_all(child);
}

CGROUP_TEST(who_was_not_there_before_a_signal_does_not_get_it)
{
	struct os_child *child = started_held(role("grows"));
	pid_t pid = line_of_pid(child), newcomer;
	struct cgroup_list all;

	os_cgroup_list(child->cgroup, &all);
	ck_assert_uint_eq(all.n, 1);
	ck_assert_int_eq(all.pids[0], pid);
	ck_assert_int_eq(os->ops->signal(child, SIGUSR1, OS_MAIN), 0);
	newcomer = line_of_pid(child);
	ck_assert(os_cgroup_signal(child->cgroup, &all, SIGTERM, 0));
	free(all.pids);
	(void)ended(child);
	ck_assert(lives(newcomer));
	kill_all(child);
}

/* The sleep of its trap would be cut short; it is there still when those are told who were there before. */
CGROUP_TEST(what_a_program_begins_upon_a_signal_is_not_told_of_it)
{
	for (int i = 0; i < 20; i++) {
		struct os_child *child = started_held(shell(
			"trap 'sleep 0.05 || exit 1; exit 7' TERM; echo $$; sleep 1000 >/dev/null & wait"));
		int (*const tell[])(struct os_child *, int, enum os_whom) = {
			os->ops->signal, os->ops->signal_and_wake};

		(void)line_of_pid(child);
		ck_assert_int_eq(tell[i % 2](child, SIGTERM, OS_GROUP), 0);
		ck_assert_int_eq(ended(child).code, 7);
		kill_all(child);
	}
}

START_TEST(who_is_younger_is_known_when_numbers_begin_anew)
{
	ck_assert(os_is_born_after(11, 10, 12));
	ck_assert(os_is_born_after(12, 10, 12));
	ck_assert(!os_is_born_after(10, 10, 12));
	ck_assert(!os_is_born_after(13, 10, 12));
	ck_assert(!os_is_born_after(10, 10, 10));
	ck_assert(os_is_born_after(32767, 32760, 301));
	ck_assert(os_is_born_after(300, 32760, 301));
	ck_assert(!os_is_born_after(302, 32760, 301));
	ck_assert(!os_is_born_after(32760, 32760, 301));
}
END_TEST

CGROUP_TEST(groups_that_a_program_has_made_go_with_its_own)
{
	struct os_child *child = started_held(role("goes deeper"));
	pid_t pid = line_of_pid(child);

	ck_assert(os_cgroup_has(child->cgroup, pid));
	ck_assert(is_there("unit:test/deeper/deeper/deeper"));
	kill_all(child);
	ck_assert(!is_there("unit:test"));
}

CGROUP_TEST(one_that_is_given_up_is_removed_when_its_last_process_ends)
{
	struct os_child *child = started_held(shell(ESCAPE));
	pid_t escaped = line_of_pid(child);

	(void)ended(child);
	os->ops->free(child);
	ck_assert(is_there("unit:test"));
	ck_assert_int_eq(kill(escaped, SIGKILL), 0);
	while (!eff_list_empty(&linux_of(os)->cgroups.all))
		(void)eff_await_turn();
	ck_assert(!is_there("unit:test"));
}

CGROUP_TEST(what_a_killed_effd_has_left_is_gone_before_the_next_starts)
{
	struct os_linux_opts opts = {.nofile_soft = -1};
	struct os_child *child = started(role("is killed"));
	pid_t escaped = line_of_pid(child);
	struct os *next;

	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_MAIN), 0);
	(void)ended(child);
	ck_assert(lives(escaped));
	ck_assert_int_eq(os_linux_new(&opts, &next), 0);
	ck_assert_int_eq(os_linux_hold(next), 0);
	ck_assert_str_eq(linux_of(next)->cgroups.base, "effd+2");
	ck_assert(!lives(escaped));
	ck_assert(eff_list_empty(&linux_of(next)->cgroups.all));
	os_linux_free(next);
	finish(child);
	/* Of the one that lives nothing was touched. */
	kill_all(started_held(shell("exec sleep 1000")));
}

/* It does not die at once of SIGKILL, so it is there still when the next effd begins. */
CGROUP_TEST(who_is_left_of_a_killed_effd_holds_up_its_own_unit_alone)
{
	struct os_child *child = started_held(shell(ESCAPE)), *next = NULL;
	struct os_spawn spawn = shell("exit 0");
	pid_t escaped = line_of_pid(child);
	struct os_fault fault;
	struct eff_scope within;

	(void)ended(child);
	child->cgroup->former = true;
	linux_of(os)->cgroups.n_former++;
	os->ops->free(child);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(20));
	ck_assert_int_eq(os->ops->spawn(os, &spawn, &next, &fault), -ETIMEDOUT);
	(void)eff_scope_close(&within);
	ck_assert_ptr_null(next);
	spawn.unit = "tes";
	(void)output_of(spawn);
	ck_assert_int_eq(kill(escaped, SIGKILL), 0);
	spawn.unit = "test";
	(void)output_of(spawn);
}

OS_TEST(who_must_have_a_group_is_told_why_there_is_none)
{
	struct os_spawn spawn = shell("exit 0");
	struct os_fault fault;

	spawn.all = OS_ALL_CGROUP;
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, "cgroup");
	ck_assert_int_eq(fault.error, EOPNOTSUPP);
	ck_assert_int_ne(fault.what[0], '\0');
	spawn.all = OS_ALL_BEST;
	(void)output_of(spawn);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_cgroup", &tcase);

	tcase_add_test(tcase, a_child_begins_in_a_group_that_goes_with_it);
	tcase_add_test(tcase, two_of_one_name_have_a_group_each);
	tcase_add_test(tcase, who_left_its_session_and_its_parents_dies_with_it);
	tcase_add_test(tcase, without_a_group_it_is_nobodys);
	tcase_add_test(tcase, a_signal_for_all_comes_to_each_once);
	tcase_add_test(tcase, who_is_beside_the_main_process_gets_its_signal_after_it);
	tcase_add_test(tcase, who_is_left_by_a_main_process_gets_its_signal);
	tcase_add_test(tcase, who_was_not_there_before_a_signal_does_not_get_it);
	tcase_add_test(tcase, what_a_program_begins_upon_a_signal_is_not_told_of_it);
	tcase_add_test(tcase, who_is_younger_is_known_when_numbers_begin_anew);
	tcase_add_test(tcase, a_kernel_that_cannot_kill_in_one_go_kills_until_nobody_is_left);
	tcase_add_test(tcase, groups_that_a_program_has_made_go_with_its_own);
	tcase_add_test(tcase, one_that_is_given_up_is_removed_when_its_last_process_ends);
	tcase_add_test(tcase, what_a_killed_effd_has_left_is_gone_before_the_next_starts);
	tcase_add_test(tcase, who_is_left_of_a_killed_effd_holds_up_its_own_unit_alone);
	tcase_add_test(tcase, who_must_have_a_group_is_told_why_there_is_none);
	return suite;
}
