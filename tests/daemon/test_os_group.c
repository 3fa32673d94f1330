/* SPDX-License-Identifier: MIT */
/* All of a unit is found, signalled and awaited: also who left the group, ignores what it is told, or lost its parent. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "daemon/os_world.h"
#include "os/internal.h"

static void on_term(int sig)
{
	static const char word[] = "term\n";

	(void)sig;
	(void)!write(1, word, sizeof(word) - 1);
}

/* Say its pid, and stay until killed; `trap`: say when SIGTERM comes, else ignore it. */
__attribute__((noreturn)) static void stay(bool trap)
{
	signal(SIGTERM, trap ? on_term : SIG_IGN);
	dprintf(1, "%d\n", (int)getpid());
	for (;;)
		pause();
}

/* A child that does not die with its parent, as those of real programs do not. */
static bool forked(void)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, 0);
	return pid == 0;
}

static void in_its_own_session(void)
{
	if (forked()) {
		setsid();
		stay(false);
	}
	stay(true);
}

/* The main process, a child, and one in a group of its own. */
static void one_each(void)
{
	if (forked())
		stay(true);
	if (forked()) {
		setpgid(0, 0);
		stay(true);
	}
	stay(true);
}

/* One that has lost its parent, in the group, outlives the main process. */
static void orphan(void)
{
	if (forked()) {
		if (forked())
			stay(false);
		_exit(0);
	}
	(void)wait(NULL);
}

/* It is in a group of its own in the same session. */
static void orphan_apart(void)
{
	if (forked()) {
		setpgid(0, 0);
		stay(false);
	}
	pause();
}

/* A helper in its own session hands over to another, and ends, when it is told to. */
static void hands_over(void)
{
	sigset_t set;
	int sig;

	if (!forked())
		pause();
	setsid();
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	dprintf(1, "%d\n", (int)getpid());
	sigwait(&set, &sig);
	if (forked())
		stay(false);
}

static void play(const char *name)
{
	static const struct {
		const char *name;
		void (*play)(void);
	} roles[] = {
		{"in its own session", in_its_own_session},
		{"one each", one_each},
		{"orphan", orphan},
		{"orphan apart", orphan_apart},
		{"hands over", hands_over},
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		if (!strcmp(name, roles[i].name))
			roles[i].play();
	}
}
OS_ROLES(play)

static int gone_within(struct os_child *child, eff_ns limit)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + limit);
	r = os->ops->await_gone(child);
	(void)eff_scope_close(&within);
	return r;
}

static bool lives(pid_t pid)
{
	return kill(pid, 0) == 0;
}

OS_TEST(a_grandchild_in_its_own_session_that_ignores_term_is_found_and_killed)
{
	struct os_child *child = started(role("in its own session"));
	pid_t one = line_of_pid(child), other = line_of_pid(child);
	pid_t grandchild = one == os->ops->pid(child) ? other : one;
	struct os_left left[4];

	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_MAIN), 0);
	ck_assert_int_eq(ended(child).signal, SIGKILL);
	ck_assert(lives(grandchild));
	ck_assert_int_eq(gone_within(child, EFF_MS(20)), -ETIMEDOUT);
	ck_assert_uint_eq(os->ops->left(child, left, 4), 1);
	ck_assert_int_eq(left[0].pid, grandchild);
	ck_assert_int_ne(left[0].command[0], '\0');
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), 0);
	ck_assert_int_eq(os->ops->await_gone(child), 0);
	ck_assert(!lives(grandchild));
	ck_assert_uint_eq(os->ops->left(child, left, 4), 0);
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), -ESRCH);
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_MAIN), -ESRCH);
	finish(child);
}

OS_TEST(a_signal_for_the_main_process_alone_still_remembers_the_others)
{
	struct os_child *child = started(role("in its own session"));
	pid_t one = line_of_pid(child), other = line_of_pid(child);
	pid_t grandchild = one == os->ops->pid(child) ? other : one;

	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_MAIN), 0);
	(void)ended(child);
	ck_assert(lives(grandchild));
	kill_all(child);
	ck_assert(!lives(grandchild));
}

OS_TEST(a_signal_for_all_comes_to_each_once)
{
	struct os_child *child = started(role("one each"));
	char text[128];

	for (int i = 0; i < 3; i++)
		(void)line_of_pid(child);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	(void)read_lines(child, text, sizeof(text), 3);
	ck_assert_str_eq(text, "term\nterm\nterm\n");
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), 0);
	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert_str_eq(text, "");
	finish(child);
}

