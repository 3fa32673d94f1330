/* SPDX-License-Identifier: MIT */
/* From text to units: values, variables, words, defaults, environments. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "plan_world.h"

Suite *test_suite(void);

static struct plan_world world;

static void done(void)
{
	plan_world_done(&world);
}

#define HEAD "version: 1\nunits:\n"

/* The value that a unit was given for a field; NULL: none. */
static const char *value_of(const struct plan_unit *unit, const char *field)
{
	for (uint32_t i = 0; i < unit->n_values; i++)
		if (strcmp(plan_field(unit->values[i].field)->name, field) == 0)
			return unit->values[i].text;
	return NULL;
}

static bool has_variable(const struct plan_unit *unit, const char *entry)
{
	for (plan_strv at = unit->environment; *at; at++)
		if (strcmp(*at, entry) == 0)
			return true;
	return false;
}

static bool names_variable(const struct plan_unit *unit, const char *name)
{
	for (plan_strv at = unit->environment; *at; at++)
		if (strncmp(*at, name, strlen(name)) == 0 && (*at)[strlen(name)] == '=')
			return true;
	return false;
}

START_TEST(what_is_not_given_is_preset)
{
	const struct plan_unit *unit = plan_find(
		plan_world_good(&world, HEAD "  a: {command: x}\n"), "a");

	ck_assert(unit->enabled && !unit->critical);
	ck_assert_int_eq(unit->restart, PLAN_ALWAYS);
	ck_assert_int_eq(unit->ways->backoff.initial_ns, EFF_MS(500));
	ck_assert_int_eq(unit->ways->backoff.max_ns, EFF_S(30));
	ck_assert_int_eq(unit->ways->backoff.reset_after_ns, EFF_S(60));
	ck_assert(unit->ways->backoff.factor == 2.0 && unit->ways->backoff.jitter == 0.1);
	ck_assert_uint_eq(unit->ways->max_restarts, PLAN_UNLIMITED);
	ck_assert_uint_eq(unit->rules->success_exit.codes[0], 1);
	ck_assert_int_eq(unit->ways->start_timeout_ns, EFF_S(90));
	ck_assert_int_eq(unit->ways->max_runtime_ns, PLAN_FOREVER);
	ck_assert_int_eq(unit->ways->stop.signal, SIGTERM);
	ck_assert_int_eq(unit->ways->stop.final_signal, SIGKILL);
	ck_assert_int_eq(unit->ways->stop.timeout_ns, EFF_S(10));
	ck_assert_uint_eq(unit->ways->umask, 0022);
	ck_assert_uint_eq(unit->ways->ring_bytes, 65536);
	ck_assert_uint_eq(unit->ways->rotate.size_bytes, 50 << 20);
	ck_assert_int_eq(unit->ways->rotate.every_ns, 0);
	ck_assert_uint_eq(unit->ways->rotate.keep, 10);
	ck_assert_int_eq(unit->ways->format, PLAN_RAW);
	ck_assert(!unit->ways->timestamps);
	ck_assert_int_eq(unit->out.kind, PLAN_LOG_INHERIT);
	ck_assert_int_eq(unit->err.kind, PLAN_LOG_STDOUT);
	ck_assert_str_eq(unit->working_dir, "/tree");
	ck_assert_int_eq(unit->rules->readiness.kind, PLAN_PROBE_NONE);
	ck_assert_uint_eq(unit->n_values, 1);
	ck_assert_int_eq(plan_daemon(world.plan)->shutdown_timeout_ns, EFF_S(90));
	ck_assert(plan_daemon(world.plan)->subreaper);
	ck_assert_uint_eq(plan_daemon(world.plan)->exit_code_from, PLAN_NONE);
}
END_TEST

START_TEST(a_oneshot_is_preset_otherwise)
{
	const struct plan_unit *unit = plan_find(
		plan_world_good(&world, HEAD "  a: {command: x, type: oneshot}\n"), "a");

	ck_assert_int_eq(unit->restart, PLAN_ON_FAILURE);
	ck_assert_int_eq(unit->ways->start_timeout_ns, PLAN_FOREVER);
}
END_TEST

