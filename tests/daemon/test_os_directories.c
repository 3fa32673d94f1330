/* SPDX-License-Identifier: MIT */
/* Folders made for a unit: whose they are, what becomes of what is there, and where root does not go. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "daemon/os_world.h"

static const char *const one[] = {"shop", NULL}, *const deep[] = {"shop/db", "shop/db/log", NULL};

static bool is_root(void)
{
	return geteuid() == 0;
}

static struct os_spawn with(enum os_place place, const char *const *names)
{
	struct os_spawn spawn = shell("true");

	spawn.directories[place] = names;
	spawn.directories_mode = 0750;
	if (is_root())
		spawn.user = "54321";
	return spawn;
}

static void folder_is(const char *path, mode_t mode, uid_t owner)
{
	struct stat st;

	ck_assert_int_eq(lstat(world_path(path), &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, mode);
	ck_assert_uint_eq(st.st_uid, owner);
	ck_assert_uint_eq(st.st_gid, owner == geteuid() ? getegid() : owner);
}

static uid_t its_owner(void)
{
	return is_root() ? 54321 : geteuid();
}

OS_TEST(each_is_made_in_its_place_and_is_the_users)
{
	static const char *const paths[] = {"runtime/shop", "state/shop", "cache/shop", "logs/shop"};
	struct os_spawn spawn = with(OS_RUNTIME, one);

	for (int i = 0; i < OS_N_PLACES; i++)
		spawn.directories[i] = one;
	(void)output_of(spawn);
	for (int i = 0; i < OS_N_PLACES; i++)
		folder_is(paths[i], 0750, its_owner());
}

OS_TEST(they_are_there_before_the_program)
{
	struct os_spawn spawn = with(OS_STATE, one);
	static const char *argv[] = {"/bin/sh", "-c", NULL, NULL};
	char script[256];

	(void)snprintf(
		script, sizeof(script), "cd %s && touch mine && pwd", world_path("state/shop"));
	argv[2] = script;
	spawn.argv = argv;
	ck_assert_str_eq(strrchr(output_of(spawn), '/'), "/shop\n");
}

OS_TEST(what_leads_there_is_not_the_users)
{
	static const char *const between[] = {"a/b", NULL};

	(void)output_of(with(OS_CACHE, between));
	folder_is("cache/a", 0755, geteuid());
	folder_is("cache/a/b", 0750, its_owner());
}

OS_TEST(what_is_there_keeps_what_is_in_it)
{
	ck_assert_int_eq(mkdir(world_path("state"), 0755), 0);
	ck_assert_int_eq(mkdir(world_path("state/shop"), 0700), 0);
	ck_assert_int_eq(mkdir(world_path("state/shop/in"), 0711), 0);
	(void)output_of(with(OS_STATE, one));
	(void)output_of(with(OS_STATE, one));
	folder_is("state/shop", 0750, its_owner());
	folder_is("state/shop/in", 0711, geteuid());
}

static void refused(struct os_spawn spawn, int error, const char *path)
{
	struct os_fault fault = fault_of(spawn);

	ck_assert_str_eq(fault.stage, "directory");
	ck_assert_int_eq(fault.error, error);
	ck_assert_str_eq(fault.what, world_path(path));
}

OS_TEST(no_link_is_followed)
{
	struct stat st;

	ck_assert_int_eq(mkdir(world_path("target"), 0700), 0);
	ck_assert_int_eq(mkdir(world_path("logs"), 0755), 0);
	ck_assert_int_eq(symlink(world_path("target"), world_path("logs/shop")), 0);
	refused(with(OS_LOGS, one), ELOOP, "logs/shop");
	refused(with(OS_LOGS, deep), ELOOP, "logs/shop/db");
	ck_assert_int_eq(stat(world_path("target"), &st), 0);
	ck_assert_uint_eq(st.st_uid, geteuid());
	ck_assert_int_eq(access(world_path("target/db"), F_OK), -1);
}

OS_TEST(a_file_in_the_way_is_told)
{
	FILE *file;

	ck_assert_int_eq(mkdir(world_path("logs"), 0755), 0);
	file = fopen(world_path("logs/shop"), "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	refused(with(OS_LOGS, one), ENOTDIR, "logs/shop");
}

OS_TEST(root_goes_through_no_folder_of_somebody_else)
{
	if (!is_root())
		return;
	ck_assert_int_eq(mkdir(world_path("state"), 0755), 0);
	ck_assert_int_eq(mkdir(world_path("state/shop"), 0755), 0);
	ck_assert_int_eq(chown(world_path("state/shop"), 12345, 12345), 0);
	refused(with(OS_STATE, deep), EPERM, "state/shop/db");
	/* Where all may write, somebody else might have put it there. */
	ck_assert_int_eq(chown(world_path("state/shop"), 0, 0), 0);
	ck_assert_int_eq(chmod(world_path("state/shop"), 01777), 0);
	refused(with(OS_STATE, deep), EPERM, "state/shop/db");
	ck_assert_int_eq(chmod(world_path("state/shop"), 0755), 0);
	(void)output_of(with(OS_STATE, (const char *const[]){"shop/db", NULL}));
	folder_is("state/shop/db", 0750, 54321);
	/* Then that is the user's, and no way for root any more. */
	refused(with(OS_STATE, deep), EPERM, "state/shop/db/log");
}

static void nowhere(void)
{
	struct os_fault fault = fault_of(with(OS_RUNTIME, one));

	ck_assert_str_eq(fault.stage, "directory");
	ck_assert_int_eq(fault.error, ENOENT);
	ck_assert_str_eq(fault.what, "shop, there is no place for runtime");
}

