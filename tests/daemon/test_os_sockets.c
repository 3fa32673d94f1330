/* SPDX-License-Identifier: MIT */
/* Sockets for units, by the real kernel: where they lie, whose they are, and how a process gets them. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/os_world.h"

static struct os_socket *sockets[3];

static struct os_listen at(const char *listen)
{
	return (struct os_listen){.listen = listen, .backlog = 5, .mode = 0600};
}

static const char *unix_at(const char *name)
{
	static char text[600];

	(void)snprintf(text, sizeof(text), "unix:%s", world_path(name));
	return text;
}

static struct os_socket *listening(struct os_listen wanted)
{
	struct os_socket *s = NULL;
	struct os_fault fault = {0};
	int r = os->ops->listen(os, &wanted, &s, &fault);

	ck_assert_msg(r == 0, "%d: %s: %s: %s", r, fault.stage, strerror(fault.error), fault.what);
	return s;
}

/* The error that it fails with. */
static int refused(struct os_listen wanted)
{
	struct os_socket *s = NULL;
	struct os_fault fault = {0};

	ck_assert_int_eq(os->ops->listen(os, &wanted, &s, &fault), -ECHILD);
	ck_assert_str_eq(fault.stage, "socket");
	ck_assert_str_eq(fault.what, wanted.listen);
	return fault.error;
}

/* Where nobody listens, for now: as "tcp:127.0.0.1:PORT" or so. */
static const char *free_port(const char *kind, int type)
{
	static char texts[2][40];
	static unsigned turn;
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	char *text = texts[turn++ % 2];
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	(void)snprintf(text, sizeof(texts[0]), "%s:127.0.0.1:%d", kind, ntohs(address.sin_port));
	return text;
}

static int knock_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* Connects, or sends a datagram. */
static void knock_port(const char *listen)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)atoi(strrchr(listen, ':') + 1))};
	bool datagram = listen[0] == 'u';
	int fd = socket(AF_INET, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (datagram)
		ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	close(fd);
}

OS_TEST(a_process_has_them_from_three_on_and_is_told)
{
	struct os_spawn spawn = shell(
		"echo $LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID == $$)) $((WATCHDOG_PID == $$));"
		"for i in /proc/$$/fd/*; do echo \"${i##*/} $(readlink $i)\"; done | grep -v pipe: | grep socket |"
		"cut -d: -f1");

	sockets[0] = listening(at(free_port("tcp", SOCK_STREAM)));
	sockets[1] = listening(at(unix_at("s")));
	spawn.sockets = sockets;
	spawn.socket_names = "web:ctl";
	spawn.watchdog_ns = EFF_S(1);
	spawn.ready_fd = 7;
	ck_assert_str_eq(output_of(spawn), "2 web:ctl 1 1\n3 socket\n4 socket\n");
	/* Another has nothing of them. */
	ck_assert_str_eq(
		output_of(shell("echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES;"
				"for i in /proc/$$/fd/*; do readlink $i; done | grep socket:; true")),
		"\n");
	os->ops->close_socket(sockets[0]);
	os->ops->close_socket(sockets[1]);
}

OS_TEST(what_waits_is_there_for_the_process)
{
	struct os_spawn spawn = shell("exec python3 -c 'import socket\n"
				      "s = socket.socket(fileno=3)\n"
				      "c, _ = s.accept()\n"
				      "print(c.recv(9).decode(), s.getblocking())'");
	const char *where = free_port("tcp", SOCK_STREAM);
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)atoi(strrchr(where, ':') + 1))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sockets[0] = listening(at(where));
	sockets[1] = NULL;
	spawn.sockets = sockets;
	spawn.socket_names = "web";
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(send(fd, "hello", 5, 0), 5);
	ck_assert_str_eq(output_of(spawn), "hello True\n");
	close(fd);
	os->ops->close_socket(sockets[0]);
}

OS_TEST(a_file_has_its_mode_and_goes_with_it)
{
	struct os_listen wanted = at(unix_at("a/b/s"));
	const char *path = world_path("a/b/s");
	struct os_socket *s;
	struct stat st;

	wanted.mode = 0666;
	s = listening(wanted);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0666);
	ck_assert_int_eq(knock_unix(path), 0);
	os->ops->close_socket(s);
	ck_assert_int_eq(access(path, F_OK), -1);
	/* One that somebody has put in its place stays. */
	s = listening(wanted);
	ck_assert_int_eq(unlink(path), 0);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	os->ops->close_socket(s);
	ck_assert_int_eq(access(path, F_OK), 0);
}

