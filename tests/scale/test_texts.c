/* SPDX-License-Identifier: MIT */
/* A MiB of whatever may come to effd from outside: trees, env_files, calls of the control protocol. Reading it takes no more
 * steps, and no more memory, than a bound for each of its bytes, and twice of it takes no more than in proportion. */
#include <stdlib.h>
#include <string.h>

#include "daemon/plan_world.h"
#include "scale/shape.h"
#include "wire/frame.h"
#include "wire/varlink.h"

#define T "version: 1\nunits:\n"
#define A "version: 1\nunits: {a: {command: x, "
#define R "version: 1\nunits: {a: {command: x}}\n"

/* ── trees ── */

static const struct shape trees[] = {
	{"one long line of errors", "version: 1\nunits: {", "u#: {comand: x}, ", "}\n", NULL,
		NULL, 300, false},
	{"one long line of units", "version: 1\nunits: {", "u#: {command: x}, ", "}\n", NULL,
		NULL, 300, false},
	{"unknown variables", A "description: \"", "${NOBODY}", "\"}}\n", NULL, NULL, 60, false},
	{"open variables", A "description: \"", "${", "\"}}\n", NULL, NULL, 90, false},
	{"open variables of a command", "version: 1\nunits: {a: {command: \"x ", "${", "\"}}\n",
		NULL, NULL, 65, false},
	{"variables in variables", A "description: \"", "${A:-${B}}", "\"}}\n", NULL, NULL, 60, false},
	{"dollars", A "description: \"", "$$ $", "\"}}\n", NULL, NULL, 60, false},
	{"variables of a list", A "supplementary_groups: [", "'${PORT}',", "]}}\n", NULL, NULL,
		90, false},
	{"lists of open variables", A "supplementary_groups: [", "'${PORT',", "]}}\n", NULL,
		NULL, 150, false},
	{"pipes", "version: 1\nunits: {a: {command: \"x ", "| ", "\"}}\n", NULL, NULL, 40, false},
	{"backslashes", "version: 1\nunits: {a: {command: 'x ", "\\a", "'}}\n", NULL, NULL, 60, false},
	{"sockets", "version: 1\nsockets:\n", "  s#: {listen: 'unix:/r/#'}\n",
		"units: {a: {command: x}}\n", NULL, NULL, 300, false},
	{"sockets at one address", "version: 1\nsockets:\n", "  s#: {listen: 'tcp:*:1'}\n",
		"units: {a: {command: x}}\n", NULL, NULL, 300, false},
	{"units of sockets", "version: 1\nsockets:\n", "  s#: {listen: 'unix:/r/#'}\n",
		"units:\n", "  u#: {command: x, sockets: s#}\n", "", 300, false},
	{"unknown sockets", "version: 1\nsockets:\n", "  s#: {listen: 'unix:/r/#'}\n",
		"units:\n", "  u#: {command: x, sockets: s}\n", "", 600, false},
	{"labels", A "labels: {", "l#: v, ", "}}}\n", NULL, NULL, 90, false},
	{"ends", A "success_exit: [", "0-255, ", "]}}\n", NULL, NULL, 150, false},
	{"ends that are none", A "success_exit: [", "exot, ", "]}}\n", NULL, NULL, 600, false},
	{"processors", A "priority: {cpus: [", "0-1023, ", "]}}}\n", NULL, NULL, 600, false},
	{"capabilities", A "security: {capabilities: [", "chown, ", "]}}}\n", NULL, NULL, 150, false},
	{"capabilities that are none", A "security: {capabilities: [", "chowns, ", "]}}}\n",
		NULL, NULL, 3000, false},
	{"system calls", A "security: {seccomp: [", "read, ", "]}}}\n", NULL, NULL, 300, false},
	{"sets of system calls", A "security: {seccomp: [", "'@io-event', ", "]}}}\n", NULL,
		NULL, 600, false},
	{"system calls that are none", A "security: {seccomp: [", "raed, ", "]}}}\n", NULL,
		NULL, 3000, false},
	{"paths", A "security: {read_only_paths: [", "/p#, ", "]}}}\n", NULL, NULL, 150, false},
	{"folders", A "directories: {state: [", "p#, ", "]}}}\n", NULL, NULL, 150, false},
	{"one folder", A "directories: {state: [", "p, ", "]}}}\n", NULL, NULL, 150, false},
	{"inherited variables", A "env_inherit: [", "A#, ", "]}}\n", NULL, NULL, 300, false},
	{"stars", A "env_inherit: ['", "*A", "']}}\n", NULL, NULL, 60, false},
	{"readers", R "daemon: {readers: [", "r#, ", "]}\n", NULL, NULL, 90, false},
	{"signals", R "daemon: {signals: {", "RTMIN+#: ignore, ", "}}\n", NULL, NULL, 90, false},
	{"what one depends on", T "  a: {command: x, depends_on: [", "u#,                  ",
		"]}\n", "  u#: {command: x}\n", "", 600, false},
	{"what one depends on for nothing", T "  a: {command: x, depends_on: [", "u#, ", "]}\n",
		NULL, NULL, 600, false},
	{"what one comes after", T "  a: {command: x, after: [", "u#,                  ",
		"]}\n", "  u#: {command: x}\n", "", 300, false},
	{"one that comes after one", T "  b: {command: x}\n  a: {command: x, after: [", "b, ",
		"]}\n", NULL, NULL, 300, false},
	{"what one conflicts with", T "  a: {command: x, activate: manual, conflicts: [",
		"u#,                  ", "]}\n", "  u#: {command: x}\n", "", 600, false},
	{"who conflict with one", T "  a: {command: x}\n",
		"  u#: {command: x, activate: manual, conflicts: [a]}\n", "", NULL, NULL, 300, false},
	{"a chain", T "  u: {command: x}\n", "  u#: {command: x, after: [u]}\n", "", NULL, NULL,
		900, false},
	{"cycles", T, "  u#: {command: x, depends_on: [v#]}\n  v#: {command: x, depends_on: [u#]}\n",
		"", NULL, NULL, 300, false},
	{"an order that runs backwards",
		"version: 1\nstrategy: rest_for_one\nunits:\n  a: {command: x, depends_on: [",
		"u#,                  ", "]}\n", "  u#: {command: x}\n", "", 600, false},
	{"replicas", T, "  u#: {command: x, replicas: 1000}\n", "", NULL, NULL, 40000, true},
	{"defaults", "version: 1\ndefaults:\n  environment: {", "A#: b, ", "}\nunits:\n",
		"  u#: {command: x, environment: {C: d}}\n", "", 40000, true},
	{"probes of one's need",
		"version: 1\nunits:\n  p: {command: x, readiness_probe: {tcp: {port: 1}}}\n  g:\n    depends_on: [p",
		", x#", "]\n    units:\n",
		"      x#: {command: x, liveness_probe: {tcp: {port: 1}}}\n", "", 600, false},
	{"supervisors", T, "  g#: {units: {}}\n", "", NULL, NULL, 300, false},
	{"intensities", T,
		"  g#: {intensity: {max_restarts: 5, period: 10s}, units: {a: {command: x}}}\n",
		"", NULL, NULL, 900, false},
	{"words of other tools", T, "  u#: {command: x, restartPolicy: Always}\n", "", NULL,
		NULL, 300, false},
	{"includes", R "include: [", "f#.yaml, ", "]\n", NULL, NULL, 300, false},
	{"patterns of includes", R "include: [", "'d/f#*.yaml', ", "]\n", NULL, NULL, 300, false},
	{"env_files", A "env_file: [", "e#, ", "]}}\n", NULL, NULL, 300, false},
	{"env_files that may be missing", A "env_file: [", "'?e#', ", "]}}\n", NULL, NULL, 300, false},
	{"merges", "version: 1\nx-a: &a {b: c}\nx-b: {<<: [", "*a, ",
		"]}\nunits: {a: {command: x}}\n", NULL, NULL, 60, false},
	{"tabs", T "  a:\n", "\t", "", NULL, NULL, 60, false},
	{"tags", "version: 1\nx-a: [", "!a b, ", "]\n", NULL, NULL, 60, false},
	{"documents", "version: 1\n", "---\n", "", NULL, NULL, 60, false},
	{"quotes", "version: 1\nx-a: [", "'', ", "]\nunits: {a: {command: x}}\n", NULL, NULL,
		90, false},
	{"braces", "version: 1\nx-a: ", "{a: ", "", NULL, NULL, 60, false},
	{"lists in lists", "version: 1\nx-a:\n", "- ", "a\n", NULL, NULL, 60, false},
	{"questions", "version: 1\nx-a:\n", "? ", "a\n", NULL, NULL, 60, false},
	{"with", "version: 1\nunits: {a: {fiber: {module: ./m.so, entry: m}, with: {",
		"a#: [b, {c: d}], ", "}}}\n", NULL, NULL, 120, false},
	{"a shell", "version: 1\nunits: {a: {shell: \"", "echo ${A} $(b) | c; ", "\"}}\n", NULL,
		NULL, 60, false},
	{"a line of cron", A "schedule: {cron: \"* * * * ", "1,", "1\"}}}\n", NULL, NULL, 60, false},
	{"a duration", A "start_timeout: \"", "1s", "\"}}\n", NULL, NULL, 60, false},
	{"hooks", T, "  u#: {command: x, hooks: {on_ready: y, post_stop: 'z #'}}\n", "", NULL,
		NULL, 300, false},
	{"secrets", A "environment: {", "TOKEN#: x, ", "}}}\n", NULL, NULL, 300, false},
};

