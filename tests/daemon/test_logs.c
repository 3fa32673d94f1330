/* SPDX-License-Identifier: MIT */
/* A disk that does not answer: who is held up by it, what is lost, and what is in the files when it answers again. */
#include <errno.h>

#include "daemon/log_world.h"
#include "unit/ring.h"

enum { LINE = 100 };

/* `n` lines of 100 bytes that are numbered from `first`. */
static char *numbered(int first, int n)
{
	char line[LINE + 1];
	char *all = calloc((size_t)n * LINE + 1, 1);

	for (int i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line), "%099d\n", first + i);
		memcpy(all + (size_t)i * LINE, line, LINE);
	}
	return all;
}

static void print_numbered_of(struct world *w, const char *unit, int first, int n)
{
	char *all = numbered(first, n);

	os_fake_print(w->fake, unit, OS_STDOUT, all);
	world_run_for(w, EFF_MS(10));
	free(all);
}

static void print_numbered(struct world *w, int first, int n)
{
	print_numbered_of(w, "web", first, n);
}

/* How many numbered lines are in it; -1: one is not the next after the one before. */
static int lines_in_a_row(struct world *w, const char *path, int first)
{
	const char *at = log_file(w, path);
	int n = 0;

	for (; strlen(at) >= LINE; at += LINE, n++)
		if (atoi(at) != first + n)
			return -1;
	return *at ? -1 : n;
}

START_TEST(a_disk_that_does_not_answer_holds_up_nobody_else)
{
	struct world *w = log_world("rotate: {size: 0}}}\nother: {command: other, log: {ring: 1KiB");

	os_fake_disk_hangs(w->fake, true);
	log_print(w, "one\n");
	world_run_for(w, EFF_M(10));
	world_restart(w, "other");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "other", "up");
	ck_assert_uint_eq(world_spawns(w, "other"), 2);
	ck_assert_uint_eq(ring_count(world_unit(w, "web")->ring), 1);
	ck_assert_str_eq(log_file(w, "/log/web"), "(none)");

	log_print(w, "two\n");
	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, 0);
	ck_assert_str_eq(log_file(w, "/log/web"), "one\ntwo\n");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(its_unit_waits_when_enough_does_and_loses_nothing)
{
	struct world *w = log_world("rotate: {size: 0}");
	unsigned reads;

	os_fake_disk_hangs(w->fake, true);
	print_numbered(w, 0, 3000);
	print_numbered(w, 3000, 11000);
	reads = os_fake_reads(w->fake);
	print_numbered(w, 14000, 3000);
	world_run_for(w, EFF_M(1));
	/* What it has written since is in its pipe. */
	ck_assert_uint_eq(os_fake_reads(w->fake), reads);

	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_MS(10));
	ck_assert_int_eq(lines_in_a_row(w, "/log/web", 0), 17000);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(where_many_wait_each_waits_with_less)
{
	enum {
		N = 12,
		ROUNDS = 20,
		LINES = 1000,
		MOST = 1 << 20,
		ALL = 8 << 20,
		SHARE = 256 << 10
	};
	char tree[N * 80] = "", name[16];
	struct world *w;
	size_t waiting;

	for (int j = 0; j < N; j++)
		(void)snprintf(tree + strlen(tree), sizeof(tree) - strlen(tree),
			"u%d: {command: u%d, log: {stdout: {file: /log/u%d}}}\n", j, j, j);
	w = world_new(tree);
	world_run_for(w, EFF_S(1));
	os_fake_disk_hangs(w->fake, true);
	for (int i = 0; i < ROUNDS; i++)
		for (int j = 0; j < N; j++) {
			(void)snprintf(name, sizeof(name), "u%d", j);
			print_numbered_of(w, name, i * LINES, LINES);
		}
	waiting = world_unit(w, "u0")->world->log_waiting;
	ck_assert_uint_ge(waiting, ALL);
	ck_assert_uint_lt(waiting, ALL + N * SHARE);
	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(world_unit(w, "u0")->world->log_waiting, 0);
	for (int j = 0; j < N; j++) {
		(void)snprintf(name, sizeof(name), "/log/u%d", j);
		ck_assert_int_eq(lines_in_a_row(w, name, 0), ROUNDS * LINES);
	}
	world_free(w);
}
END_TEST