OS_TEST(a_file_is_given_to_its_user)
{
	struct os_listen wanted = at(unix_at("s"));
	struct os_fault fault = {0};
	struct os_socket *s = NULL;
	struct stat st;

	if (geteuid() != 0)
		return;
	wanted.user = "12345";
	wanted.group = "54321";
	s = listening(wanted);
	ck_assert_int_eq(stat(world_path("s"), &st), 0);
	ck_assert_uint_eq(st.st_uid, 12345);
	ck_assert_uint_eq(st.st_gid, 54321);
	os->ops->close_socket(s);
	wanted.user = "nobody-of-this-name";
	ck_assert_int_eq(os->ops->listen(os, &wanted, &s, &fault), -ECHILD);
	ck_assert_str_eq(fault.stage, "user");
}

OS_TEST(nothing_else_is_in_its_place_but_what_is_stale)
{
	struct os_listen wanted = at(unix_at("s"));
	const char *path = world_path("s");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(symlink(world_path("elsewhere"), path), 0);
	ck_assert_int_eq(refused(wanted), ELOOP);
	ck_assert_int_eq(access(world_path("elsewhere"), F_OK), -1);
	ck_assert_int_eq(unlink(path), 0);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(refused(wanted), EEXIST);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(refused(wanted), EADDRINUSE);
	ck_assert_int_eq(knock_unix(path), 0);
	close(fd);
	os->ops->close_socket(listening(wanted));
}

OS_TEST(as_root_it_lies_where_only_root_may_write)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(world_path("theirs"), 0755), 0);
	ck_assert_int_eq(chmod(world_path("theirs"), 0777), 0);
	ck_assert_int_eq(refused(at(unix_at("theirs/s"))), EPERM);
	ck_assert_int_eq(refused(at(unix_at("theirs/deeper/s"))), EPERM);
	ck_assert_int_eq(access(world_path("theirs/deeper"), F_OK), -1);
}

OS_TEST(a_port_is_taken_once_unless_all_agree)
{
	struct os_listen wanted = at(free_port("tcp", SOCK_STREAM));
	struct os_socket *first = listening(wanted), *second;

	ck_assert_int_eq(refused(wanted), EADDRINUSE);
	os->ops->close_socket(first);
	wanted.reuse_port = true;
	first = listening(wanted);
	second = listening(wanted);
	os->ops->close_socket(first);
	os->ops->close_socket(second);
}

/* ── waiting for somebody ── */

static void told_of(const char *where, const char *path)
{
	struct world_watch w = {.watch = {.fn = world_told}};
	struct os_socket *s = listening(at(where));

	eff_event_init(&w.told);
	ck_assert(!os->ops->watch_socket(s, &w.watch));
	ck_assert(!w.told.set);
	if (path)
		ck_assert_int_eq(knock_unix(path), 0);
	else
		knock_port(where);
	ck_assert_int_eq(eff_event_await(&w.told), 0);
	/* Nobody has taken it: whoever asks anew is told again. */
	eff_event_reset(&w.told);
	(void)os->ops->watch_socket(s, &w.watch);
	ck_assert_int_eq(eff_event_await(&w.told), 0);
	/* And not, when it wants no more. */
	eff_event_reset(&w.told);
	(void)os->ops->watch_socket(s, &w.watch);
	(void)os->ops->watch_socket(s, NULL);
	for (int turn = 0; turn < 3; turn++)
		ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert(!w.told.set);
	os->ops->close_socket(s);
}

OS_TEST(who_watches_is_told_of_the_first_that_comes)
{
	told_of(free_port("tcp", SOCK_STREAM), NULL);
	told_of(free_port("udp", SOCK_DGRAM), NULL);
	told_of(unix_at("s"), world_path("s"));
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os sockets", &tcase);

	tcase_add_test(tcase, a_process_has_them_from_three_on_and_is_told);
	tcase_add_test(tcase, what_waits_is_there_for_the_process);
	tcase_add_test(tcase, a_file_has_its_mode_and_goes_with_it);
	tcase_add_test(tcase, a_file_is_given_to_its_user);
	tcase_add_test(tcase, nothing_else_is_in_its_place_but_what_is_stale);
	tcase_add_test(tcase, as_root_it_lies_where_only_root_may_write);
	tcase_add_test(tcase, a_port_is_taken_once_unless_all_agree);
	tcase_add_test(tcase, who_watches_is_told_of_the_first_that_comes);
	return suite;
}
