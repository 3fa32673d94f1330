/* SPDX-License-Identifier: MIT */
/* The status file as it is read, and what is refused. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "base/alloc.h"
#include "folder.h"
#include "wire/ledger.h"

Suite *test_suite(void);

static char dir[64], path[80];
static struct {
	struct ledger_head head;
	struct ledger_record records[2];
} file;

static void save_bytes(size_t len)
{
	FILE *to = fopen(path, "w");

	ck_assert_ptr_nonnull(to);
	ck_assert_uint_eq(fwrite(&file, 1, len, to), len);
	ck_assert_int_eq(fclose(to), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

static void save(void)
{
	save_bytes(sizeof(file));
}

static int look(void)
{
	struct ledger ledger = {0};
	int r = ledger_read(path, &ledger);

	ledger_done(&ledger);
	return r;
}

static void setup(void)
{
	(void)test_folder(dir, sizeof(dir));
	(void)snprintf(path, sizeof(path), "%s/status", dir);
	memset(&file, 0, sizeof(file));
	file.head = (struct ledger_head){
		.magic = LEDGER_MAGIC, .head_bytes = 64, .record_bytes = 128, .n_units = 2, .pid = 7};
	ledger_seal_head(&file.head);
	file.records[0] = (struct ledger_record){.starts = 3, .pid = 42, .state = 2};
	ledger_name(&file.records[0], "web");
	file.records[1] = (struct ledger_record){.starts = 4, .exit_code = -1};
	ledger_name(&file.records[1], "g/db");
	ledger_seal(&file.records[0]);
	ledger_seal(&file.records[1]);
	save();
}

static void teardown(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(what_was_written_is_read)
{
	struct ledger ledger;

	ck_assert_int_eq(ledger_read(path, &ledger), 0);
	ck_assert_uint_eq(ledger.head->n_units, 2);
	ck_assert_int_eq(ledger.head->pid, 7);
	ck_assert_str_eq(ledger.records[0].name, "web");
	ck_assert_int_eq(ledger.records[0].pid, 42);
	ck_assert_str_eq(ledger.records[1].name, "g/db");
	ck_assert_int_eq(ledger.records[1].exit_code, -1);
	ledger_done(&ledger);
}
END_TEST

/* Others are to find it as it is written down. */
START_TEST(the_check_is_a_sum_by_place)
{
	struct ledger_record record = {.writes = 2, .pid = 1, .since_ns = 5};

	record.name[LEDGER_NAME_BYTES - 8] = 7;
	ledger_seal(&record);
	ck_assert_uint_eq(record.check, 15 * ((UINT64_C(1) << 32) + 2) + 14 * 5 + 1 * 7);
	file.head = (struct ledger_head){.is_over = 1, .generation = 3};
	file.head.version[8] = 9;
	ledger_seal_head(&file.head);
	ck_assert_uint_eq(file.head.check, 6 * 1 + 3 * 3 + 1 * 9);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_cut_and_says_so)
{
	struct ledger_record record = {0};
	char name[LEDGER_NAME_BYTES + 1];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ledger_name(&record, name);
	ck_assert(record.name_is_cut);
	ck_assert_uint_eq(strlen(record.name), LEDGER_NAME_BYTES - 1);

	record = (struct ledger_record){0};
	name[LEDGER_NAME_BYTES - 1] = '\0';
	ledger_name(&record, name);
	ck_assert(!record.name_is_cut);
	ck_assert_str_eq(record.name, name);
}
END_TEST

START_TEST(what_is_no_status_file_is_refused)
{
	file.head.magic[0]++;
	save();
	ck_assert_int_eq(look(), -EBADMSG);
	file.head.magic[0]--;
	save_bytes(20);
	ck_assert_int_eq(look(), -EBADMSG);
	/* Records that are not there. */
	save_bytes(sizeof(file) - 1);
	ck_assert_int_eq(look(), -EBADMSG);
	file.head.n_units = UINT32_MAX;
	ledger_seal_head(&file.head);
	save();
	ck_assert_int_eq(look(), -EBADMSG);
	file.head.n_units = 2;
	file.head.record_bytes = 64;
	ledger_seal_head(&file.head);
	save();
	ck_assert_int_eq(look(), -EBADMSG);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(look(), -ENOENT);
}
END_TEST

START_TEST(what_is_over_says_so)
{
	file.head.is_over = 1;
	ledger_seal_head(&file.head);
	save();
	ck_assert_int_eq(look(), -ESTALE);
}
END_TEST

/* As one that is being written each time that somebody looks. */
START_TEST(what_is_not_whole_is_not_taken)
{
	file.records[1].starts++;
	save();
	ck_assert_int_eq(look(), -EAGAIN);
	ledger_seal(&file.records[1]);
	save();
	ck_assert_int_eq(look(), 0);
	file.head.pid++;
	save();
	ck_assert_int_eq(look(), -EAGAIN);
	/* A name without an end. */
	ledger_seal_head(&file.head);
	memset(file.records[0].name, 'n', sizeof(file.records[0].name));
	ledger_seal(&file.records[0]);
	save();
	ck_assert_int_eq(look(), -EAGAIN);
}
END_TEST

START_TEST(only_its_owner_may_have_written_it)
{
	char there[80];

	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(look(), -EPERM);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(look(), 0);
	/* Nor is it followed to somewhere else. */
	(void)snprintf(there, sizeof(there), "%s/there", dir);
	ck_assert_int_eq(rename(path, there), 0);
	ck_assert_int_eq(symlink(there, path), 0);
	ck_assert_int_eq(look(), -ELOOP);
	ck_assert_int_eq(unlink(there), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(look(), -EBADMSG);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(without_memory_there_is_none)
{
	alloc_fail_after(1);
	ck_assert_int_eq(look(), -ENOMEM);
	alloc_fail_after(0);
	ck_assert_int_eq(look(), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tcase = tcase_create("ledger");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_was_written_is_read);
	tcase_add_test(tcase, the_check_is_a_sum_by_place);
	tcase_add_test(tcase, a_name_that_is_too_long_is_cut_and_says_so);
	tcase_add_test(tcase, what_is_no_status_file_is_refused);
	tcase_add_test(tcase, what_is_over_says_so);
	tcase_add_test(tcase, what_is_not_whole_is_not_taken);
	tcase_add_test(tcase, only_its_owner_may_have_written_it);
	tcase_add_test(tcase, without_memory_there_is_none);
	suite_add_tcase(suite, tcase);
	return suite;
}
