/* SPDX-License-Identifier: MIT */
/* Whom a child is, and that nothing but exactly that is good enough. What changes ids needs root. */
#include <grp.h>
#include <pwd.h>

#include "daemon/os_world.h"

static const char *const *asked_groups;

/* Its ids as the kernel has them: "UID GID GROUPS…", each thing once. */
static const char *ids_of(const char *user, const char *group)
{
	static const char *const argv[] = {
		"grep", "-E", "^(Uid|Gid|Groups)", "/proc/self/status", NULL};
	static char text[512];
	struct os_spawn spawn = spawn_of(argv);
	unsigned u[4], g[4];
	int at = 0;
	const char *line;

	spawn.user = user;
	spawn.group = group;
	spawn.groups = asked_groups;
	line = output_of(spawn);
	ck_assert_int_eq(sscanf(line, "Uid: %u %u %u %u Gid: %u %u %u %u Groups:%n", &u[0],
				 &u[1], &u[2], &u[3], &g[0], &g[1], &g[2], &g[3], &at),
		8);
	for (int i = 1; i < 4; i++) {
		ck_assert_uint_eq(u[i], u[0]);
		ck_assert_uint_eq(g[i], g[0]);
	}
	(void)snprintf(text, sizeof(text), "%u %u%.*s", u[0], g[0],
		(int)strcspn(line + at, "\n"), line + at);
	for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]); n--)
		text[n - 1] = '\0';
	for (char *tab = strchr(text, '\t'); tab; tab = strchr(tab, '\t'))
		*tab = ' ';
	return text;
}

static bool is_root(void)
{
	return geteuid() == 0;
}

static void assert_fault(const char *user, const char *group, const char *stage, int error)
{
	struct os_spawn spawn = shell("echo never");
	struct os_fault fault;

	spawn.user = user;
	spawn.group = group;
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, stage);
	ck_assert_int_eq(fault.error, error);
	ck_assert_str_eq(fault.what, strcmp(stage, "user") == 0 ? user : group);
}

OS_TEST(an_unknown_user_or_group_is_an_error)
{
	assert_fault("no-such-user", NULL, "user", ENOENT);
	assert_fault(NULL, "no-such-group", "group", ENOENT);
	assert_fault("no-such-user", "no-such-group", "user", ENOENT);
}

OS_TEST(what_only_begins_like_a_number_is_an_error)
{
	static const char *const odd[] = {"0x0", "0day", "", "-1", "+0", "0 ", "1e3", "0,0"};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		assert_fault(odd[i], NULL, "user", EINVAL);
		assert_fault(NULL, odd[i], "group", EINVAL);
	}
	assert_fault("4294967295", NULL, "user", ERANGE);
	assert_fault("4294967296", NULL, "user", ERANGE);
	assert_fault("18446744073709551616", NULL, "user", ERANGE);
	assert_fault(NULL, "4294967295", "group", ERANGE);
}

/* As initgroups() would have it. */
static void expect_of(const char *user, char *ret_text, size_t size)
{
	const struct passwd *entry = getpwnam(user);
	gid_t groups[64];
	int n = 64;
	int len;

	ck_assert_ptr_nonnull(entry);
	ck_assert_int_ge(getgrouplist(user, entry->pw_gid, groups, &n), 0);
	len = snprintf(ret_text, size, "%u %u", entry->pw_uid, entry->pw_gid);
	for (int i = 0; i < n; i++)
		len += snprintf(ret_text + len, size - (size_t)len, " %u", groups[i]);
}

OS_TEST(a_user_has_the_ids_and_groups_of_its_entry)
{
	char expected[512];

	if (!is_root())
		return;
	expect_of("nobody", expected, sizeof(expected));
	ck_assert_str_eq(ids_of("nobody", NULL), expected);
	ck_assert_str_eq(ids_of("65534", NULL), expected);
}

OS_TEST(a_number_without_an_entry_is_itself_and_in_no_group)
{
	if (!is_root())
		return;
	ck_assert_str_eq(ids_of("54321", NULL), "54321 54321");
	ck_assert_str_eq(ids_of("54321", "12"), "54321 12");
	ck_assert_str_eq(ids_of("2147483648", NULL), "2147483648 2147483648");
	ck_assert_str_eq(ids_of("4294967294", NULL), "4294967294 4294967294");
}

OS_TEST(a_group_alone_takes_all_others_away)
{
	static const gid_t some[] = {1, 2, 3};

	if (!is_root())
		return;
	ck_assert_int_eq(setgroups(3, some), 0);
	ck_assert_str_eq(ids_of(NULL, "12"), "0 12");
	ck_assert_str_eq(ids_of("54321", NULL), "54321 54321");
}

