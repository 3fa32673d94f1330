/* SPDX-License-Identifier: MIT */
/* The seam as a whole, and what /proc tells of one process. */
#include <fcntl.h>
#include <sys/prctl.h>

#include "daemon/os_world.h"
#include "os/internal.h"

static void play(const char *name)
{
	if (!strcmp(name, "odd name")) {
		prctl(PR_SET_NAME, "a) R 1 (b\n");
		dprintf(1, "here\n");
		pause();
	}
}
OS_ROLES(play)

OS_TEST(an_odd_name_of_a_process_is_read_as_it_is)
{
	struct os_child *child = started(role("odd name"));
	struct procfs_stat st;
	struct os_left left;
	char text[16];

	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert(os_procfs_stat(os->ops->pid(child), &st));
	ck_assert_str_eq(st.command, "a) R 1 (b\n");
	ck_assert_int_eq(st.ppid, getpid());
	ck_assert_int_eq(st.sid, os->ops->pid(child));
	ck_assert(os_procfs_is(os->ops->pid(child), st.born));
	ck_assert(!os_procfs_is(os->ops->pid(child), st.born + 1));
	ck_assert_uint_eq(os->ops->left(child, &left, 1), 1);
	ck_assert_str_eq(left.command, "a) R 1 (b\n");
	kill_all(child);
}

OS_TEST(who_is_not_there_has_no_record)
{
	struct procfs_stat st;
	char name[8] = "x";

	ck_assert(!os_procfs_stat(0, &st));
	ck_assert(!os_procfs_stat(-1, &st));
	ck_assert(!os_procfs_stat(INT32_MAX, &st));
	ck_assert_uint_eq(os_procfs_memory(INT32_MAX), 0);
	os_procfs_waits_in(INT32_MAX, name, sizeof(name));
	ck_assert_str_eq(name, "");
}

OS_TEST(a_scan_knows_whose_each_process_is)
{
	struct os_child *child = started(
		shell("setsid tail -f /dev/null & echo; exec tail -f /dev/null"));
	const struct scan *scan;
	size_t n = 0;
	char text[4];

	(void)read_lines(child, text, sizeof(text), 1);
	scan = os_scan_take(linux_of(os));
	ck_assert_ptr_nonnull(os_scan_find(scan, getpid()));
	ck_assert_int_eq(os_scan_find(scan, getpid())->owner, 0);
	ck_assert_int_eq(os_scan_find(scan, os->ops->pid(child))->owner, os->ops->pid(child));
	ck_assert_ptr_null(os_scan_find(scan, INT32_MAX));
	for (size_t i = 0; i < scan->all.n; i++) {
		n += scan->all.entries[i].owner != 0;
		ck_assert(i == 0 || scan->all.entries[i - 1].pid < scan->all.entries[i].pid);
	}
	ck_assert_uint_eq(n, 2);
	kill_all(child);
}

