/* SPDX-License-Identifier: MIT */
/* Which files a tree may be made of, on the real file system. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "folder.h"
#include "leak.h"
#include "plan/source_files.h"

Suite *test_suite(void);

static char folder[64];
static struct plan_source source;

static void setup(void)
{
	(void)test_folder(folder, sizeof(folder));
	source_files((plan_strv)environ, &source);
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static const char *in_folder(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *file(const char *name, const char *text, mode_t mode)
{
	const char *path = in_folder(name);
	FILE *to = fopen(path, "w");

	ck_assert_ptr_nonnull(to);
	(void)fputs(text, to);
	(void)fclose(to);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

static int read_file(const char *path, size_t limit)
{
	char *bytes = NULL;
	size_t size;
	int r = source.read(source.context, path, limit, &bytes, &size);

	free(bytes);
	return r;
}

START_TEST(a_regular_file_is_read_whole)
{
	char *bytes;
	size_t size;

	ck_assert_int_eq(
		source.read(NULL, file("a.yaml", "units: {}\n", 0644), 100, &bytes, &size), 0);

	ck_assert_uint_eq(size, 10);
	ck_assert_str_eq(bytes, "units: {}\n");
	free(bytes);
}
END_TEST

START_TEST(a_file_over_the_limit_is_refused)
{
	const char *path = file("a.yaml", "12345", 0644);

	ck_assert_int_eq(read_file(path, 5), 0);
	ck_assert_int_eq(read_file(path, 4), -EFBIG);
	/* One without an end that anyone knows. */
	ck_assert_int_eq(read_file("/dev/zero", 100), -ENOTSUP);
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused_without_waiting)
{
	ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);

	ck_assert_int_eq(read_file(in_folder("fifo"), 100), -ENOTSUP);
	ck_assert_int_eq(read_file(folder, 100), -EISDIR);
	ck_assert_int_eq(read_file(in_folder("none"), 100), -ENOENT);
}
END_TEST

START_TEST(root_reads_no_file_that_others_may_write)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(read_file(file("a", "", 0644), 100), 0);
	ck_assert_int_eq(read_file(file("a", "", 0664), 100), -EPERM);
	ck_assert_int_eq(read_file(file("a", "", 0646), 100), -EPERM);
	ck_assert_int_eq(chown(file("a", "", 0600), 65534, 0), 0);
	ck_assert_int_eq(read_file(in_folder("a"), 100), -EPERM);
}
END_TEST

START_TEST(root_reads_nothing_below_a_folder_that_others_may_write)
{
	char path[160];

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(in_folder("d"), 0755), 0);
	(void)snprintf(path, sizeof(path), "%s", file("d/a.yaml", "", 0644));
	ck_assert_int_eq(read_file(path, 100), 0);

	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_eq(read_file(path, 100), -EPERM);
	/* Sticky: what root has in it stays as it is. */
	ck_assert_int_eq(chmod(folder, 01777), 0);
	ck_assert_int_eq(read_file(path, 100), 0);
	ck_assert_int_eq(chown(folder, 65534, 65534), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_int_eq(read_file(path, 100), -EPERM);
}
END_TEST

