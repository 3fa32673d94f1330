/* SPDX-License-Identifier: MIT */
/* The control socket's place: a lock decides whose it is, and nothing that somebody else put there is touched. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "base/text.h"
#include "control/listen.h"
#include "folder.h"
#include "leak.h"

static char dir[32], path[128], lock[160];
static int given; /* 0: none */

static void folder_make(void)
{
	(void)test_folder(dir, sizeof(dir));
	(void)snprintf(path, sizeof(path), "%s/control.sock", dir);
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
}

static void folder_remove(void)
{
	(void)unlink(path);
	(void)unlink(lock);
	ck_assert_int_eq(rmdir(dir), 0);
}

static int open_at(const char *where, mode_t mode, struct listener *ret)
{
	struct listen_opts opts = {
		.path = where, .mode = mode, .group = (gid_t)-1, .given_fd = given};
	struct text why = {0};
	int r = listen_open(&opts, ret, &why);

	/* Whoever fails says why. */
	ck_assert(r == 0 || why.len > 0);
	text_done(&why);
	return r;
}

static mode_t mode_of(const char *where)
{
	struct stat st;

	ck_assert_int_eq(lstat(where, &st), 0);
	return st.st_mode & 07777;
}

static int connect_to(const char *where)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	(void)strcpy(address.sun_path, where);
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

/* A socket that its owner left behind: bound, and nobody listens. */
static void stale_make(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
}

START_TEST(the_socket_has_its_mode_and_goes_with_its_lock_at_the_end)
{
	struct listener l;

	ck_assert_int_eq(open_at(path, 0660, &l), 0);
	ck_assert_uint_eq(mode_of(path), 0660);
	ck_assert_uint_eq(mode_of(lock), 0600);
	ck_assert_int_eq(connect_to(path), 0);

	listen_close(&l);

	ck_assert_int_lt(access(path, F_OK), 0);
	ck_assert_int_lt(access(lock, F_OK), 0);
}
END_TEST

START_TEST(one_that_was_given_is_left_to_who_made_it)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct listener l, second;

	(void)strcpy(address.sun_path, path);
	given = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(given, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(chmod(path, 0604), 0);
	ck_assert_int_eq(listen(given, 1), 0);
	ck_assert_int_eq(open_at(path, 0660, &l), 0);
	ck_assert_int_eq(l.fd, given);
	ck_assert_int_ne(fcntl(given, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_uint_eq(mode_of(path), 0604);

	/* Whose it is a lock says here too. */
	given = 0;
	ck_assert_int_eq(open_at(path, 0600, &second), -EADDRINUSE);
	listen_close(&l);

	ck_assert_uint_eq(mode_of(path), 0604);
	ck_assert_int_lt(access(lock, F_OK), 0);
}
END_TEST

START_TEST(the_mode_is_not_what_the_umask_makes_of_it)
{
	mode_t before = umask(0);
	struct listener l;

	ck_assert_int_eq(open_at(path, 0600, &l), 0);
	ck_assert_uint_eq(mode_of(path), 0600);
	ck_assert_uint_eq(umask(before), 0);
	listen_close(&l);
}
END_TEST

/* A link in its place would have the mode of whatever it leads to changed. */
START_TEST(another_mode_is_the_sockets_alone)
{
	char file[sizeof(path) + 8];
	struct listener l;

	ck_assert_int_eq(open_at(path, 0600, &l), 0);
	ck_assert_int_eq(listen_change(&l, 0666), 0);
	ck_assert_uint_eq(mode_of(path), 0666);

	(void)snprintf(file, sizeof(file), "%s.file", path);
	ck_assert_int_eq(close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(file, path), 0);
	ck_assert_int_eq(listen_change(&l, 0666), -ENOTSOCK);
	ck_assert_uint_eq(mode_of(file), 0600);
	ck_assert_int_eq(unlink(file), 0);
	listen_close(&l);
}
END_TEST

START_TEST(a_second_one_is_told_that_the_socket_is_taken)
{
	struct listener l, second;

	ck_assert_int_eq(open_at(path, 0600, &l), 0);

	ck_assert_int_eq(open_at(path, 0600, &second), -EADDRINUSE);

	ck_assert_int_eq(connect_to(path), 0);
	listen_close(&l);
}
END_TEST

START_TEST(the_lock_decides_even_where_the_socket_is_gone)
{
	struct listener l, second;

	ck_assert_int_eq(open_at(path, 0600, &l), 0);
	(void)unlink(path);

	ck_assert_int_eq(open_at(path, 0600, &second), -EADDRINUSE);

	listen_close(&l);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	struct listener l;

	stale_make();
	ck_assert_int_eq(open_at(path, 0600, &l), 0);
	ck_assert_int_eq(connect_to(path), 0);
	listen_close(&l);
}
END_TEST

START_TEST(a_stale_lock_file_is_no_lock)
{
	struct listener l;
	int fd = open(lock, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)close(fd);
	stale_make();
	ck_assert_int_eq(open_at(path, 0600, &l), 0);
	listen_close(&l);
}
END_TEST

START_TEST(a_socket_that_another_program_listens_on_is_left_alone)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct listener l;

	(void)strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);

	ck_assert_int_eq(open_at(path, 0600, &l), -EEXIST);

	ck_assert_int_eq(connect_to(path), 0);
	(void)close(fd);
}
END_TEST

START_TEST(another_file_in_its_place_is_left_as_it_is)
{
	struct listener l;
	struct stat st;
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	ck_assert_int_eq(write(fd, "mine", 4), 4);
	(void)close(fd);

	ck_assert_int_eq(open_at(path, 0600, &l), -EEXIST);

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(st.st_size, 4);
}
END_TEST

