/* SPDX-License-Identifier: MIT */
/* The name of a unit with replicas, in all that is asked of effd: it means each of them. */
#include <check.h>

#include "control_world.h"

static const struct script forever = {.lives = EFF_FOREVER};

#define TREE(n) \
	"web: {command: [run], depends_on: [g/fetch]}\n" \
	"none: {command: [run], replicas: 0}\n" \
	"g:\n" \
	"  units:\n" \
	"    fetch: {command: [\"fetch${INSTANCE}\"], replicas: " #n ", labels: {app: shop}}\n" \
	"    fetcher: {command: [run]}\n"

static struct server *served(void)
{
	struct server *s = server_new(TREE(3));

	world_script(s->w, "run", forever);
	world_script(s->w, "fetch1", forever);
	world_script(s->w, "fetch2", forever);
	world_script(s->w, "fetch3", forever);
	world_run_for(s->w, EFF_S(1));
	return s;
}

/* "g/fetch@1 up, web waiting": the units of an answer. Frees the reply. */
static const char *states(struct json *reply)
{
	static char words[512];
	size_t n = 0;

	(void)snprintf(words, sizeof(words), "%s", json_get_text(reply, "error", ""));
	for (const struct json *v = json_first(reply_at(reply, "parameters.units")); v;
		v = json_next(v))
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s %s", n ? ", " : "",
			json_get_text(v, "name", "?"), json_get_text(v, "state", ""));
	json_free(reply);
	return words;
}

#define UNITS(list) "{\"units\":[" list "]}"

