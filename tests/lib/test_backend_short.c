/* SPDX-License-Identifier: MIT */
/* A loop for which the kernel has no descriptor when it needs another one. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <eff.h>

#include "leak.h"
#include "loop.h"

struct ear {
	struct eff__hook hook;
	int n_heard;
};

static void on_heard(struct eff__hook *hook, int events)
{
	(void)events;
	eff_container(hook, struct ear, hook)->n_heard++;
}

struct shortage {
	struct rlimit limit; /* to be lifted to */
	int epoll;           /* when this is closed */
	atomic_bool over;    /* or this is so */
};

static int first_epoll(void)
{
	for (int fd = 0; fd < 256; fd++) {
		char path[32], target[32] = {0};

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) > 0 &&
			!strcmp(target, "anon_inode:[eventpoll]"))
			return fd;
	}
	return -1;
}

static void *lift_limit(void *arg)
{
	struct shortage *shortage = arg;

	while (!shortage->over && fcntl(shortage->epoll, F_GETFD) >= 0)
		(void)sched_yield();
	(void)setrlimit(RLIMIT_NOFILE, &shortage->limit);
	return NULL;
}

/* libev takes another epoll when the one that it has tells of a descriptor that is closed, as one is that a child still has. */
START_TEST(a_loop_that_gets_no_new_epoll_goes_on_when_it_does)
{
	struct shortage shortage = {0};
	struct ear ear = {.hook.fn = on_heard};
	struct rlimit none;
	struct eff_rt *rt;
	int ends[2], copy;
	pthread_t thread;

	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	shortage.epoll = first_epoll();
	ck_assert_int_ge(shortage.epoll, 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	copy = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
	ck_assert_int_ge(copy, 0);
	ck_assert_int_eq(eff__fd_hook(rt, ends[0], EFF_READ, &ear.hook), 0);
	rt->backend->wait(rt->loop, 0);
	eff__fd_forget(rt, ends[0]);
	close(ends[0]);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &shortage.limit), 0);
	none = (struct rlimit){.rlim_max = shortage.limit.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, lift_limit, &shortage), 0);

	for (int i = 0; i < 3; i++)
		rt->backend->wait(rt->loop, 0);
	shortage.over = true;
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(ear.n_heard, 0);
	ck_assert_int_eq(eff__fd_hook(rt, copy, EFF_READ, &ear.hook), 0);
	rt->backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_int_eq(ear.n_heard, 1);
	eff__fd_forget(rt, copy);
	close(copy);
	close(ends[1]);
	eff_rt_free(rt);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("backend_short");
	TCase *tcase = tcase_create("loop");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_loop_that_gets_no_new_epoll_goes_on_when_it_does);
	suite_add_tcase(suite, tcase);
	return suite;
}