static void take_tree(const struct text *text)
{
	struct plan_world world;

	(void)plan_world_text(&world, text->bytes);
	ck_assert(world.result == 0 || world.result == -EINVAL);
	plan_world_done(&world);
}

START_TEST(a_mib_of_a_tree_is_read_in_so_many_steps)
{
	shape_takes(&trees[_i], take_tree);
}
END_TEST

/* ── additions ── */

#define POOL "version: 1\nunits:\n  p: {strategy: simple_one_for_one, template: {command: x}}\n"

static const struct shape added_to[] = {
	{"env_files that were missing", POOL "  a: {command: x, env_file: [", "'?e#', ", "]}\n",
		NULL, NULL, 900, false},
	{"units", POOL, "  u#: {command: x}\n", "", NULL, NULL, 900, false},
};

/* The tree is read once more, as it was. */
static void take_what_is_added_to(const struct text *text)
{
	struct plan_addition addition = {
		.supervisor = "p", .file = "/tree/more.yaml", .text = "units: {w: {}}\n", .size = 15};
	struct plan_world world;
	struct plan *plan;

	(void)plan_world_text(&world, text->bytes);
	ck_assert_int_eq(world.result, 0);
	ck_assert_int_eq(plan_add(world.plan, &addition, &world.source, &plan, world.diags), 0);
	plan_unref(plan);
	plan_world_done(&world);
}