START_TEST(it_is_as_good_as_all_their_names)
{
	struct server *s = served();
	struct client *c = client_new(s);

	ck_assert_str_eq(states(client_ask(c, "Status", UNITS("\"g/fetch\""))),
		"g/fetch@1 up, g/fetch@2 up, g/fetch@3 up");
	ck_assert_str_eq(states(client_ask(c, "Status", UNITS("\"g/fetch@2\""))), "g/fetch@2 up");
	ck_assert_str_eq(states(client_ask(c, "Status", UNITS("\"app=shop\""))),
		"g/fetch@1 up, g/fetch@2 up, g/fetch@3 up");
	ck_assert_str_eq(states(client_ask(c, "Status", UNITS("\"g\""))),
		"g up, g/fetch@1 up, g/fetch@2 up, g/fetch@3 up, g/fetcher up");
	ck_assert_str_eq(states(client_ask(c, "Status", UNITS("\"none\""))), "");
	ck_assert_str_eq(states(client_ask(c, "Show", "{\"unit\":\"g/fetch\"}")),
		"g/fetch@1 , g/fetch@2 , g/fetch@3 ");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_glob_matches_it_or_the_name_of_each)
{
	struct server *s = served();
	struct client *c = client_new(s);

	ck_assert_str_eq(states(client_ask(c, "Status", UNITS("\"g/*ch\""))),
		"g/fetch@1 up, g/fetch@2 up, g/fetch@3 up");
	ck_assert_str_eq(states(client_ask(c, "Status", UNITS("\"**@[23]\""))),
		"g/fetch@2 up, g/fetch@3 up");
	ck_assert_str_eq(states(client_ask(c, "Status", UNITS("\"g/fetch*\""))),
		"g/fetch@1 up, g/fetch@2 up, g/fetch@3 up, g/fetcher up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(one_that_is_not_there_is_told_with_the_nearest)
{
	struct server *s = served();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Status", UNITS("\"g/fetc\""));

	ck_assert_str_eq(reply_text(reply, "parameters.nearest"), "g/fetch");
	json_free(reply);
	reply = client_ask(c, "Stop", UNITS("\"fetch\""));
	ck_assert_str_eq(reply_text(reply, "parameters.nearest"), "g/fetch");
	json_free(reply);
	reply = client_ask(c, "Stop", UNITS("\"g/fetch@4\""));
	ck_assert_str_eq(reply_text(reply, "parameters.nearest"), "g/fetch@1");
	json_free(reply);
	reply = client_ask(c, "Status", "{\"units\":[\"g/\"]}");
	ck_assert_str_eq(reply_text(reply, "parameters.nearest"), "g");
	ck_assert_str_eq(reply_error(reply), "NoSuchUnit");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_verb_acts_on_each_of_them)
{
	struct server *s = served();
	struct client *c = client_new(s);

	ck_assert_str_eq(reply_results(client_ask(c, "Stop", UNITS("\"g/fetch\""))),
		"web done waiting, g/fetch@1 done down, g/fetch@2 done down, g/fetch@3 done down");
	client_call(c, "Start", UNITS("\"g/fetch\", \"g/fetch@1\""), false);
	server_turn(s);
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(reply_results(client_reply(c)),
		"g/fetch@1 done up, g/fetch@2 done up, g/fetch@3 done up");
	ck_assert_str_eq(reply_results(client_ask(c, "Reset", UNITS("\"g/fetch\""))),
		"g/fetch@1 unchanged up, g/fetch@2 unchanged up, g/fetch@3 unchanged up");
	ck_assert_str_eq(reply_results(client_ask(
				 c, "Signal", "{\"units\":[\"g/fetch\"],\"signal\":\"HUP\"}")),
		"g/fetch@1 done up, g/fetch@2 done up, g/fetch@3 done up");
	ck_assert_str_eq(reply_results(client_ask(c, "Restart", UNITS("\"none\""))), "");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(events_and_logs_are_those_of_each)
{
	struct server *s = served();
	struct client *c = client_new(s);
	struct text units = {0};
	struct json *reply;

	client_call(c, "Events", UNITS("\"g/fetch\""), true);
	while ((reply = client_reply(c))) {
		const char *to = json_get_text(reply_at(reply, "parameters"), "to", "");

		if (strcmp(to, "up") == 0)
			text_printf(&units, "%s ", reply_text(reply, "parameters.unit"));
		json_free(reply);
	}
	ck_assert_str_eq(units.bytes, "g/fetch@1 g/fetch@2 g/fetch@3 ");
	text_done(&units);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(of_none_there_is_nothing_to_explain)
{
	struct server *s = served();
	struct client *c = client_new(s);
	struct json *reply = client_ask(c, "Explain", "{\"unit\":\"none\"}");

	ck_assert_ptr_null(reply_at(reply, "error"));
	ck_assert_ptr_null(reply_at(reply, "parameters.unit"));
	json_free(reply);
	client_call(c, "Explain", "{\"unit\":\"none\"}", true);
	reply = client_reply(c);
	ck_assert_ptr_nonnull(reply);
	ck_assert_ptr_null(reply_at(reply, "error"));
	ck_assert(!json_get_bool(reply, "continues", false));
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(explain_tells_of_each_or_of_the_first_that_is_not_up)
{
	struct server *s = served();
	struct client *c = client_new(s);
	struct json *reply;

	world_stop(s->w, "g/fetch@2");
	world_run_for(s->w, EFF_S(1));
	reply = client_ask(c, "Explain", "{\"unit\":\"g/fetch\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.unit"), "g/fetch@2");
	json_free(reply);
	client_call(c, "Explain", "{\"unit\":\"g/fetch\"}", true);
	for (int i = 1; i <= 3; i++) {
		char name[24];

		(void)snprintf(name, sizeof(name), "g/fetch@%d", i);
		reply = client_reply(c);
		ck_assert_str_eq(reply_text(reply, "parameters.unit"), name);
		ck_assert(json_get_bool(reply, "continues", false) == (i < 3));
		json_free(reply);
	}
	world_start(s->w, "g/fetch@2");
	world_run_for(s->w, EFF_S(1));
	reply = client_ask(c, "Explain", "{\"unit\":\"g/fetch\"}");
	ck_assert_str_eq(reply_text(reply, "parameters.unit"), "g/fetch@1");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(waiting_for_it_is_waiting_for_all_that_there_are)
{
	struct server *s = served();
	struct client *all = client_new(s), *one = client_new(s);
	struct json *reply;

	ck_assert_str_eq(
		reply_error(client_ask(all, "Wait", "{\"units\":[\"none\"],\"for\":\"up\"}")), "");
	client_call(all, "Wait", "{\"units\":[\"g/fetch\"],\"for\":\"down\"}", false);
	client_call(one, "Wait", "{\"units\":[\"g/fetch@3\"],\"for\":\"down\"}", false);
	server_turn(s);
	ck_assert_ptr_null(client_reply(all));
	/* One that a reload takes away is not one of them any more; who asked for it alone is told. */
	world_script(s->w, "fetch3", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_reload(s->w, TREE(2));
	world_stop(s->w, "g/fetch@1");
	world_run_for(s->w, EFF_S(1));
	ck_assert_ptr_null(client_reply(all));
	ck_assert_str_eq(reply_error(client_reply(one)), "NoSuchUnit");
	world_stop(s->w, "g/fetch@2");
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(all);

	ck_assert_str_eq(reply_text(reply, "parameters.name"), "g/fetch@2");
	json_free(reply);
	client_free(all);
	client_free(one);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("select/replicas");
	TCase *tcase = tcase_create("replicas");

	test_leak_guard(tcase);
	tcase_add_test(tcase, it_is_as_good_as_all_their_names);
	tcase_add_test(tcase, a_glob_matches_it_or_the_name_of_each);
	tcase_add_test(tcase, one_that_is_not_there_is_told_with_the_nearest);
	tcase_add_test(tcase, a_verb_acts_on_each_of_them);
	tcase_add_test(tcase, events_and_logs_are_those_of_each);
	tcase_add_test(tcase, of_none_there_is_nothing_to_explain);
	tcase_add_test(tcase, explain_tells_of_each_or_of_the_first_that_is_not_up);
	tcase_add_test(tcase, waiting_for_it_is_waiting_for_all_that_there_are);
	suite_add_tcase(suite, tcase);
	return suite;
}
