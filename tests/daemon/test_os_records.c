/* SPDX-License-Identifier: MIT */
/* What really arrives at the sockets of syslog and the journal, to the byte, and what happens without them. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/os_world.h"
#include "os/internal.h"

static char path[64];

/* A socket where the logs of this world are looked for. */
static int listening(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(path, sizeof(path), "%s", world_path("socket"));
	linux_of(os)->syslog_path = linux_of(os)->journal_path = path;
	(void)unlink(path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int send_text(bool to_journal, const char *text)
{
	struct os_record record = {.to_journal = to_journal,
		.stream = OS_STDERR,
		.unit = "group/web",
		.pid = 77,
		.priority = 3,
		.text = text,
		.len = strlen(text)};

	return os->ops->send_record(os, &record);
}

static const char *received(int fd)
{
	static char text[1024];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

#define FIELDS \
	"PRIORITY=3\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=group/web\nEFFD_UNIT=group/web\n" \
	"EFFD_STREAM=stderr\nSYSLOG_PID=77\nOBJECT_PID=77\n"

OS_TEST(the_journal_gets_fields)
{
	int fd = listening();

	ck_assert_int_eq(send_text(true, "a=b"), 0);
	ck_assert_str_eq(received(fd), "MESSAGE=a=b\n" FIELDS);
	close(fd);
}

OS_TEST(syslog_gets_what_rfc_3164_says)
{
	int fd = listening();
	const char *text;
	char month[4];
	int day, hour, minute, second, n = 0;

	ck_assert_int_eq(send_text(false, "hello there"), 0);
	text = received(fd);
	ck_assert_int_eq(
		sscanf(text, "<27>%3s %d %d:%d:%d %n", month, &day, &hour, &minute, &second, &n), 5);
	ck_assert_int_eq(n, 20);
	ck_assert_str_eq(text + n, "group/web[77]: hello there");
	close(fd);
}

/* It would be refused as a datagram. */
OS_TEST(a_large_line_goes_to_the_journal_as_a_sealed_file)
{
	enum { LARGE = 4 << 20 };
	char *line = malloc(LARGE + 1), *got = calloc(1, LARGE + 1024), byte;
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	int fd = listening(), memfd;

	memset(line, 'x', LARGE);
	line[LARGE] = '\0';
	ck_assert_int_eq(send_text(true, line), 0);
	ck_assert_int_eq(recvmsg(fd, &message, MSG_CMSG_CLOEXEC), 0);
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
	memcpy(&memfd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	ck_assert_int_eq(fcntl(memfd, F_GET_SEALS),
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	ck_assert_int_eq(
		pread(memfd, got, LARGE + 1023, 0), 8 + LARGE + 1 + (ssize_t)strlen(FIELDS));
	ck_assert_int_eq(memcmp(got, "MESSAGE=xxx", 11), 0);
	ck_assert_int_eq(memcmp(got + 8, line, LARGE), 0);
	ck_assert_str_eq(got + 8 + LARGE, "\n" FIELDS);
	ck_assert_int_eq(send_text(false, line), -EMSGSIZE);
	free(line);
	free(got);
	close(memfd);
	close(fd);
}

OS_TEST(who_was_away_is_found_again)
{
	int fd = listening();

	ck_assert_int_eq(send_text(true, "one"), 0);
	close(fd);
	ck_assert_int_eq(send_text(true, "two"), -ECONNREFUSED);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(send_text(true, "three"), -ENOENT);
	fd = listening();
	ck_assert_int_eq(send_text(true, "four"), 0);
	ck_assert_str_eq(received(fd), "MESSAGE=four\n" FIELDS);
	close(fd);
}

OS_TEST(who_does_not_read_is_not_waited_for)
{
	int fd = listening();
	int r, n = 0;

	while ((r = send_text(false, "one")) == 0)
		n++;
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_gt(n, 0);
	(void)received(fd);
	ck_assert_int_eq(send_text(false, "two"), 0);
	close(fd);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_records", &tcase);

	tcase_add_test(tcase, the_journal_gets_fields);
	tcase_add_test(tcase, syslog_gets_what_rfc_3164_says);
	tcase_add_test(tcase, a_large_line_goes_to_the_journal_as_a_sealed_file);
	tcase_add_test(tcase, who_was_away_is_found_again);
	tcase_add_test(tcase, who_does_not_read_is_not_waited_for);
	return suite;
}