START_TEST(one_that_may_lose_lines_does_not_wait)
{
	struct world *w = log_world("rotate: {size: 0}, on_block: drop-new");
	unsigned reads;

	os_fake_disk_hangs(w->fake, true);
	for (int i = 0; i < 12; i++)
		print_numbered(w, i * 2000, 2000);
	reads = os_fake_reads(w->fake);
	print_numbered(w, 24000, 10);
	ck_assert_uint_gt(os_fake_reads(w->fake), reads);
	ck_assert_ptr_nonnull(world_said(w, "web", "log_lost"));

	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_MS(20));
	/* What the disk was given, more than waits at most, and then the oldest 256 KiB of the rest. */
	ck_assert_int_eq(lines_in_a_row(w, "/log/web", 0), 2000 + 12000 + 2621);
	ck_assert_uint_eq(
		strlen(log_file(w, "/log/web")) + world_unit(w, "web")->log_lost_bytes, 2401000);
	world_free(w);
}
END_TEST

/* Whatever is lost, what is read at once ends amid a line. */
START_TEST(what_is_lost_is_lost_by_the_line)
{
	enum { LINES = 30000, AT_ONCE = 250030 };
	static const char *const ways[] = {"on_block: drop-new", "on_block: drop-old"};
	struct world *w = log_world(ways[_i]);
	char *all = numbered(0, LINES), *at = all;
	size_t n = 0;
	int last = -1;

	os_fake_disk_hangs(w->fake, true);
	for (char *next; (size_t)(at - all) + AT_ONCE < LINES * LINE; at = next) {
		char kept = *(next = at + AT_ONCE);

		*next = '\0';
		log_print(w, at);
		*next = kept;
		if (n++ == 8)
			os_fake_disk_hangs(w->fake, false);
	}
	log_print(w, at);
	free(all);

	n = 0;
	for (const char *line = log_file(w, "/log/web"); *line; line += LINE, n++) {
		ck_assert_msg(strcspn(line, "\n") == LINE - 1 && atoi(line) > last,
			"line %zu, behind %d: %.100s", n, last, line);
		last = atoi(line);
	}
	ck_assert_int_eq(last, LINES - 1);
	ck_assert_uint_lt(n, LINES);
	ck_assert_uint_eq(n * LINE + world_unit(w, "web")->log_lost_bytes, LINES * LINE);
	world_free(w);
}
END_TEST

START_TEST(one_that_ends_meanwhile_waits_a_second_and_is_written_later)
{
	struct world *w = log_world("rotate: {size: 0}");

	os_fake_disk_hangs(w->fake, true);
	log_print(w, "one\n");
	world_mark(w);
	world_stop(w, "web");
	world_run_for(w, EFF_S(2));
	EXPECT_STATES(w, "web", "0 stopping, 1000 down");
	world_start(w, "web");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "up");
	log_print(w, "two\n");

	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_MS(10));
	ck_assert_str_eq(log_file(w, "/log/web"), "one\ntwo\n");
	ck_assert_uint_eq(os_fake_open_files(w->fake), 1);
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(os_fake_open_files(w->fake), 0);
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 0);
	world_free(w);
}
END_TEST

START_TEST(a_unit_is_down_when_its_log_is_whole)
{
	struct world *w = log_world("rotate: {size: 0}");

	os_fake_disk_hangs(w->fake, true);
	log_print(w, "one\n");
	world_mark(w);
	world_stop(w, "web");
	world_run_for(w, EFF_MS(300));
	EXPECT_STATE(w, "web", "stopping");
	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_S(1));
	EXPECT_STATES(w, "web", "0 stopping, 300 down");
	ck_assert_str_eq(log_file(w, "/log/web"), "one\n");
	world_free(w);
}
END_TEST

