/* SPDX-License-Identifier: MIT */
/* A MiB of what other supervisors read, each kind of it. Importing it, writing the tree and the report, and loading that tree takes
 * no more steps, and no more memory, than a bound for each of its bytes, and twice of it takes no more than in proportion. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "effctl/import/report.h"
#include "plan/diag.h"
#include "scale/shape.h"

static void import_taken(enum import_kind kind, const char *const *names, const char *const *texts)
{
	struct diags *diags = diags_new();
	struct text yaml = {0};
	struct import im;

	ck_assert_int_eq(import_init(&im, kind), 0);
	for (; *names; names++, texts++)
		import_text(&im, *names, *texts, strlen(*texts));
	ck_assert_int_eq(import_end(&im), 0);
	json_free(report_document(&im));
	if (im.n_units) {
		import_write(&im, &yaml);
		ck_assert_int_ne(import_check(&im, yaml.bytes, yaml.len, diags), -ENOMEM);
	}
	text_done(&yaml);
	diags_free(diags);
	import_done(&im);
}

#define P "[program:a]\ncommand=x\n"
static const struct shape supervisords[] = {
	{"programs", "", "[program:a#]\ncommand=x\n", "", NULL, NULL, 600, false},
	{"one program", "", "[program:a]\ncommand=x\n", "", NULL, NULL, 600, false},
	{"processes", "",
		"[program:a#]\ncommand=x %(process_num)d\nnumprocs=900\nprocess_name=%(process_num)d\n",
		"", NULL, NULL, 9000, true},
	{"a command", "[program:a]\ncommand=x", " 'a b'", "\n", NULL, NULL, 300, false},
	{"an environment", P "environment=", "A#=\"b\",", "\n", NULL, NULL, 300, false},
	{"lines of an environment", P "environment=A=b\n", "  ,B#=c\n", "", NULL, NULL, 300, false},
	{"open variables", "[program:a]\ncommand=x ", "${", "\n", NULL, NULL, 300, false},
	{"expansions", "[program:a]\ncommand=x ", "%(program_name)s", "\n", NULL, NULL, 300, false},
	{"variables", "[program:a]\ncommand=x ", "%(ENV_A)s", "\n", NULL, NULL, 300, false},
	{"percents", "[program:a]\ncommand=x ", "%%", "\n", NULL, NULL, 300, false},
	{"a long name in itself", "[program:", "aaaaaaaa", "]\ncommand=x ", "%(program_name)s",
		"\n", 300, true},
	{"a group", "[group:g]\nprograms=", "a#,", "\n", "[program:a#]\ncommand=x\n", "", 600, false},
	{"groups", "", "[group:g#]\nprograms=a#\n[program:a#]\ncommand=x\n", "", NULL, NULL,
		600, false},
	{"priorities", "", "[program:a#]\ncommand=x\npriority=#\n", "", NULL, NULL, 600, false},
	{"settings", P, "startsecs=#\n", "", NULL, NULL, 300, false},
	{"unknown settings", P, "a#=b\n", "", NULL, NULL, 600, false},
	{"exit codes", P "exitcodes=", "0,", "\n", NULL, NULL, 300, false},
	{"includes", "[include]\nfiles=", "f# ", "\n", NULL, NULL, 300, false},
	{"open variables of includes", "[include]\nfiles=", "${", "\n", NULL, NULL, 300, false},
	{"comments", P, "; comment\n", "", NULL, NULL, 60, false},
	{"sections", "", "[a#]\n", "", NULL, NULL, 600, false},
	{"brackets", "", "[", "", NULL, NULL, 60, false},
};

static void take_supervisord(const struct text *text)
{
	import_taken(IMPORT_SUPERVISORD, (const char *const[]){"s.conf", NULL},
		(const char *const[]){text->bytes});
}

START_TEST(a_mib_of_supervisords_is_imported_in_so_many_steps)
{
	shape_takes(&supervisords[_i], take_supervisord);
}
END_TEST

#define S "services:\n"
static const struct shape composes[] = {
	{"services", S, "  a#: {command: x}\n", "", NULL, NULL, 900, false},
	{"services without a command", S, "  a#: {image: x}\n", "", NULL, NULL, 600, false},
	{"a command", S "  a: {command: \"x", " 'a b'", "\"}\n", NULL, NULL, 300, false},
	{"dollars", S "  a: {command: \"x ", "$$", "\"}\n", NULL, NULL, 300, false},
	{"open variables", S "  a: {command: \"x ", "${", "\"}\n", NULL, NULL, 90, false},
	{"open variables of a list", S "  a: {command: [x", ", '${A'", "]}\n", NULL, NULL, 600, false},
	{"variables", S "  a: {command: \"x ", "${A:-b}", "\"}\n", NULL, NULL, 300, false},
	{"an environment", S "  a: {command: x, environment: {", "A#: b, ", "}}\n", NULL, NULL,
		300, false},
	{"a list of an environment", S "  a: {command: x, environment: [", "A#=b, ", "]}\n",
		NULL, NULL, 300, false},
	{"inherited variables", S "  a: {command: x, environment: [", "A#, ", "]}\n", NULL,
		NULL, 300, false},
	{"what one depends on", S "  a: {command: x, depends_on: [", "a#, ", "]}\n",
		"  a#: {command: x}\n", "", 900, false},
	{"what one depends on for nothing", S "  a: {command: x, depends_on: [", "a#, ", "]}\n",
		NULL, NULL, 600, false},
	{"who wait for an end", S,
		"  a#: {command: x, depends_on: {b: {condition: service_completed_successfully}}}\n",
		"  b: {command: x}\n", NULL, NULL, 600, false},
	{"labels", S "  a: {command: x, labels: [", "a#=b, ", "]}\n", NULL, NULL, 300, false},
	{"limits", S "  a: {command: x, ulimits: {", "a#: 1, ", "}}\n", NULL, NULL, 600, false},
	{"env_files", S "  a: {command: x, env_file: [", "a#, ", "]}\n", NULL, NULL, 600, false},
	{"unknown settings", S "  a: {command: x, ", "a#: b, ", "}\n", NULL, NULL, 600, false},
	{"aliases", "x-a: &a {b: c}\n" S "  a: {command: x, x-b: [", "*a, ", "]}\n", NULL, NULL,
		90, false},
	{"merges", "x-a: &a {b: c}\n" S "  a: {command: x, x-b: {<<: [", "*a, ", "]}}\n", NULL,
		NULL, 90, false},
	{"ports", S "  a: {ports: [", "'1:2', ", "]}\n", NULL, NULL, 90, false},
};

static void take_compose(const struct text *text)
{
	import_taken(IMPORT_COMPOSE, (const char *const[]){"compose.yaml", NULL},
		(const char *const[]){text->bytes});
}

START_TEST(a_mib_of_compose_is_imported_in_so_many_steps)
{
	shape_takes(&composes[_i], take_compose);
}
END_TEST

static const struct shape procfiles[] = {
	{"processes", "", "a#: x\n", "", NULL, NULL, 950, false},
	{"one process", "", "a: x\n", "", NULL, NULL, 2500, false},
	{"processes of a release", "release: x\n", "a#: x\n", "", NULL, NULL, 1200, false},
	{"a command", "a: x", " 'a b'", "\n", NULL, NULL, 300, false},
	{"a command of a shell", "a: x", " && b $C", "\n", NULL, NULL, 120, false},
	{"open variables", "a: x ", "${", "\n", NULL, NULL, 60, false},
	{"lines that are none", "", "a b\n", "", NULL, NULL, 300, false},
	{"comments", "", "# comment\n", "", NULL, NULL, 60, false},
	{"blanks", "a:", " ", "x\n", NULL, NULL, 60, false},
};

static void take_procfile(const struct text *text)
{
	import_taken(IMPORT_PROCFILE, (const char *const[]){"Procfile", NULL},
		(const char *const[]){text->bytes});
}

START_TEST(a_mib_of_a_procfile_is_imported_in_so_many_steps)
{
	shape_takes(&procfiles[_i], take_procfile);
}
END_TEST

#define U "[Service]\nExecStart=/bin/x\n"
static const struct shape services[] = {
	{"a command", "[Service]\nExecStart=/bin/x", " 'a b'", "\n", NULL, NULL, 300, false},
	{"commands", "[Service]\nType=oneshot\nExecStart=/bin/x", " ; /bin/x", "\n", NULL, NULL,
		300, false},
	{"lines of commands", "[Service]\nType=oneshot\n", "ExecStart=/bin/x\n", "", NULL, NULL,
		300, false},
	{"commands before", U, "ExecStartPre=@-/bin/x y\n", "", NULL, NULL, 300, false},
	{"lines that go on", "[Service]\nExecStart=/bin/x ", "\\\n", "a\n", NULL, NULL, 300, false},
	{"variables", "[Service]\nExecStart=/bin/x ", "${A} $B ", "\n", NULL, NULL, 300, false},
	{"open variables", "[Service]\nExecStart=/bin/x ", "${", "\n", NULL, NULL, 300, false},
	{"specifiers", "[Service]\nExecStart=/bin/x ", "%n", "\n", NULL, NULL, 900, false},
	{"an environment", U "Environment=", "A#=b ", "\n", NULL, NULL, 300, false},
	{"environments", U, "Environment=A#=b\n", "", NULL, NULL, 300, false},
	{"env_files", U, "EnvironmentFile=/a#\n", "", NULL, NULL, 300, false},
	{"inherited variables", U "PassEnvironment=", "A# ", "\n", NULL, NULL, 300, false},
	{"ends", U "SuccessExitStatus=", "1 ", "\n", NULL, NULL, 300, false},
	{"others that are not there", "[Unit]\nAfter=", "a#.service ", "\n" U, NULL, NULL, 600, false},
	{"the other", "[Unit]\nAfter=", "b.service ", "\n" U, NULL, NULL, 600, false},
	{"conflicts with the other", "[Unit]\nConflicts=", "b.service ", "\n" U, NULL, NULL,
		900, false},
	{"needs of the other", "[Unit]\n", "Wants=b.service\n", U, NULL, NULL, 300, false},
	{"delays", U, "RestartSec=1\n", "", NULL, NULL, 300, false},
	{"unknown settings", U, "A#=b\n", "", NULL, NULL, 600, false},
	{"sections", U, "[Unit]\n", "", NULL, NULL, 300, false},
	{"calls", U "SystemCallFilter=", "read ", "\n", NULL, NULL, 600, false},
	{"paths", U "ReadOnlyPaths=", "/a# ", "\n", NULL, NULL, 300, false},
	{"limits", U, "LimitNOFILE=1:2\n", "", NULL, NULL, 300, false},
	{"a span", U "RestartSec=", "1s ", "\n", NULL, NULL, 300, false},
};

static void take_service(const struct text *text)
{
	import_taken(IMPORT_SYSTEMD, (const char *const[]){"a.service", "b.service", NULL},
		(const char *const[]){text->bytes, U});
}

START_TEST(a_mib_of_a_service_is_imported_in_so_many_steps)
{
	shape_takes(&services[_i], take_service);
}
END_TEST

static const struct shape sockets[] = {
	{"addresses", "[Socket]\n", "ListenStream=/a#\n", "", NULL, NULL, 600, false},
	{"addresses with a backlog", "[Socket]\n", "ListenStream=/a#\n", "", "Backlog=5\n", "",
		600, false},
	{"addresses with a mode", "[Socket]\n", "ListenStream=/a#\nSocketMode=0600\n", "", NULL,
		NULL, 900, false},
	{"names", "[Socket]\nListenStream=1\n", "FileDescriptorName=a\n", "", NULL, NULL, 300, false},
	{"unknown settings", "[Socket]\nListenStream=1\n", "A#=b\n", "", NULL, NULL, 600, false},
};

static void take_socket(const struct text *text)
{
	import_taken(IMPORT_SYSTEMD, (const char *const[]){"a.service", "a.socket", NULL},
		(const char *const[]){U, text->bytes});
}

START_TEST(a_mib_of_a_socket_is_imported_in_so_many_steps)
{
	shape_takes(&sockets[_i], take_socket);
}
END_TEST

static const struct shape timers[] = {
	{"times", "[Timer]\n", "OnCalendar=daily\n", "", NULL, NULL, 600, false},
	{"a time", "[Timer]\nOnCalendar=*:0", ",1", "\n", NULL, NULL, 300, false},
	{"days", "[Timer]\nOnCalendar=Mon", ",Tue", " 0:00\n", NULL, NULL, 300, false},
	{"words", "[Timer]\nOnCalendar=", "a ", "\n", NULL, NULL, 300, false},
};

static void take_timer(const struct text *text)
{
	import_taken(IMPORT_SYSTEMD, (const char *const[]){"a.service", "a.timer", NULL},
		(const char *const[]){U, text->bytes});
}

START_TEST(a_mib_of_a_timer_is_imported_in_so_many_steps)
{
	shape_takes(&timers[_i], take_timer);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("imports");

	shapes_add(suite, "supervisords", a_mib_of_supervisords_is_imported_in_so_many_steps,
		N_SHAPES(supervisords));
	shapes_add(suite, "composes", a_mib_of_compose_is_imported_in_so_many_steps,
		N_SHAPES(composes));
	shapes_add(suite, "procfiles", a_mib_of_a_procfile_is_imported_in_so_many_steps,
		N_SHAPES(procfiles));
	shapes_add(suite, "services", a_mib_of_a_service_is_imported_in_so_many_steps,
		N_SHAPES(services));
	shapes_add(suite, "sockets", a_mib_of_a_socket_is_imported_in_so_many_steps,
		N_SHAPES(sockets));
	shapes_add(suite, "timers", a_mib_of_a_timer_is_imported_in_so_many_steps, N_SHAPES(timers));
	return suite;
}
