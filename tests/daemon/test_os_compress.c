/* SPDX-License-Identifier: MIT */
/* Archives by the real gzip, by one that fails, and by none; and folders that are somebody else's. */
#include <dirent.h>
#include <fcntl.h>

#include <eff/effect.h>

#include "daemon/os_world.h"

static void make(const char *name, const char *text)
{
	FILE *file = fopen(world_path(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	fclose(file);
}

/* What the real gzip makes of an archive again. */
static const char *unpacked(const char *name)
{
	static char text[256];
	char command[600];
	FILE *pipe;
	size_t n;

	(void)snprintf(command, sizeof(command), "gzip -dc %s", world_path(name));
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	ck_assert_int_eq(pclose(pipe), 0);
	return text;
}

static bool there(const char *name)
{
	struct stat st;

	return lstat(world_path(name), &st) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *names(const char *folder)
{
	static char text[512];
	struct dirent **list = NULL;
	int n = scandir(world_path(folder), &list, NULL, by_name), len = 0;

	text[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.')
			len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s",
				len ? " " : "", list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return text;
}

static int compress(const char *name)
{
	return os->ops->compress_log(os, world_path(name));
}

/* A program of that name comes first. */
static void gzip_is(const char *script)
{
	char path[600];

	ck_assert_int_eq(mkdir(world_path("bin"), 0755), 0);
	make("bin/gzip", script);
	ck_assert_int_eq(chmod(world_path("bin/gzip"), 0755), 0);
	(void)snprintf(path, sizeof(path), "%s:/usr/bin:/bin", world_path("bin"));
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
}

OS_TEST(the_oldest_is_first_until_none_is_left)
{
	const struct timespec times[2] = {{0, UTIME_OMIT}, {1000000000, 0}};
	struct stat st;

	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	make("l/x", "now");
	make("l/x.1", "one");
	make("l/x.2.gz", "an archive");
	make("l/x.3", "three");
	make("l/x.5", "behind a gap");
	ck_assert_int_eq(chmod(world_path("l/x.3"), 0640), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, world_path("l/x.3"), times, 0), 0);

	ck_assert_int_eq(compress("l/x"), 1);
	ck_assert_str_eq(names("l"), "x x.1 x.2.gz x.3.gz x.5");
	ck_assert_str_eq(unpacked("l/x.3.gz"), "three");
	ck_assert_int_eq(stat(world_path("l/x.3.gz"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(st.st_mtim.tv_sec, 1000000000);
	ck_assert_int_eq(compress("l/x"), 1);
	ck_assert_int_eq(compress("l/x"), 0);
	ck_assert_str_eq(names("l"), "x x.1.gz x.2.gz x.3.gz x.5");
	ck_assert_str_eq(unpacked("l/x.1.gz"), "one");
}

OS_TEST(where_there_is_nothing_there_is_nothing_to_do)
{
	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	ck_assert_int_eq(compress("l/x"), 0);
	ck_assert_int_eq(compress("none/x"), -ENOENT);
}

OS_TEST(without_gzip_it_says_so_and_leaves_nothing)
{
	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	make("l/x.1", "one");
	ck_assert_int_eq(setenv("PATH", world_path("nowhere"), 1), 0);
	ck_assert_int_eq(compress("l/x"), -ENOENT);
	ck_assert_str_eq(names("l"), "x.1");
	ck_assert_int_eq(setenv("PATH", "/usr/bin:/bin", 1), 0);
}

OS_TEST(what_a_failing_gzip_has_made_does_not_stay)
{
	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	make("l/x.1", "one");
	gzip_is("#!/bin/sh\necho half an archive\nexit 1\n");
	ck_assert_int_eq(compress("l/x"), -EIO);
	ck_assert_str_eq(names("l"), "x.1");
}

OS_TEST(what_a_killed_effd_has_left_goes_at_the_next_try)
{
	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	make("l/x.gz.part", "half an archive");
	ck_assert_int_eq(compress("l/x"), 0);
	ck_assert_str_eq(names("l"), "");
}

OS_TEST(one_that_is_still_written_to_is_let_be)
{
	struct os_file *file = NULL;

	ck_assert_int_eq(os->ops->open_log(os, world_path("l/x.1"), &file), 0);
	ck_assert_int_eq(os->ops->append(file, "one", 3), 0);
	ck_assert_int_eq(compress("l/x"), 0);
	os->ops->close_log(file);
	ck_assert_int_eq(compress("l/x"), 1);
	ck_assert_str_eq(names("l"), "x.1.gz");
}

static eff_exit compress_x(void *arg)
{
	*(int *)arg = compress("l/x");
	return eff_ok(NULL);
}

/* It waits until its FIFO is opened, so that the test can do something meanwhile. */
static int slow_gzip(int *ret_result, struct eff_fiber **ret_fiber)
{
	char script[600];
	int fd;

	(void)snprintf(script, sizeof(script),
		"#!/bin/sh\necho begun >%s\nread go <%s\nPATH=/usr/bin:/bin exec gzip -c\n",
		world_path("begun"), world_path("go"));
	ck_assert_int_eq(mkfifo(world_path("begun"), 0600), 0);
	ck_assert_int_eq(mkfifo(world_path("go"), 0600), 0);
	gzip_is(script);
	fd = open(world_path("begun"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(eff_fork(EFF(compress_x, ret_result), ret_fiber), 0);
	(void)eff_wait_fd(fd, EFF_READ);
	return fd;
}

OS_TEST(names_may_move_on_meanwhile)
{
	struct eff_fiber *fiber;
	struct os_file *file;
	int result = 99, begun, go;
	eff_exit exit;

	ck_assert_int_eq(os->ops->open_log(os, world_path("l/x"), &file), 0);
	make("l/x.1", "one");
	begun = slow_gzip(&result, &fiber);
	ck_assert(there("l/x.gz.part"));
	ck_assert_int_eq(os->ops->append(file, "two", 3), 0);
	ck_assert_int_eq(os->ops->rotate_log(file, 9), 0);
	ck_assert_str_eq(names("l"), "x x.1 x.2 x.gz.part");
	go = open(world_path("go"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(go, "go\n", 3), 3);
	ck_assert_int_eq(eff_await(fiber, &exit), 0);
	eff_fiber_unref(fiber);

	ck_assert_int_eq(result, 1);
	ck_assert_str_eq(names("l"), "x x.1 x.2.gz");
	ck_assert_int_eq(setenv("PATH", "/usr/bin:/bin", 1), 0);
	ck_assert_str_eq(unpacked("l/x.2.gz"), "one");
	os->ops->close_log(file);
	close(go);
	eff_fd_close(begun);
}

OS_TEST(one_that_is_interrupted_leaves_nothing)
{
	struct eff_fiber *fiber;
	int result = 99, begun;

	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	make("l/x.1", "one");
	begun = slow_gzip(&result, &fiber);
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);

	ck_assert_int_eq(result, -ECANCELED);
	ck_assert_str_eq(names("l"), "x.1");
	eff_fd_close(begun);
}

/* Work in the folder, which hangs until there is something to read. */
struct hung {
	int gate[2], r;
};

static void hang(void *arg)
{
	const struct hung *hung = arg;
	char c;

	ck_assert_int_ge(read(hung->gate[0], &c, 1), 0);
}

static void never(void *arg)
{
	(void)arg;
	ck_abort();
}

static eff_exit hang_there(void *arg)
{
	struct hung *hung = arg;

	hung->r = os->ops->with_logs(os, world_path("l"), hang, hung, never);
	return eff_ok(NULL);
}

static struct eff_fiber *let_hang(struct hung *hung)
{
	struct eff_fiber *fiber;

	ck_assert_int_eq(pipe2(hung->gate, O_CLOEXEC), 0);
	ck_assert_int_eq(eff_fork(EFF(hang_there, hung), &fiber), 0);
	ck_assert_int_eq(eff_yield(), 0);
	return fiber;
}

static void let_go(struct hung *hung, struct eff_fiber *fiber)
{
	close(hung->gate[1]);
	ck_assert_int_eq(eff_await(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(hung->r, 0);
	close(hung->gate[0]);
}

OS_TEST(one_that_is_interrupted_touches_no_folder_that_hangs)
{
	struct eff_fiber *fiber, *hanging;
	struct hung hung = {.r = 99};
	int result = 99, begun;

	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	make("l/x.1", "one");
	begun = slow_gzip(&result, &fiber);
	hanging = let_hang(&hung);
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(result, -ECANCELED);
	ck_assert_str_eq(names("l"), "x.1 x.gz.part");
	let_go(&hung, hanging);
	ck_assert_int_eq(setenv("PATH", "/usr/bin:/bin", 1), 0);
	ck_assert_int_eq(compress("l/x"), 1);
	ck_assert_str_eq(names("l"), "x.1.gz");
	eff_fd_close(begun);
}

static void block(void *arg)
{
	char c;

	ck_assert_int_ge(read(*(int *)arg, &c, 1), 0);
}

static eff_exit block_a_thread(void *arg)
{
	ck_assert_int_eq(eff_blocking(block, arg, NULL), 0);
	return eff_ok(NULL);
}

static bool waits_for_a_thread(const struct eff_fiber *fiber)
{
	struct eff_fiber_info info;

	eff_fiber_info(fiber, &info);
	return info.waits_for && strcmp(info.waits_for, "thread") == 0;
}

/* What hangs there would hang the loop. */
OS_TEST(one_that_is_left_while_it_is_finished_is_not_touched_by_the_loop)
{
	struct eff_fiber *fiber, *blocking[4];
	int result = 99, begun, go, gates[2][2];

	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	make("l/x.1", "one");
	begun = slow_gzip(&result, &fiber);
	ck_assert_int_eq(pipe2(gates[0], O_CLOEXEC) | pipe2(gates[1], O_CLOEXEC), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(eff_fork(EFF(block_a_thread, &gates[i == 0][0]), &blocking[i]), 0);
	go = open(world_path("go"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(go, "go\n", 3), 3);
	while (!waits_for_a_thread(fiber))
		ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(result, -ECANCELED);
	/* One thread is free, and does one thing after the other. */
	close(gates[1][1]);
	ck_assert_int_eq(compress("none/x"), -ENOENT);
	ck_assert_str_eq(names("l"), "x.1 x.gz.part");
	close(gates[0][1]);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(eff_await(blocking[i], NULL), 0);
		eff_fiber_unref(blocking[i]);
	}
	ck_assert_int_eq(setenv("PATH", "/usr/bin:/bin", 1), 0);
	ck_assert_int_eq(compress("l/x"), 1);
	ck_assert_str_eq(names("l"), "x.1.gz");
	close(go);
	close(gates[0][0]);
	close(gates[1][0]);
	eff_fd_close(begun);
}

/* However long that takes: who renames there in the meantime would have its files exchanged under it. */
OS_TEST(it_gets_its_name_when_it_is_its_turn)
{
	struct eff_fiber *fiber, *hanging;
	struct hung hung = {.r = 99};
	struct eff_scope within;
	int result = 99, begun, go;

	ck_assert_int_eq(mkdir(world_path("l"), 0755), 0);
	make("l/x.1", "one");
	begun = slow_gzip(&result, &fiber);
	hanging = let_hang(&hung);
	go = open(world_path("go"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(go, "go\n", 3), 3);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_MS(1500)));
	ck_assert_int_eq(eff_await(fiber, NULL), -ETIMEDOUT);
	(void)eff_scope_close(&within);
	ck_assert_str_eq(names("l"), "x.1 x.gz.part");
	let_go(&hung, hanging);
	ck_assert_int_eq(eff_await(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(result, 1);
	ck_assert_str_eq(names("l"), "x.1.gz");
	close(go);
	eff_fd_close(begun);
}

/* Whoever owns the folder must not have root read or write elsewhere. */
OS_TEST(root_compresses_nothing_through_somebody_elses_link)
{
	if (geteuid() != 0)
		return;
	make("precious", "precious");
	ck_assert_int_eq(mkdir(world_path("theirs"), 0755), 0);
	ck_assert_int_eq(link(world_path("precious"), world_path("theirs/x.1")), 0);
	ck_assert_int_eq(symlink(world_path("precious"), world_path("theirs/x.2")), 0);
	ck_assert_int_eq(symlink(world_path("elsewhere"), world_path("theirs/x.gz.part")), 0);
	ck_assert_int_eq(chown(world_path("theirs"), 54321, 54321), 0);
	ck_assert_int_eq(compress("theirs/x"), 0);
	ck_assert_int_eq(unlink(world_path("theirs/x.1")), 0);
	make("theirs/x.1", "theirs");
	ck_assert_int_eq(compress("theirs/x"), 1);
	ck_assert_str_eq(names("theirs"), "x.1.gz x.2");
	ck_assert(!there("elsewhere"));
	ck_assert_int_eq(symlink(world_path("theirs"), world_path("theirs/folder")), 0);
	ck_assert_int_eq(compress("theirs/folder/x"), -ELOOP);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_compress", &tcase);

	tcase_add_test(tcase, the_oldest_is_first_until_none_is_left);
	tcase_add_test(tcase, where_there_is_nothing_there_is_nothing_to_do);
	tcase_add_test(tcase, without_gzip_it_says_so_and_leaves_nothing);
	tcase_add_test(tcase, what_a_failing_gzip_has_made_does_not_stay);
	tcase_add_test(tcase, what_a_killed_effd_has_left_goes_at_the_next_try);
	tcase_add_test(tcase, one_that_is_still_written_to_is_let_be);
	tcase_add_test(tcase, names_may_move_on_meanwhile);
	tcase_add_test(tcase, one_that_is_interrupted_leaves_nothing);
	tcase_add_test(tcase, one_that_is_interrupted_touches_no_folder_that_hangs);
	tcase_add_test(tcase, one_that_is_left_while_it_is_finished_is_not_touched_by_the_loop);
	tcase_add_test(tcase, it_gets_its_name_when_it_is_its_turn);
	tcase_add_test(tcase, root_compresses_nothing_through_somebody_elses_link);
	return suite;
}
