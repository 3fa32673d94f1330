/* SPDX-License-Identifier: MIT */
/* effctl against a server that plays a script: the verbs, and what tells of a tree. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <check.h>

#include "effctl/command.h"
#include "fake/served.h"
#include "folder.h"
#include "leak.h"

Suite *test_suite(void);

START_TEST(a_verb_tells_what_became_of_each_unit)
{
	served_play((struct served_step[]){
		{"{\"method\":\"org.effd.Control.Start\",\"more\":true,\"parameters\":{\"units\":[\"a\",\"tier=web\"],"
		 "\"timeout_s\":1.5}}",
			{SERVED_MORE("{\"units\":[{\"name\":\"db\",\"outcome\":\"done\",\"state\":\"up\",\"pid\":5}]}"),
				SERVED_REPLY("{\"units\":[{\"name\":\"db\",\"outcome\":\"done\",\"state\":\"up\",\"pid\":5,\"cause\":null},"
					     "{\"name\":\"a\",\"outcome\":\"unchanged\",\"state\":\"up\",\"pid\":6},"
					     "{\"name\":\"b\",\"outcome\":\"failed\",\"state\":\"backoff\",\"pid\":null,"
					     "\"cause\":{\"kind\":\"exec_error\",\"text\":\"exec: ENOENT (No such file or directory): ./b\"},"
					     "\"output\":[\"one\",\"two\\u0007\"]}]}")}},
		{0}});

	ck_assert_int_eq(served_effctl("start a -l tier=web --timeout 1s500ms"), CODE_FAILED);

	ck_assert_str_eq(served_out,
		"db: up (pid 5)\n"
		"a: unchanged, up (pid 6)\n"
		"b: failed, backoff: exec error: exec: ENOENT (No such file or directory): ./b\n"
		"  | one\n"
		"  | two\\x07\n");
}
END_TEST

START_TEST(add_sends_the_file_and_shows_its_lines_with_what_is_wrong)
{
	char path[32], line[160], wanted[320];
	int fd = test_file(path, sizeof(path));

	ck_assert_int_eq(dprintf(fd, "units:\n  a: {comand: x}\n"), 24);
	(void)close(fd);
	(void)snprintf(line, sizeof(line),
		"{\"parameters\":{\"diagnostics\":[{\"code\":\"E201\",\"severity\":\"error\",\"file\":\"%s\","
		"\"line\":2,\"column\":7,",
		path);
	(void)snprintf(wanted, sizeof(wanted), "%s%s", line,
		"\"message\":\"unknown key\"}]},\"error\":\"org.effd.Control.InvalidTree\"}");
	served_play((struct served_step[]){
		{"\"supervisor\":\"pool\",\"tree\":\"units:\\n  a: {comand: x}\\n\"", {wanted}},
		{0}});
	(void)snprintf(line, sizeof(line), "add pool %s", path);

	ck_assert_int_eq(served_effctl(line), CODE_FAILED);

	(void)unlink(path);
	(void)snprintf(wanted, sizeof(wanted),
		"%s:2:7: error[E201]: unknown key\n    2 |   a: {comand: x}\n      |       ^\n"
		"effctl: the tree has errors; nothing was changed\n",
		path);
	ck_assert_str_eq(served_err, wanted);
}
END_TEST

START_TEST(remove_says_what_it_removed)
{
	served_play((struct served_step[]){
		{"Control.Remove\",\"more\":true,\"parameters\":{\"units\":[\"pool/a\"],\"now\":true}",
			{SERVED_REPLY("{\"units\":[{\"name\":\"pool/a\",\"outcome\":\"done\",\"state\":\"down\"}]}")}},
		{0}});

	ck_assert_int_eq(served_effctl("remove --now pool/a"), CODE_DONE);

	ck_assert_str_eq(served_out, "pool/a: removed\n");
	ck_assert_int_eq(served_effctl("add pool /no/such/file"), CODE_FAILED);
	ck_assert_str_eq(
		served_err, "effctl: cannot read /no/such/file: No such file or directory\n");
}
END_TEST

START_TEST(signals_and_reloads_of_units_say_what_was_done)
{
	static const struct {
		const char *asked, *command, *said;
	} rows[] = {
		{"\"signal\":\"HUP\"", "signal HUP a", "a: sent SIGHUP (pid 3)\n"},
		{"Reload", "reload a", "a: reloaded (pid 3)\n"},
		{"\"wait\":false", "reload a --no-wait", "a: asked to reload (pid 3)\n"},
	};

	served_play((struct served_step[]){
		{rows[_i].asked,
			{SERVED_REPLY("{\"units\":[{\"name\":\"a\",\"outcome\":\"done\",\"state\":\"up\",\"pid\":3}]}")}},
		{0}});
	ck_assert_int_eq(served_effctl(rows[_i].command), CODE_DONE);
	ck_assert_str_eq(served_out, rows[_i].said);
}
END_TEST

START_TEST(a_reload_by_a_signal_says_that_it_was_sent)
{
	served_play((struct served_step[]){
		{"\"units\":[\"a\"]",
			{SERVED_REPLY("{\"units\":[{\"name\":\"a\",\"outcome\":\"done\",\"state\":\"up\","
				      "\"pid\":3,\"signal\":\"SIGHUP\"}]}")}},
		{0}});
	ck_assert_int_eq(served_effctl("reload a"), CODE_DONE);
	ck_assert_str_eq(served_out, "a: sent SIGHUP (pid 3)\n");
}
END_TEST

START_TEST(a_verb_on_units_without_replicas_says_so)
{
	static const struct served_step steps[] = {
		{"{\"units\":[\"web\",\"db\"]", {SERVED_REPLY("{\"units\":[]}")}}, {0}};
	static const char *const verbs[] = {
		"start", "stop", "restart", "reset", "signal HUP", "reload"};
	char line[64];

	(void)snprintf(line, sizeof(line), "--json %s web db", verbs[_i]);
	served_play(steps);
	ck_assert_int_eq(served_effctl(line + strlen("--json ")), CODE_DONE);
	ck_assert_str_eq(served_out, "web has no replicas\ndb has no replicas\n");
	served_play(steps);
	ck_assert_int_eq(served_effctl(line), CODE_DONE);
	ck_assert_str_eq(served_out, "{\"units\":[]}\n");
}
END_TEST

START_TEST(wait_prints_each_unit_when_it_is_so)
{
	served_play((struct served_step[]){
		{"\"for\":\"up\",\"timeout_s\":30",
			{SERVED_MORE(SERVED_WEB),
				SERVED_REPLY("{\"name\":\"a\",\"state\":\"done\"}")}},
		{0}});
	ck_assert_int_eq(served_effctl("wait --for up --timeout 30s web a"), CODE_DONE);
	ck_assert_str_eq(served_out, "web: up\na: done\n");
	served_play((struct served_step[]){{"Wait", {SERVED_REPLY(SERVED_WEB)}}, {0}});
	ck_assert_int_eq(served_effctl("--json wait --for=up web"), CODE_DONE);
	ck_assert_str_eq(served_out, SERVED_WEB "\n");
}
END_TEST

/* With what the answer may take it is 2^32 ms. */
START_TEST(a_timeout_of_weeks_is_one)
{
	served_play((struct served_step[]){
		{"timeout_s", {SERVED_MORE(SERVED_WEB), SERVED_REPLY(SERVED_WEB)}}, {0}});

	ck_assert_int_eq(served_effctl("wait --for up --timeout 4294962.296s web"), CODE_DONE);
}
END_TEST