START_TEST(a_supervisor_says_how_it_keeps_its_units)
{
	struct plan *plan = plan_world_good(&world,
		"version: 1\nstrategy: rest_for_one\nunits:\n"
		"  g:\n    strategy: rest_for_one\n    start_order: parallel\n    auto_shutdown: all\n"
		"    intensity: {max_restarts: 3, period: 10s}\n"
		"    units: {a: {command: x, restart: on-failure, significant: true}}\n"
		"  h: {strategy: one_for_all, units: {b: {command: x}}}\n");
	const struct plan_unit *root = plan_find(plan, "/"), *g = plan_find(plan, "g"),
			       *h = plan_find(plan, "h");

	/* Where the rest follows the one that ended, they go in sequence unless it is said. */
	ck_assert_int_eq(root->ways->strategy, PLAN_REST_FOR_ONE);
	ck_assert_int_eq(root->ways->start_order, PLAN_SEQUENTIAL);
	ck_assert_int_eq(g->ways->start_order, PLAN_PARALLEL);
	ck_assert_int_eq(h->ways->strategy, PLAN_ONE_FOR_ALL);
	ck_assert_int_eq(h->ways->start_order, PLAN_PARALLEL);
	ck_assert_int_eq(g->ways->auto_shutdown, PLAN_AUTO_ALL);
	ck_assert_int_eq(h->ways->auto_shutdown, PLAN_AUTO_NEVER);
	ck_assert_uint_eq(g->ways->intensity.max_restarts, 3);
	ck_assert_int_eq(g->ways->intensity.period_ns, EFF_S(10));
	ck_assert_int_eq(h->ways->intensity.period_ns, 0);
	ck_assert(plan_find(plan, "g/a")->significant);
	ck_assert(!plan_find(plan, "h/b")->significant);
}
END_TEST

START_TEST(presets_are_canonical)
{
	struct text text = {0};
	struct plan *plan;

	/* Given explicitly, each must come out as it stands in the table: or a reload would see a difference. */
	text_add(&text,
		HEAD
		"  a:\n    command: x\n    readiness_probe: {tcp: {port: 1}, period: 10s, timeout: 1s, initial_delay: 0}\n"
		"    restart: {policy: always, backoff: {initial: 500ms, factor: 2.0, max: 30s, jitter: 0.1,\n"
		"      reset_after: 60s}, max_restarts: infinity}\n    start_timeout: 90s\n    success_exit: 0\n"
		"    stop: {signal: TERM, timeout: 10000ms, mode: auto, final_signal: 9}\n    umask: \"022\"\n"
		"    log: {stdout: inherit, stderr: stdout, ring: 65536B, max_line: 64KiB,\n"
		"      rotate: {size: 51200KiB, keep: 10, compress: none}, format: raw, timestamps: false, on_block: block}\n"
		"    env_inherit: [PATH, HOME, LANG, LC_*, TZ]\n");
	plan = plan_world_good(&world, text.bytes);
	text_done(&text);

	for (uint32_t i = 0; i < plan_find(plan, "a")->n_values; i++) {
		const struct plan_value *value = &plan_find(plan, "a")->values[i];
		const char *preset = plan_field(value->field)->preset;

		if (preset)
			ck_assert_str_eq(value->text, preset);
	}
}
END_TEST

