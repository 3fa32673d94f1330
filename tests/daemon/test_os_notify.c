/* SPDX-License-Identifier: MIT */
/* A unit's word counts, whoever of it says it; a stranger's does not, and nothing that can be sent does harm. */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "daemon/os_world.h"

static struct sockaddr_un address_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

/* Returns 0 or -errno. */
static int say_to(const char *path, const void *bytes, size_t size)
{
	struct sockaddr_un address = address_at(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = sendto(fd, bytes, size, 0, (struct sockaddr *)&address, sizeof(address)) < 0
		? -errno
		: 0;

	close(fd);
	return r;
}

static void say(const char *text)
{
	(void)say_to(getenv("NOTIFY_SOCKET"), text, strlen(text));
}

static void say_with_descriptors(void)
{
	struct sockaddr_un address = address_at(getenv("NOTIFY_SOCKET"));
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(100 * sizeof(int))] = {0};
	char text[] = "BARRIER=1";
	struct iovec part = {.iov_base = text, .iov_len = 9};
	struct msghdr message = {.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char rest;
	int ends[2];

	(void)!pipe(ends);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(100 * sizeof(int));
	for (int i = 0; i < 100; i++)
		memcpy(CMSG_DATA(cmsg) + (size_t)i * sizeof(int), &ends[1], sizeof(int));
	(void)sendmsg(fd, &message, 0);
	close(fd);
	close(ends[1]);
	/* The other end of what was sent is closed when effd has closed all of it. */
	(void)!read(ends[0], &rest, 1);
	dprintf(1, "closed\n");
}

/* A descendant, its parents living, in a session of its own when asked for. */
static void say_by_descendant(bool apart, const char *text)
{
	if (fork() == 0) {
		if (apart)
			setsid();
		if (fork() == 0) {
			say(text);
			pause();
		}
		pause();
	}
}

static void play(const char *name)
{
	static char large[8192];
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(name, "main"))
		say("READY=1\nSTATUS=well");
	if (!strcmp(name, "descendant"))
		say_by_descendant(false, "READY=1");
	if (!strcmp(name, "far descendant"))
		say_by_descendant(true, "READY=1");
	if (!strcmp(name, "odd")) {
		say("");
		memset(large, 'x', sizeof(large));
		(void)say_to(getenv("NOTIFY_SOCKET"), large, sizeof(large));
		(void)say_to(getenv("NOTIFY_SOCKET"), "\0\xff\n=", 4);
	}
	if (!strcmp(name, "descriptors"))
		say_with_descriptors();
	dprintf(1, "%s\n", getenv("NOTIFY_SOCKET"));
	while (sigwait(&set, &sig) == 0)
		say("HERE=1");
}
OS_ROLES(play)

/* So many calls the kernel has no memory for. */
static int n_refused;

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	if (n_refused == 0)
		return syscall(SYS_recvmsg, fd, message, flags);
	n_refused--;
	errno = ENOMEM;
	return -1;
}

static struct os_child *notifier(const char *name)
{
	struct os_spawn spawn = role(name);

	spawn.notify = true;
	return started(spawn);
}

static const char *socket_of(struct os_child *child)
{
	static char path[256];

	(void)read_lines(child, path, sizeof(path), 1);
	path[strcspn(path, "\n")] = '\0';
	return path;
}

static void assert_said(struct os_child *child, const char *text, size_t size)
{
	static char buf[4096];
	pid_t sender = 0;
	ssize_t n = os->ops->notified(child, buf, sizeof(buf), &sender);

	ck_assert_int_eq(n, (ssize_t)size);
	ck_assert_mem_eq(buf, text, size);
	ck_assert_int_gt(sender, 0);
}

OS_TEST(the_main_process_is_heard_and_named)
{
	struct os_child *child = notifier("main");
	char buf[64];
	pid_t sender;

	ck_assert_int_eq(os->ops->notified(child, buf, sizeof(buf), &sender), 19);
	ck_assert_mem_eq(buf, "READY=1\nSTATUS=well", 19);
	ck_assert_int_eq(sender, os->ops->pid(child));
	kill_all(child);
}

OS_TEST(a_descendant_is_heard_in_whatever_session)
{
	struct os_child *child = notifier("descendant");

	assert_said(child, "READY=1", 7);
	kill_all(child);
	child = notifier("far descendant");
	assert_said(child, "READY=1", 7);
	kill_all(child);
}

