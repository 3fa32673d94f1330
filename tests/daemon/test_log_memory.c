/* SPDX-License-Identifier: MIT */
/* What a unit writes when memory ends at any moment: it is where it goes, or counted as lost. */
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "fake/world.h"
#include "unit/internal.h"

static const struct way {
	const char *log;
	const char *before, *behind; /* of the text of a line that has arrived */
} ways[] = {
	{"stdout: {file: /log/web}", "", "\n"},
	{"stdout: {file: /log/web}, timestamps: true", "Z ", "\n"},
	{"stdout: {file: /log/web}, format: json", "\"text\":\"", "\"}\n"},
	{"stdout: inherit", " | ", "\n"},
	{"stdout: inherit, format: json", "\"text\":\"", "\"}\n"},
};
enum { N_WAYS = sizeof(ways) / sizeof(ways[0]) };

/* Bytes of lines, without their ends. */
static size_t arrived(struct world *w, const struct way *way)
{
	const char *at = os_fake_file(w->fake, "/log/web");
	size_t n = 0;

	if (!at)
		at = os_fake_stdout(w->fake);
	while (at && *at) {
		const char *text = strstr(at, way->before);
		const char *end = text ? strstr(text, way->behind) : NULL;

		ck_assert_msg(end != NULL, "%s: this is no line: %s", way->log, at);
		text += strlen(way->before);
		n += (size_t)(end - text);
		at = end + strlen(way->behind);
	}
	return n;
}

/* Lines that come in pieces, of which one waits for its end. */
static void write_lines(struct unit *u, struct sink *k)
{
	static const char pieces[][40] = {"one\ntw", "o\nthree\n",
		"four, which is a longer one", " than those before\n", "five\n"};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		sink_take(k, pieces[i], strlen(pieces[i]));
	if (u->spec->out.kind == PLAN_LOG_FILE)
		output_line(u, "six", 3);
}
#define WRITTEN (sizeof("onetwothreefour, which is a longer one than those beforefive") - 1)

/* The n-th allocation fails. Returns whether there were so many. */
static bool lines_without_memory(const struct way *way, uint64_t n)
{
	char tree[256];
	struct world *w;
	struct unit *u;
	struct sink k;
	uint64_t left;
	size_t there, written;

	(void)snprintf(tree, sizeof(tree), "web: {command: web, log: {%s}}", way->log);
	w = world_new(tree);
	world_run_for(w, EFF_S(1));
	u = world_unit(w, "web");
	sink_init(&k, u, OS_STDOUT);
	/* It is the fake's memory, what it has taken. */
	os_fake_stdout_full(w->fake, true);
	(void)alloc_fail_after(n);
	write_lines(u, &k);
	left = alloc_fail_after(0);
	os_fake_stdout_full(w->fake, false);
	ck_assert(sink_hand_over(&k, false));
	world_run_for(w, EFF_S(1));

	/* What is lost with what stands before it is counted with that. */
	there = arrived(w, way);
	written = WRITTEN + (u->spec->out.kind == PLAN_LOG_FILE ? sizeof("six") - 1 : 0);
	ck_assert_msg(
		there + u->log_lost_bytes >= written && (there < written || !u->log_lost_bytes),
		"%s, allocation %llu: of %zu bytes %zu have arrived, and %llu are said to be lost",
		way->log, (unsigned long long)n, written, there,
		(unsigned long long)u->log_lost_bytes);
	sink_done(&k);
	world_free(w);
	return left == 0;
}

START_TEST(a_line_without_memory_is_lost_and_counted)
{
	uint64_t n = 1;

	while (lines_without_memory(&ways[_i], n))
		n++;
	ck_assert_uint_gt(n, 5);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/log memory");
	TCase *tcase = tcase_create("log memory");

	tcase_add_loop_test(tcase, a_line_without_memory_is_lost_and_counted, 0, N_WAYS);
	suite_add_tcase(suite, tcase);
	return suite;
}
