/* SPDX-License-Identifier: MIT */
/* How much the log has of a unit that never rests: the events themselves are asked for by control/. */
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "fake/world.h"
#include "leak.h"

Suite *test_suite(void);

static FILE *said;
static int real_stderr;

static void listen_to_the_log(void)
{
	said = tmpfile();
	ck_assert_ptr_nonnull(said);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_ge(dup2(fileno(said), STDERR_FILENO), 0);
	log_set_level(LOG_LEVEL_INFO);
}

static void stop_listening(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	(void)fclose(said);
}

/* How many lines since the last time have that word; the last of them. */
static unsigned n_said(const char *word, char *ret_last, size_t size)
{
	static long at;
	char line[512];
	unsigned n = 0;

	ck_assert_int_eq(fseek(said, at, SEEK_SET), 0);
	while (fgets(line, sizeof(line), said)) {
		if (!strstr(line, word))
			continue;
		(void)snprintf(ret_last, size, "%s", line);
		n++;
	}
	at = ftell(said);
	return n;
}

START_TEST(of_a_unit_that_never_rests_the_log_has_so_much_a_minute)
{
	struct world *w = world_new(
		"web: {command: crash, restart: {backoff: {initial: 100ms, max: 100ms, jitter: 0}}}\n"
		"calm: {command: calm}\n");
	char last[512] = "";
	uint64_t starts;

	listen_to_the_log();
	world_script(w, "crash", (struct script){.lives = EFF_MS(100), .exits = 1});
	world_script(w, "calm", (struct script){.lives = EFF_FOREVER});

	world_run_for(w, EFF_S(59));

	starts = world_unit(w, "web")->starts;
	ck_assert_uint_gt(starts, 250);
	ck_assert_uint_eq(n_said("web: ", last, sizeof(last)), 60 + 1);
	ck_assert_str_eq(last,
		"effd: warn: web: its state changes too often to be shown here; effctl events has it all\n");

	world_run_for(w, EFF_S(1) + EFF_MS(50));

	ck_assert_uint_ge(n_said("web: ", last, sizeof(last)), 1);
	world_run_for(w, EFF_S(30));
	ck_assert_uint_eq(n_said("changes too often", last, sizeof(last)), 1);

	/* What it comes to is said all the same. */
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(n_said("web: ", last, sizeof(last)), 1);
	ck_assert_ptr_nonnull(strstr(last, "-> down"));
	stop_listening();
	world_free(w);
}
END_TEST

START_TEST(how_much_it_has_not_is_said)
{
	struct world *w = world_new(
		"web: {command: crash, restart: {max_restarts: 99, backoff: {initial: 100ms, max: 100ms, jitter: 0}}}");
	char last[512] = "";

	listen_to_the_log();
	world_script(w, "crash", (struct script){.lives = EFF_MS(100), .exits = 1});
	world_run_for(w, EFF_S(59));
	ck_assert_uint_eq(n_said("-> failed", last, sizeof(last)), 1);

	/* 1 from down, three a restart. */
	world_run_for(w, EFF_S(10));
	world_start(w, "web");
	world_run_for(w, EFF_MS(10));
	(void)n_said("not shown", last, sizeof(last));
	ck_assert_str_eq(last, "effd: warn: web: 239 further changes of its state were not shown\n");
	stop_listening();
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("events_many");
	TCase *tcase = tcase_create("said");

	test_leak_guard(tcase);
	tcase_add_test(tcase, of_a_unit_that_never_rests_the_log_has_so_much_a_minute);
	tcase_add_test(tcase, how_much_it_has_not_is_said);
	suite_add_tcase(suite, tcase);
	return suite;
}