START_TEST(what_one_that_is_gone_has_lost_is_told_by_the_root)
{
	struct world *w = world_new(
		"g: {units: {web: {command: web, log: {stdout: {file: /log/web}}}}}");

	world_run_for(w, EFF_S(1));
	os_fake_disk_hangs(w->fake, true);
	os_fake_print(w->fake, "g/web", OS_STDOUT, "one\n");
	world_run_for(w, EFF_MS(10));
	world_reload(w, "g: {units: {other: {command: other}}}");
	world_run_for(w, EFF_S(5));
	os_fake_disk_full(w->fake, true);
	os_fake_disk_hangs(w->fake, false);
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_said(w, "/", "log_lost"),
		"4 bytes lost: cannot write /log/web: No space left on device");
	world_free(w);
}
END_TEST

/* Whether a thread has it by then or it is still in line for one. */
START_TEST(the_end_of_all_waits_a_second_and_says_what_is_lost)
{
	struct world *w = log_world("rotate: {size: 0}");

	if (_i)
		os_fake_threads_hang(w->fake, true);
	else
		os_fake_disk_hangs(w->fake, true);
	log_print(w, "one\n");
	log_print(w, "two\n");
	world_shutdown(w, false);
	/* One for the unit, one for all. */
	ck_assert(world_run_to_end(w, EFF_S(3)));
	ck_assert_str_eq(world_said(w, "web", "log_lost"),
		"4 bytes lost: cannot write /log/web: the disk does not answer");
	ck_assert_uint_eq(world_unit(w, "web")->log_lost_bytes, 8);
	world_free(w);
}
END_TEST

START_TEST(all_that_has_come_is_written_in_one_go)
{
	struct world *w = world_new(
		"a: {command: a, log: {stdout: {file: /log/a}, stderr: {file: /log/b}}}\n"
		"b: {command: b, log: {stdout: {file: /log/b}}}\n");
	unsigned before;

	world_run_for(w, EFF_S(1));
	before = os_fake_visits(w->fake);
	os_fake_print(w->fake, "a", OS_STDOUT, "one\n");
	os_fake_print(w->fake, "b", OS_STDOUT, "two\n");
	os_fake_print(w->fake, "a", OS_STDERR, "three\n");
	world_run_for(w, EFF_MS(10));
	ck_assert_uint_eq(os_fake_visits(w->fake) - before, 1);
	ck_assert_str_eq(log_file(w, "/log/a"), "one\n");
	ck_assert_uint_eq(strlen(log_file(w, "/log/b")), strlen("two\nthree\n"));
	world_free(w);
}
END_TEST

/* ── at random ── */

enum { N_UNITS = 3, ACTS = 40, SEEDS = 300 };

struct trial {
	uint64_t seed;
	struct world *w;
	unsigned printed[N_UNITS]; /* lines */
};

static const char *const names[N_UNITS] = {"a", "b", "c"};

static uint64_t draw(struct trial *t, uint64_t below)
{
	t->seed = t->seed * 6364136223846793005U + 1442695040888963407U;
	return (t->seed >> 33) % below;
}

/* Lines that say whose they are, and their number. */
static void print_some(struct trial *t)
{
	uint64_t unit = draw(t, N_UNITS), n = 1 + draw(t, 50);

	for (uint64_t i = 0; i < n && world_state(t->w, names[unit]) == UNIT_UP; i++) {
		char line[LINE + 1];

		(void)snprintf(line, sizeof(line), "%s%098u\n", names[unit], t->printed[unit]++);
		os_fake_print(t->w->fake, names[unit],
			draw(t, 2) && unit != 2 ? OS_STDOUT : OS_STDERR, line);
		/* The two streams are not to be told apart by when they are read. */
		world_run_for(t->w, EFF_MS(3));
	}
}

static void act(struct trial *t)
{
	switch (draw(t, 8)) {
	case 0:
		os_fake_disk_hangs(t->w->fake, true);
		break;
	case 1:
		os_fake_disk_hangs(t->w->fake, false);
		break;
	case 2:
		os_fake_disk_full(t->w->fake, draw(t, 3) == 0);
		break;
	case 3:
		world_restart(t->w, names[draw(t, N_UNITS)]);
		break;
	case 4:
		world_run_for(t->w, EFF_MS(draw(t, 3000)));
		break;
	default:
		print_some(t);
	}
}

