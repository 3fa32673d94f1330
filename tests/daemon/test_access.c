/* SPDX-License-Identifier: MIT */
/* Who may do what: by numbers, and by nothing else. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "control/access.h"
#include "leak.h"
#include "no_loop.h"

static struct access rules(uid_t self)
{
	return (struct access){.self = self, .socket_group = ACCESS_NO_GROUP};
}

static struct peer somebody(uid_t uid, gid_t gid)
{
	return (struct peer){.who = {.pid = 1, .uid = uid}, .gid = gid};
}

START_TEST(root_and_effds_own_user_may_do_all)
{
	struct access access = rules(1000);
	struct peer root = somebody(0, 0), self = somebody(1000, 1000);

	ck_assert_int_eq(access_level(&access, &root), ACCESS_OWNER);
	ck_assert_int_eq(access_level(&access, &self), ACCESS_OWNER);
	ck_assert(access_is_self(&access, &root));
	ck_assert(access_is_self(&access, &self));
}
END_TEST

START_TEST(anybody_else_may_do_nothing)
{
	static const uid_t uids[] = {
		1, 999, 1001, 65534, 2147483647, 2147483648U, 4294967293U, 4294967294U};
	struct access access = rules(1000);

	for (size_t i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
		struct peer peer = somebody(uids[i], uids[i]);

		ck_assert_int_eq(access_level(&access, &peer), ACCESS_NONE);
		ck_assert(!access_is_self(&access, &peer));
	}
}
END_TEST

START_TEST(the_number_that_means_no_user_is_nobody_even_where_rules_name_it)
{
	uid_t nobody = (uid_t)-1;
	struct access access = rules(nobody);
	struct peer peer = somebody(nobody, ACCESS_NO_GROUP);

	access.users = &nobody;
	access.n_users = 1;

	ck_assert_int_eq(access_level(&access, &peer), ACCESS_NONE);
	ck_assert(!access_is_self(&access, &peer));
}
END_TEST

START_TEST(the_socket_group_may_do_all_but_is_not_effd_itself)
{
	gid_t groups[] = {7, 42};
	struct access access = rules(1000);
	struct peer first = somebody(2000, 42), also = somebody(2001, 2001);

	access.socket_group = 42;
	also.groups = groups;
	also.n_groups = 2;

	ck_assert_int_eq(access_level(&access, &first), ACCESS_OWNER);
	ck_assert_int_eq(access_level(&access, &also), ACCESS_OWNER);
	ck_assert(!access_is_self(&access, &also));
	also.n_groups = 1;
	ck_assert_int_eq(access_level(&access, &also), ACCESS_NONE);
}
END_TEST

START_TEST(readers_by_user_or_group_may_look)
{
	uid_t users[] = {2000};
	gid_t groups[] = {50}, theirs[] = {49, 50};
	struct access access = rules(1000);
	struct peer user = somebody(2000, 2000), member = somebody(2001, 2001);

	access.users = users;
	access.n_users = 1;
	access.groups = groups;
	access.n_groups = 1;
	member.groups = theirs;
	member.n_groups = 2;

	ck_assert_int_eq(access_level(&access, &user), ACCESS_READER);
	ck_assert_int_eq(access_level(&access, &member), ACCESS_READER);
}
END_TEST

START_TEST(names_become_numbers_and_unknown_ones_are_left_out)
{
	static const struct plan_pair readers[] = {{"root", NULL}, {"@root", NULL},
		{"no-such-user-here", NULL}, {"@no-such-group-here", NULL}, {"12345", NULL}};
	struct plan_daemon daemon = {.readers = readers, .n_readers = 5, .socket_group = "root"};
	struct access access;

	ck_assert_int_eq(access_resolve(&daemon, &access), 0);

	ck_assert_uint_eq(access.socket_group, 0);
	ck_assert_uint_eq(access.n_users, 2);
	ck_assert_uint_eq(access.users[0], 0);
	ck_assert_uint_eq(access.users[1], 12345);
	ck_assert_uint_eq(access.n_groups, 1);
	ck_assert_uint_eq(access.self, geteuid());
	access_done(&access);
}
END_TEST

START_TEST(a_socket_group_that_does_not_exist_is_an_error)
{
	struct plan_daemon daemon = {.socket_group = "no-such-group-here"};
	struct access access;

	ck_assert_int_eq(access_resolve(&daemon, &access), -ENOENT);
}
END_TEST

static eff_exit resolve_refused(void *arg)
{
	static const struct plan_pair readers[] = {{"root", NULL}};
	struct plan_daemon daemon = {.readers = readers, .n_readers = 1, .socket_group = "root"};
	struct access access;

	ck_assert_int_eq(access_resolve(&daemon, &access), -EMFILE);
	return eff_ok(arg);
}

START_TEST(names_that_cannot_be_looked_up_leave_nothing)
{
	without_loop(resolve_refused, NULL);
}
END_TEST

START_TEST(numbers_beyond_all_users_are_no_users)
{
	static const struct plan_pair readers[] = {{"4294967295", NULL}, {"4294967296", NULL},
		{"99999999999999999999", NULL}, {"0x0", NULL}, {"0day", NULL}};
	struct plan_daemon daemon = {.readers = readers, .n_readers = 5};
	struct access access;

	ck_assert_int_eq(access_resolve(&daemon, &access), 0);

	ck_assert_uint_eq(access.n_users, 0);
	access_done(&access);
}
END_TEST

START_TEST(a_peer_is_known_as_the_kernel_knows_it)
{
	struct peer peer = {0};
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(peer_read(fds[0], &peer), 0);

	ck_assert_int_eq(peer.who.pid, getpid());
	ck_assert_uint_eq(peer.who.uid, geteuid());
	ck_assert_uint_eq(peer.gid, getegid());
	ck_assert_uint_gt(strlen(peer.who.command), 0);
	peer_done(&peer);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("access");
	TCase *tcase = tcase_create("rights");

	test_leak_guard(tcase);
	tcase_add_test(tcase, root_and_effds_own_user_may_do_all);
	tcase_add_test(tcase, anybody_else_may_do_nothing);
	tcase_add_test(tcase, the_number_that_means_no_user_is_nobody_even_where_rules_name_it);
	tcase_add_test(tcase, the_socket_group_may_do_all_but_is_not_effd_itself);
	tcase_add_test(tcase, readers_by_user_or_group_may_look);
	tcase_add_test(tcase, names_become_numbers_and_unknown_ones_are_left_out);
	tcase_add_test(tcase, a_socket_group_that_does_not_exist_is_an_error);
	tcase_add_test(tcase, names_that_cannot_be_looked_up_leave_nothing);
	tcase_add_test(tcase, numbers_beyond_all_users_are_no_users);
	tcase_add_test(tcase, a_peer_is_known_as_the_kernel_knows_it);
	suite_add_tcase(suite, tcase);
	return suite;
}
