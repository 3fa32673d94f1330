/* SPDX-License-Identifier: MIT */
/* Sweeps: the n-th allocation fails, for every n until none does. Every tree of the fixtures is loaded so, every pair of the good
 * ones compared, everything imported; and `effctl check`, `import` and `schema`, and Show of a running effd. It is said that there
 * was no memory, or it was not needed; nothing is lost, and nothing half made is given out as a whole. */
#include <dirent.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "daemon/control_world.h"
#include "daemon/plan_world.h"
#include "effctl/command.h"
#include "plan/changes.h"

Suite *test_suite(void);

#define PLANS "tests/fixtures/plans"
enum { PATHS_MOST = 200, FEW = 400 };

struct paths {
	char *items[PATHS_MOST];
	int n;
};

static int is_named(const struct dirent *entry)
{
	return *entry->d_name != '.' && strcmp(entry->d_name, "parts") != 0;
}

static void paths_add(struct paths *paths, const char *folder, bool trees_alone)
{
	struct dirent **names;
	int n = scandir(folder, &names, is_named, alphasort);

	ck_assert_int_gt(n, 0);
	for (int i = 0; i < n; i++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (!trees_alone || strstr(names[i]->d_name, ".yaml") ||
			strcmp(names[i]->d_name, "folder") == 0)
			paths->items[paths->n++] = strdup(path);
		ck_assert_int_lt(paths->n, PATHS_MOST);
		free(names[i]);
	}
	free(names);
}

static void paths_done(struct paths *paths)
{
	while (paths->n)
		free(paths->items[--paths->n]);
}

/* ── loading ── */

/* Returns whether it was come to. */
static bool load_fails(const char *path, uint64_t n, int otherwise)
{
	struct plan_world world;
	bool came;

	plan_world_init(&world);
	(void)alloc_fail_after(n);
	plan_world_load(&world, path);
	came = alloc_fail_after(0) == 0;
	ck_assert_msg(world.result == (came ? -ENOMEM : otherwise), "%s: %d at the %d.", path,
		world.result, (int)n);
	plan_world_done(&world);
	return came;
}

static int result_of(const char *path)
{
	struct plan_world world;
	int r;

	plan_world_init(&world);
	plan_world_load(&world, path);
	r = world.result;
	plan_world_done(&world);
	return r;
}

/* The first ones each, the further ones so that they are about as many again: the places where there may be too little are the
 * same for all trees, and each begins its steps elsewhere. */
START_TEST(without_memory_no_tree_is_loaded)
{
	struct paths paths = {0};

	paths_add(&paths, PLANS "/good", true);
	paths_add(&paths, PLANS "/bad", true);
	ck_assert_int_gt(paths.n, 80);
	for (int i = 0; i < paths.n; i++) {
		int otherwise = result_of(paths.items[i]);
		uint64_t n = 1;

		while (load_fails(paths.items[i], n, otherwise))
			n += n < FEW ? 1 : 7 + (uint64_t)i % 5;
		ck_assert_uint_gt(n, 10);
	}
	paths_done(&paths);
}
END_TEST

/* ── comparing ── */

static void diff_sweep(const struct plan *old, const struct plan *new)
{
	struct plan_change *changes;
	uint64_t at = 0;
	uint32_t n;
	int r;

	do {
		(void)alloc_fail_after(++at);
		r = plan_diff(old, NULL, new, &changes, &n);
		ck_assert_int_eq(r, alloc_fail_after(0) == 0 ? -ENOMEM : 0);
	} while (r < 0);
	plan_changes_free(changes, n);
}

START_TEST(without_memory_no_trees_are_compared)
{
	struct plan_world worlds[PATHS_MOST];
	struct paths paths = {0};

	paths_add(&paths, PLANS "/good", true);
	for (int i = 0; i < paths.n; i++) {
		plan_world_init(&worlds[i]);
		plan_world_load(&worlds[i], paths.items[i]);
		ck_assert_int_eq(worlds[i].result, 0);
	}
	for (int i = 0; i < paths.n; i++)
		for (int k = 0; k < paths.n; k++)
			diff_sweep(worlds[i].plan, worlds[k].plan);
	for (int i = 0; i < paths.n; i++)
		plan_world_done(&worlds[i]);
	paths_done(&paths);
}
END_TEST

/* ── effctl ── */