/* Lines of a unit in a file, each after the one before; what is missing was lost. */
static unsigned count_lines(const char *text, const char *unit, long *last)
{
	unsigned n = 0;

	for (const char *at = text; strlen(at) >= LINE; at += LINE) {
		long number = strtol(at + 1, NULL, 10);

		if (*at != *unit)
			continue;
		ck_assert_msg(number > *last, "line %ld of %s is behind line %ld", number, unit,
			*last);
		*last = number;
		n++;
	}
	return n;
}

static unsigned lines_of(struct trial *t, const char *path, const char *unit)
{
	char name[64];
	unsigned n = 0, number = 0;
	long last = -1;

	do
		(void)snprintf(name, sizeof(name), "%s.%u", path, ++number);
	while (os_fake_file(t->w->fake, name));
	while (--number > 0) {
		(void)snprintf(name, sizeof(name), "%s.%u", path, number);
		n += count_lines(os_fake_file(t->w->fake, name), unit, &last);
	}
	return n + count_lines(log_file(t->w, path), unit, &last);
}

START_TEST(every_line_is_in_its_file_once_and_in_its_turn_or_counted_as_lost)
{
	static const char *const files[N_UNITS] = {"/log/x", "/log/x", "/other/y"};
	struct trial t = {.seed = (uint64_t)_i};

	t.w = world_new(
		"a: {command: a, log: {stdout: {file: /log/x}, stderr: {file: /log/x},"
		" rotate: {size: 2KiB, keep: 999}}}\n"
		"b: {command: b, log: {stdout: {file: /log/x}, rotate: {size: 3KiB, keep: 999}}}\n"
		"c: {command: c, log: {stderr: {file: /other/y}, on_block: drop-new}}\n");
	world_run_for(t.w, EFF_S(1));
	for (int i = 0; i < ACTS; i++)
		act(&t);
	os_fake_disk_hangs(t.w->fake, false);
	world_run_for(t.w, EFF_M(1));
	for (int i = 0; i < N_UNITS; i++) {
		unsigned n = lines_of(&t, files[i], names[i]);
		uint64_t lost = world_unit(t.w, names[i])->log_lost_bytes;

		ck_assert_msg(n * (uint64_t)LINE + lost == t.printed[i] * (uint64_t)LINE,
			"seed %d: of %u lines of %s there are %u, and %llu bytes are said to be lost",
			_i, t.printed[i], names[i], n, (unsigned long long)lost);
		world_stop(t.w, names[i]);
	}
	world_run_for(t.w, EFF_M(1));
	ck_assert_uint_eq(os_fake_open_files(t.w->fake), 0);
	world_free(t.w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/logs");
	TCase *tcase = tcase_create("logs");

	tcase_add_test(tcase, a_disk_that_does_not_answer_holds_up_nobody_else);
	tcase_add_test(tcase, its_unit_waits_when_enough_does_and_loses_nothing);
	tcase_add_test(tcase, where_many_wait_each_waits_with_less);
	tcase_add_test(tcase, one_that_may_lose_lines_does_not_wait);
	tcase_add_loop_test(tcase, what_is_lost_is_lost_by_the_line, 0, 2);
	tcase_add_test(tcase, one_that_ends_meanwhile_waits_a_second_and_is_written_later);
	tcase_add_test(tcase, a_unit_is_down_when_its_log_is_whole);
	tcase_add_test(tcase, what_one_that_is_gone_has_lost_is_told_by_the_root);
	tcase_add_loop_test(tcase, the_end_of_all_waits_a_second_and_says_what_is_lost, 0, 2);
	tcase_add_test(tcase, all_that_has_come_is_written_in_one_go);
	tcase_add_loop_test(tcase,
		every_line_is_in_its_file_once_and_in_its_turn_or_counted_as_lost, 0, SEEDS);
	suite_add_tcase(suite, tcase);
	return suite;
}