START_TEST(without_a_place_there_is_none)
{
	struct os_linux_opts opts = {.nofile_soft = -1, .subreaper = true};

	no_places = true;
	world_run(nowhere, opts);
	no_places = false;
}
END_TEST

OS_TEST(a_stop_while_they_are_made_leaves_no_process)
{
	struct os_spawn spawn = with(OS_STATE, one);
	struct os_child *child = NULL;
	struct os_fault fault;
	struct eff_scope within;

	spawn.user = NULL;
	eff_scope_open(&within);
	eff_scope_cancel(&within);
	ck_assert_int_eq(os->ops->spawn(os, &spawn, &child, &fault), -ECANCELED);
	(void)eff_scope_close(&within);
	ck_assert_ptr_null(child);
}

/* ── at the end of a run ── */

static struct os_view *held[2];

/* A run of a unit with that folder, which has done that in it. */
static void run(int i, const char *const *names, const char *script)
{
	struct os_spawn spawn = shell(script);

	spawn.directories[OS_RUNTIME] = names;
	spawn.directories[OS_STATE] = names;
	spawn.directories_mode = 0755;
	spawn.view = &held[i];
	spawn.working_dir = world_path("runtime");
	(void)output_of(spawn);
}

static int over(int i, char *ret_what, size_t size)
{
	int r = os->ops->close_view(held[i], ret_what, size);

	held[i] = NULL;
	return r;
}

static bool there(const char *path)
{
	struct stat st;

	return lstat(world_path(path), &st) == 0;
}

OS_TEST(a_runtime_folder_goes_with_its_run_and_no_other_does)
{
	char what[128];

	run(0, one,
		"mkdir -p shop/a/b shop/.c && touch shop/x shop/a/b/y shop/.c/z && mkfifo shop/f &&"
		"ln -s ../../state shop/a/link && chmod 0 shop/x");
	ck_assert(there("runtime/shop/a/b/y"));
	ck_assert_int_eq(over(0, what, sizeof(what)), 0);
	ck_assert(!there("runtime/shop"));
	ck_assert(there("runtime") && there("state/shop"));
}

OS_TEST(what_several_have_goes_with_the_last_of_them)
{
	static const char *const within[] = {"shop/db", NULL};
	char what[128];

	run(0, one, "touch shop/first");
	run(1, one, "touch shop/second");
	ck_assert_int_eq(over(0, what, sizeof(what)), 0);
	ck_assert(there("runtime/shop/first"));
	ck_assert_int_eq(over(1, what, sizeof(what)), 0);
	ck_assert(!there("runtime/shop"));

	/* One within another's: that stays as long as the one in it. */
	run(0, one, "true");
	run(1, within, "touch shop/db/x");
	ck_assert_int_eq(over(0, what, sizeof(what)), 0);
	ck_assert(there("runtime/shop/db/x"));
	ck_assert_int_eq(over(1, what, sizeof(what)), 0);
	ck_assert(!there("runtime/shop/db") && there("runtime/shop"));
}

OS_TEST(one_that_is_gone_already_is_no_fault)
{
	char what[128];

	run(0, deep, "rm -r shop");
	ck_assert_int_eq(over(0, what, sizeof(what)), 0);
}

OS_TEST(what_is_mounted_in_one_is_left_alone)
{
	char what[128];

	if (!is_root())
		return;
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	run(0, one, "mkdir shop/mnt && touch shop/x");
	ck_assert_int_eq(mount("it", world_path("runtime/shop/mnt"), "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mkdir(world_path("runtime/shop/mnt/kept"), 0755), 0);
	ck_assert_int_eq(over(0, what, sizeof(what)), -EXDEV);
	ck_assert_str_eq(what, world_path("runtime/shop"));
	ck_assert(there("runtime/shop/mnt/kept") && !there("runtime/shop/x"));
	ck_assert_int_eq(umount(world_path("runtime/shop/mnt")), 0);
}

OS_TEST(root_goes_to_none_where_others_may_put_a_link_in_the_way)
{
	static const char *const within[] = {"shop/db", NULL};
	char what[128];

	if (!is_root())
		return;
	run(0, within, "touch shop/db/x");
	ck_assert_int_eq(chmod(world_path("runtime/shop"), 0777), 0);
	ck_assert_int_eq(over(0, what, sizeof(what)), -EPERM);
	ck_assert(there("runtime/shop/db/x"));
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_directories", &tcase);

	tcase_add_test(tcase, each_is_made_in_its_place_and_is_the_users);
	tcase_add_test(tcase, a_runtime_folder_goes_with_its_run_and_no_other_does);
	tcase_add_test(tcase, what_several_have_goes_with_the_last_of_them);
	tcase_add_test(tcase, one_that_is_gone_already_is_no_fault);
	tcase_add_test(tcase, what_is_mounted_in_one_is_left_alone);
	tcase_add_test(tcase, root_goes_to_none_where_others_may_put_a_link_in_the_way);
	tcase_add_test(tcase, they_are_there_before_the_program);
	tcase_add_test(tcase, what_leads_there_is_not_the_users);
	tcase_add_test(tcase, what_is_there_keeps_what_is_in_it);
	tcase_add_test(tcase, no_link_is_followed);
	tcase_add_test(tcase, a_file_in_the_way_is_told);
	tcase_add_test(tcase, root_goes_through_no_folder_of_somebody_else);
	tcase_add_test(tcase, without_a_place_there_is_none);
	tcase_add_test(tcase, a_stop_while_they_are_made_leaves_no_process);
	return suite;
}
