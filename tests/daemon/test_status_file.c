/* SPDX-License-Identifier: MIT */
/* The status file as it is written: true after each turn, another one after a reload, gone when it cannot be true. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <check.h>

#include "base/alloc.h"
#include "control/access.h"
#include "control/status_file.h"
#include "fake/world.h"
#include "folder.h"
#include "wire/ledger.h"

Suite *test_suite(void);

static char dir[64], socket_path[96], path[112];
static struct status_file status;
static struct world *w;
static struct ledger ledger;

static bool memory_is_there(void)
{
	struct statfs st;

	return statfs("/dev/shm", &st) == 0 && st.f_type == TMPFS_MAGIC &&
		access("/dev/shm", W_OK) == 0;
}

static void place_in(const char *folder)
{
	(void)snprintf(dir, sizeof(dir), "%s/effd-test-XXXXXX", folder);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/control.sock", dir);
	(void)snprintf(path, sizeof(path), "%s" LEDGER_SUFFIX, socket_path);
}

/* False: there is no place for it here, and nothing to be tested. */
static bool begin(const char *units)
{
	if (!memory_is_there())
		return false;
	place_in("/dev/shm");
	w = world_new(units);
	world_script(w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(w, "dies", (struct script){.lives = EFF_S(1), .exits = 3});
	status_file_begin(&status, w->tree, socket_path, ACCESS_NO_GROUP);
	return true;
}

static void end(void)
{
	status_file_end(&status);
	world_free(w);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* The record of a unit, in what was read last; NULL: it is not in it. */
static const struct ledger_record *record_of(const char *name)
{
	ledger_done(&ledger);
	ck_assert_int_eq(ledger_read(path, &ledger), 0);
	for (uint32_t i = 0; i < ledger.head->n_units; i++)
		if (strcmp(ledger.records[i].name, name) == 0)
			return &ledger.records[i];
	return NULL;
}

static void teardown(void)
{
	ledger_done(&ledger);
}

START_TEST(it_is_true_after_each_turn)
{
	struct stat st;

	if (!begin("a: {command: [run]}\nb: {command: [dies], restart: {backoff: {initial: 1s, jitter: 0}}}\n"))
		return;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_uint_eq(record_of("a")->state, UNIT_DOWN);
	ck_assert_uint_eq(record_of("/")->kind, PLAN_SUPERVISOR);

	world_run_for(w, EFF_MS(500));
	ck_assert_uint_eq(record_of("a")->state, UNIT_UP);
	ck_assert_int_eq(record_of("a")->pid, world_unit(w, "a")->pid);
	ck_assert_int_eq(record_of("a")->since_ns, world_unit(w, "a")->since_wall);
	ck_assert_uint_eq(record_of("b")->starts, 1);
	ck_assert_uint_eq(record_of("b")->exit_cause, 0);
	ck_assert_int_eq(record_of("b")->exit_code, -1);

	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(record_of("b")->state, UNIT_BACKOFF);
	ck_assert_int_eq(record_of("b")->pid, 0);
	ck_assert_uint_eq(record_of("b")->exit_cause, CAUSE_EXIT + 1);
	ck_assert_int_eq(record_of("b")->exit_code, 3);

	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(record_of("b")->restarts, 1);
	end();
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* Who has it open sees that it is over; the one in its place has the units that there are. */
START_TEST(a_reload_makes_another_one)
{
	struct ledger_head head;
	int fd;

	if (!begin("a: {command: [run]}\nb: {command: [run]}\n"))
		return;
	world_run_for(w, EFF_S(1));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	world_reload(w, "b: {command: [run]}\nc: {command: [run]}\nd: {command: [run]}\n");
	world_run_for(w, EFF_S(1));

	ck_assert_int_eq(pread(fd, &head, sizeof(head), 0), sizeof(head));
	ck_assert_uint_eq(head.is_over, 1);
	(void)close(fd);
	ck_assert_ptr_null(record_of("a"));
	ck_assert_uint_eq(ledger.head->n_units, 4);
	ck_assert_int_eq(record_of("b")->pid, world_unit(w, "b")->pid);
	ck_assert_uint_eq(record_of("d")->state, UNIT_UP);
	end();
}
END_TEST

START_TEST(what_is_added_and_removed_is_in_it)
{
	if (!begin("g: {strategy: simple_one_for_one, template: {command: [run]}}\n"))
		return;
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(world_add(w, "g", "x: {}"), 0);
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(record_of("g/x")->state, UNIT_UP);
	ck_assert_int_eq(world_remove(w, "g/x", true), 0);
	world_run_for(w, EFF_S(30));
	ck_assert_ptr_null(record_of("g/x"));
	end();
}
END_TEST

/* Rather none than one that is not true; a reload tries again. */
START_TEST(what_cannot_be_written_goes)
{
	struct rlimit before, none = {.rlim_cur = 0};

	if (!begin("a: {command: [run]}\n"))
		return;
	world_run_for(w, EFF_S(1));
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(access(path, F_OK), -1);
	world_start(w, "a");
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(access(path, F_OK), -1);

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	world_reload(w, "a: {command: [run], description: again}\n");
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(record_of("a")->state, UNIT_UP);
	end();
}
END_TEST

/* One that somebody has cut short or taken away is nobody's end. */
START_TEST(whatever_becomes_of_it_effd_goes_on)
{
	if (!begin("a: {command: [run]}\n"))
		return;
	ck_assert_int_eq(truncate(path, 0), 0);
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(unlink(path), 0);
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(world_state(w, "a"), UNIT_DOWN);
	end();
}
END_TEST

/* What a killed effd has left is replaced. */
START_TEST(an_old_one_is_replaced)
{
	FILE *old;

	if (!memory_is_there())
		return;
	place_in("/dev/shm");
	old = fopen(path, "w");
	(void)fputs("of another", old);
	ck_assert_int_eq(fclose(old), 0);
	w = world_new("a: {command: [run]}\n");
	world_script(w, "run", (struct script){.lives = EFF_FOREVER});
	status_file_begin(&status, w->tree, socket_path, ACCESS_NO_GROUP);
	ck_assert_uint_eq(record_of("a")->state, UNIT_DOWN);
	end();
}
END_TEST

/* A write to a disk may wait: there is none, and nothing is left. */
START_TEST(on_a_disk_there_is_none)
{
	char folder[64];
	struct statfs st;

	(void)test_folder(folder, sizeof(folder));
	ck_assert_int_eq(statfs(folder, &st), 0);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/control.sock", folder);
	w = world_new("a: {command: [run]}\n");
	world_script(w, "run", (struct script){.lives = EFF_FOREVER});
	status_file_begin(&status, w->tree, socket_path, ACCESS_NO_GROUP);
	world_run_for(w, EFF_S(1));
	if (st.f_type != TMPFS_MAGIC)
		ck_assert_ptr_null(status.path);
	status_file_end(&status);
	world_free(w);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(without_memory_the_tree_goes_on)
{
	if (!begin("a: {command: [run]}\n"))
		return;
	world_run_for(w, EFF_S(1));
	status_file_end(&status);
	alloc_fail_after(1);
	status_file_begin(&status, w->tree, socket_path, ACCESS_NO_GROUP);
	alloc_fail_after(0);
	ck_assert_int_eq(access(path, F_OK), -1);
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	end();
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("status file");
	TCase *tcase = tcase_create("status file");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, it_is_true_after_each_turn);
	tcase_add_test(tcase, a_reload_makes_another_one);
	tcase_add_test(tcase, what_is_added_and_removed_is_in_it);
	tcase_add_test(tcase, what_cannot_be_written_goes);
	tcase_add_test(tcase, whatever_becomes_of_it_effd_goes_on);
	tcase_add_test(tcase, an_old_one_is_replaced);
	tcase_add_test(tcase, on_a_disk_there_is_none);
	tcase_add_test(tcase, without_memory_the_tree_goes_on);
	suite_add_tcase(suite, tcase);
	return suite;
}