OS_TEST(an_orphan_in_the_group_outlives_the_main_process_and_is_ended)
{
	struct os_child *child = started(role("orphan"));
	pid_t orphan = line_of_pid(child);
	uint64_t n_before = os_linux_reaped(os);
	struct os_left left;

	ck_assert_int_eq(ended(child).code, 0);
	ck_assert_int_eq(gone_within(child, EFF_MS(20)), -ETIMEDOUT);
	ck_assert_uint_eq(os->ops->left(child, &left, 1), 1);
	ck_assert_int_eq(left.pid, orphan);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	ck_assert_int_eq(gone_within(child, EFF_MS(20)), -ETIMEDOUT);
	kill_all(child);
	ck_assert(!lives(orphan));
	ck_assert_uint_eq(os_linux_reaped(os), n_before + 1);
}

OS_TEST(an_orphan_in_the_session_alone_is_found_when_the_main_process_has_ended)
{
	struct os_child *child = started(role("orphan apart"));
	pid_t orphan = line_of_pid(child);

	/* Not by us: so nobody has looked while the main process lived. */
	ck_assert_int_eq(kill(os->ops->pid(child), SIGKILL), 0);
	ck_assert_int_eq(ended(child).signal, SIGKILL);
	ck_assert_int_eq(gone_within(child, EFF_MS(20)), -ETIMEDOUT);
	ck_assert(lives(orphan));
	kill_all(child);
	ck_assert(!lives(orphan));
}

OS_TEST(who_takes_over_from_one_that_was_known_is_known)
{
	struct os_child *child = started(role("hands over"));
	pid_t helper = line_of_pid(child), successor;
	struct procfs_stat st;
	struct os_left left[2];

	ck_assert(os_procfs_stat(helper, &st));
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	successor = line_of_pid(child);
	ck_assert_int_ne(successor, helper);
	(void)ended(child);
	while (os_procfs_is(helper, st.born))
		ck_assert_int_eq(eff_sleep(EFF_MS(1)), 0);
	ck_assert_int_eq(gone_within(child, EFF_MS(50)), -ETIMEDOUT);
	ck_assert_uint_eq(os->ops->left(child, left, 2), 1);
	ck_assert_int_eq(left[0].pid, successor);
	kill_all(child);
	ck_assert(!lives(successor));
}

OS_TEST(who_takes_over_is_known_by_a_walk_from_before_the_end_that_is_caught_up)
{
	struct os_child *child = started(role("hands over"));
	struct os_linux *own = linux_of(os);
	pid_t helper = line_of_pid(child), successor;
	struct procfs_stat st;
	struct os_left left[2];
	size_t n;

	ck_assert(os_procfs_stat(helper, &st));
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	/* As among so many processes that a walk is dear. */
	own->scan.ended_at = eff_now() + EFF_H(1);
	successor = line_of_pid(child);
	(void)ended(child);
	while (os_procfs_is(helper, st.born))
		ck_assert_int_eq(eff_sleep(EFF_MS(1)), 0);
	ck_assert_int_eq(gone_within(child, EFF_MS(5)), -ETIMEDOUT);
	n = os->ops->left(child, left, 2);
	/* More may have been born by then than it takes in. */
	if (own->scan.last_born < successor) {
		own->scan.ended_at = 0;
		n = os->ops->left(child, left, 2);
	}
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(left[0].pid, successor);
	own->scan.ended_at = 0;
	kill_all(child);
	ck_assert(!lives(successor));
}

OS_TEST(who_took_over_behind_a_scans_back_is_known_all_the_same)
{
	struct os_child *child = started(role("hands over"));
	struct os_linux *own = linux_of(os);
	pid_t helper = line_of_pid(child), successor;
	int births_fd = own->births_fd;
	struct procfs_stat st;
	struct os_left left[3];

	ck_assert(os_procfs_stat(helper, &st));
	ck_assert_uint_eq(os->ops->left(child, left, 3), 2);
	/* From here on the scan is an old one, as when effd had no processor between a scan and what it does with it. */
	own->births_fd = -1;
	own->scan.ended_at = eff_now() + EFF_H(1);
	ck_assert_int_eq(kill(helper, SIGTERM), 0);
	successor = line_of_pid(child);
	while (os_procfs_is(helper, st.born))
		ck_assert_int_eq(eff_sleep(EFF_MS(1)), 0);
	ck_assert_uint_eq(os->ops->left(child, left, 3), 1);
	own->births_fd = births_fd;
	own->scan.ended_at = 0;

	ck_assert_int_eq(kill(os->ops->pid(child), SIGKILL), 0);
	(void)ended(child);
	ck_assert_int_eq(gone_within(child, EFF_MS(50)), -ETIMEDOUT);
	ck_assert_uint_eq(os->ops->left(child, left, 3), 1);
	ck_assert_int_eq(left[0].pid, successor);
	kill_all(child);
	ck_assert(!lives(successor));
}

