/* SPDX-License-Identifier: MIT */
/* Programs that put themselves into the background: whom effd believes, and how the one that goes on ends. */
#include <sys/wait.h>

#include "daemon/os_world.h"
#include "os/internal.h"

/* It says its pid, then waits for a signal. */
#define SAY_AND_STAY "echo $$; exec tail -f /dev/null"

static pid_t pid_said(struct os_child *child)
{
	char text[32];

	(void)read_lines(child, text, sizeof(text), 1);
	return (pid_t)strtol(text, NULL, 10);
}

/* The child's first process has ended, and another is there in a session of its own. */
static struct os_child *in_background(const char *then, pid_t *ret_pid)
{
	char script[256];
	struct os_child *child;

	(void)snprintf(script, sizeof(script), "setsid sh -c '%s' 2>/dev/null &", then);
	child = started(shell(script));
	*ret_pid = pid_said(child);
	ck_assert_int_eq(ended(child).code, 0);
	return child;
}

OS_TEST(one_in_the_background_is_followed_to_its_end)
{
	pid_t pid;
	struct os_child *child = in_background(SAY_AND_STAY, &pid);
	struct os_end end;

	ck_assert_int_eq(os->ops->follow(child, pid), 0);
	ck_assert_int_eq(os->ops->pid(child), pid);
	ck_assert_uint_eq(os->ops->left(child, NULL, 0), 1);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_MAIN), 0);
	end = ended(child);
	ck_assert_int_eq(end.signal, SIGTERM);
	ck_assert_int_eq(end.code, -1);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_MAIN), -ESRCH);
	finish(child);
}

/* Its loop forks nothing: the child of a moment could be missed by whoever looks for what is left. */
OS_TEST(its_exit_code_is_told)
{
	pid_t pid;
	struct os_child *child = in_background(
		"trap \"exit 42\" TERM; echo $$; while :; do :; done", &pid);
	struct os_end end;

	ck_assert_int_eq(os->ops->follow(child, pid), 0);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_MAIN), 0);
	end = ended(child);
	ck_assert_int_eq(end.code, 42);
	ck_assert_int_eq(end.signal, 0);
	kill_all(child);
}

OS_TEST(one_whose_parent_is_another_is_followed_too)
{
	struct os_child *child = started(
		shell("sh -c '" SAY_AND_STAY "' & wait; exec tail -f /dev/null"));
	pid_t pid = pid_said(child);

	ck_assert_int_eq(os->ops->follow(child, pid), 0);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_MAIN), 0);
	/* Its parent collects it, and the kernel may have kept a record of that, or not. */
	ck_assert(ended(child).signal == SIGTERM || ended(child).code == -1);
	kill_all(child);
}

OS_TEST(the_group_signal_reaches_who_was_followed)
{
	pid_t pid;
	struct os_child *child = in_background(SAY_AND_STAY, &pid);

	ck_assert_int_eq(os->ops->follow(child, pid), 0);
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), 0);
	ck_assert_int_eq(ended(child).signal, SIGKILL);
	finish(child);
}

OS_TEST(the_first_one_lives_on_when_it_is_given_up_on_purpose)
{
	struct os_child *child = started(
		shell("sh -c '" SAY_AND_STAY "' & wait; exec tail -f /dev/null"));
	pid_t pid = pid_said(child), first = os->ops->pid(child);
	siginfo_t info = {0};

	ck_assert_int_eq(os->ops->follow(child, pid), 0);
	ck_assert_int_eq(os->ops->signal(child, SIGTERM, OS_MAIN), 0);
	(void)ended(child);
	os->ops->free(child);
	ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)first, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	ck_assert_int_eq(info.si_pid, 0);

	ck_assert_int_eq(kill(first, SIGKILL), 0);
	while (waitid(P_PID, (id_t)first, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		ck_assert_int_eq(eff_await_turn(), 0);
}

static eff_exit await_end(void *arg)
{
	return eff_ok_number(ended(arg).signal);
}

OS_TEST(who_waited_for_the_end_of_the_one_before_waits_for_the_next)
{
	struct os_child *child = started(shell("sh -c '" SAY_AND_STAY "' & wait"));
	pid_t pid = pid_said(child);
	struct eff_fiber *waiter;
	eff_exit exit;

	ck_assert_int_eq(eff_fork(EFF(await_end, child), &waiter), 0);
	ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(os->ops->follow(child, pid), 0);
	/* Back to the first: it waits for its child, and ends with that one's death. */
	ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_MAIN), 0);
	ck_assert_int_eq(eff_await(waiter, &exit), 0);
	ck_assert(exit.value.number == SIGKILL || exit.value.number == 0);
	eff_fiber_unref(waiter);
	finish(child);
}

OS_TEST(strangers_are_not_believed)
{
	struct os_child *child = started(shell(SAY_AND_STAY));
	struct os_child *other = started(shell("sh -c '" SAY_AND_STAY "' & wait"));
	pid_t others = pid_said(other);

	(void)pid_said(child);
	ck_assert_int_eq(os->ops->follow(child, getpid()), -ESRCH);
	ck_assert_int_eq(os->ops->follow(child, 1), -ESRCH);
	ck_assert_int_eq(os->ops->follow(child, 0), -ESRCH);
	ck_assert_int_eq(os->ops->follow(child, -1), -ESRCH);
	ck_assert_int_eq(os->ops->follow(child, INT32_MAX), -ESRCH);
	ck_assert_int_eq(os->ops->follow(child, others), -ESRCH);
	ck_assert_int_eq(os->ops->follow(child, os->ops->pid(other)), -ESRCH);
	ck_assert_int_eq(os->ops->follow(child, os->ops->pid(child)), 0);
	kill_all(child);
	kill_all(other);
}

OS_TEST(an_orphan_that_is_older_than_the_run_is_not_its)
{
	pid_t pid;
	struct os_child *first = in_background(SAY_AND_STAY, &pid);
	struct os_child *second;

	/* As if it had been begun before. */
	second = started(shell(SAY_AND_STAY));
	(void)pid_said(second);
	second->made += 1000000;
	ck_assert_int_eq(os->ops->follow(second, pid), -ESRCH);
	ck_assert_int_eq(os->ops->follow(first, pid), 0);
	kill_all(first);
	kill_all(second);
}

OS_TEST(an_end_that_another_has_collected_is_not_known)
{
	struct os_child *child = started(shell("exec tail -f /dev/null"));
	pid_t pid = os->ops->pid(child);
	struct os_end end;

	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	end = ended(child);
	ck_assert_int_eq(end.code, -1);
	ck_assert_int_eq(end.signal, 0);
	finish(child);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_main", &tcase);

	tcase_add_test(tcase, one_in_the_background_is_followed_to_its_end);
	tcase_add_test(tcase, its_exit_code_is_told);
	tcase_add_test(tcase, one_whose_parent_is_another_is_followed_too);
	tcase_add_test(tcase, the_group_signal_reaches_who_was_followed);
	tcase_add_test(tcase, the_first_one_lives_on_when_it_is_given_up_on_purpose);
	tcase_add_test(tcase, who_waited_for_the_end_of_the_one_before_waits_for_the_next);
	tcase_add_test(tcase, strangers_are_not_believed);
	tcase_add_test(tcase, an_orphan_that_is_older_than_the_run_is_not_its);
	tcase_add_test(tcase, an_end_that_another_has_collected_is_not_known);
	return suite;
}
