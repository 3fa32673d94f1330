/* SPDX-License-Identifier: MIT */
/* The server and its connections: what breaks, lies, floods, stalls or vanishes costs its own connection and no other. */
#include <fcntl.h>

#include <check.h>

#include "base/alloc.h"
#include "control_world.h"

static const char one_unit[] = "web: {command: [web]}\n";

static struct server *server_with_web(void)
{
	struct server *s = server_new(one_unit);

	world_script(s->w, "web", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	return s;
}

/* Another client is served as ever. */
static void check_others_are_served(struct server *s)
{
	struct client *other = client_new(s);

	ck_assert_str_eq(reply_error(client_ask(other, "Ping", NULL)), "");
	client_free(other);
}

START_TEST(ping_is_answered)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Ping", NULL);

	ck_assert_ptr_null(json_get(reply, "error"));
	ck_assert_ptr_null(json_get(reply, "continues"));
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(requests_sent_ahead_are_answered_in_their_order)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);

	client_call(c, "Version", NULL, false);
	client_call(c, "NoSuch", NULL, false);
	client_call(c, "Ping", NULL, false);

	struct json *first = client_reply(c);
	ck_assert_str_ne(reply_text(first, "parameters.version"), "(none)");
	json_free(first);
	ck_assert_str_eq(reply_error(client_reply(c)), "org.varlink.service.MethodNotFound");
	ck_assert_str_eq(reply_error(client_reply(c)), "");
	client_free(c);
	server_free(s);
}
END_TEST

static uint64_t allocations_of(
	struct client *c, const char *method, const char *parameters, const char *name)
{
	const uint64_t many = UINT64_C(1) << 40;
	struct json *reply;
	uint64_t n;

	client_call(c, method, parameters, false);
	(void)alloc_fail_after(many);
	server_turn(c->s);
	n = many - alloc_fail_after(0);
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.units.0.name"), name);
	json_free(reply);
	return n;
}

START_TEST(what_is_asked_again_is_not_read_again_and_what_differs_is)
{
	static const char of_web[] = "{\"units\":[\"web\"]}", of_wax[] = "{\"units\":[\"wax\"]}";
	struct server *s = server_new("web: {command: [web]}\nwax: {command: [wax]}\n");
	struct client *c = client_new(s), *other = client_new(s);
	uint64_t first, again;

	server_turn(s);
	(void)allocations_of(other, "Status", of_web, "web");
	(void)allocations_of(other, "Status", of_wax, "wax");
	first = allocations_of(c, "Status", of_web, "web");
	again = allocations_of(c, "Status", of_web, "web");
	ck_assert_uint_lt(again, first);
	ck_assert_uint_eq(allocations_of(c, "Status", of_wax, "wax"), again + 1);
	ck_assert_uint_eq(allocations_of(c, "Status", of_web, "web"), again + 1);
	/* Nor is a bad one taken for the last good one. */
	client_send(c,
		"{\"method\":\"org.effd.Control.Status\",\"parameters\":{\"units\":[\"web\"]}]");
	ck_assert_str_eq(reply_error(client_reply(c)), "BadRequest");
	client_free(c);
	client_free(other);
	server_free(s);
}
END_TEST