START_TEST(a_wait_for_units_without_replicas_says_so)
{
	served_play((struct served_step[]){{"Wait", {SERVED_REPLY("{}")}}, {0}});

	ck_assert_int_eq(served_effctl("wait --for up web"), CODE_DONE);
	ck_assert_str_eq(served_out, "web has no replicas\n");
}
END_TEST

START_TEST(wait_ends_with_1_when_effd_ends)
{
	served_play((struct served_step[]){{"Wait", {0}}, {0}});

	ck_assert_int_eq(served_effctl("wait --for up web"), CODE_FAILED);
}
END_TEST

START_TEST(a_plan_is_a_table_with_its_id)
{
	served_play((struct served_step[]){
		{"Plan",
			{SERVED_REPLY(
				"{\"id\":\"3-ab\",\"changes\":[{\"unit\":\"old\",\"action\":\"stop\",\"fields\":[]},"
				"{\"unit\":\"web\",\"action\":\"restart\",\"fields\":[\"command\",\"environment\"]}]}")}},
		{0}});
	ck_assert_int_eq(served_effctl("plan"), CODE_DONE);
	ck_assert_str_eq(served_out,
		"UNIT  ACTION   FIELDS\n"
		"old   stop     -\n"
		"web   restart  command, environment\n"
		"\nto do it: effctl reload --plan 3-ab\n");
	served_play((struct served_step[]){
		{"Plan", {SERVED_REPLY("{\"id\":\"3-ab\",\"changes\":[{\"unit\":\"/\",\"action\":\"effd\",\"fields\":[\"daemon.socket\"]}]}")}},
		{0}});
	ck_assert_int_eq(served_effctl("plan"), CODE_DONE);
	ck_assert_str_eq(served_out,
		"UNIT  ACTION  FIELDS\n"
		"/     effd    daemon.socket\n"
		"\neffd: what holds only from effd's next start on\n"
		"\nto do it: effctl reload --plan 3-ab\n");
	served_play((struct served_step[]){
		{"\"plan\":\"3-ab\"", {SERVED_REPLY("{\"changes\":[]}")}}, {0}});
	ck_assert_int_eq(served_effctl("reload --plan 3-ab"), CODE_DONE);
	ck_assert_str_eq(served_out, "nothing changed\n");
	served_play((struct served_step[]){
		{"Reload",
			{SERVED_REPLY(
				"{\"changes\":[],\"diagnostics\":[{\"code\":\"W404\",\"severity\":"
				"\"warning\",\"file\":\"/none.yaml\",\"line\":3,\"column\":5,"
				"\"message\":\"there is no user `redsi` here\",\"related\":[]}]}")}},
		{0}});
	ck_assert_int_eq(served_effctl("reload"), CODE_DONE);
	ck_assert_str_eq(served_out, "nothing changed\n");
	ck_assert_str_eq(
		served_err, "/none.yaml:3:5: warning[W404]: there is no user `redsi` here\n");
}
END_TEST

