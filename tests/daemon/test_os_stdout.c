/* SPDX-License-Identifier: MIT */
/* effd's own stdout, be it a pipe, a file, a socket, a terminal or nothing: whole lines in order, never a wait. */
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "daemon/os_world.h"

static int saved = -1;

/* From here on `fd` is stdout; it is closed. */
static void become(int fd)
{
	fflush(stdout);
	saved = fcntl(1, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_ge(saved, 0);
	if (fd >= 0) {
		ck_assert_int_eq(dup2(fd, 1), 1);
		close(fd);
	} else {
		close(1);
	}
}

static void become_ourselves(void)
{
	ck_assert_int_eq(dup2(saved, 1), 1);
	close(saved);
}

static int write_line(const char *text)
{
	return os->ops->write_stdout(os, text, strlen(text));
}

static void assert_blocking(void)
{
	ck_assert_int_eq(fcntl(1, F_GETFL) & O_NONBLOCK, 0);
}

/* Read what is there, at most `size`. */
static size_t take(int fd, char *buf, size_t size)
{
	struct pollfd ask = {.fd = fd, .events = POLLIN};
	size_t len = 0;

	while (len < size && poll(&ask, 1, 0) > 0 && (ask.revents & POLLIN)) {
		ssize_t n = read(fd, buf + len, size - len);

		ck_assert_int_gt(n, 0);
		len += (size_t)n;
	}
	return len;
}

static int line_of(unsigned i, char *line, size_t size)
{
	return snprintf(line, size, "%08u %01000u\n", i, i);
}

/* Line by line, until it takes no more. Returns the number of the next. */
static unsigned fill(unsigned i)
{
	char line[1200];
	int r = 0;

	for (; r == 0; i++) {
		ck_assert_uint_lt(i, 10000);
		(void)line_of(i, line, sizeof(line));
		r = write_line(line);
	}
	ck_assert_int_eq(r, -EAGAIN);
	assert_blocking();
	return i - 1;
}

/* The first `n` lines without a gap. Returns where they end. */
static const char *assert_lines(const char *at, unsigned n)
{
	char line[1200];

	for (unsigned i = 0; i < n; i++) {
		int size = line_of(i, line, sizeof(line));

		ck_assert(!memcmp(at, line, (size_t)size));
		at += size;
	}
	return at;
}

/* Fill it, read some, fill it again, read all: the order is that of the writes, without a gap. */
static void fill_and_empty(int reader)
{
	static char got[1 << 20];
	unsigned n_taken = fill(0);
	size_t len = take(reader, got, 20000);
	const char *at;

	n_taken = fill(n_taken);
	len += take(reader, got + len, sizeof(got) - len);
	ck_assert_int_eq(write_line("the end\n"), 0);
	len += take(reader, got + len, sizeof(got) - len);
	at = assert_lines(got, n_taken);
	ck_assert_uint_eq(len - (size_t)(at - got), 8);
	ck_assert_mem_eq(at, "the end\n", 8);
}

OS_TEST(a_pipe_takes_what_it_can_and_never_blocks)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	become(ends[1]);
	fill_and_empty(ends[0]);
	become_ourselves();
	close(ends[0]);
}

OS_TEST(a_socket_takes_what_it_can_and_never_blocks)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	become(ends[1]);
	fill_and_empty(ends[0]);
	become_ourselves();
	close(ends[0]);
}

OS_TEST(a_pipe_that_cannot_be_opened_again_is_asked_first)
{
	int ends[2];

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	become(ends[1]);
	/* It is root's, and its mode is 0600: who has become another may use it, and not open it. */
	ck_assert_int_eq(setresuid(54321, 54321, 0), 0);
	fill_and_empty(ends[0]);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	become_ourselves();
	close(ends[0]);
}

OS_TEST(a_file_takes_everything)
{
	const char *path = world_path("out");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int reader = open(path, O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	become(fd);
	ck_assert_int_eq(write_line("one\n"), 0);
	ck_assert_int_eq((int)write(1, "and\n", 4), 4);
	ck_assert_int_eq(write_line("two\n"), 0);
	become_ourselves();
	ck_assert_int_eq(read(reader, text, sizeof(text) - 1), 12);
	ck_assert_str_eq(text, "one\nand\ntwo\n");
	close(reader);
}

OS_TEST(a_terminal_takes_lines_and_keeps_its_flags)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char text[32] = "";
	int slave;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(slave, 0);
	become(slave);
	ck_assert_int_eq(write_line("one\n"), 0);
	assert_blocking();
	ck_assert_uint_eq(take(master, text, sizeof(text) - 1), 5);
	ck_assert_str_eq(text, "one\r\n");
	become_ourselves();
	/* The seam's own goes with it. */
	close(master);
}

OS_TEST(nobody_there_is_an_error)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	become(ends[1]);
	close(ends[0]);
	ck_assert_int_eq(write_line("one\n"), -EPIPE);
	become_ourselves();
}

OS_TEST(no_stdout_is_an_error)
{
	become(-1);
	ck_assert_int_eq(write_line("one\n"), -EBADF);
	become_ourselves();
	ck_assert_int_eq(write_line(""), 0);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_stdout", &tcase);

	tcase_add_test(tcase, a_pipe_takes_what_it_can_and_never_blocks);
	tcase_add_test(tcase, a_socket_takes_what_it_can_and_never_blocks);
	tcase_add_test(tcase, a_pipe_that_cannot_be_opened_again_is_asked_first);
	tcase_add_test(tcase, a_file_takes_everything);
	tcase_add_test(tcase, a_terminal_takes_lines_and_keeps_its_flags);
	tcase_add_test(tcase, nobody_there_is_an_error);
	tcase_add_test(tcase, no_stdout_is_an_error);
	return suite;
}
