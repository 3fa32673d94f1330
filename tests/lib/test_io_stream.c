/* SPDX-License-Identifier: MIT */
/* Reading, writing, accepting and connecting, on pipes and sockets. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <eff.h>

#include "leak.h"
#include "loop.h"

static struct eff_rt *rt;

static void open_runtime(void)
{
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
}

static void close_runtime(void)
{
	ck_assert_int_eq(eff_rt_shutdown(rt, EFF_M(1)), 0);
	eff_rt_free(rt);
}

static void run_root(eff_fn *fn)
{
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(fn, NULL))));
}

static void pipe_make(int ends[2])
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
}

struct reader {
	int fd;
	ssize_t n;
};

static eff_exit reads_some(void *arg)
{
	struct reader *r = arg;
	char byte;

	r->n = eff_read(r->fd, &byte, 1);
	return eff_ok(NULL);
}

static eff_exit refused(void *arg)
{
	struct eff_fiber *fiber;
	struct reader r;
	int ends[2];

	(void)arg;
	pipe_make(ends);
	r = (struct reader){.fd = ends[0], .n = -1000};
	ck_assert_int_eq(eff_fork(EFF(reads_some, &r), &fiber), 0);
	ck_assert_int_eq(eff_yield(), 0);

	/* As the loop says it when the kernel has no memory for one more. */
	eff__fd_ready(rt, ends[0], 0);
	ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(r.n, -1000);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq(eff_await(fiber, NULL), 0);

	ck_assert_int_eq(r.n, 1);
	eff_fiber_unref(fiber);
	eff_fd_close(ends[0]);
	eff_fd_close(ends[1]);
	return eff_ok(NULL);
}

START_TEST(what_the_kernel_does_not_watch_for_now_is_waited_for_all_the_same)
{
	run_root(refused);
}
END_TEST

enum { BYTES = 3000000 };
static char sent[BYTES], received[BYTES];

static eff_exit writes(void *arg)
{
	int fd = *(int *)arg;
	int r = eff_write_all(fd, sent, BYTES);

	eff_fd_close(fd);
	return eff_exit_of(r);
}

static eff_exit stream(void *arg)
{
	struct eff_fiber *fiber;
	size_t len = 0;
	eff_exit exit;
	ssize_t n;
	int ends[2];

	for (size_t i = 0; i < BYTES; i++)
		sent[i] = (char)(i * 2654435761U >> 24);
	pipe_make(ends);
	ck_assert_int_eq(eff_fork(EFF(writes, &ends[1]), &fiber), 0);
	while ((n = eff_read(ends[0], received + len, BYTES - len)) > 0)
		len += (size_t)n;
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(len, BYTES);
	ck_assert_int_eq(memcmp(sent, received, BYTES), 0);
	ck_assert_int_eq(eff_await(fiber, &exit), 0);
	ck_assert(eff_is_ok(exit));
	eff_fiber_unref(fiber);
	eff_fd_close(ends[0]);
	return eff_ok(arg);
}

START_TEST(more_than_a_pipe_holds_goes_through_it_whole)
{
	run_root(stream);
}
END_TEST

static eff_exit counts(void *arg)
{
	while (eff_yield() == 0)
		++*(int *)arg;
	return eff_interrupted();
}

static eff_exit chatty(void *arg)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC | O_NONBLOCK), n_others = 0;
	struct eff_fiber *fiber;
	char c;

	ck_assert_int_eq(eff_fork(EFF(counts, &n_others), &fiber), 0);
	for (int i = 0; i < 6400; i++)
		ck_assert_int_eq((int)eff_read(zero, &c, 1), 1);
	ck_assert_int_ge(n_others, 90);
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	eff_fd_close(zero);
	return eff_ok(arg);
}

START_TEST(a_descriptor_that_always_has_more_holds_nobody_up)
{
	run_root(chatty);
}
END_TEST

static struct sockaddr_un address;
static socklen_t address_len;

static int listen_somewhere(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	address_len = sizeof address;
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &address_len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static eff_exit accepts(void *arg)
{
	return eff_exit_of(eff_accept(*(int *)arg));
}

static eff_exit connection(void *arg)
{
	int listening = listen_somewhere(), client, server;
	struct eff_fiber *fiber;
	eff_exit exit;
	char c = 0;

	ck_assert_int_eq(eff_fork(EFF(accepts, &listening), &fiber), 0);
	ck_assert_int_eq(eff_yield(), 0);
	client = eff_connect((struct sockaddr *)&address, address_len);
	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(eff_await(fiber, &exit), 0);
	ck_assert(eff_is_ok(exit));
	server = (int)exit.value.number;
	eff_fiber_unref(fiber);
	ck_assert_int_eq(fcntl(server, F_GETFL) & fcntl(client, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	ck_assert_int_eq(fcntl(server, F_GETFD) & fcntl(client, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(eff_write_all(client, "q", 1), 0);
	ck_assert_int_eq((int)eff_read(server, &c, 1), 1);
	ck_assert_int_eq(c, 'q');
	eff_fd_close(server);
	/* Its other end is gone: an error, and no signal. */
	ck_assert_int_eq(eff_write_all(client, "q", 1), -EPIPE);
	eff_fd_close(client);
	eff_fd_close(listening);
	ck_assert_int_eq(eff_connect((struct sockaddr *)&address, address_len), -ECONNREFUSED);
	return eff_ok(arg);
}

START_TEST(a_connection_is_made_used_and_broken)
{
	run_root(connection);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("io_stream");
	TCase *tcase = tcase_create("streams");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, open_runtime, close_runtime);
	tcase_add_test(tcase, more_than_a_pipe_holds_goes_through_it_whole);
	tcase_add_test(tcase, a_descriptor_that_always_has_more_holds_nobody_up);
	tcase_add_test(tcase, what_the_kernel_does_not_watch_for_now_is_waited_for_all_the_same);
	tcase_add_test(tcase, a_connection_is_made_used_and_broken);
	suite_add_tcase(suite, tcase);
	return suite;
}