OS_TEST(a_stranger_is_not_heard)
{
	struct os_child *child = notifier("quiet");
	const char *path = socket_of(child);
	struct eff_scope within;
	char buf[64];
	pid_t sender;

	ck_assert_int_eq(say_to(path, "READY=1", 7), 0);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(20));
	ck_assert_int_eq(os->ops->notified(child, buf, sizeof(buf), &sender), -ETIMEDOUT);
	(void)eff_scope_close(&within);
	/* It was taken all the same, so that it is in nobody's way. */
	ck_assert_int_eq(os->ops->signal(child, SIGUSR1, OS_MAIN), 0);
	assert_said(child, "HERE=1", 6);
	kill_all(child);
}

OS_TEST(odd_datagrams_are_ordinary)
{
	struct os_child *child = notifier("odd");
	char buf[16];
	pid_t sender;

	assert_said(child, "", 0);
	ck_assert_int_eq(os->ops->notified(child, buf, sizeof(buf), &sender), 16);
	assert_said(child, "\0\xff\n=", 4);
	kill_all(child);
}

OS_TEST(descriptors_that_come_along_are_closed)
{
	struct os_child *child = notifier("descriptors");
	char text[16];

	assert_said(child, "BARRIER=1", 9);
	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert_str_eq(text, "closed\n");
	kill_all(child);
}

OS_TEST(what_the_kernel_has_no_memory_to_hand_over_is_heard_later)
{
	struct os_child *child = notifier("main");

	n_refused = 3;
	assert_said(child, "READY=1\nSTATUS=well", 19);
	ck_assert_int_eq(n_refused, 0);
	kill_all(child);
}

OS_TEST(only_the_units_user_can_reach_its_socket)
{
	struct os_spawn spawn = shell("echo $NOTIFY_SOCKET; exec tail -f /dev/null");
	struct os_child *child;
	const char *path;
	struct stat st;

	if (geteuid() != 0)
		return;
	spawn.notify = true;
	spawn.user = "54321";
	child = started(spawn);
	path = socket_of(child);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 54321);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	for (uid_t uid = 54321; uid < 54323; uid++) {
		int r;

		ck_assert_int_eq(setresuid(uid, uid, 0), 0);
		r = say_to(path, "READY=1", 7);
		ck_assert_int_eq(setresuid(0, 0, 0), 0);
		ck_assert_int_eq(r, uid == 54321 ? 0 : -EACCES);
	}
	kill_all(child);
	ck_assert_int_eq(access(path, F_OK), -1);
}

OS_TEST(a_long_name_makes_no_long_path)
{
	static char name[4096];
	struct os_spawn spawn = role("main");
	struct os_child *child;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	spawn.unit = name;
	spawn.notify = true;
	child = started(spawn);
	assert_said(child, "READY=1\nSTATUS=well", 19);
	kill_all(child);
}

OS_TEST(without_a_socket_there_is_nothing_to_hear)
{
	struct os_child *child = started(shell("echo [$NOTIFY_SOCKET]"));
	char buf[16];
	pid_t sender;

	ck_assert_int_eq(os->ops->notified(child, buf, sizeof(buf), &sender), -EBADF);
	(void)read_lines(child, buf, sizeof(buf), 1);
	ck_assert_str_eq(buf, "[]\n");
	finish(child);
}

static void in_a_long_folder(void)
{
	struct os_spawn spawn = shell("true");
	struct os_fault fault;

	spawn.notify = true;
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, "socket");
	ck_assert_int_eq(fault.error, ENAMETOOLONG);
}

START_TEST(a_folder_with_too_long_a_name_fails_the_start)
{
	char own[32];
	char path[200];

	(void)test_folder(own, sizeof(own));
	(void)snprintf(path, sizeof(path),
		"%s/a-folder-with-a-name-that-is-longer-than-any-name-of-a-socket"
		"-may-be-whatever-comes-after-it",
		own);
	world_run(in_a_long_folder, (struct os_linux_opts){.runtime_dir = path, .nofile_soft = -1});
	ck_assert_int_eq(rmdir(own), 0);
}
END_TEST

static void in_a_folder_of_others(void)
{
	struct os_spawn spawn = shell("true");
	struct os_fault fault;

	spawn.notify = true;
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, "socket");
	ck_assert_int_eq(fault.error, EPERM);
}