START_TEST(a_oneway_call_is_not_answered)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);

	client_send(c, "{\"method\":\"org.effd.Control.Ping\",\"oneway\":true}");
	client_call(c, "Version", NULL, false);

	struct json *reply = client_reply(c);
	ck_assert_str_ne(reply_text(reply, "parameters.version"), "(none)");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(varlink_clients_find_the_interface)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);
	struct json *info = client_ask(c, "org.varlink.service.GetInfo", NULL);
	struct json *text;

	ck_assert_str_eq(reply_text(info, "parameters.interfaces.1"), "org.effd.Control");
	json_free(info);
	text = client_ask(c, "org.varlink.service.GetInterfaceDescription",
		"{\"interface\":\"org.effd.Control\"}");
	ck_assert_ptr_nonnull(strstr(reply_text(text, "parameters.description"), "method Status("));
	json_free(text);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_is_not_there_has_varlinks_errors)
{
	static const struct {
		const char *method, *error;
	} calls[] = {
		{"org.effd.Control.Nothing", "org.varlink.service.MethodNotFound"},
		{"org.effd.Control.status", "org.varlink.service.MethodNotFound"},
		{"org.effd.Control.", "org.varlink.service.MethodNotFound"},
		{"org.effd.Other.Status", "org.varlink.service.InterfaceNotFound"},
		{"org.varlink.service.Nothing", "org.varlink.service.MethodNotFound"},
		{"../../Status.Status", "org.varlink.service.InterfaceNotFound"},
	};
	struct server *s = server_with_web();
	struct client *c = client_new(s);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		ck_assert_str_eq(reply_error(client_ask(c, calls[i].method, NULL)), calls[i].error);
	client_send(c, "{\"method\":\"Status\"}");
	ck_assert_str_eq(reply_error(client_reply(c)), "org.varlink.service.InvalidParameter");
	ck_assert_str_eq(reply_error(client_ask(c, "org.varlink.service.GetInterfaceDescription",
				 "{\"interface\":\"org.effd.Nothing\"}")),
		"org.varlink.service.InterfaceNotFound");
	ck_assert_str_eq(reply_error(client_ask(c, "Ping", NULL)), "");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(parameters_are_held_to_the_table)
{
	static const struct {
		const char *method, *parameters, *wrong;
	} calls[] = {
		{"Status", "{\"units\":\"web\"}", "units"},
		{"Status", "{\"units\":[1]}", "units"},
		{"Status", "{\"unit\":[]}", "unit"},
		{"Start", "{}", "units"},
		{"Start", "{\"units\":[]}", "units"},
		{"Start", "{\"units\":[\"web\"],\"timeout_s\":-1}", "timeout_s"},
		{"Signal", "{\"signal\":\"SIGNONE\",\"units\":[\"web\"]}", "signal"},
		{"Signal", "{\"signal\":\"HUP\",\"units\":[]}", "units"},
		{"Wait", "{\"units\":[\"web\"],\"for\":\"running\"}", "for"},
		{"Ping", "{\"loud\":true}", "loud"},
	};
	struct server *s = server_with_web();
	struct client *c = client_new(s);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct json *reply = client_ask(c, calls[i].method, calls[i].parameters);

		ck_assert_str_eq(reply_text(reply, "error"), "org.varlink.service.InvalidParameter");
		ck_assert_str_eq(reply_text(reply, "parameters.parameter"), calls[i].wrong);
		json_free(reply);
	}
	ck_assert_str_eq(
		reply_error(client_ask(c, "Logs", "{}")), "org.varlink.service.ExpectedMore");
	client_free(c);
	server_free(s);
}
END_TEST

/* Each is no call at all: BadRequest, then closed; nothing was acted on. */
static void check_refused(const char *bytes, size_t n)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);

	(void)client_write(c, bytes, n);
	ck_assert_str_eq(reply_error(client_reply(c)), "BadRequest");
	ck_assert(client_is_closed(c));
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "up");
	check_others_are_served(s);
	client_free(c);
	/* Its reading to the end is bounded in time. */
	world_run_for(s->w, EFF_S(2));
	ck_assert_uint_eq(control_clients(s->control), 0);
	server_free(s);
}

static const char *const broken[] = {
	"",
	"stop everything",
	"{",
	"[]",
	"\"text\"",
	"{}",
	"{\"method\":1}",
	"{\"method\":\"org.effd.Control.Ping\"} {\"method\":\"org.effd.Control.Ping\"}",
	"{\"method\":\"org.effd.Control.Ping\",\"method\":\"org.effd.Control.Shutdown\"}",
	"{\"method\":\"org.effd.Control.Stop\",\"parameters\":{\"units\":[\"web\"],\"units\":[]}}",
	"{\"method\":\"org.effd.Control.Ping\",\"parameters\":[]}",
	"{\"method\":\"org.effd.Control.Ping\",\"more\":\"yes\"}",
	"{\"method\":\"org.effd.Control.Ping\",\"parameters\":{\"a\":1e999}}",
	"{\"method\":\"org.effd.Control.Ping\xff\"}",
	"{\"method\":\"org.effd.Control.Ping\",\"parameters\":{\"a\":\"\\ud800\"}}",
	"{\"method\":\"org.effd.Control.Ping\",\"parameters\":{\"a\":\"\\u0000\"}}",
	"{'method':'org.effd.Control.Ping'}",
	"{\"method\":\"org.effd.Control.Ping\",}",
};

START_TEST(what_is_no_call_is_a_bad_request)
{
	check_refused(broken[_i], strlen(broken[_i]) + 1);
}
END_TEST

START_TEST(a_request_may_be_deep_but_not_too_deep)
{
	char text[4096] = "{\"method\":\"org.effd.Control.Ping\",\"parameters\":{\"a\":";
	size_t n = strlen(text);

	memset(text + n, '[', 1000);
	memset(text + n + 1000, ']', 1000);
	(void)strcpy(text + n + 2000, "}}");
	check_refused(text, strlen(text) + 1);
}
END_TEST

START_TEST(a_request_of_more_than_a_mebibyte_is_refused_before_it_ends)
{
	size_t n = (1 << 20) + 100;
	char *text = malloc(n);

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', n);
	check_refused(text, n);
	free(text);
}
END_TEST

