/* SPDX-License-Identifier: MIT */
/* What is said of a unit is kept, and is as true as if it were not. */
#include <errno.h>

#include <check.h>

#include "base/alloc.h"
#include "base/text.h"
#include "control/rows.h"
#include "control_world.h"

static const struct script forever = {.lives = EFF_FOREVER};

/* Of a unit's status; the caller's. */
static struct json *status_of(struct client *c, const char *unit)
{
	char parameters[64];
	struct json *reply, *status;

	(void)snprintf(parameters, sizeof(parameters), "{\"units\":[\"%s\"]}", unit);
	reply = client_ask(c, "Status", parameters);
	status = json_copy(reply_at(reply, "parameters.units.0"));
	json_free(reply);
	return status;
}

START_TEST(the_kernel_is_asked_once_for_all_looks_within_a_tenth_of_a_second)
{
	struct server *s = server_shop();
	struct client *c = client_new(s);
	unsigned before = os_fake_usages(s->w->fake);

	for (int i = 0; i < 5; i++)
		json_free(status_of(c, "web"));
	ck_assert_uint_eq(os_fake_usages(s->w->fake) - before, 1);
	world_run_for(s->w, EFF_MS(200));
	json_free(status_of(c, "web"));
	ck_assert_uint_eq(os_fake_usages(s->w->fake) - before, 2);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_a_unit_has_used_is_told_whatever_was_told_before)
{
	static const struct os_usage used[] = {{0.001, 1}, {1234567.125, 1099511627776}, {2, 0},
		{0.25, 4096}, {98765, 123456789}, {0, 10}};
	struct server *s = server_shop();
	struct client *c = client_new(s);

	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		struct json *web;

		os_fake_use(s->w->fake, used[i]);
		world_run_for(s->w, EFF_MS(200));
		web = status_of(c, "web");
		ck_assert_double_eq(json_get_number(web, "cpu_s", -1), used[i].cpu_s);
		ck_assert_double_eq(
			json_get_number(web, "memory_bytes", 0), (double)used[i].memory_bytes);
		ck_assert_int_eq(json_get_int(web, "log_lost_bytes", -1), 0);
		ck_assert_double_eq_tol(json_get_number(web, "uptime_s", -1),
			1.1 + 0.2 * (double)(i + 1), 0.01);
		json_free(web);
	}
	client_free(c);
	server_free(s);
}
END_TEST

static uint64_t allocations_of_a_look(struct client *c, const char *unit)
{
	const uint64_t many = UINT64_C(1) << 40;

	(void)alloc_fail_after(many);
	json_free(status_of(c, unit));
	return many - alloc_fail_after(0);
}

/* A group, one that says how it is, and one with a socket. */
START_TEST(what_has_not_changed_is_not_printed_anew)
{
	struct server *s = server_new(
		"version: 1\nname: t\nsockets: {http: {listen: 'tcp:*:80'}}\nunits:\n"
		"  group: {units: {a: {command: [run]}, b: {command: [run]}}}\n"
		"  says: {command: [says], type: notify}\n"
		"  listens: {command: [run], sockets: [http]}\n");
	static const char *const units[] = {"group", "says", "listens"};
	struct client *c = client_new(s);
	uint64_t first, second;

	world_script(s->w, "run", forever);
	world_script(s->w, "says", (struct script){.lives = EFF_FOREVER, .says = "STATUS=well"});
	world_run_for(s->w, EFF_S(1));
	first = allocations_of_a_look(c, units[_i]);
	second = allocations_of_a_look(c, units[_i]);
	ck_assert_uint_lt(second + 20, first);
	client_free(c);
	server_free(s);
}
END_TEST