OS_TEST(who_is_born_after_a_scan_is_added_to_it)
{
	const struct scan *scan = os_scan_take(linux_of(os));
	const struct scan_entry *others;
	eff_ns began_at = scan->began_at;
	struct os_child *child = started(
		shell("setsid tail -f /dev/null & echo $!; exec tail -f /dev/null"));
	char text[16] = "";
	pid_t last_born, pid;
	size_t n;

	(void)read_lines(child, text, sizeof(text), 1);
	last_born = scan->last_born;
	pid = os->ops->pid(child);
	ck_assert_ptr_eq(os_scan_take(linux_of(os)), scan);
	others = os_scan_of(&scan->others, pid, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(others->pid, strtol(text, NULL, 10));
	ck_assert_int_eq(os_scan_find(scan, pid)->owner, pid);
	for (size_t i = 1; i < scan->all.n; i++)
		ck_assert_int_lt(scan->all.entries[i - 1].pid, scan->all.entries[i].pid);
	/* Where others bear thousands meanwhile it is made anew. */
	if (last_born >= 0 && scan->last_born > last_born &&
		scan->last_born - last_born < 256 && eff_now() - scan->ended_at < EFF_MS(500))
		ck_assert_int_eq(scan->began_at, began_at);
	(void)os_scan_of(&scan->others, INT32_MAX, &n);
	ck_assert_uint_eq(n, 0);
	kill_all(child);
}

OS_TEST(an_end_that_leaves_nobody_needs_no_scan)
{
	struct os_child *child = started(shell("exit 0"));
	struct os_end end;

	ck_assert_int_eq(os->ops->await_end(child, &end), 0);
	ck_assert_uint_eq(os->ops->left(child, NULL, 0), 0);
	ck_assert_int_eq(os->ops->await_gone(child), 0);
	ck_assert(!linux_of(os)->scan.made);
	os->ops->free(child);
}

static eff_exit ask_for_scans(void *arg)
{
	const struct os_linux_opts opts = {.nofile_soft = -1};
	const struct scan *scan;
	eff_ns began_at, due_at = 0;

	ck_assert_int_eq(os_linux_new(&opts, &os), 0);
	scan = os_scan_take(linux_of(os));
	began_at = scan->began_at;
	/* It serves who wants to know how things were before, too; who does not must wait. */
	ck_assert_ptr_eq(os_scan_since(linux_of(os), began_at, &due_at), scan);
	ck_assert_int_eq(due_at, 0);
	ck_assert_ptr_null(os_scan_since(linux_of(os), began_at + 1, &due_at));
	ck_assert_int_gt(due_at, scan->ended_at);
	ck_assert_int_eq(eff_sleep_until(due_at - 1), 0);
	ck_assert_ptr_null(os_scan_since(linux_of(os), began_at + 1, &due_at));
	ck_assert_int_eq(eff_sleep_until(due_at), 0);
	ck_assert_ptr_eq(os_scan_since(linux_of(os), began_at + 1, &due_at), scan);
	ck_assert_int_eq(scan->began_at, due_at);
	os_linux_free(os);
	return eff_ok(arg);
}

/* In virtual time, in which looking at /proc takes none. */
START_TEST(a_new_scan_waits_until_the_last_is_paid_for)
{
	struct eff_rt_opts opts = {.clock = eff_testclock_new(EFF_S(1))};
	struct eff_rt *rt;

	ck_assert_ptr_nonnull(opts.clock);
	eff_testclock_autojump(opts.clock, true);
	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(ask_for_scans, NULL))));
	eff_rt_free(rt);
	eff_testclock_free(opts.clock);
}
END_TEST

OS_TEST(a_child_that_is_given_up_goes_away)
{
	struct os_child *child = started(shell("exec tail -f /dev/null"));

	os->ops->free(child);
	os->ops->free(NULL);
}

OS_TEST(closed_output_is_no_end_of_the_child)
{
	struct os_child *child = started(shell("exec tail -f /dev/null >/dev/null 2>&1"));
	char buf[8];

	ck_assert_int_eq(world_read(child, OS_STDOUT, buf, sizeof(buf)), 0);
	ck_assert_int_eq(world_read(child, OS_STDOUT, buf, sizeof(buf)), 0);
	ck_assert_uint_eq(os->ops->left(child, NULL, 0), 1);
	kill_all(child);
}

static void as_no_subreaper(void)
{
	struct os_child *child;
	char text[4];
	int is = 1;

	ck_assert_int_eq(prctl(PR_GET_CHILD_SUBREAPER, &is), 0);
	ck_assert_int_eq(is, 0);
	(void)output_of(shell("true"));
	/* An orphan goes to somebody else: a group of zombies that nobody collects keeps nobody waiting. */
	child = started(shell("(tail -f /dev/null & echo); exec tail -f /dev/null"));
	(void)read_lines(child, text, sizeof(text), 1);
	kill_all(child);
}

START_TEST(it_does_without_adopting_anyone)
{
	world_run(as_no_subreaper, (struct os_linux_opts){.nofile_soft = -1});
}
END_TEST

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_linux", &tcase);

	tcase_add_test(tcase, an_odd_name_of_a_process_is_read_as_it_is);
	tcase_add_test(tcase, who_is_not_there_has_no_record);
	tcase_add_test(tcase, a_scan_knows_whose_each_process_is);
	tcase_add_test(tcase, who_is_born_after_a_scan_is_added_to_it);
	tcase_add_test(tcase, an_end_that_leaves_nobody_needs_no_scan);
	tcase_add_test(tcase, a_new_scan_waits_until_the_last_is_paid_for);
	tcase_add_test(tcase, a_child_that_is_given_up_goes_away);
	tcase_add_test(tcase, closed_output_is_no_end_of_the_child);
	tcase_add_test(tcase, it_does_without_adopting_anyone);
	return suite;
}