START_TEST(a_mib_that_is_added_to_is_read_in_so_many_steps)
{
	shape_takes(&added_to[_i], take_what_is_added_to);
}
END_TEST

/* ── env_files ── */

static const struct shape env_files[] = {
	{"variables", "", "N#=value\n", "", NULL, NULL, 300, false},
	{"one variable", "", "N=v\n", "", NULL, NULL, 300, false},
	{"quotes", "", "N#=\"a\\nb\" # c\n", "", NULL, NULL, 300, false},
	{"a quote", "A=\"", "\\\"b", "", NULL, NULL, 90, false},
	{"a value", "A=", "b ", "", NULL, NULL, 90, false},
	{"comments", "", "# comment\n", "", NULL, NULL, 60, false},
	{"empty lines", "", "\n", "", NULL, NULL, 60, false},
	{"exports", "", "export  A#=b\n", "", NULL, NULL, 300, false},
	{"lines that are none", "", "a b\n", "", NULL, NULL, 300, false},
	{"quotes that are open", "", "A='b\n", "", NULL, NULL, 300, false},
	{"secrets", "", "TOKEN#=x\n", "", NULL, NULL, 300, false},
};

static void take_env_file(const struct text *text)
{
	struct plan_world world;

	plan_world_init(&world);
	world.text = "version: 1\nunits: {a: {command: x, env_file: env}, b: {command: x, env_file: env}}\n";
	world.env_text = text->bytes;
	plan_world_load(&world, "/tree/effd.yaml");
	ck_assert(world.result == 0 || world.result == -EINVAL);
	plan_world_done(&world);
}