OS_TEST(a_group_takes_the_place_of_the_users_own)
{
	if (!is_root())
		return;
	ck_assert_str_eq(ids_of("nobody", "12"), "65534 12 12");
}

OS_TEST(further_groups_come_beside_those_of_the_user)
{
	static const char *const further[] = {"12", "daemon", "4294967294", NULL};

	if (!is_root())
		return;
	asked_groups = further;
	ck_assert_str_eq(ids_of("54321", NULL), "54321 54321 1 12 4294967294");
	ck_assert_str_eq(ids_of("nobody", NULL), "65534 65534 1 12 65534 4294967294");
	/* Without a user they are all that there is: root's own do not survive. */
	ck_assert_str_eq(ids_of(NULL, NULL), "0 0 1 12 4294967294");
	asked_groups = NULL;
}

OS_TEST(a_further_group_that_is_unknown_is_named)
{
	static const char *const further[][4] = {
		{"12", "no-such-group", "0x1", NULL}, {"12", "-1", NULL}};
	struct os_spawn spawn = shell("echo never");
	struct os_fault fault;

	spawn.group = "12";
	spawn.groups = further[0];
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, "group");
	ck_assert_int_eq(fault.error, ENOENT);
	ck_assert_str_eq(fault.what, "no-such-group");
	spawn.groups = further[1];
	fault = fault_of(spawn);
	ck_assert_int_eq(fault.error, EINVAL);
	ck_assert_str_eq(fault.what, "-1");
	spawn.group = "no-such-group";
	ck_assert_str_eq(fault_of(spawn).what, "no-such-group");
}

OS_TEST(a_user_brings_its_part_of_the_environment)
{
	static const char *const argv[] = {"/usr/bin/env", NULL};
	static const char *const environment[] = {"HOME=/given", NULL};
	struct os_spawn spawn = spawn_of(argv);
	const struct passwd *entry = getpwnam("nobody");
	char expected[512];

	if (!is_root())
		return;
	(void)snprintf(expected, sizeof(expected),
		"HOME=/given\nUSER=nobody\nLOGNAME=nobody\nSHELL=%s\n", entry->pw_shell);
	spawn.environment = environment;
	spawn.user = "65534";
	ck_assert_str_eq(output_of(spawn), expected);
	spawn.user = "54321";
	spawn.environment = environment + 1;
	ck_assert_str_eq(output_of(spawn), "HOME=/\nUSER=54321\nLOGNAME=54321\nSHELL=/bin/sh\n");
}

OS_TEST(the_folder_is_entered_with_the_users_rights)
{
	struct os_spawn spawn = shell("true");
	struct os_fault fault;

	if (!is_root())
		return;
	ck_assert_int_eq(mkdir(world_path("closed"), 0700), 0);
	spawn.working_dir = world_path("closed");
	(void)output_of(spawn);
	spawn.user = "nobody";
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, "chdir");
	ck_assert_int_eq(fault.error, EACCES);
}

OS_TEST(without_rights_a_user_may_be_what_it_is_and_nothing_else)
{
	if (!is_root())
		return;
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(54321, 54321, 54321), 0);
	/* The rights are effd's effective ones; the others stay, so that the test can clean up. */
	ck_assert_int_eq(setresuid(54321, 54321, 0), 0);
	ck_assert_str_eq(output_of((struct os_spawn){.argv = (const char *const[]){"id", "-u", NULL},
				 .environment = world_environment,
				 .user = "54321",
				 .out = OS_CAPTURE,
				 .err = OS_MERGE}),
		"54321\n");
	assert_fault("54322", NULL, "user", EPERM);
	assert_fault(NULL, "54322", "group", EPERM);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_credentials", &tcase);

	tcase_add_test(tcase, an_unknown_user_or_group_is_an_error);
	tcase_add_test(tcase, what_only_begins_like_a_number_is_an_error);
	tcase_add_test(tcase, a_user_has_the_ids_and_groups_of_its_entry);
	tcase_add_test(tcase, a_number_without_an_entry_is_itself_and_in_no_group);
	tcase_add_test(tcase, a_group_alone_takes_all_others_away);
	tcase_add_test(tcase, a_group_takes_the_place_of_the_users_own);
	tcase_add_test(tcase, further_groups_come_beside_those_of_the_user);
	tcase_add_test(tcase, a_further_group_that_is_unknown_is_named);
	tcase_add_test(tcase, a_user_brings_its_part_of_the_environment);
	tcase_add_test(tcase, the_folder_is_entered_with_the_users_rights);
	tcase_add_test(tcase, without_rights_a_user_may_be_what_it_is_and_nothing_else);
	return suite;
}
