/* SPDX-License-Identifier: MIT */
/* Addresses to listen at, as a tree says them. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "base/endpoint.h"

Suite *test_suite(void);

static const struct {
	const char *text;
	int r, family, port;
} endpoints[] = {
	{"tcp:127.0.0.1:80", 0, AF_INET, 80},
	{"tcp:localhost:65535", 0, AF_INET, 65535},
	{"tcp:[::1]:0", 0, AF_INET6, 0},
	{"tcp:*:9", 0, AF_INET6, 9},
	{"unix:/run/x", 0, AF_UNIX, 0},
	{"tcp:80", -EINVAL, 0, 0},
	{"tcp::80", -EINVAL, 0, 0},
	{"tcp:::1:80", -EINVAL, 0, 0},
	{"tcp:[::1:80", -EINVAL, 0, 0},
	{"tcp:example.org:80", -EINVAL, 0, 0},
	{"tcp:127.0.0.1:", -EINVAL, 0, 0},
	{"tcp:127.0.0.1:65536", -EINVAL, 0, 0},
	{"tcp:127.0.0.1:80x", -EINVAL, 0, 0},
	{"unix:x", -EINVAL, 0, 0},
	{"unix:", -EINVAL, 0, 0},
	{"udp:127.0.0.1:80", -EINVAL, 0, 0},
	{"", -EINVAL, 0, 0},
	{"unix:/0123456789012345678901234567890123456789012345678901234567890123456789"
	 "01234567890123456789012345678901234567890",
		-ENAMETOOLONG, 0, 0},
};

START_TEST(addresses_are_read)
{
	struct endpoint at;

	ck_assert_int_eq(endpoint_parse(endpoints[_i].text, &at), endpoints[_i].r);
	if (endpoints[_i].r < 0)
		return;
	ck_assert_int_eq(at.address.any.sa_family, endpoints[_i].family);
	if (at.address.any.sa_family != AF_UNIX) /* both have it in the same place */
		ck_assert_int_eq(ntohs(at.address.v4.sin_port), endpoints[_i].port);
}
END_TEST

START_TEST(input_is_what_was_sent_and_not_read)
{
	int fds[2];
	char byte;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert(!endpoint_has_input(fds[0]));
	ck_assert_int_eq(send(fds[1], "x", 1, 0), 1);
	ck_assert(endpoint_has_input(fds[0]));
	(void)close(fds[1]);
	ck_assert(endpoint_has_input(fds[0]));
	ck_assert_int_eq(recv(fds[0], &byte, 1, 0), 1);
	ck_assert(!endpoint_has_input(fds[0]));
	(void)close(fds[0]);
}
END_TEST

static const struct {
	const char *a, *b;
	bool exclude;
} pairs[] = {
	{"tcp:*:80", "tcp:*:80", true},
	{"tcp:*:80", "tcp:127.0.0.1:80", true},
	{"tcp:[::1]:80", "tcp:*:80", true},
	{"tcp:0.0.0.0:80", "tcp:127.0.0.1:80", true},
	{"tcp:localhost:80", "tcp:127.0.0.1:80", true},
	{"tcp:[::1]:80", "tcp:[::1]:80", true},
	{"tcp:[::1]:80", "tcp:[::2]:80", false},
	{"tcp:127.0.0.2:80", "tcp:127.0.0.1:80", false},
	{"tcp:0.0.0.0:80", "tcp:[::1]:80", false},
	{"tcp:*:80", "tcp:*:81", false},
	{"tcp:*:80", "udp:*:80", false},
	{"tcp:*:0", "tcp:*:0", false},
	{"unix:/x", "unix:/x", false},
	{"unix:/x", "tcp:*:80", false},
};

START_TEST(two_that_are_in_each_others_way)
{
	struct endpoint a, b;

	ck_assert_int_eq(endpoint_parse_any(pairs[_i].a, &a), 0);
	ck_assert_int_eq(endpoint_parse_any(pairs[_i].b, &b), 0);

	ck_assert_int_eq(endpoint_excludes(&a, &b), pairs[_i].exclude);
	ck_assert_int_eq(endpoint_excludes(&b, &a), pairs[_i].exclude);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("endpoint");
	TCase *tcase = tcase_create("endpoint");

	tcase_add_loop_test(
		tcase, addresses_are_read, 0, (int)(sizeof(endpoints) / sizeof(endpoints[0])));
	tcase_add_test(tcase, input_is_what_was_sent_and_not_read);
	tcase_add_loop_test(tcase, two_that_are_in_each_others_way, 0,
		(int)(sizeof(pairs) / sizeof(pairs[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