START_TEST(a_command_is_split_as_a_shell_splits)
{
	const struct plan_unit *unit = plan_find(
		plan_world_good(&world,
			HEAD "  a: {command: \"x 'a b' \\\"c \\\\\\\"d\\\" e\\\\ f '' $HOME g\\\"h\\\"'i' \\t *\"}\n"),
		"a");
	static const char *const words[] = {"x", "a b", "c \"d", "e f", "", "$HOME", "ghi", "*"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ck_assert_str_eq(unit->argv[i], words[i]);
	ck_assert_ptr_null(unit->argv[i]);
}
END_TEST

START_TEST(variables_are_filled_in_once)
{
	struct plan *plan = plan_world_good(&world,
		HEAD
		"  a:\n    command: x ${DOLLARS} p${PORT}q ${NOBODY:-a b} $$x $y '${UNIT}' ${EMPTY} ${EMPTY:-e}\n"
		"    description: ${DOLLARS}\n    readiness_probe: {tcp: {port: '${PORT}'}}\n"
		"  s: {units: {b: {shell: 'exec ${PORT} $$ $(x)', description: 'in ${UNIT}'}}}\n");
	const struct plan_unit *unit = plan_find(plan, "a");
	static const char *const words[] = {
		"x", "$$ ${PORT} a b", "p8080q", "a b", "$x", "$y", "a", "", "e"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ck_assert_str_eq(unit->argv[i], words[i]);
	ck_assert_ptr_null(unit->argv[i]);
	ck_assert_str_eq(unit->description, "$$ ${PORT} a b");
	ck_assert_uint_eq(unit->rules->readiness.port, 8080);
	ck_assert_str_eq(plan_find(plan, "s/b")->argv[2], "exec ${PORT} $$ $(x)");
	ck_assert_str_eq(plan_find(plan, "s/b")->description, "in s/b");
}
END_TEST

START_TEST(paths_are_relative_to_their_file)
{
	struct plan *plan = plan_world_good(&world,
		"version: 1\ndaemon: {socket: s.sock}\nunits:\n"
		"  a: {command: ./x, working_dir: sub, log: {stdout: {file: ../a.log}}, readiness_probe: {exec: {command: ./p}}}\n"
		"  b: {command: [bin/x, ./y], readiness_probe: {http_get: {unix: u.sock}}}\n"
		"  c: {fiber: {module: ./m.so, entry: e}}\n");

	ck_assert_str_eq(plan_daemon(plan)->socket, "/tree/s.sock");
	ck_assert_str_eq(plan_find(plan, "a")->argv[0], "/tree/x");
	ck_assert_str_eq(plan_find(plan, "a")->working_dir, "/tree/sub");
	ck_assert_str_eq(plan_find(plan, "a")->out.path, "/tree/../a.log");
	ck_assert_str_eq(plan_find(plan, "a")->rules->readiness.argv[0], "/tree/p");
	ck_assert_str_eq(plan_find(plan, "b")->argv[0], "/tree/bin/x");
	ck_assert_str_eq(plan_find(plan, "b")->argv[1], "./y");
	ck_assert_str_eq(plan_find(plan, "b")->rules->readiness.path_unix, "/tree/u.sock");
	ck_assert_str_eq(plan_find(plan, "c")->module, "/tree/m.so");
}
END_TEST

START_TEST(ends_are_codes_signals_and_causes)
{
	const struct plan_unit *unit = plan_find(
		plan_world_good(&world,
			HEAD "  a: {command: x, success_exit: [255, TERM, 3-5, oom, 0]}\n"),
		"a");

	ck_assert_uint_eq(unit->rules->success_exit.codes[0], 1 | 8 | 16 | 32);
	ck_assert_uint_eq(unit->rules->success_exit.codes[31], 128);
	ck_assert_uint_eq(unit->rules->success_exit.signals, (uint64_t)1 << SIGTERM);
	ck_assert_str_eq(value_of(unit, "success_exit"), "[0, 3-5, 255, SIGTERM, oom]");
}
END_TEST

START_TEST(defaults_merge_key_by_key_and_replace_the_rest)
{
	struct plan *plan = plan_world_good(&world,
		"version: 1\n"
		"defaults:\n  restart: {backoff: {initial: 1s}, max_restarts: 3}\n  labels: {a: '1', b: '1'}\n"
		"  environment: {A: '1', B: '1'}\n  success_exit: [1]\n  stop: {signal: INT}\n"
		"units:\n"
		"  x: {command: x, restart: no, labels: {b: '2'}, environment: {B: '2'}, success_exit: [2]}\n"
		"  s:\n    defaults: {stop: {timeout: 3s}, restart: {max_restarts: 4}}\n"
		"    units: {y: {command: y}, f: {fiber: idle}}\n");
	const struct plan_unit *x = plan_find(plan, "x"), *y = plan_find(plan, "s/y"),
			       *s = plan_find(plan, "s");

	ck_assert_int_eq(x->restart, PLAN_NO);
	ck_assert_int_eq(x->ways->backoff.initial_ns, EFF_S(1));
	ck_assert_uint_eq(x->ways->max_restarts, 3);
	ck_assert_str_eq(value_of(x, "labels"), "{a: 1, b: 2}");
	ck_assert(has_variable(x, "A=1") && has_variable(x, "B=2"));
	ck_assert_str_eq(value_of(x, "success_exit"), "[2]");
	ck_assert_uint_eq(y->ways->max_restarts, 4);
	ck_assert_int_eq(y->ways->backoff.initial_ns, EFF_S(1));
	ck_assert_int_eq(y->ways->stop.signal, SIGINT);
	ck_assert_int_eq(y->ways->stop.timeout_ns, EFF_S(3));
	/* A supervisor and a fiber inherit what is for them, and the rest is no error. */
	ck_assert_uint_eq(s->ways->max_restarts, 3);
	ck_assert_ptr_null(value_of(s, "stop.signal"));
	ck_assert_int_eq(plan_find(plan, "s/f")->ways->stop.timeout_ns, EFF_S(3));
	ck_assert_ptr_null(value_of(plan_find(plan, "s/f"), "environment"));
}
END_TEST

START_TEST(defaults_may_say_what_a_unit_is)
{
	struct plan *plan = plan_world_good(&world,
		"version: 1\ndefaults: {command: \"./worker '${UNIT}'\",\n"
		"  readiness_probe: {tcp: {port: 1}, period: 3s}}\n"
		"units:\n  a: {}\n  b: {shell: exec x; y, readiness_probe: {unix: {path: /u}}}\n  c: {fiber: idle}\n");

	ck_assert_str_eq(plan_find(plan, "a")->argv[1], "a");
	ck_assert_str_eq(plan_find(plan, "b")->argv[2], "exec x; y");
	ck_assert_ptr_null(value_of(plan_find(plan, "b"), "command"));
	ck_assert_int_eq(plan_find(plan, "b")->rules->readiness.kind, PLAN_PROBE_UNIX);
	ck_assert_int_eq(plan_find(plan, "b")->rules->readiness.period_ns, EFF_S(3));
	ck_assert_int_eq(plan_find(plan, "c")->kind, PLAN_FIBER);
}
END_TEST

START_TEST(dependencies_are_lists_or_mappings_and_merge)
{
	struct plan *plan = plan_world_good(&world,
		"version: 1\nunits:\n  db: {command: x}\n"
		"  s:\n    defaults: {depends_on: {db: {required: false}}}\n    units:\n"
		"      a: {command: x, depends_on: [one]}\n      b: {command: x, depends_on: {db: {bind: true}}}\n"
		"      one: {command: x, type: oneshot}\n");
	const struct plan_unit *a = plan_find(plan, "s/a"), *b = plan_find(plan, "s/b");

	ck_assert_uint_eq(a->n_needs, 2);
	ck_assert_str_eq(plan_unit(plan, a->needs[0].unit)->name, "db");
	ck_assert(!a->needs[0].required);
	ck_assert_int_eq(a->needs[0].condition, PLAN_READY);
	ck_assert_str_eq(plan_unit(plan, a->needs[1].unit)->name, "s/one");
	ck_assert_int_eq(a->needs[1].condition, PLAN_COMPLETED_SUCCESSFULLY);
	ck_assert(a->needs[1].required && !a->needs[1].bind && !a->needs[1].restart);
	ck_assert_uint_eq(b->n_needs, 1);
	ck_assert(!b->needs[0].required && b->needs[0].bind);
	ck_assert_uint_eq(plan_find(plan, "db")->n_needed_by, 3);
}
END_TEST

START_TEST(the_environment_is_whole_and_sorted)
{
	const struct plan_unit *unit;

	plan_world_init(&world);
	world.env_text = "# c\nFILE=from file\nBOTH=file\nexport E='a b' # c\nD=\"x\\ny\"\nN=\nH=a#b # c\n";
	world.text = HEAD
		"  a: {command: x, env_file: [env, '?none'], environment: {BOTH: unit, A: '${PORT}'}}\n";
	plan_world_load(&world, "/tree/effd.yaml");
	ck_assert_int_eq(world.result, 0);
	unit = plan_find(world.plan, "a");

	for (plan_strv at = unit->environment; at[1]; at++)
		ck_assert_int_lt(strcmp(at[0], at[1]), 0);
	ck_assert(has_variable(unit, "FILE=from file") && has_variable(unit, "BOTH=unit"));
	ck_assert(has_variable(unit, "E=a b") && has_variable(unit, "D=x\ny") &&
		has_variable(unit, "N="));
	ck_assert(has_variable(unit, "H=a#b") && has_variable(unit, "A=8080"));
	ck_assert(has_variable(unit, "PATH=/usr/bin:/bin") && has_variable(unit, "LC_TIME=C"));
	ck_assert(has_variable(unit, "HOME=/root") && !names_variable(unit, "PORT"));
	ck_assert_str_eq(plan_files(world.plan)[0], "/tree/effd.yaml");
	ck_assert_str_eq(plan_files(world.plan)[1], "/tree/env");
	ck_assert_ptr_null(plan_files(world.plan)[2]);
	ck_assert_str_eq(plan_absent_files(world.plan)[0], "/tree/none");
	ck_assert_ptr_null(plan_absent_files(world.plan)[1]);
}
END_TEST

START_TEST(a_quoted_value_goes_on_over_lines)
{
	const struct plan_unit *unit;

	plan_world_init(&world);
	world.env_text = "; c\nKEY=\"-- 'A' --\r\nb # \\\"c\\\"\r\n\" # d\r\nNEXT=n\nONE='\n\\'\n"
			 "SAME=\"a\\\nb\"";
	world.text = HEAD "  a: {command: x, env_file: env}\n";
	plan_world_load(&world, "/tree/effd.yaml");
	ck_assert_int_eq(world.result, 0);
	unit = plan_find(world.plan, "a");

	ck_assert(has_variable(unit, "KEY=-- 'A' --\nb # \"c\"\n"));
	ck_assert(has_variable(unit, "NEXT=n") && has_variable(unit, "ONE=\n\\"));
	ck_assert(has_variable(unit, "SAME=ab"));
}
END_TEST

START_TEST(a_user_has_a_home_of_its_own)
{
	struct plan *plan = plan_world_good(&world,
		HEAD
		"  a: {command: x, user: u}\n"
		"  b: {command: x, user: u, environment: {HOME: /mine}}\n  c: {command: x}\n"
		"  d: {command: x, env_inherit: ['*']}\n  e: {command: x, env_inherit: []}\n");

	ck_assert(!names_variable(plan_find(plan, "a"), "HOME"));
	ck_assert(has_variable(plan_find(plan, "b"), "HOME=/mine"));
	ck_assert(has_variable(plan_find(plan, "c"), "HOME=/root"));
	ck_assert(has_variable(plan_find(plan, "d"), "PORT=8080"));
	ck_assert(!names_variable(plan_find(plan, "d"), "NOTIFY_SOCKET"));
	ck_assert_ptr_null(plan_find(plan, "e")->environment[0]);
}
END_TEST

START_TEST(without_a_path_there_is_the_systems)
{
	static const char *const bare[] = {"LANG=C", NULL};
	const struct plan_unit *unit;

	plan_world_init(&world);
	world.source.environment = bare;
	world.text = HEAD "  a: {command: x}\n";
	plan_world_load(&world, "/tree/effd.yaml");
	unit = plan_find(world.plan, "a");

	ck_assert(has_variable(
		unit, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
}
END_TEST

START_TEST(what_a_fiber_gets_is_flat)
{
	const struct plan_unit *unit = plan_find(
		plan_world_good(&world,
			HEAD "  a: {fiber: {module: m.so, entry: e}, with: {for: 1h, to: [x, {y: z}], deep: {a: {b: '${PORT}'}}, none: {}}}\n"),
		"a");
	static const char *const pairs[][2] = {
		{"for", "1h"}, {"to.0", "x"}, {"to.1.y", "z"}, {"deep.a.b", "8080"}};

	ck_assert_ptr_null(unit->builtin);
	ck_assert_uint_eq(unit->ways->stack_bytes, 262144);
	ck_assert_uint_eq(unit->n_with, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_str_eq(unit->with[i].name, pairs[i][0]);
		ck_assert_str_eq(unit->with[i].value, pairs[i][1]);
	}
}
END_TEST

START_TEST(what_a_built_in_listens_at_is_relative_to_the_file)
{
	struct plan *plan = plan_world_good(&world,
		"version: 1\ndefaults: {with: {x-of: {listen: 'unix:./a'}}}\nunits:\n"
		"  a: {fiber: health, with: {listen: 'unix:./${UNIT}.sock'}}\n"
		"  b: {fiber: metrics, with: {listen: 'unix:/run/b'}}\n"
		"  c: {fiber: metrics, with: {listen: 'tcp:*:80'}}\n"
		"  d: {fiber: {module: m.so, entry: e}, with: {listen: 'unix:./d'}}\n");
	static const char *const listen[] = {
		"unix:/tree/a.sock", "unix:/run/b", "tcp:*:80", "unix:./d"};

	for (uint32_t i = 0; i < 4; i++) {
		const struct plan_unit *unit = plan_unit(plan, i + 1);

		ck_assert_uint_eq(unit->n_with, 2);
		ck_assert_str_eq(unit->with[1].name, "listen");
		ck_assert_str_eq(unit->with[1].value, listen[i]);
	}
	/* So a file that is moved makes a difference. */
	ck_assert_ptr_nonnull(strstr(plan_unit(plan, 1)->values[1].text, "unix:/tree/a.sock"));
}
END_TEST

START_TEST(a_file_that_is_not_roots_is_refused)
{
	(void)plan_world_text(&world, HEAD "  a: {command: x, env_file: mine}\n");

	ck_assert_int_eq(world.result, -EINVAL);
	ck_assert_str_eq(diags_at(world.diags, 0)->message,
		"cannot read /tree/mine: others than root could change it");
	ck_assert_str_eq(diags_at(world.diags, 0)->help,
		"chown root '/tree/mine' && chmod go-w '/tree/mine'");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("decode");
	TCase *tcase = tcase_create("decode");

	tcase_add_checked_fixture(tcase, NULL, done);
	tcase_add_test(tcase, what_is_not_given_is_preset);
	tcase_add_test(tcase, a_oneshot_is_preset_otherwise);
	tcase_add_test(tcase, a_supervisor_says_how_it_keeps_its_units);
	tcase_add_test(tcase, presets_are_canonical);
	tcase_add_test(tcase, a_command_is_split_as_a_shell_splits);
	tcase_add_test(tcase, variables_are_filled_in_once);
	tcase_add_test(tcase, paths_are_relative_to_their_file);
	tcase_add_test(tcase, ends_are_codes_signals_and_causes);
	tcase_add_test(tcase, defaults_merge_key_by_key_and_replace_the_rest);
	tcase_add_test(tcase, defaults_may_say_what_a_unit_is);
	tcase_add_test(tcase, dependencies_are_lists_or_mappings_and_merge);
	tcase_add_test(tcase, the_environment_is_whole_and_sorted);
	tcase_add_test(tcase, a_quoted_value_goes_on_over_lines);
	tcase_add_test(tcase, a_user_has_a_home_of_its_own);
	tcase_add_test(tcase, without_a_path_there_is_the_systems);
	tcase_add_test(tcase, what_a_fiber_gets_is_flat);
	tcase_add_test(tcase, what_a_built_in_listens_at_is_relative_to_the_file);
	tcase_add_test(tcase, a_file_that_is_not_roots_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
