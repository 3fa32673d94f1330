/* SPDX-License-Identifier: MIT */
/* Files that tell of a unit: is it there, and which pid is in it? */
#include <fcntl.h>

#include "daemon/no_loop.h"
#include "daemon/os_world.h"
#include "os/internal.h"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

OS_TEST(a_file_is_there_or_not)
{
	const char *path = world_path("up");

	ck_assert_int_eq(os->ops->file_there(os, path), -ENOENT);
	write_file(path, "");
	ck_assert_int_eq(os->ops->file_there(os, path), 0);
	ck_assert_int_eq(os->ops->file_there(os, world_dir), 0);
	ck_assert_int_eq(os->ops->file_there(os, world_path("up/on")), -ENOTDIR);
}

OS_TEST(the_first_line_of_a_pid_file_is_a_number_and_nothing_else)
{
	static const struct {
		const char *text;
		int result;
		pid_t pid;
	} files[] = {{"42", 0, 42}, {"42\n", 0, 42}, {" 42 \r\n", 0, 42},
		{"42\n/var/lib/postgresql/15/main\n1795789263\n5432\n", 0, 42},
		{"", -EINVAL, 0}, {"\n", -EINVAL, 0}, {"0", -EINVAL, 0}, {"-1", -EINVAL, 0},
		{"4x", -EINVAL, 0}, {"42 43", -EINVAL, 0}, {"42 43\n", -EINVAL, 0},
		{"x\n42\n", -EINVAL, 0}, {"99999999999999999999", -EINVAL, 0}};
	const char *path = world_path("pid");

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		pid_t pid = 0;

		write_file(path, files[i].text);
		ck_assert_int_eq(os->ops->pid_file(os, path, &pid), files[i].result);
		ck_assert_int_eq(pid, files[i].pid);
	}
}

OS_TEST(what_is_no_file_is_no_pid_file)
{
	const char *link = world_path("link"), *pipe = world_path("pipe");
	pid_t pid;

	ck_assert_int_eq(os->ops->pid_file(os, world_path("none"), &pid), -ENOENT);
	ck_assert_int_eq(os->ops->pid_file(os, world_dir, &pid), -EINVAL);
	ck_assert_int_eq(mkfifo(pipe, 0600), 0);
	ck_assert_int_eq(os->ops->pid_file(os, pipe, &pid), -EINVAL);
	ck_assert_int_eq(symlink("/proc/self/stat", link), 0);
	ck_assert_int_eq(os->ops->pid_file(os, link, &pid), -ELOOP);
}

OS_TEST(what_is_remembered_is_there_again_whole)
{
	const char *path = world_path("state/schedule/a:b");
	char text[64];

	ck_assert_int_eq(os->ops->read_state(os, path, text, sizeof(text)), -ENOENT);
	ck_assert_int_eq(os->ops->write_state(os, path, "12345\n"), 0);
	ck_assert_int_eq(os->ops->read_state(os, path, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "12345\n");
	ck_assert_int_eq(os->ops->write_state(os, path, "6"), 0);
	ck_assert_int_eq(os->ops->read_state(os, path, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "6");
	ck_assert_int_eq(access(world_path("state/schedule/a:b.new"), F_OK), -1);
	ck_assert_int_eq(os->ops->write_state(os, "/dev/null/x", "6"), -ENOTDIR);
}

OS_TEST(a_look_that_is_cut_short_leaves_nothing)
{
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now());
	ck_assert_int_eq(os->ops->file_there(os, world_dir), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
}

static eff_exit look_refused(void *arg)
{
	pid_t pid = 0;

	ck_assert_int_eq(linux_file_there(NULL, "/"), -EMFILE);
	ck_assert_int_eq(linux_pid_file(NULL, "/", &pid), -EMFILE);
	return eff_ok(arg);
}

START_TEST(a_look_that_is_refused_leaves_nothing)
{
	without_loop(look_refused, NULL);
}
END_TEST

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_files", &tcase);

	tcase_add_test(tcase, a_file_is_there_or_not);
	tcase_add_test(tcase, the_first_line_of_a_pid_file_is_a_number_and_nothing_else);
	tcase_add_test(tcase, what_is_no_file_is_no_pid_file);
	tcase_add_test(tcase, what_is_remembered_is_there_again_whole);
	tcase_add_test(tcase, a_look_that_is_cut_short_leaves_nothing);
	tcase_add_test(tcase, a_look_that_is_refused_leaves_nothing);
	return suite;
}