START_TEST(a_mib_of_an_env_file_is_read_in_so_many_steps)
{
	shape_takes(&env_files[_i], take_env_file);
}
END_TEST

/* ── calls ── */

#define C "{\"method\":\"org.effd.Control.Status\",\"parameters\":{"
static const struct shape calls[] = {
	{"units", C "\"units\":[\"a\"", ",\"a#\"", "]}}", NULL, NULL, 90, false},
	{"numbers", C "\"units\":[1", ",1", "]}}", NULL, NULL, 90, false},
	{"a text", C "\"units\":[\"", "word", "\"]}}", NULL, NULL, 40, false},
	{"escapes", C "\"units\":[\"", "\\u00e4", "\"]}}", NULL, NULL, 40, false},
	{"a long method", "{\"method\":\"org", ".effd", "\"}", NULL, NULL, 40, false},
	{"keys", C "\"a\":1", ",\"a#\":1", "}}", NULL, NULL, 150, false},
	{"one key", C "\"a\":1", ",\"a\":1", "}}", NULL, NULL, 150, false},
	{"keys beside", "{\"method\":\"a.b\"", ",\"a#\":1", "}", NULL, NULL, 150, false},
	{"objects", C "\"units\":[{}", ",{\"a\":1,\"b\":2}", "]}}", NULL, NULL, 90, false},
	{"blanks", "{", " ", "}", NULL, NULL, 40, false},
	{"brackets", C "\"units\":", "[", "", NULL, NULL, 40, false},
	{"braces", "", "{\"a\":", "", NULL, NULL, 40, false},
	{"a number", C "\"units\":", "1", "}}", NULL, NULL, 40, false},
	{"messages", "", "{\"method\":\"a.b\"}~", "", NULL, NULL, 300, false},
	{"messages that are none", "", "a~", "", NULL, NULL, 300, false},
	{"empty messages", "", "~", "", NULL, NULL, 300, false},
};

static void message_take(const char *message, size_t len)
{
	struct json_error error = {0};
	const char *parameter;
	struct call call;

	if (call_read(message, len, &call, &error) == 0) {
		struct json *again = json_copy(call.parameters);
		char *printed = json_print(again);

		(void)method_check(METHOD_STATUS, call.parameters, &parameter);
		free(printed);
		json_free(again);
	}
	call_done(&call);
}

/* As they come from a socket, in pieces. */
static void take_calls(const struct text *text)
{
	struct frame_in in;
	size_t at = 0, room, len;
	char *bytes, *message;

	for (size_t i = 0; i < text->len; i++)
		text->bytes[i] = (char)(text->bytes[i] == '~' ? '\0' : text->bytes[i]);
	frame_in_init(&in, (size_t)2 << 20);
	while (at <= text->len) {
		ck_assert_int_eq(frame_in_room(&in, &bytes, &room), 0);
		room = room < 4096 ? room : 4096;
		room = room < text->len + 1 - at ? room : text->len + 1 - at;
		memcpy(bytes, text->bytes + at, room);
		frame_in_came(&in, room);
		at += room;
		while (frame_in_next(&in, &message, &len) > 0)
			message_take(message, len);
	}
	frame_in_done(&in);
}

START_TEST(a_mib_of_calls_is_read_in_so_many_steps)
{
	shape_takes(&calls[_i], take_calls);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("texts");

	shapes_add(suite, "trees", a_mib_of_a_tree_is_read_in_so_many_steps, N_SHAPES(trees));
	shapes_add(suite, "added_to", a_mib_that_is_added_to_is_read_in_so_many_steps,
		N_SHAPES(added_to));
	shapes_add(suite, "env_files", a_mib_of_an_env_file_is_read_in_so_many_steps,
		N_SHAPES(env_files));
	shapes_add(suite, "calls", a_mib_of_calls_is_read_in_so_many_steps, N_SHAPES(calls));
	return suite;
}
