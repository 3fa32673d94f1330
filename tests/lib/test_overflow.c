/* SPDX-License-Identifier: MIT */
/* A stack overflow is told by the fiber's name, and whoever had the signal before still gets it. With AddressSanitizer its
 * own handler tells; then only that the process dies is looked at. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

enum { OWN_HANDLER = !EFF__ASAN && !EFF__TSAN };

static volatile int depth_most = 1 << 30;

/* NOLINTNEXTLINE(misc-no-recursion): to recurse without a bound is what it is for. */
__attribute__((noinline)) static int descend(volatile char *above, int depth)
{
	volatile char here[256];

	here[0] = (char)(above[0] + 1);
	return depth < depth_most ? descend(here, depth + 1) + here[0] : 0;
}

static eff_exit overflow(void *arg)
{
	volatile char here[1] = {0};

	(void)arg;
	return eff_ok_number(descend(here, 0));
}

static eff_exit wild_pointer(void *arg)
{
	*(volatile int *)arg = 1;
	return eff_ok(NULL);
}

static eff_exit nap(void *arg)
{
	(void)arg;
	return eff_exit_of(eff_sleep(1));
}

static void previous(int sig)
{
	static const char words[] = "previous handler\n";

	(void)sig;
	_exit(write(STDERR_FILENO, words, sizeof(words) - 1) > 0 ? 77 : 78);
}

static eff_exit fork_and_await(void *arg)
{
	struct eff_fiber *child;

	if (eff_fork(*(eff *)arg, &child) < 0)
		return eff_fail(1);
	(void)eff_await(child, NULL);
	eff_fiber_unref(child);
	return eff_ok(NULL);
}

/* How stacks are guarded: by madvise() where the kernel has it (test_stack.c sees to that), or by mprotect(). */
static bool by_mprotect;

static void child_main(eff e, bool with_handler, int fd)
{
	struct rlimit none = {0, 0};
	struct eff_rt *rt;

	/* No core of what is meant to die. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)dup2(fd, STDERR_FILENO);
	if (with_handler)
		(void)signal(SIGSEGV, previous);
	if (eff_rt_new(NULL, &rt) < 0)
		_exit(99);
	if (by_mprotect)
		eff__stacks_guard_by_mprotect(rt->stacks);
	(void)eff_rt_run(rt, EFF(fork_and_await, &e));
	_exit(0);
}

/* Returns the wait status; what was said on stderr in `ret_said`. */
static int run_child(eff e, bool with_handler, char *ret_said, size_t size)
{
	int ends[2];
	int status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		child_main(e, with_handler, ends[1]);
	close(ends[1]);
	while (len + 1 < size && (n = read(ends[0], ret_said + len, size - 1 - len)) > 0)
		len += (size_t)n;
	ret_said[len] = '\0';
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(an_overflow_is_told_with_the_name_of_the_fiber_and_kills)
{
	static char said[65536];
	int status;

	by_mprotect = _i;
	status = run_child(EFF_NAMED("deep thinker", overflow, NULL), false, said, sizeof(said));
	ck_assert_int_ne(status, 0);
	if (OWN_HANDLER) {
		ck_assert_str_eq(said, "libeff: stack overflow in fiber \"deep thinker\"\n");
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	} else {
		ck_assert_ptr_nonnull(strstr(said, "stack"));
	}
}
END_TEST

START_TEST(another_fault_is_not_called_an_overflow)
{
	static char said[65536];
	int status;

	by_mprotect = _i;
	status = run_child(EFF(wild_pointer, NULL), false, said, sizeof(said));
	ck_assert_int_ne(status, 0);
	if (OWN_HANDLER) {
		ck_assert_str_eq(said, "");
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}
END_TEST

START_TEST(whoever_had_the_signal_before_still_gets_it)
{
	static char said[65536];
	int status;

	if (!OWN_HANDLER)
		return;
	by_mprotect = _i;
	status = run_child(EFF_NAMED("deep", overflow, NULL), true, said, sizeof(said));
	ck_assert_str_eq(said, "libeff: stack overflow in fiber \"deep\"\nprevious handler\n");
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 77);
	status = run_child(EFF(wild_pointer, NULL), true, said, sizeof(said));
	ck_assert_str_eq(said, "previous handler\n");
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 77);
}
END_TEST

static eff_exit send_itself(void *arg)
{
	(void)raise((int)*(int64_t *)arg);
	return eff_ok(NULL);
}

START_TEST(a_sent_signal_kills_as_it_would_have)
{
	static char said[65536];
	int status = run_child(EFF(send_itself, NUMBER(SIGSEGV)), false, said, sizeof(said));

	ck_assert_int_ne(status, 0);
	if (OWN_HANDLER)
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
END_TEST

START_TEST(the_signal_stack_goes_with_the_runtime)
{
	stack_t before;
	stack_t after;
	struct eff_rt *rt;

	ck_assert_int_eq(sigaltstack(NULL, &before), 0);
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	eff_exit_drop(eff_rt_run(rt, EFF(nap, NULL)));
	eff_rt_free(rt);
	ck_assert_int_eq(sigaltstack(NULL, &after), 0);
	ck_assert_int_eq(before.ss_flags, after.ss_flags);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("overflow");
	TCase *tcase = tcase_create("overflow");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, an_overflow_is_told_with_the_name_of_the_fiber_and_kills, 0, 2);
	tcase_add_loop_test(tcase, another_fault_is_not_called_an_overflow, 0, 2);
	tcase_add_loop_test(tcase, whoever_had_the_signal_before_still_gets_it, 0, 2);
	tcase_add_test(tcase, a_sent_signal_kills_as_it_would_have);
	tcase_add_test(tcase, the_signal_stack_goes_with_the_runtime);
	suite_add_tcase(suite, tcase);
	return suite;
}