/* What it printed; NULL: it says that there was too little memory. */
static char *effctl_with(int argc, char **argv, int well, uint64_t n, bool *ret_came)
{
	char *printed = NULL, *complained = NULL;
	size_t n_out, n_err;
	FILE *out = open_memstream(&printed, &n_out), *err = open_memstream(&complained, &n_err);
	bool came;
	int code;

	(void)alloc_fail_after(n);
	code = effctl_run(argc, argv, out, err);
	came = n > 0 && alloc_fail_after(0) == 0;
	(void)fclose(out);
	(void)fclose(err);
	ck_assert_msg(came || code == well, "%s: %d without failure", argv[1], code);
	if (strstr(complained, "memory")) {
		ck_assert_msg(came && code != 0, "%s: %d at the %d.", argv[1], code, (int)n);
		free(printed);
		printed = NULL;
	} else {
		ck_assert_msg(code == well, "%s: %d at the %d.: %s", argv[1], code, (int)n,
			complained);
	}
	free(complained);
	*ret_came = came;
	return printed;
}

/* What is printed is always the same, if anything is. */
static void effctl_sweep(int argc, char **argv, int well)
{
	bool came = true;
	char *whole = effctl_with(argc, argv, well, 0, &came);
	uint64_t n;

	ck_assert_ptr_nonnull(whole);
	came = true;
	for (n = 1; came; n += n < FEW ? 1 : 11) {
		char *printed = effctl_with(argc, argv, well, n, &came);

		ck_assert_msg(!printed || strcmp(printed, whole) == 0,
			"%s prints something else at the %d.: %s\n---\n%s", argv[1], (int)n,
			printed, whole);
		free(printed);
	}
	ck_assert_uint_gt(n, 10);
	free(whole);
}

START_TEST(without_memory_effctl_says_so)
{
	static const struct {
		const char *words[6];
		int well;
	} commands[] = {
		{{"effctl", "check", "conf/examples/web.yaml"}, 0},
		{{"effctl", "--json", "check", PLANS "/bad/cycle.yaml"}, 1},
		{{"effctl", "check", PLANS "/bad/unknown-key.yaml"}, 1},
		{{"effctl", "schema"}, 0},
		{{"effctl", "import", "supervisord",
			 "tests/fixtures/import/supervisord/queue/queue.ini"},
			0},
		{{"effctl", "--json", "import", "compose",
			 "tests/fixtures/import/compose/shop/compose.yaml"},
			1},
		{{"effctl", "import", "procfile", "tests/fixtures/import/procfile/rails/Procfile"}, 0},
		{{"effctl", "import", "systemd", "tests/fixtures/import/systemd/terms/worker.service"},
			0},
	};
	char *argv[7] = {NULL};
	int argc = 0;

	for (; commands[_i].words[argc]; argc++)
		argv[argc] = (char *)commands[_i].words[argc];
	effctl_sweep(argc, argv, commands[_i].well);
}
END_TEST

/* ── a running effd ── */

static bool show_fails(struct server *s, uint64_t n)
{
	struct client *c = client_new(s);
	bool came;

	server_turn(s);
	client_call(c, "Show", "{\"unit\":\"web\",\"resolved\":true}", false);
	(void)alloc_fail_after(n);
	server_turn(s);
	came = alloc_fail_after(0) == 0;
	client_receive(c);
	/* An answer, an error, or the end of this client, who hears of it. */
	ck_assert_msg(c->n > 0 || c->ended, "no answer at the %d.", (int)n);
	if (!came)
		ck_assert_ptr_nonnull(memmem(c->bytes, c->n, "\"stop.signal\"", 13));
	client_free(c);
	server_turn(s);
	return came;
}

START_TEST(without_memory_show_fails_and_effd_goes_on)
{
	struct server *s = server_shop();
	uint64_t n = 1;
	struct client *c;

	while (show_fails(s, n))
		n++;
	ck_assert_uint_gt(n, 100);
	c = client_new(s);
	ck_assert_str_eq(reply_error(client_ask(c, "Ping", NULL)), "");
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("sweeps");
	TCase *tcase = tcase_create("sweeps");

	tcase_set_timeout(tcase, 280);
	tcase_add_test(tcase, without_memory_no_tree_is_loaded);
	tcase_add_test(tcase, without_memory_no_trees_are_compared);
	tcase_add_loop_test(tcase, without_memory_effctl_says_so, 0, 8);
	tcase_add_test(tcase, without_memory_show_fails_and_effd_goes_on);
	test_leak_guard(tcase);
	suite_add_tcase(suite, tcase);
	return suite;
}