START_TEST(a_link_is_left_as_it_is_wherever_it_leads)
{
	char target[160];
	struct listener l;
	struct stat st;

	(void)snprintf(target, sizeof(target), "%s/elsewhere", dir);
	ck_assert_int_eq(symlink(target, path), 0);

	ck_assert_int_eq(open_at(path, 0600, &l), -EEXIST);

	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_lt(access(target, F_OK), 0);
}
END_TEST

START_TEST(a_lock_that_is_a_link_is_not_followed)
{
	char target[160];
	struct listener l;

	(void)snprintf(target, sizeof(target), "%s/elsewhere", dir);
	ck_assert_int_eq(symlink(target, lock), 0);

	ck_assert_int_eq(open_at(path, 0600, &l), -ELOOP);

	ck_assert_int_lt(access(target, F_OK), 0);
}
END_TEST

START_TEST(a_missing_folder_is_made_and_is_private)
{
	char folder[64], below[128];
	struct listener l;

	(void)snprintf(folder, sizeof(folder), "%s/run", dir);
	(void)snprintf(below, sizeof(below), "%s/control.sock", folder);

	ck_assert_int_eq(open_at(below, 0600, &l), 0);

	/* Of root's, other users' units pass through it to where they say that they are ready. */
	ck_assert_uint_eq(mode_of(folder), geteuid() == 0 ? 0711 : 0700);
	listen_close(&l);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(a_made_folder_lets_through_whom_the_socket_is_for)
{
	char folder[64], below[128];
	struct listener l;

	(void)snprintf(folder, sizeof(folder), "%s/run", dir);
	(void)snprintf(below, sizeof(below), "%s/control.sock", folder);

	ck_assert_int_eq(open_at(below, 0666, &l), 0);

	ck_assert_uint_eq(mode_of(folder), 0755);
	listen_close(&l);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(as_root_a_folder_that_others_may_write_in_is_refused)
{
	struct listener l;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert_int_eq(open_at(path, 0600, &l), -EPERM);
	ck_assert_int_lt(access(lock, F_OK), 0);

	/* Where nobody can replace what is another's, it is well. */
	ck_assert_int_eq(chmod(dir, 01777), 0);
	ck_assert_int_eq(open_at(path, 0600, &l), 0);
	listen_close(&l);
}
END_TEST

START_TEST(as_root_a_folder_that_somebody_else_may_replace_is_refused)
{
	char above[64], folder[80], below[128];
	struct listener l;

	if (geteuid() != 0)
		return;
	(void)snprintf(above, sizeof(above), "%s/above", dir);
	(void)snprintf(folder, sizeof(folder), "%s/folder", above);
	(void)snprintf(below, sizeof(below), "%s/control.sock", folder);
	ck_assert_int_eq(mkdir(above, 0755), 0);
	ck_assert_int_eq(chown(above, 54321, 54321), 0);
	/* Nothing is made there, either. */
	ck_assert_int_eq(open_at(below, 0600, &l), -EPERM);
	ck_assert_int_eq(access(folder, F_OK), -1);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	ck_assert_int_eq(open_at(below, 0600, &l), -EPERM);

	ck_assert_int_eq(chown(above, 0, 0), 0);
	ck_assert_int_eq(chown(folder, 54321, 54321), 0);
	ck_assert_int_eq(open_at(below, 0600, &l), -EPERM);
	ck_assert_int_eq(chown(folder, 0, 0), 0);
	ck_assert_int_eq(open_at(below, 0600, &l), 0);
	listen_close(&l);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(rmdir(above), 0);
}
END_TEST

START_TEST(a_path_that_does_not_fit_an_address_is_an_error_with_words)
{
	char longer[256];
	struct listener l;

	(void)snprintf(longer, sizeof(longer), "%s/%0120d.sock", dir, 1);
	ck_assert_int_eq(open_at(longer, 0600, &l), -ENAMETOOLONG);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("listen");
	TCase *tcase = tcase_create("place");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, folder_make, folder_remove);
	tcase_add_test(tcase, the_socket_has_its_mode_and_goes_with_its_lock_at_the_end);
	tcase_add_test(tcase, one_that_was_given_is_left_to_who_made_it);
	tcase_add_test(tcase, the_mode_is_not_what_the_umask_makes_of_it);
	tcase_add_test(tcase, another_mode_is_the_sockets_alone);
	tcase_add_test(tcase, a_second_one_is_told_that_the_socket_is_taken);
	tcase_add_test(tcase, the_lock_decides_even_where_the_socket_is_gone);
	tcase_add_test(tcase, a_stale_socket_is_replaced);
	tcase_add_test(tcase, a_stale_lock_file_is_no_lock);
	tcase_add_test(tcase, a_socket_that_another_program_listens_on_is_left_alone);
	tcase_add_test(tcase, another_file_in_its_place_is_left_as_it_is);
	tcase_add_test(tcase, a_link_is_left_as_it_is_wherever_it_leads);
	tcase_add_test(tcase, a_lock_that_is_a_link_is_not_followed);
	tcase_add_test(tcase, a_missing_folder_is_made_and_is_private);
	tcase_add_test(tcase, a_made_folder_lets_through_whom_the_socket_is_for);
	tcase_add_test(tcase, as_root_a_folder_that_others_may_write_in_is_refused);
	tcase_add_test(tcase, as_root_a_folder_that_somebody_else_may_replace_is_refused);
	tcase_add_test(tcase, a_path_that_does_not_fit_an_address_is_an_error_with_words);
	suite_add_tcase(suite, tcase);
	return suite;
}