/* By the start of another: of this one nothing else is new. */
START_TEST(that_a_socket_is_open_is_told_when_it_is)
{
	struct server *s = server_new(
		"version: 1\nname: t\nsockets: {a: {listen: 'tcp:*:80'}, b: {listen: 'tcp:*:81'}}\n"
		"units: {web: {command: [run], sockets: [a, b], replicas: 2}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "run", forever);
	os_fake_listen_fails(s->w->fake, "tcp:*:81", EADDRINUSE);
	world_run_for(s->w, EFF_S(1));
	json_free(client_ask(c, "Stop", "{\"units\":[\"web@1\"]}"));
	for (int i = 0; i < 2; i++) {
		struct json *web = status_of(c, "web@1");
		const struct json *first = json_first(json_get(web, "sockets"));

		ck_assert(json_get_bool(first, "open", false));
		ck_assert(json_get_bool(json_next(first), "open", i == 0) == (i == 1));
		json_free(web);
		os_fake_listen_fails(s->w->fake, "tcp:*:81", 0);
		world_run_for(s->w, EFF_M(2));
	}
	client_free(c);
	server_free(s);
}
END_TEST

/* Each allocation fails once. */
START_TEST(a_row_that_lacked_memory_is_whole_at_the_next_look)
{
	struct server *s = server_shop();
	struct look look = {.usage_age = LOOK_NEW};
	struct text whole = {0};
	bool has_failed = true;

	for (uint64_t n = 0; n == 0 || has_failed; n++) {
		struct text first = {0}, second = {0};
		struct rows rows = {0};

		(void)alloc_fail_after(n);
		status_add(&first, &rows, s->w->tree, 1, &look);
		has_failed = n > 0 && alloc_fail_after(0) == 0;
		ck_assert(first.failed == has_failed);
		status_add(&second, &rows, s->w->tree, 1, &look);
		if (n == 0)
			text_add(&whole, second.bytes);
		ck_assert_str_eq(second.bytes, whole.bytes);
		text_done(&first);
		text_done(&second);
		rows_done(&rows);
	}
	ck_assert_ptr_nonnull(strstr(whole.bytes, "\"cpu_s\":1.5,\"memory_bytes\":4096,"));
	text_done(&whole);
	server_free(s);
}
END_TEST

/* Nobody else would be answered, and nothing started or stopped, while one look goes over thousands. */
START_TEST(a_look_at_many_is_made_ready_in_parts)
{
	struct server *s = server_new("web: {command: [web], replicas: 600}\n");
	struct client *c = client_new(s);
	struct eff_rt_stats before, after;
	struct json *reply;
	size_t of_one;

	world_script(s->w, "web", forever);
	world_run_for(s->w, EFF_S(1));
	eff_rt_stats(s->w->rt, &before);
	json_free(status_of(c, "web@1"));
	eff_rt_stats(s->w->rt, &after);
	of_one = after.switches - before.switches;
	reply = client_ask(c, "Status", NULL);
	ck_assert_uint_eq(json_count(reply_at(reply, "parameters.units")), 601);
	json_free(reply);
	eff_rt_stats(s->w->rt, &before);
	/* The others' turn comes after each 128, and before the one look at all. */
	ck_assert_uint_eq(before.switches - after.switches, of_one + 5);
	client_free(c);
	server_free(s);
}
END_TEST

struct renewal {
	struct world *w;
	uint32_t index[600];
};

static eff_exit renew(void *arg)
{
	const struct renewal *renewal = arg;
	struct rows rows = {0};

	ck_assert_int_eq(rows_renew(&rows, renewal->w->tree, renewal->index, 600), 0);
	rows_done(&rows);
	return eff_ok(NULL);
}

static eff_exit take_over(void *arg)
{
	ck_assert_int_eq(eff_await_turn(), 0);
	((struct world *)arg)->tree->generation++;
	return eff_ok(NULL);
}

/* Be it where the one before was. */
START_TEST(units_of_a_plan_that_was_taken_over_meanwhile_are_not_looked_at)
{
	struct renewal renewal = {.w = world_new("web: {command: [web], replicas: 600}\n")};
	unsigned before;

	for (uint32_t i = 0; i < 600; i++)
		renewal.index[i] = i + 1;
	world_script(renewal.w, "web", forever);
	world_run_for(renewal.w, EFF_S(1));
	before = os_fake_usages(renewal.w->fake);
	ck_assert_int_eq(eff_fork_daemon(EFF(renew, &renewal), NULL), 0);
	ck_assert_int_eq(eff_fork_daemon(EFF(take_over, renewal.w), NULL), 0);
	world_run_for(renewal.w, 0);
	ck_assert_uint_eq(os_fake_usages(renewal.w->fake) - before, ROWS_A_TURN);
	world_free(renewal.w);
}
END_TEST

START_TEST(a_second_look_tells_what_has_changed_since)
{
	struct server *s = server_new("web: {command: [web], restart: {backoff: {jitter: 0}}}\n"
				      "says: {command: [says], type: notify}\n");
	struct client *c = client_new(s);
	struct json *before, *after;

	world_script(s->w, "web", (struct script){.lives = EFF_S(5), .exits = 3});
	world_script(s->w, "says", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(1)});
	world_run_for(s->w, EFF_S(4));
	before = status_of(c, "web");
	world_run_for(s->w, EFF_MS(500));
	after = status_of(c, "web");
	ck_assert_double_eq_tol(
		json_get_number(after, "uptime_s", -1) - json_get_number(before, "uptime_s", -1),
		0.5, 0.01);
	json_free(before);
	json_free(after);
	world_run_for(s->w, EFF_MS(800));
	after = status_of(c, "web");
	ck_assert_str_eq(json_get_text(after, "state", ""), "backoff");
	ck_assert_int_eq(json_type(json_get(after, "pid")), JSON_NULL);
	ck_assert_int_eq(json_type(json_get(after, "cpu_s")), JSON_NULL);
	ck_assert_int_eq(json_get_int(json_get(after, "last_exit"), "code", -1), 3);
	json_free(after);
	world_run_for(s->w, EFF_S(1));
	after = status_of(c, "web");
	ck_assert_str_eq(json_get_text(after, "state", ""), "up");
	ck_assert_int_eq(json_get_int(after, "restarts", -1), 1);
	ck_assert_double_eq(json_get_number(after, "cpu_s", -1), 1.5);
	json_free(after);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(words_of_a_unit_are_the_last_ones)
{
	struct server *s = server_new("says: {command: [says], type: notify}\n");
	struct client *c = client_new(s);
	struct json *status;

	world_script(s->w, "says", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(1)});
	world_run_for(s->w, EFF_S(2));
	for (int i = 0; i < 4; i++) {
		char words[] = {'S', 'T', 'A', 'T', 'U', 'S', '=', (char)('a' + i), '\0'};

		os_fake_notify(s->w->fake, "says", words);
		world_run_for(s->w, EFF_MS(1));
		status = status_of(c, "says");
		ck_assert_str_eq(json_get_text(status, "status_text", ""), words + 7);
		json_free(status);
	}
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("rows");
	TCase *tcase = tcase_create("looking again");

	test_leak_guard(tcase);
	tcase_add_test(tcase, the_kernel_is_asked_once_for_all_looks_within_a_tenth_of_a_second);
	tcase_add_test(tcase, what_a_unit_has_used_is_told_whatever_was_told_before);
	tcase_add_loop_test(tcase, what_has_not_changed_is_not_printed_anew, 0, 3);
	tcase_add_test(tcase, that_a_socket_is_open_is_told_when_it_is);
	tcase_add_test(tcase, a_row_that_lacked_memory_is_whole_at_the_next_look);
	tcase_add_test(tcase, a_look_at_many_is_made_ready_in_parts);
	tcase_add_test(tcase, units_of_a_plan_that_was_taken_over_meanwhile_are_not_looked_at);
	tcase_add_test(tcase, a_second_look_tells_what_has_changed_since);
	tcase_add_test(tcase, words_of_a_unit_are_the_last_ones);
	suite_add_tcase(suite, tcase);
	return suite;
}
