/* SPDX-License-Identifier: MIT */
/* Where a process's control group is, by the kernel's texts, and what a unit's is called. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "os/internal.h"

#define PLAIN "31 23 0:28 / /sys/fs/cgroup ro shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define BESIDE \
	"22 1 0:21 / /proc rw - proc proc rw\n" \
	"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n" \
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"

static const struct {
	const char *cgroup, *mounts, *folder;
	int result;
} places[] = {
	{"0::/\n", PLAIN, "/sys/fs/cgroup", 0},
	{"0::/system.slice/effd.service\n", PLAIN, "/sys/fs/cgroup/system.slice/effd.service", 0},
	{"0::/system.slice/effd.service", PLAIN, "/sys/fs/cgroup/system.slice/effd.service", 0},
	{"9:name=systemd:/a\n1:cpu:/b\n0::/c d\n", BESIDE, "/sys/fs/cgroup/unified/c d", 0},
	/* Only a part of it is mounted. */
	{"0::/a/b/c\n", "1 0 0:1 /a/b /mnt/x\\040y\\134z rw - cgroup2 none rw\n", "/mnt/x y\\z/c", 0},
	{"0::/a/b\n", "1 0 0:1 /a/b /mnt rw - cgroup2 none rw\n", "/mnt", 0},
	{"0::/a/bc\n", "1 0 0:1 /a/b /mnt rw - cgroup2 none rw\n", NULL, -EXDEV},
	{"0::/a\n", "1 0 0:1 /a/b /mnt rw - cgroup2 none rw\n", NULL, -EXDEV},
	{"0::/a\n", "1 0 0:1 /b /mnt rw - cgroup2 none rw\n" PLAIN, "/sys/fs/cgroup/a", 0},
	/* The namespace's root is not above. */
	{"0::/../other\n", PLAIN, NULL, -EXDEV},
	{"0::/..\n", PLAIN, NULL, -EXDEV},
	{"0::/..odd\n", PLAIN, "/sys/fs/cgroup/..odd", 0},
	{"0::/../other\n", "1 0 0:1 /.. /mnt rw - cgroup2 none rw\n", "/mnt/other", 0},
	/* There is none. */
	{"0::/\n", "22 1 0:21 / /proc rw - proc proc rw\n", NULL, -EOPNOTSUPP},
	{"0::/\n", "22 1 0:21 / /x rw - tmpfs cgroup2 rw\n", NULL, -EOPNOTSUPP},
	{"0::/\n", "", NULL, -EOPNOTSUPP},
	{"0::/\n", "cgroup2\n - cgroup2 \n1 2 3 - cgroup2 x\n", NULL, -EXDEV},
};
enum { N_PLACES = sizeof(places) / sizeof(*places) };

START_TEST(a_group_is_found_by_what_the_kernel_says_of_it)
{
	size_t len;
	const char *own = os_cgroup_own(places[_i].cgroup, &len);
	char *folder = NULL;

	ck_assert_ptr_nonnull(own);
	ck_assert_int_eq(os_cgroup_find(own, len, places[_i].mounts, &folder), places[_i].result);
	ck_assert_pstr_eq(folder, places[_i].folder);
	free(folder);
}
END_TEST

START_TEST(a_process_of_version_one_alone_has_no_group)
{
	size_t len;

	ck_assert_ptr_null(os_cgroup_own("9:name=systemd:/a\n10::/x\n", &len));
	ck_assert_ptr_null(os_cgroup_own("", &len));
}
END_TEST

START_TEST(no_two_texts_have_one_name)
{
	char name[CGROUP_NAME], other[CGROUP_NAME], text[600];

	os_cgroup_name(name, "unit:", "workers/index@2");
	ck_assert_str_eq(name, "unit:workers:index@2");
	os_cgroup_name(name, "unit:", "../a:b~c\n");
	ck_assert_str_eq(name, "unit:..:a\\x3ab\\x7ec\\x0a");
	os_cgroup_name(name, "unit:", "");
	ck_assert_str_eq(name, "unit:");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	os_cgroup_name(name, "unit:", text);
	text[sizeof(text) - 2] = 'y';
	os_cgroup_name(other, "unit:", text);
	ck_assert_str_ne(name, other);
	ck_assert_uint_lt(strlen(name), 200);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("os_cgroup_find");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, a_group_is_found_by_what_the_kernel_says_of_it, 0, N_PLACES);
	tcase_add_test(tcase, a_process_of_version_one_alone_has_no_group);
	tcase_add_test(tcase, no_two_texts_have_one_name);
	suite_add_tcase(suite, tcase);
	return suite;
}
