/* SPDX-License-Identifier: MIT */
/* The number of a process that has gone is given away again: who has it now is nobody that effd knows. */
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <time.h>

#include "daemon/os_world.h"
#include "os/internal.h"

struct stranger {
	pid_t number, pid;
	int told[2];
};

/* With nothing on a fiber's stack, which no child has. */
static void stranger_begin(void *arg)
{
	struct stranger *s = arg;
	struct clone_args args = {.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&s->number,
		.set_tid_size = 1};

	s->pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (s->pid == 0) {
		(void)setsid();
		(void)!write(s->told[1], "", 1);
		for (;;)
			(void)pause();
	}
}

/* A process of that number, which must be free, in a session of its own; it is nobody's. 0: the kernel does not let us. */
static pid_t stranger_of(pid_t number)
{
	static struct stranger s;
	char byte;

	s.number = number;
	ck_assert_int_eq(pipe2(s.told, O_CLOEXEC), 0);
	eff_deep(stranger_begin, &s);
	close(s.told[1]);
	if (s.pid > 0)
		ck_assert_int_eq(read(s.told[0], &byte, 1), 1);
	close(s.told[0]);
	return s.pid > 0 ? s.pid : 0;
}

static void strangers_end(pid_t stranger)
{
	ck_assert_int_eq(kill(stranger, SIGKILL), 0);
	while (kill(stranger, 0) == 0)
		ck_assert_int_eq(eff_await_turn(), 0);
}

static void is_gone_for_good(pid_t pid)
{
	const struct timespec tick = {.tv_nsec = 20 * 1000 * 1000};
	struct timespec until, now;

	while (kill(pid, 0) == 0)
		ck_assert_int_eq(eff_await_turn(), 0);
	/* Who is who is told by number and tick of birth. */
	clock_gettime(CLOCK_BOOTTIME, &until);
	until.tv_nsec += tick.tv_nsec;
	do {
		ck_assert_int_eq(eff_await_turn(), 0);
		clock_gettime(CLOCK_BOOTTIME, &now);
	} while ((now.tv_sec - until.tv_sec) * 1000000000L + now.tv_nsec < until.tv_nsec);
}

OS_TEST(who_has_the_number_of_a_grandchild_is_not_taken_for_it)
{
	struct os_child *child = started(
		shell("setsid tail -f /dev/null & echo $!; wait; exec tail -f /dev/null"));
	pid_t old, stranger;
	char text[16];

	(void)read_lines(child, text, sizeof(text), 1);
	old = atoi(text);
	while (getsid(old) != old)
		ck_assert_int_eq(eff_await_turn(), 0);
	/* It is remembered from here on. */
	ck_assert_int_eq(os->ops->signal(child, SIGWINCH, OS_MAIN), 0);
	ck_assert(os_family_has(child, old));
	ck_assert_int_eq(kill(old, SIGKILL), 0);
	is_gone_for_good(old);
	stranger = stranger_of(old);
	if (stranger) {
		ck_assert(!os_family_has(child, stranger));
		kill_all(child);
		ck_assert_int_eq(kill(stranger, 0), 0);
		strangers_end(stranger);
	} else {
		kill_all(child);
	}
}

OS_TEST(who_has_the_number_of_a_main_process_that_ended_is_not_taken_for_it)
{
	struct os_child *child = started(shell("exit 0"));
	pid_t old = os->ops->pid(child), stranger;
	struct os_left left;

	(void)ended(child);
	is_gone_for_good(old);
	stranger = stranger_of(old);
	if (stranger) {
		ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_MAIN), -ESRCH);
		ck_assert_int_eq(os->ops->signal(child, SIGKILL, OS_GROUP), -ESRCH);
		ck_assert_uint_eq(os->ops->left(child, &left, 1), 0);
		ck_assert_int_eq(kill(stranger, 0), 0);
	}
	finish(child);
	if (stranger)
		strangers_end(stranger);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_numbers", &tcase);

	tcase_add_test(tcase, who_has_the_number_of_a_grandchild_is_not_taken_for_it);
	tcase_add_test(tcase, who_has_the_number_of_a_main_process_that_ended_is_not_taken_for_it);
	return suite;
}