START_TEST(a_request_of_a_mebibyte_is_read)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);
	char *text = malloc((1 << 20) + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', 1 << 20);
	(void)strcpy(text, "{\"method\":\"org.effd.Control.Ping\"");
	text[strlen(text)] = ' ';
	text[(1 << 20) - 1] = '}';
	text[1 << 20] = '\0';

	ck_assert_uint_eq(client_write(c, text, (1 << 20) + 1), (1 << 20) + 1);
	ck_assert_str_eq(reply_error(client_reply(c)), "");
	free(text);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(the_end_of_effd_closes_every_connection)
{
	struct server *s = server_with_web();
	struct client *idle = client_new(s), *waiting = client_new(s);

	client_call(waiting, "Wait", "{\"units\":[\"web\"],\"for\":\"down\"}", false);
	server_turn(s);
	eff_interrupt_async(s->fiber);
	server_turn(s);

	ck_assert(client_is_closed(idle));
	ck_assert(client_is_closed(waiting));
	client_free(idle);
	client_free(waiting);
	server_free(s);
}
END_TEST

START_TEST(a_client_that_came_at_the_last_moment_leaves_nothing_behind)
{
	struct server *s = server_with_web();
	struct client *c;

	server_turn(s);
	c = client_new(s);
	eff_interrupt_async(s->fiber);
	server_turn(s);
	ck_assert_uint_eq(control_clients(s->control), 0);
	client_free(c);
	server_free(s);
}
END_TEST

/* ── the end of effd in the turn of a request ── */

struct ender {
	struct server *s;
	int ends[2];
};

static eff_exit end_when_told(void *arg)
{
	const struct ender *e = arg;

	if (eff_wait_fd(e->ends[0], EFF_READ) >= 0)
		eff_interrupt_async(e->s->fiber);
	return eff_ok(NULL);
}

/* Whichever of the two the loop tells first. */
static void end_while_asked(struct ender *e, struct client *c, const char *const *call, bool first)
{
	if (first)
		client_call(c, call[0], call[1], false);
	ck_assert_int_eq(write(e->ends[1], "x", 1), 1);
	if (!first)
		client_call(c, call[0], call[1], false);
	ck_assert(client_is_closed(c));
}

START_TEST(what_a_request_begins_goes_with_effd_that_ends_in_the_same_turn)
{
	static const char *const calls[][2] = {{"Reload", NULL},
		{"Reload", "{\"units\":[\"web\"]}"},
		{"Add", "{\"supervisor\":\"pool\",\"tree\":\"units: {x: {}}\",\"file\":\"/x\"}"}};
	struct server *s = server_new(
		"web: {command: [web], reload: {signal: SIGHUP}}\n"
		"pool: {strategy: simple_one_for_one, template: {command: [web]}}\n");
	struct client *c = client_new(s);
	struct ender e = {.s = s};
	struct eff_fiber *fiber;

	world_script(s->w, "web", (struct script){.lives = EFF_FOREVER});
	s->document = one_unit;
	ck_assert_int_eq(pipe2(e.ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(eff_fork_daemon(EFF(end_when_told, &e), &fiber), 0);
	server_turn(s);
	end_while_asked(&e, c, calls[_i / 2], _i % 2);
	ck_assert_uint_eq(tree_find(s->w->tree, "web")->n_users, 0);
	eff_fiber_unref(fiber);
	eff_fd_close(e.ends[0]);
	eff_fd_close(e.ends[1]);
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("server");
	TCase *tcase = tcase_create("clients");

	test_leak_guard(tcase);
	tcase_add_test(tcase, ping_is_answered);
	tcase_add_test(tcase, requests_sent_ahead_are_answered_in_their_order);
	tcase_add_test(tcase, what_is_asked_again_is_not_read_again_and_what_differs_is);
	tcase_add_test(tcase, a_oneway_call_is_not_answered);
	tcase_add_test(tcase, varlink_clients_find_the_interface);
	tcase_add_test(tcase, what_is_not_there_has_varlinks_errors);
	tcase_add_test(tcase, parameters_are_held_to_the_table);
	tcase_add_loop_test(tcase, what_is_no_call_is_a_bad_request, 0,
		(int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_test(tcase, a_request_may_be_deep_but_not_too_deep);
	tcase_add_test(tcase, a_request_of_more_than_a_mebibyte_is_refused_before_it_ends);
	tcase_add_test(tcase, a_request_of_a_mebibyte_is_read);
	tcase_add_test(tcase, the_end_of_effd_closes_every_connection);
	tcase_add_test(tcase, a_client_that_came_at_the_last_moment_leaves_nothing_behind);
	tcase_add_loop_test(
		tcase, what_a_request_begins_goes_with_effd_that_ends_in_the_same_turn, 0, 6);
	suite_add_tcase(suite, tcase);
	return suite;
}
