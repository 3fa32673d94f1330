/* SPDX-License-Identifier: MIT */
/* Files put aside on a real disk: names, what is left of what was there, and folders that are somebody else's. */
#include <dirent.h>
#include <fcntl.h>

#include "daemon/os_world.h"

static struct os_file *opened(const char *path)
{
	struct os_file *file = NULL;

	ck_assert_int_eq(os->ops->open_log(os, path, &file), 0);
	return file;
}

static void append(struct os_file *file, const char *text)
{
	ck_assert_int_eq(os->ops->append(file, text, strlen(text)), 0);
}

static void make(const char *name, const char *text)
{
	FILE *file = fopen(world_path(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* "x.log=three x.log.1=two": all that is in a folder, a line end being nothing. */
static const char *folder(const char *name)
{
	static char text[2048];
	struct dirent **list = NULL;
	char content[64];
	int n = scandir(world_path(name), &list, NULL, by_name), len = 0;

	text[0] = '\0';
	for (int i = 0; i < n; i++) {
		char path[600];
		FILE *file;

		(void)snprintf(path, sizeof(path), "%s/%s", world_path(name), list[i]->d_name);
		file = list[i]->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (file) {
			size_t size = fread(content, 1, sizeof(content) - 1, file);

			content[size] = '\0';
			content[strcspn(content, "\n")] = '\0';
			len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s=%s",
				len ? " " : "", list[i]->d_name, content);
			fclose(file);
		}
		free(list[i]);
	}
	free(list);
	return text;
}

OS_TEST(the_newest_is_1_and_the_oldest_goes)
{
	static const char *const words[] = {"one\n", "two\n", "three\n", "four\n", "five\n"};
	struct os_file *file = opened(world_path("l/x.log"));

	for (int i = 0; i < 5; i++) {
		append(file, words[i]);
		if (i < 4)
			ck_assert_int_eq(os->ops->rotate_log(file, 3), 0);
	}
	ck_assert_str_eq(folder("l"), "x.log=five x.log.1=four x.log.2=three x.log.3=two");
	os->ops->close_log(file);
}

OS_TEST(fewer_to_be_kept_means_that_the_surplus_goes)
{
	struct os_file *file = opened(world_path("l/x.log"));

	append(file, "0\n");
	make("l/x.log.1", "1");
	make("l/x.log.2.gz", "2");
	make("l/x.log.3", "3");
	make("l/x.log.4.gz", "4");
	make("l/x.log.old", "o");
	make("l/y.log.1", "y");
	ck_assert_int_eq(os->ops->rotate_log(file, 2), 0);
	ck_assert_str_eq(folder("l"), "x.log= x.log.1=0 x.log.2=1 x.log.old=o y.log.1=y");
	append(file, "new\n");
	ck_assert_int_eq(os->ops->rotate_log(file, 0), 0);
	ck_assert_str_eq(folder("l"), "x.log= x.log.old=o y.log.1=y");
	os->ops->close_log(file);
}

OS_TEST(an_archive_moves_on_with_its_number)
{
	struct os_file *file = opened(world_path("l/x.log"));

	append(file, "0\n");
	make("l/x.log.1", "1");
	make("l/x.log.2.gz", "2");
	ck_assert_int_eq(os->ops->rotate_log(file, 9), 0);
	ck_assert_str_eq(folder("l"), "x.log= x.log.1=0 x.log.2=1 x.log.3.gz=2");
	os->ops->close_log(file);
}

/* Who was killed amid has left one. */
OS_TEST(a_gap_is_filled)
{
	struct os_file *file = opened(world_path("l/x.log"));

	append(file, "0\n");
	make("l/x.log.1", "1");
	make("l/x.log.3", "3");
	ck_assert_int_eq(os->ops->rotate_log(file, 9), 0);
	ck_assert_str_eq(folder("l"), "x.log= x.log.1=0 x.log.2=1 x.log.3=3");
	os->ops->close_log(file);
}

OS_TEST(the_new_file_is_as_open_as_the_old_one)
{
	struct os_file *file = opened(world_path("l/x.log"));
	struct stat st;

	ck_assert_int_eq(chmod(world_path("l/x.log"), 0664), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(world_path("l/x.log"), 4321, 1234), 0);
	append(file, "0\n");
	ck_assert_int_eq(os->ops->rotate_log(file, 9), 0);
	ck_assert_int_eq(stat(world_path("l/x.log"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0664);
	if (geteuid() == 0) {
		ck_assert_uint_eq(st.st_uid, 4321);
		ck_assert_uint_eq(st.st_gid, 1234);
	}
	os->ops->close_log(file);
}

OS_TEST(what_cannot_be_moved_stops_it_and_the_file_is_written_on)
{
	struct os_file *file = opened(world_path("l/x.log"));

	append(file, "0\n");
	make("l/x.log.1", "1");
	ck_assert_int_eq(mkdir(world_path("l/x.log.2"), 0755), 0);
	ck_assert_int_eq(os->ops->rotate_log(file, 2), -EISDIR);
	append(file, "more\n");
	ck_assert_str_eq(folder("l"), "x.log=0 x.log.1=1 x.log.2=");
	os->ops->close_log(file);
}

OS_TEST(a_name_that_has_no_room_for_a_number_is_an_error)
{
	char name[300] = "l/";
	struct os_file *file;

	memset(name + 2, 'x', 254);
	name[256] = '\0';
	file = opened(world_path(name));
	append(file, "0\n");
	ck_assert_int_eq(os->ops->rotate_log(file, 2), -ENAMETOOLONG);
	append(file, "1\n");
	os->ops->close_log(file);
}

OS_TEST(one_that_somebody_else_moved_is_opened_anew_and_nothing_is_renamed)
{
	struct os_file *file = opened(world_path("l/x.log"));

	append(file, "0\n");
	ck_assert_int_eq(rename(world_path("l/x.log"), world_path("l/kept")), 0);
	make("l/x.log.1", "1");
	ck_assert_int_eq(os->ops->rotate_log(file, 9), 0);
	append(file, "new\n");
	ck_assert_str_eq(folder("l"), "kept=0 x.log=new x.log.1=1");
	os->ops->close_log(file);
}

OS_TEST(a_look_tells_how_large_it_is_and_when_it_was_written)
{
	struct os_file *file = opened(world_path("l/x.log"));
	const struct timespec times[2] = {{0, UTIME_OMIT}, {1000000000, 5}};
	struct os_log_look look;

	append(file, "four");
	ck_assert_int_eq(utimensat(AT_FDCWD, world_path("l/x.log"), times, 0), 0);
	ck_assert_int_eq(os->ops->look_at_log(file, &look), 0);
	ck_assert_uint_eq(look.size, 4);
	ck_assert_int_eq(look.written_at, EFF_S(1000000000) + 5);
	ck_assert(look.regular);
	os->ops->close_log(file);
	file = opened("/dev/null");
	ck_assert_int_eq(os->ops->look_at_log(file, &look), 0);
	ck_assert(!look.regular);
	os->ops->close_log(file);
}

/* A service's own folder: whoever owns it must not be able to have root rename or write elsewhere. */
OS_TEST(root_puts_nothing_aside_through_somebody_elses_link)
{
	struct os_file *file;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(world_path("root"), 0755), 0);
	make("root/x.log", "precious");
	make("root/x.log.1", "precious");
	ck_assert_int_eq(mkdir(world_path("theirs"), 0755), 0);
	ck_assert_int_eq(chown(world_path("theirs"), 54321, 54321), 0);
	file = opened(world_path("theirs/l/x.log"));
	append(file, "0\n");
	/* A link in place of a number is moved, and not followed. */
	ck_assert_int_eq(symlink(world_path("root/x.log"), world_path("theirs/l/x.log.1")), 0);
	ck_assert_int_eq(os->ops->rotate_log(file, 1), 0);
	ck_assert_str_eq(folder("theirs/l"), "x.log= x.log.1=0");
	/* A link in place of the folder. */
	ck_assert_int_eq(rename(world_path("theirs/l"), world_path("theirs/m")), 0);
	ck_assert_int_eq(symlink(world_path("root"), world_path("theirs/l")), 0);
	ck_assert_int_eq(os->ops->rotate_log(file, 1), -ELOOP);
	append(file, "1\n");
	ck_assert_str_eq(folder("root"), "x.log=precious x.log.1=precious");
	os->ops->close_log(file);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_rotate", &tcase);

	tcase_add_test(tcase, the_newest_is_1_and_the_oldest_goes);
	tcase_add_test(tcase, fewer_to_be_kept_means_that_the_surplus_goes);
	tcase_add_test(tcase, an_archive_moves_on_with_its_number);
	tcase_add_test(tcase, a_gap_is_filled);
	tcase_add_test(tcase, the_new_file_is_as_open_as_the_old_one);
	tcase_add_test(tcase, what_cannot_be_moved_stops_it_and_the_file_is_written_on);
	tcase_add_test(tcase, a_name_that_has_no_room_for_a_number_is_an_error);
	tcase_add_test(tcase, one_that_somebody_else_moved_is_opened_anew_and_nothing_is_renamed);
	tcase_add_test(tcase, a_look_tells_how_large_it_is_and_when_it_was_written);
	tcase_add_test(tcase, root_puts_nothing_aside_through_somebody_elses_link);
	return suite;
}