START_TEST(root_follows_a_link_as_far_as_nobody_else_can_lead_it)
{
	char target[160];

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(in_folder("d"), 0755), 0);
	(void)snprintf(target, sizeof(target), "%s", file("d/a.yaml", "", 0644));
	ck_assert_int_eq(symlink(target, in_folder("link.yaml")), 0);
	ck_assert_int_eq(symlink("./d/..//d/a.yaml", in_folder("other.yaml")), 0);
	ck_assert_int_eq(symlink("d", in_folder("e")), 0);
	ck_assert_int_eq(symlink("loop", in_folder("loop")), 0);

	ck_assert_int_eq(read_file(in_folder("link.yaml"), 100), 0);
	ck_assert_int_eq(read_file(in_folder("other.yaml"), 100), 0);
	ck_assert_int_eq(read_file(in_folder("e/a.yaml"), 100), 0);
	ck_assert_int_eq(read_file(in_folder("e"), 100), -EISDIR);
	ck_assert_int_eq(read_file(in_folder("link.yaml/"), 100), -ENOTDIR);
	ck_assert_int_eq(read_file(in_folder("loop"), 100), -ELOOP);
	/* Where the link really leads is looked at. */
	ck_assert_int_eq(chmod(in_folder("d"), 0777), 0);
	ck_assert_int_eq(read_file(in_folder("e/a.yaml"), 100), -EPERM);
	ck_assert_int_eq(read_file(in_folder("link.yaml"), 100), -EPERM);
	ck_assert_int_eq(chmod(in_folder("d"), 0755), 0);
	ck_assert_int_eq(chmod(target, 0666), 0);
	ck_assert_int_eq(read_file(in_folder("link.yaml"), 100), -EPERM);
}
END_TEST

static void blame_is(const char *path, const char *expected, bool expected_link)
{
	bool is_link;
	char *at = source.blame(source.context, path, &is_link);

	ck_assert_str_eq(at, expected);
	ck_assert(is_link == expected_link);
	free(at);
}

START_TEST(root_follows_no_link_of_somebody_elses_and_says_which)
{
	char link[160], path[160];

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(in_folder("d"), 0755), 0);
	(void)file("d/a.yaml", "", 0644);
	(void)snprintf(link, sizeof(link), "%s", in_folder("e"));
	ck_assert_int_eq(symlink("d", link), 0);
	ck_assert_int_eq(lchown(link, 65534, 65534), 0);
	(void)snprintf(path, sizeof(path), "%s", in_folder("e/a.yaml"));

	ck_assert_int_eq(read_file(path, 100), -EPERM);
	blame_is(path, link, true);
	/* Nor one in a folder in which others may put another one in its place. */
	ck_assert_int_eq(lchown(link, 0, 0), 0);
	ck_assert_int_eq(read_file(path, 100), 0);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_eq(read_file(path, 100), -EPERM);
	blame_is(path, folder, false);
}
END_TEST

START_TEST(a_folder_lists_its_yaml_files_by_name)
{
	static const char *const expected[] = {
		"10.yaml", "9.yaml", "B.yaml", "a.yaml", "b.yaml", "c.yaml"};
	char **names;
	size_t n = 0;

	(void)file("a.yaml", "", 0644);
	(void)file("c.yaml", "", 0644);
	(void)file("b.yaml", "", 0644);
	(void)file("B.yaml", "", 0644);
	(void)file("10.yaml", "", 0644);
	(void)file("9.yaml", "", 0644);
	(void)file("a.yml", "", 0644);
	(void)file(".a.yaml", "", 0644);
	(void)file(".yaml", "", 0644);

	ck_assert_int_eq(source.list(NULL, folder, &names), 0);

	for (; names[n]; n++) {
		ck_assert_uint_lt(n, 6);
		ck_assert_str_eq(names[n], expected[n]);
		free(names[n]);
	}
	ck_assert_uint_eq(n, 6);
	free(names);
}
END_TEST

START_TEST(an_empty_folder_has_no_names_and_a_file_is_no_folder)
{
	char **names;

	ck_assert_int_eq(source.list(NULL, folder, &names), 0);
	ck_assert_ptr_null(names[0]);
	free(names);
	ck_assert_int_eq(source.list(NULL, file("a", "", 0644), &names), -ENOTDIR);
	ck_assert_int_eq(source.list(NULL, in_folder("none"), &names), -ENOENT);
}
END_TEST

START_TEST(a_program_is_searched_for_where_it_would_be)
{
	(void)file("run", "", 0755);
	(void)file("text", "", 0644);

	ck_assert(source.executable(NULL, "run", folder));
	ck_assert(source.executable(NULL, "sh", "/nonexistent:/bin"));
	ck_assert(source.executable(NULL, in_folder("run"), "/nonexistent"));
	ck_assert(!source.executable(NULL, "text", folder));
	ck_assert(!source.executable(NULL, "run", "/nonexistent"));
	ck_assert(!source.executable(NULL, folder, ""));
	ck_assert(source.folder(NULL, folder));
	ck_assert(!source.folder(NULL, in_folder("run")));
	ck_assert(!source.folder(NULL, in_folder("none")));
}
END_TEST