#define HALF_A_RELOAD \
	"{\"id\":\"3-ab\",\"changes\":[" \
	"{\"unit\":\"old\",\"action\":\"stop\",\"fields\":[],\"outcome\":\"done\",\"applied\":true}," \
	"{\"unit\":\"db\",\"action\":\"start\",\"fields\":[],\"outcome\":\"done\",\"applied\":true," \
	"\"state\":\"up\",\"pid\":7,\"cause\":null,\"output\":null}," \
	"{\"unit\":\"web\",\"action\":\"restart\",\"fields\":[\"command\"],\"outcome\":\"failed\"," \
	"\"applied\":true,\"state\":\"backoff\",\"pid\":null," \
	"\"cause\":{\"kind\":\"exit\",\"code\":3,\"text\":\"\"},\"output\":[\"no such table\\\\x0D\"]}," \
	"{\"unit\":\"api\",\"action\":\"restart\",\"fields\":[\"command\"],\"outcome\":\"" LATE \
	"\"," \
	"\"applied\":false,\"state\":\"stopping\",\"pid\":9,\"cause\":null,\"output\":null}]}"

START_TEST(a_reload_that_fails_half_way_says_what_is_new_and_what_is_as_it_was)
{
#define LATE "timeout"
	served_play((struct served_step[]){{"Reload", {SERVED_REPLY(HALF_A_RELOAD)}}, {0}});

	ck_assert_int_eq(served_effctl("reload --timeout 5s"), CODE_FAILED);

	ck_assert_str_eq(served_out,
		"UNIT  ACTION   OUTCOME  FIELDS\n"
		"old   stop     done     -\n"
		"db    start    done     -\n"
		"web   restart  failed   command\n"
		"api   restart  timeout  command\n"
		"\n2 of 4 did not come about:\n"
		"web: failed, backoff: exit 3\n"
		"  | no such table\n"
		"api: timeout, stopping (pid 9)\n"
		"new: old, db, web\n"
		"as it was: api\n"
		"all other units are as they were\n");
	served_play((struct served_step[]){{"Reload", {SERVED_REPLY(HALF_A_RELOAD)}}, {0}});
	ck_assert_int_eq(served_effctl("--json reload"), CODE_FAILED);
	ck_assert_str_eq(served_out, HALF_A_RELOAD "\n");
#undef LATE
	served_play((struct served_step[]){
		{"Reload",
			{SERVED_REPLY(
				"{\"changes\":[{\"unit\":\"api\",\"action\":\"stop\",\"fields\":[],"
				"\"outcome\":\"timeout\",\"applied\":false,\"state\":\"stopping\"}]}")}},
		{0}});
	ck_assert_int_eq(served_effctl("reload"), CODE_TIMED_OUT);
	served_play((struct served_step[]){{"\"wait\":false", {SERVED_REPLY("{}")}}, {0}});
	ck_assert_int_eq(served_effctl("reload --no-wait"), CODE_DONE);
	ck_assert_str_eq(served_out, "the reload has begun\n");
}
END_TEST