OS_TEST(a_simple_child_is_gone_with_its_main_process)
{
	struct os_child *child = started(shell("exec tail -f /dev/null"));
	struct os_left left;

	ck_assert_uint_eq(os->ops->left(child, &left, 1), 1);
	ck_assert_int_eq(left.pid, os->ops->pid(child));
	ck_assert_uint_eq(os->ops->left(child, NULL, 0), 1);
	ck_assert_int_eq(gone_within(child, EFF_MS(5)), -ETIMEDOUT);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	ck_assert_int_eq(os->ops->await_gone(child), 0);
	ck_assert_int_eq(ended(child).signal, SIGTERM);
	finish(child);
}

OS_TEST(a_stopped_child_is_killed_all_the_same)
{
	struct os_child *child = started(role("one each"));

	for (int i = 0; i < 3; i++)
		(void)line_of_pid(child);
	ck_assert_int_eq(os->ops->signal(child, SIGSTOP, OS_GROUP), 0);
	kill_all(child);
}

OS_TEST(one_units_end_does_not_touch_another)
{
	struct os_child *children[3];

	for (int i = 0; i < 3; i++) {
		children[i] = started(role("in its own session"));
		(void)line_of_pid(children[i]);
		(void)line_of_pid(children[i]);
	}
	kill_all(children[1]);
	ck_assert_uint_eq(os->ops->left(children[0], NULL, 0), 2);
	ck_assert_uint_eq(os->ops->left(children[2], NULL, 0), 2);
	kill_all(children[0]);
	ck_assert_uint_eq(os->ops->left(children[2], NULL, 0), 2);
	kill_all(children[2]);
}

OS_TEST(without_proc_there_is_still_the_group)
{
	struct os_child *child;
	struct os_left left;
	char text[4];

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("none", "/proc", "tmpfs", 0, NULL), 0);
	child = started(shell("trap '' TERM; tail -f /dev/null & echo"));
	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert_int_eq(ended(child).code, 0);
	ck_assert_uint_eq(os->ops->left(child, &left, 1), 1);
	ck_assert_int_eq(left.pid, os->ops->pid(child));
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_GROUP), 0);
	ck_assert_int_eq(gone_within(child, EFF_MS(20)), -ETIMEDOUT);
	kill_all(child);
	child = started(shell("exec tail -f /dev/null"));
	ck_assert_uint_eq(os->ops->left(child, &left, 1), 1);
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_MAIN), 0);
	(void)ended(child);
	ck_assert_uint_eq(os->ops->left(child, &left, 1), 0);
	finish(child);
	ck_assert_int_eq(umount("/proc"), 0);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_group", &tcase);

	tcase_add_test(tcase, a_grandchild_in_its_own_session_that_ignores_term_is_found_and_killed);
	tcase_add_test(tcase, a_signal_for_the_main_process_alone_still_remembers_the_others);
	tcase_add_test(tcase, a_signal_for_all_comes_to_each_once);
	tcase_add_test(tcase, an_orphan_in_the_group_outlives_the_main_process_and_is_ended);
	tcase_add_test(
		tcase, an_orphan_in_the_session_alone_is_found_when_the_main_process_has_ended);
	tcase_add_test(tcase, who_takes_over_from_one_that_was_known_is_known);
	tcase_add_test(
		tcase, who_takes_over_is_known_by_a_walk_from_before_the_end_that_is_caught_up);
	tcase_add_test(tcase, who_took_over_behind_a_scans_back_is_known_all_the_same);
	tcase_add_test(tcase, a_simple_child_is_gone_with_its_main_process);
	tcase_add_test(tcase, a_stopped_child_is_killed_all_the_same);
	tcase_add_test(tcase, one_units_end_does_not_touch_another);
	tcase_add_test(tcase, without_proc_there_is_still_the_group);
	return suite;
}