START_TEST(users_and_groups_are_names_or_numbers)
{
	ck_assert(source.user(NULL, "root"));
	ck_assert(source.user(NULL, "12345"));
	ck_assert(!source.user(NULL, "4294967295"));
	ck_assert(!source.user(NULL, "no such user"));
	ck_assert(!source.user(NULL, ""));
	ck_assert(source.group(NULL, "root"));
	ck_assert(!source.group(NULL, "no such group"));
}
END_TEST

/* Who is not root may say who it is, in each way. */
START_TEST(a_process_may_run_as_effd_itself_by_whatever_name)
{
	const struct passwd *nobody = getpwnam("nobody");
	char uid[16], gid[16];

	ck_assert_ptr_nonnull(nobody);
	if (geteuid() == 0) {
		ck_assert_int_eq(setegid(nobody->pw_gid), 0);
		ck_assert_int_eq(seteuid(nobody->pw_uid), 0);
	}
	nobody = getpwuid(geteuid());
	ck_assert_ptr_nonnull(nobody);
	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	(void)snprintf(gid, sizeof(gid), "%u", (unsigned)getegid());
	ck_assert(source.may_run_as(NULL, nobody->pw_name, NULL));
	ck_assert(source.may_run_as(NULL, uid, gid));
	ck_assert(source.may_run_as(NULL, NULL, getgrgid(getegid())->gr_name));
	ck_assert(!source.may_run_as(NULL, "root", NULL));
	ck_assert(!source.may_run_as(NULL, "0", NULL));
	ck_assert(!source.may_run_as(NULL, uid, "root"));
	ck_assert(!source.may_run_as(NULL, "no such user", NULL));
	if (getuid() == 0) {
		ck_assert_int_eq(seteuid(0), 0);
		ck_assert_int_eq(setegid(getgid()), 0);
	}
}
END_TEST

START_TEST(what_effd_may_grant_is_what_it_has)
{
	struct rlimit files;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	ck_assert_uint_eq(source.rights.hard[RLIMIT_NOFILE], files.rlim_max);
	ck_assert_int_eq(source.rights.nice, getpriority(PRIO_PROCESS, 0));
	ck_assert_int_eq(setpriority(PRIO_PROCESS, 0, 15), 0);
	source_files((plan_strv)environ, &source);
	ck_assert_int_eq(source.rights.nice, 15);
	ck_assert(source.privileged == (geteuid() == 0));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("source_files");
	TCase *tcase = tcase_create("source_files");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_regular_file_is_read_whole);
	tcase_add_test(tcase, a_file_over_the_limit_is_refused);
	tcase_add_test(tcase, what_is_no_regular_file_is_refused_without_waiting);
	tcase_add_test(tcase, root_reads_no_file_that_others_may_write);
	tcase_add_test(tcase, root_reads_nothing_below_a_folder_that_others_may_write);
	tcase_add_test(tcase, root_follows_a_link_as_far_as_nobody_else_can_lead_it);
	tcase_add_test(tcase, root_follows_no_link_of_somebody_elses_and_says_which);
	tcase_add_test(tcase, a_folder_lists_its_yaml_files_by_name);
	tcase_add_test(tcase, an_empty_folder_has_no_names_and_a_file_is_no_folder);
	tcase_add_test(tcase, a_program_is_searched_for_where_it_would_be);
	tcase_add_test(tcase, users_and_groups_are_names_or_numbers);
	tcase_add_test(tcase, a_process_may_run_as_effd_itself_by_whatever_name);
	tcase_add_test(tcase, what_effd_may_grant_is_what_it_has);
	suite_add_tcase(suite, tcase);
	return suite;
}