START_TEST(a_folder_that_others_may_write_is_refused)
{
	char path[32];

	(void)test_folder(path, sizeof(path));
	ck_assert_int_eq(chmod(path, 0777), 0);
	world_run(in_a_folder_of_others,
		(struct os_linux_opts){.runtime_dir = path, .nofile_soft = -1});
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* A folder of root's, of the group 4321: who passes through it? */
static const struct {
	mode_t mode;
	const char *group, *further;
	int capability; /* ambient; -1: none */
	bool passes;
} ways[] = {
	{0710, "4321", NULL, -1, true},
	{0710, "54321", "4321", -1, true},
	{0710, "54321", NULL, -1, false},
	{0701, "54321", NULL, -1, true},
	{0701, "4321", NULL, -1, false},
	{0700, "54321", NULL, 1, true}, /* CAP_DAC_OVERRIDE */
	{0700, "54321", NULL, 2, true}, /* CAP_DAC_READ_SEARCH */
	{0700, "54321", NULL, 10, false},
};
static int way;

static void through_a_folder(void)
{
	const char *const further[] = {ways[way].further, NULL};
	struct terms terms = {.ambient = 0};
	struct os_spawn spawn = role("main");
	struct os_child *child;
	struct os_fault fault;

	if (ways[way].capability >= 0)
		terms.ambient = 1ULL << ways[way].capability;
	spawn.terms = &terms;
	spawn.notify = true;
	spawn.user = "54321";
	spawn.group = ways[way].group;
	spawn.groups = ways[way].further ? further : NULL;
	if (!ways[way].passes) {
		fault = fault_of(spawn);
		ck_assert_int_eq(fault.error, EACCES);
		ck_assert_ptr_nonnull(strstr(fault.what, "/closed (chmod go+x)"));
		return;
	}
	child = started(spawn);
	assert_said(child, "READY=1\nSTATUS=well", 19);
	kill_all(child);
}

static void in_a_closed_folder(void)
{
	struct os_spawn spawn = shell("true");
	struct os_fault fault;

	spawn.notify = true;
	spawn.user = "54321";
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, "socket");
	ck_assert_int_eq(fault.error, EACCES);
	ck_assert_ptr_nonnull(strstr(fault.what, "/closed (chmod go+x)"));
	spawn.user = NULL;
	finish(started(spawn));
}

/* /closed in a folder of its own, and in it effd's. */
static void with_a_folder(mode_t mode, void (*body)(void))
{
	char own[32], closed[48], path[64];

	(void)test_folder(own, sizeof(own));
	(void)snprintf(closed, sizeof(closed), "%s/closed", own);
	(void)snprintf(path, sizeof(path), "%s/run", closed);
	ck_assert_int_eq(chmod(own, 0755), 0);
	ck_assert_int_eq(mkdir(closed, 0700), 0);
	ck_assert_int_eq(chown(closed, 0, 4321), 0);
	ck_assert_int_eq(chmod(closed, mode), 0);
	world_run(body, (struct os_linux_opts){.runtime_dir = path, .nofile_soft = -1});
	ck_assert_int_eq(rmdir(closed), 0);
	ck_assert_int_eq(rmdir(own), 0);
}

START_TEST(a_folder_that_the_units_user_cannot_pass_through_fails_the_start)
{
	if (geteuid() == 0)
		with_a_folder(0700, in_a_closed_folder);
}
END_TEST

START_TEST(who_passes_through_a_folder_is_as_the_kernel_has_it)
{
	way = _i;
	if (geteuid() == 0)
		with_a_folder(ways[_i].mode, through_a_folder);
}
END_TEST

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_notify", &tcase);

	tcase_add_test(tcase, the_main_process_is_heard_and_named);
	tcase_add_test(tcase, a_descendant_is_heard_in_whatever_session);
	tcase_add_test(tcase, a_stranger_is_not_heard);
	tcase_add_test(tcase, odd_datagrams_are_ordinary);
	tcase_add_test(tcase, descriptors_that_come_along_are_closed);
	tcase_add_test(tcase, what_the_kernel_has_no_memory_to_hand_over_is_heard_later);
	tcase_add_test(tcase, only_the_units_user_can_reach_its_socket);
	tcase_add_test(tcase, a_long_name_makes_no_long_path);
	tcase_add_test(tcase, without_a_socket_there_is_nothing_to_hear);
	tcase_add_test(tcase, a_folder_with_too_long_a_name_fails_the_start);
	tcase_add_test(tcase, a_folder_that_the_units_user_cannot_pass_through_fails_the_start);
	tcase_add_loop_test(tcase, who_passes_through_a_folder_is_as_the_kernel_has_it, 0,
		(int)(sizeof(ways) / sizeof(ways[0])));
	tcase_add_test(tcase, a_folder_that_others_may_write_is_refused);
	return suite;
}
