/* SPDX-License-Identifier: MIT */
/* Log files on a real disk, a full one, one that was moved away, and things that are no files. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

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

static const char *content_of(const char *path)
{
	static char text[4096];
	FILE *file = fopen(path, "r");
	size_t n;

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

OS_TEST(a_file_is_made_with_its_folders_and_appended_to)
{
	const char *path = world_path("a/b/c.log");
	struct os_file *file = opened(path);
	struct stat st;

	append(file, "one\n");
	os->ops->close_log(file);
	file = opened(path);
	append(file, "two\n");
	os->ops->close_log(file);
	ck_assert_str_eq(content_of(path), "one\ntwo\n");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0137, 0);
	ck_assert_int_eq(stat(world_path("a"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0750);
	os->ops->close_log(NULL);
}

OS_TEST(a_removed_file_is_opened_anew_at_once)
{
	const char *path = world_path("x.log");
	struct os_file *file = opened(path);

	append(file, "one\n");
	ck_assert_int_eq(unlink(path), 0);
	append(file, "two\n");
	ck_assert_str_eq(content_of(path), "two\n");
	os->ops->close_log(file);
}

OS_TEST(a_moved_file_loses_no_line_and_is_opened_anew)
{
	const char *path = world_path("x.log"), *moved = world_path("x.log.1");
	struct os_file *file = opened(path);
	char text[64];

	append(file, "one\n");
	ck_assert_int_eq(rename(path, moved), 0);
	/* It is looked at four times a second, so this goes to the old file, but on a machine that took its time. */
	append(file, "two\n");
	ck_assert_int_eq(eff_sleep_until(eff_now() + EFF_MS(251)), 0);
	append(file, "three\n");
	(void)snprintf(text, sizeof(text), "%s|", content_of(moved));
	(void)strncat(text, content_of(path), sizeof(text) - strlen(text) - 1);
	ck_assert_msg(!strcmp(text, "one\ntwo\n|three\n") || !strcmp(text, "one\n|two\nthree\n"),
		"%s", text);
	os->ops->close_log(file);
}

OS_TEST(a_removed_folder_is_made_again)
{
	struct os_file *file = opened(world_path("logs/x.log"));

	append(file, "one\n");
	ck_assert_int_eq(unlink(world_path("logs/x.log")), 0);
	ck_assert_int_eq(rmdir(world_path("logs")), 0);
	append(file, "two\n");
	ck_assert_str_eq(content_of(world_path("logs/x.log")), "two\n");
	os->ops->close_log(file);
}

OS_TEST(a_removed_file_that_cannot_be_made_again_is_an_error)
{
	struct os_file *file = opened(world_path("logs/x.log"));

	ck_assert_int_eq(unlink(world_path("logs/x.log")), 0);
	ck_assert_int_eq(rmdir(world_path("logs")), 0);
	ck_assert_int_eq(symlink("/no/such", world_path("logs")), 0);
	ck_assert_int_lt(os->ops->append(file, "one\n", 4), 0);
	ck_assert_int_eq(unlink(world_path("logs")), 0);
	append(file, "two\n");
	ck_assert_str_eq(content_of(world_path("logs/x.log")), "two\n");
	os->ops->close_log(file);
}

static void write_file(const char *path, const char *text)
{
	struct os_file *file = opened(path);

	append(file, text);
	os->ops->close_log(file);
}

/* What opening it returns; it is closed again. */
static int opening(const char *path)
{
	struct os_file *file = NULL;
	int r = os->ops->open_log(os, path, &file);

	os->ops->close_log(file);
	return r;
}

OS_TEST(root_follows_nobody_elses_link)
{
	struct stat st;

	if (geteuid() != 0)
		return;
	write_file(world_path("root/precious"), "precious\n");
	ck_assert_int_eq(mkdir(world_path("theirs"), 0755), 0);
	ck_assert_int_eq(symlink(world_path("root"), world_path("theirs/logs")), 0);
	ck_assert_int_eq(link(world_path("root/precious"), world_path("theirs/name")), 0);
	ck_assert_int_eq(chown(world_path("theirs"), 54321, 54321), 0);

	ck_assert_int_eq(opening(world_path("theirs/logs/x")), -ELOOP);
	ck_assert_int_eq(opening(world_path("theirs/logs/new/x")), -ELOOP);
	ck_assert_int_eq(opening(world_path("theirs/name")), -EMLINK);
	ck_assert_int_eq(opening(world_path("theirs/a/file/of/its/own")), 0);

	ck_assert_int_eq(stat(world_path("root/x"), &st), -1);
	ck_assert_int_eq(stat(world_path("root/new"), &st), -1);
	ck_assert_int_eq(stat(world_path("theirs/a/file/of/its/own"), &st), 0);
	ck_assert_str_eq(content_of(world_path("root/precious")), "precious\n");
}

OS_TEST(root_follows_its_own_links)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(world_path("real"), 0755), 0);
	ck_assert_int_eq(symlink(world_path("real"), world_path("logs")), 0);
	write_file(world_path("logs/x"), "one\n");
	ck_assert_str_eq(content_of(world_path("real/x")), "one\n");
}

