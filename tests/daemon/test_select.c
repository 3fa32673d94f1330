/* SPDX-License-Identifier: MIT */
/* Which units a request means: names, globs, labels; and a supervisor's children with it, or not. */
#include <check.h>

#include "control_world.h"

static const struct script forever = {.lives = EFF_FOREVER};

static struct server *labelled(void)
{
	struct server *s = server_new("db: {command: [run], labels: {tier: data}}\n"
				      "web: {command: [run], labels: {tier: front, app: shop}}\n"
				      "g:\n"
				      "  labels: {app: jobs}\n"
				      "  units:\n"
				      "    a: {command: [run], labels: {tier: front}}\n"
				      "    b: {command: [run], labels: {tier: 'f=x*'}}\n");

	world_script(s->w, "run", forever);
	world_run_for(s->w, EFF_S(1));
	return s;
}

/* The names of an answer's units, in order. Frees the reply. */
static const char *names(struct json *reply)
{
	static char words[256];
	size_t n = 0;

	(void)snprintf(words, sizeof(words), "%s", json_get_text(reply, "error", ""));
	for (const struct json *v = json_first(reply_at(reply, "parameters.units")); v;
		v = json_next(v))
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? " " : "",
			json_get_text(v, "name", "?"));
	json_free(reply);
	return words;
}

START_TEST(a_label_means_all_that_have_it)
{
	struct server *s = labelled();
	struct client *c = client_new(s);

	ck_assert_str_eq(names(client_ask(c, "Status", "{\"units\":[\"tier=front\"]}")), "web g/a");
	ck_assert_str_eq(names(client_ask(c, "Status", "{\"units\":[\"tier=data\",\"app=shop\"]}")),
		"db web");
	/* In whatever order they are asked for, they come in the tree's. */
	ck_assert_str_eq(
		names(client_ask(c, "Status", "{\"units\":[\"g/b\",\"web\",\"db\",\"web\"]}")),
		"db web g/b");
	/* A supervisor stands for all below it. */
	ck_assert_str_eq(names(client_ask(c, "Status", "{\"units\":[\"app=jobs\"]}")), "g g/a g/b");
	/* A value is no pattern. */
	ck_assert_str_eq(names(client_ask(c, "Status", "{\"units\":[\"tier=f=x*\"]}")), "g/b");
	ck_assert_str_eq(reply_error(client_ask(c, "Status", "{\"units\":[\"tier=fro\"]}")),
		"NoSuchUnit");
	ck_assert_str_eq(reply_error(client_ask(c, "Status", "{\"units\":[\"tie=front\"]}")),
		"NoSuchUnit");
	ck_assert_str_eq(
		reply_error(client_ask(c, "Status", "{\"units\":[\"tier=\"]}")), "NoSuchUnit");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_glob_of_units_in_supervisors_does_not_mean_the_root)
{
	struct server *s = labelled();
	struct client *c = client_new(s);

	ck_assert_str_eq(names(client_ask(c, "Status", "{\"units\":[\"*/*\"]}")), "g/a g/b");
	ck_assert_str_eq(
		names(client_ask(c, "Status", "{\"units\":[\"**/*\"]}")), "db web g g/a g/b");
	ck_assert_str_eq(
		names(client_ask(c, "Status", "{\"units\":[\"**\"]}")), "/ db web g g/a g/b");
	ck_assert_str_eq(names(client_ask(c, "Stop", "{\"units\":[\"*/*\"],\"wait\":false}")),
		"g/a g/b");
	world_run_for(s->w, EFF_S(1));
	ck_assert_int_eq(world_unit(s->w, "db")->state, UNIT_UP);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_verb_acts_on_those_that_have_a_label)
{
	struct server *s = labelled();
	struct client *c = client_new(s);

	ck_assert_str_eq(reply_results(client_ask(c, "Stop", "{\"units\":[\"tier=front\"]}")),
		"web done down, g/a done down");
	ck_assert_str_eq(reply_results(client_ask(
				 c, "Signal", "{\"units\":[\"app=jobs\"],\"signal\":\"HUP\"}")),
		"g/b done up");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(events_of_a_label_are_those_of_its_units_and_of_what_is_below_them)
{
	struct server *s = labelled();
	struct client *c = client_new(s);
	const char *seen[8] = {0};
	struct json *reply;
	int n = 0;

	client_call(c, "Events", "{\"units\":[\"app=jobs\",\"tier=data\"]}", true);
	while ((reply = client_reply(c))) {
		const char *unit = json_get_text(reply_at(reply, "parameters"), "unit", NULL);

		if (unit && strcmp(json_get_text(reply_at(reply, "parameters"), "to", ""), "up") == 0)
			seen[n++] = strdup(unit);
		json_free(reply);
	}

	ck_assert_int_eq(n, 4);
	ck_assert_str_eq(seen[0], "db");
	ck_assert_str_eq(seen[1], "g/a");
	ck_assert_str_eq(seen[2], "g/b");
	ck_assert_str_eq(seen[3], "g");
	while (n-- > 0)
		free((char *)seen[n]);
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("select");
	TCase *tcase = tcase_create("selecting");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_label_means_all_that_have_it);
	tcase_add_test(tcase, a_glob_of_units_in_supervisors_does_not_mean_the_root);
	tcase_add_test(tcase, a_verb_acts_on_those_that_have_a_label);
	tcase_add_test(tcase, events_of_a_label_are_those_of_its_units_and_of_what_is_below_them);
	suite_add_tcase(suite, tcase);
	return suite;
}