START_TEST(explain_reads_as_a_chain)
{
	served_play((struct served_step[]){
		{"{\"unit\":\"web\"}",
			{SERVED_REPLY(
				"{\"unit\":\"web\",\"state\":\"waiting\",\"since\":\"T0\",\"chain\":[{\"text\":\"wanted\",\"at\":\"T0\"},"
				"{\"text\":\"db left up\",\"at\":\"T1\",\"kind\":\"dependency\"},"
				"{\"text\":\"its last run ended\",\"at\":\"T2\",\"kind\":null},"
				"{\"text\":\"exit 1\",\"at\":null,\"kind\":\"exit\"}],\"waits_for\":[{\"unit\":\"db\",\"condition\":\"ready\","
				"\"state\":\"backoff\"}],\"next\":{\"action\":\"start\",\"in_s\":3.2,\"text\":\"once db is ready\"}}")}},
		{0}});

	ck_assert_int_eq(served_effctl("explain web"), CODE_DONE);

	ck_assert_str_eq(served_out,
		"web is waiting since T0; wanted\n"
		"  because db left up (T1)\n"
		"  its last run ended (T2)\n"
		"  because exit 1\n"
		"  waits for db to be ready, which is in backoff\n"
		"  next: start in 3.2s: once db is ready\n");
}
END_TEST

#define EXPLAINED(name) \
	"{\"unit\":\"" name "\",\"state\":\"up\",\"since\":\"T0\",\"chain\":[{\"text\":\"wanted\"}]}"