OS_TEST(a_folder_that_changes_hands_takes_its_file_no_further)
{
	const char *path = world_path("logs/x");
	struct os_file *file;

	if (geteuid() != 0)
		return;
	file = opened(path);
	append(file, "one\n");
	ck_assert_int_eq(mkdir(world_path("root"), 0755), 0);
	ck_assert_int_eq(rename(path, world_path("kept")), 0);
	ck_assert_int_eq(rmdir(world_path("logs")), 0);
	ck_assert_int_eq(chown(world_path(""), 54321, 54321), 0);
	ck_assert_int_eq(symlink(world_path("root"), world_path("logs")), 0);
	ck_assert_int_eq(eff_sleep_until(eff_now() + EFF_MS(251)), 0);
	/* It is written on, wherever it is now. */
	append(file, "two\n");
	ck_assert_str_eq(content_of(world_path("kept")), "one\ntwo\n");
	ck_assert_int_eq(access(world_path("root/x"), F_OK), -1);
	os->ops->close_log(file);
	ck_assert_int_eq(chown(world_path(""), 0, 0), 0);
}

OS_TEST(an_end_is_taken_away_where_nobody_has_written_since)
{
	const char *path = world_path("x.log");
	struct os_file *file = opened(path);

	append(file, "one\nhalf");
	ck_assert_int_eq(os->ops->cut_log(file, 7, 4), -EBUSY);
	ck_assert_str_eq(content_of(path), "one\nhalf");
	ck_assert_int_eq(os->ops->cut_log(file, 8, 4), 0);
	append(file, "two\n");
	ck_assert_str_eq(content_of(path), "one\ntwo\n");
	os->ops->close_log(file);
	file = opened("/dev/null");
	ck_assert_int_eq(os->ops->cut_log(file, 0, 0), -EBUSY);
	os->ops->close_log(file);
}

OS_TEST(a_full_device_says_so)
{
	struct os_file *file = opened("/dev/full");

	ck_assert_int_eq(os->ops->append(file, "one\n", 4), -ENOSPC);
	ck_assert_int_eq(os->ops->append(file, "one\n", 4), -ENOSPC);
	os->ops->close_log(file);
	file = opened("/dev/null");
	append(file, "one\n");
	os->ops->close_log(file);
}

/* A disk of 16 KiB, and a line that only in part fits onto it. */
OS_TEST(a_full_disk_keeps_no_torn_line)
{
	static char line[12000];
	const char *dir = world_path("disk"), *path = world_path("disk/x.log");
	struct os_file *file;
	struct stat st;

	ck_assert_int_eq(mkdir(dir, 0755), 0);
	if (mount("none", dir, "tmpfs", 0, "size=16k") < 0)
		return; /* only root may */
	file = opened(path);
	memset(line, 'l', sizeof(line));
	ck_assert_int_eq(os->ops->append(file, line, sizeof(line)), 0);
	ck_assert_int_eq(os->ops->append(file, line, sizeof(line)), -ENOSPC);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, sizeof(line));
	append(file, "short\n");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, sizeof(line) + 6);
	os->ops->close_log(file);
	ck_assert_int_eq(umount(dir), 0);
}

OS_TEST(what_is_no_file_is_refused)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct os_file *file = NULL;
	int reader, listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(os->ops->open_log(os, world_dir, &file), -EISDIR);
	ck_assert_int_eq(mkfifo(world_path("pipe"), 0600), 0);
	ck_assert_int_eq(os->ops->open_log(os, world_path("pipe"), &file), -ENXIO);
	reader = open(world_path("pipe"), O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(os->ops->open_log(os, world_path("pipe"), &file), -EINVAL);
	close(reader);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", world_path("socket"));
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(os->ops->open_log(os, address.sun_path, &file), -ENXIO);
	close(listener);
	ck_assert_int_eq(symlink("elsewhere", world_path("link")), 0);
	ck_assert_int_eq(os->ops->open_log(os, world_path("link"), &file), -ELOOP);
	ck_assert_int_eq(access(world_path("elsewhere"), F_OK), -1);
	ck_assert_int_eq(os->ops->open_log(os, "/dev/null/x", &file), -ENOTDIR);
	ck_assert_ptr_null(file);
}

OS_TEST(two_logs_may_be_one_file)
{
	const char *path = world_path("x.log");
	struct os_file *one = opened(path), *other = opened(path);

	append(one, "1\n");
	append(other, "2\n");
	append(one, "3\n");
	ck_assert_str_eq(content_of(path), "1\n2\n3\n");
	os->ops->close_log(one);
	os->ops->close_log(other);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_logfile", &tcase);

	tcase_add_test(tcase, a_file_is_made_with_its_folders_and_appended_to);
	tcase_add_test(tcase, a_removed_file_is_opened_anew_at_once);
	tcase_add_test(tcase, a_moved_file_loses_no_line_and_is_opened_anew);
	tcase_add_test(tcase, a_removed_folder_is_made_again);
	tcase_add_test(tcase, a_removed_file_that_cannot_be_made_again_is_an_error);
	tcase_add_test(tcase, root_follows_nobody_elses_link);
	tcase_add_test(tcase, root_follows_its_own_links);
	tcase_add_test(tcase, a_folder_that_changes_hands_takes_its_file_no_further);
	tcase_add_test(tcase, an_end_is_taken_away_where_nobody_has_written_since);
	tcase_add_test(tcase, a_full_device_says_so);
	tcase_add_test(tcase, a_full_disk_keeps_no_torn_line);
	tcase_add_test(tcase, what_is_no_file_is_refused);
	tcase_add_test(tcase, two_logs_may_be_one_file);
	return suite;
}