START_TEST(explain_tells_of_each_replica_if_there_are_any)
{
	static const struct served_step steps[] = {
		{"\"more\":true,\"parameters\":{\"unit\":\"fetch\"}",
			{SERVED_MORE(EXPLAINED("fetch@1")), SERVED_REPLY(EXPLAINED("fetch@2"))}},
		{0}};
	static const struct served_step none[] = {
		{"{\"unit\":\"none\"}", {SERVED_REPLY("{}")}}, {0}};

	served_play(steps);
	ck_assert_int_eq(served_effctl("explain fetch"), CODE_DONE);
	ck_assert_str_eq(
		served_out, "fetch@1 is up since T0; wanted\nfetch@2 is up since T0; wanted\n");
	served_play(steps);
	ck_assert_int_eq(served_effctl("--json explain fetch"), CODE_DONE);
	ck_assert_str_eq(served_out, EXPLAINED("fetch@1") "\n" EXPLAINED("fetch@2") "\n");
	served_play(none);
	ck_assert_int_eq(served_effctl("explain none"), CODE_DONE);
	ck_assert_str_eq(served_out, "none has no replicas\n");
	served_play(none);
	ck_assert_int_eq(served_effctl("--json explain none"), CODE_DONE);
	ck_assert_str_eq(served_out, "");
}
END_TEST

START_TEST(show_names_the_place_of_each_value)
{
	served_play((struct served_step[]){
		{"Control.Show\",\"parameters\":{\"unit\":\"web\",\"resolved\":true}",
			{SERVED_REPLY(
				"{\"name\":\"shop\",\"files\":[\"/e.yaml\"],\"units\":[{\"name\":\"web\",\"kind\":\"process\",\"values\":["
				"{\"field\":\"command\",\"value\":\"[./web]\",\"source\":\"file\",\"place\":{\"file\":\"/e.yaml\","
				"\"line\":3,\"column\":5}},{\"field\":\"environment\",\"value\":null,\"source\":\"file\"},"
				"{\"field\":\"depends_on\",\"value\":\"{app: null, pg: null}\",\"source\":\"file\"},"
				"{\"field\":\"depends_on\",\"value\":\"{a: null, b: {bind: true}}\",\"source\":\"file\"},"
				"{\"field\":\"umask\",\"value\":\"0022\",\"source\":\"default\",\"place\":null}]}]}")}},
		{0}});

	ck_assert_int_eq(served_effctl("show web --resolved"), CODE_DONE);

	ck_assert_str_eq(served_out,
		"web (process)\n"
		"  FIELD        VALUE                       FROM\n"
		"  command      [./web]                     /e.yaml:3:5\n"
		"  environment  (not shown)                 file\n"
		"  depends_on   [app, pg]                   file\n"
		"  depends_on   {a: null, b: {bind: true}}  file\n"
		"  umask        0022                        default\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("effctl_verbs");
	TCase *tcase = tcase_create("effctl_verbs");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, served_open, served_close);
	tcase_add_test(tcase, a_verb_tells_what_became_of_each_unit);
	tcase_add_test(tcase, add_sends_the_file_and_shows_its_lines_with_what_is_wrong);
	tcase_add_test(tcase, remove_says_what_it_removed);
	tcase_add_loop_test(tcase, signals_and_reloads_of_units_say_what_was_done, 0, 3);
	tcase_add_test(tcase, a_reload_by_a_signal_says_that_it_was_sent);
	tcase_add_loop_test(tcase, a_verb_on_units_without_replicas_says_so, 0, 6);
	tcase_add_test(tcase, wait_prints_each_unit_when_it_is_so);
	tcase_add_loop_test(tcase, a_timeout_of_weeks_is_one, 0, 10);
	tcase_add_test(tcase, a_wait_for_units_without_replicas_says_so);
	tcase_add_test(tcase, wait_ends_with_1_when_effd_ends);
	tcase_add_test(tcase, a_plan_is_a_table_with_its_id);
	tcase_add_test(tcase, a_reload_that_fails_half_way_says_what_is_new_and_what_is_as_it_was);
	tcase_add_test(tcase, explain_reads_as_a_chain);
	tcase_add_test(tcase, explain_tells_of_each_replica_if_there_are_any);
	tcase_add_test(tcase, show_names_the_place_of_each_value);
	suite_add_tcase(suite, tcase);
	return suite;
}
