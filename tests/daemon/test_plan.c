/* SPDX-License-Identifier: MIT */
/* Whole plans: the good fixtures, their form, their making without memory, their size. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "base/alloc.h"
#include "folder.h"
#include "leak.h"
#include "plan_world.h"

#define GOOD "tests/fixtures/plans/good"

Suite *test_suite(void);

static struct plan *load_good(struct plan_world *world, const char *path)
{
	plan_world_init(world);
	plan_world_load(world, path);
	if (diags_count(world->diags))
		diags_print(world->diags, stderr);
	ck_assert_int_eq(world->result, 0);
	ck_assert_uint_eq(diags_count(world->diags), 0);
	return world->plan;
}

START_TEST(every_good_tree_is_good)
{
	struct plan_world world, one;
	char **names = NULL, path[256];
	int n;

	plan_world_init(&world);
	ck_assert_int_eq(world.source.list(&world, GOOD, &names), 0);
	ck_assert_ptr_nonnull(names);
	for (n = 0; names && names[n]; n++) {
		(void)snprintf(path, sizeof(path), GOOD "/%s", names[n]);
		(void)load_good(&one, path);
		plan_world_done(&one);
		free(names[n]);
	}
	free(names);
	plan_world_done(&world);

	ck_assert_int_ge(n, 3);
}
END_TEST

START_TEST(units_are_in_declared_order_depth_first)
{
	static const char *const names[] = {"/", "db", "migrate", "web", "heartbeat", "idler",
		"workers", "workers/fetch", "workers/index", "workers/fetch2"};
	struct plan_world world;
	struct plan *plan = load_good(&world, GOOD "/shop.yaml");
	const struct plan_unit *workers = plan_find(plan, "workers"), *root = plan_unit(plan, 0);

	ck_assert_uint_eq(plan_n_units(plan), 10);
	for (uint32_t i = 0; i < 10; i++) {
		ck_assert_str_eq(plan_unit(plan, i)->name, names[i]);
		ck_assert_uint_eq(plan_unit(plan, i)->index, i);
		ck_assert_ptr_eq(plan_find(plan, names[i]), plan_unit(plan, i));
	}
	ck_assert_ptr_null(plan_find(plan, "fetch"));
	ck_assert_uint_eq(root->end, 10);
	ck_assert_uint_eq(root->parent, PLAN_NONE);
	ck_assert_uint_eq(root->n_children, 6);
	ck_assert_str_eq(root->key, "shop");
	ck_assert_uint_eq(workers->first_child, 7);
	ck_assert_uint_eq(workers->n_children, 3);
	ck_assert_uint_eq(workers->end, 10);
	ck_assert_uint_eq(plan_unit(plan, 7)->next_sibling, 8);
	ck_assert_uint_eq(plan_unit(plan, 9)->next_sibling, PLAN_NONE);
	ck_assert_str_eq(plan_unit(plan, 7)->key, "fetch");
	ck_assert_uint_eq(plan_unit(plan, 7)->parent, 6);
	ck_assert_uint_eq(plan_find(plan, "db")->at.line, 21);
	ck_assert_uint_eq(plan_find(plan, "db")->at.column, 3);
	plan_world_done(&world);
}
END_TEST

START_TEST(the_shop_is_as_it_says)
{
	struct plan_world world;
	struct plan *plan = load_good(&world, GOOD "/shop.yaml");
	const struct plan_unit *db = plan_find(plan, "db"), *web = plan_find(plan, "web"),
			       *beat = plan_find(plan, "heartbeat");

	ck_assert_str_eq(plan_name(plan), "shop");
	ck_assert_str_eq(db->user, "postgres");
	ck_assert_str_eq(db->group, "70");
	ck_assert_uint_eq(db->ways->umask, 0077);
	ck_assert_int_eq(db->ways->stop.signal, SIGINT);
	ck_assert_int_eq(db->ways->stop.final_signal, SIGQUIT);
	ck_assert_int_eq(db->ways->stop.mode, PLAN_STOP_MIXED);
	ck_assert_str_eq(db->ways->stop.command[3], "fast now");
	ck_assert_uint_eq(db->ways->max_restarts, 5);
	ck_assert_int_eq(db->ways->backoff.initial_ns, EFF_MS(200));
	ck_assert_uint_eq(db->rules->force_exit.codes[0], 2 | 4 | 8);
	ck_assert_int_eq(db->rules->readiness.kind, PLAN_PROBE_TCP);
	ck_assert_uint_eq(db->rules->readiness.port, 5432);
	ck_assert_str_eq(db->rules->readiness.host, "127.0.0.1");
	ck_assert(db->critical);
	ck_assert_int_eq(web->type, PLAN_NOTIFY);
	ck_assert_str_eq(web->argv[0], "/bin/sh");
	ck_assert_str_eq(web->argv[2], "exec ./web --port \"$PORT\" ${NOT_OURS}");
	ck_assert_int_eq(web->rules->liveness.kind, PLAN_PROBE_HTTP);
	ck_assert_uint_eq(web->rules->liveness.status_min, 200);
	ck_assert_uint_eq(web->rules->liveness.status_max, 200);
	ck_assert_uint_eq(web->rules->liveness.failure_threshold, 7);
	ck_assert_int_eq(web->rules->startup.kind, PLAN_PROBE_UNIX);
	ck_assert_int_eq(web->ways->reload_signal, SIGHUP);
	ck_assert_int_eq(web->out.kind, PLAN_LOG_FILE);
	ck_assert_int_eq(web->err.kind, PLAN_LOG_NULL);
	ck_assert_uint_eq(web->ways->ring_bytes, 1048576);
	ck_assert_uint_eq(web->ways->max_line_bytes, 4096);
	ck_assert_uint_eq(web->n_labels, 2);
	ck_assert_int_eq(beat->activate, PLAN_MANUAL);
	ck_assert_str_eq(beat->entry, "heartbeat");
	ck_assert_uint_eq(beat->ways->stack_bytes, 65536);
	ck_assert_str_eq(plan_find(plan, "idler")->builtin, "idle");
	plan_world_done(&world);
}
END_TEST

START_TEST(what_units_say_alike_is_held_once)
{
	struct plan_world world;
	struct plan *plan = plan_world_text(&world,
		"version: 1\nname: test\ndefaults:\n  hooks: {pre_start: {command: [make, \"it ready\"]}}\n"
		"  stop: {timeout: 3s}\nunits:\n  a: {command: [run, a]}\n  b: {command: [run, b]}\n"
		"  c: {command: [run, b], hooks: {pre_start: {command: [make, it, ready]}}}\n"
		"  d: {command: [run, d], stop: {timeout: 4s}}\n");
	const struct plan_unit *a = plan_find(plan, "a"), *b = plan_find(plan, "b"),
			       *c = plan_find(plan, "c"), *d = plan_find(plan, "d");

	ck_assert_ptr_eq(a->rules, b->rules);
	ck_assert_ptr_eq(a->ways, b->ways);
	ck_assert_str_eq(a->rules->hooks.pre_start.argv[1], "it ready");
	ck_assert_str_eq(a->argv[1], "a");
	ck_assert_ptr_eq(b->argv, c->argv);
	ck_assert_str_eq(c->rules->hooks.pre_start.argv[1], "it");
	ck_assert_ptr_eq(c->ways, a->ways);
	ck_assert_int_eq(a->ways->stop.timeout_ns, EFF_S(3));
	ck_assert_int_eq(d->ways->stop.timeout_ns, EFF_S(4));
	plan_world_done(&world);
}
END_TEST

START_TEST(effds_settings_are_as_they_say)
{
	struct plan_world world;
	struct plan *plan = load_good(&world, GOOD "/shop.yaml");
	const struct plan_daemon *effd = plan_daemon(plan);

	ck_assert_str_eq(effd->socket, GOOD "/shop.sock");
	ck_assert(effd->has_socket_mode);
	ck_assert_uint_eq(effd->socket_mode, 0660);
	ck_assert_str_eq(effd->socket_group, "staff");
	ck_assert_uint_eq(effd->n_readers, 2);
	ck_assert_str_eq(effd->readers[1].name, "@wheel");
	ck_assert_str_eq(effd->log_level, "debug");
	ck_assert_str_eq(effd->log_dir, GOOD "/log");
	ck_assert_str_eq(effd->state_dir, "/var/lib/shop");
	ck_assert_int_eq(effd->shutdown_timeout_ns, EFF_S(180));
	ck_assert_int_eq(effd->on_give_up, PLAN_GIVE_UP_IDLE);
	ck_assert_uint_eq(effd->exit_code_from, plan_find(plan, "workers/index")->index);
	ck_assert(!effd->subreaper);
	plan_world_done(&world);
}
END_TEST

START_TEST(orders_and_needs_have_inverses)
{
	struct plan_world world;
	struct plan *plan = load_good(&world, GOOD "/shop.yaml");
	const struct plan_unit *db = plan_find(plan, "db"), *web = plan_find(plan, "web"),
			       *workers = plan_find(plan, "workers");
	const struct plan_unit *fetch = plan_find(plan, "workers/fetch"),
			       *index = plan_find(plan, "workers/index");
	const struct plan_unit *fetch2 = plan_find(plan, "workers/fetch2");

	ck_assert_uint_eq(web->n_needs, 2);
	ck_assert(!web->needs[0].required && web->needs[0].restart && web->needs[1].bind);
	ck_assert_int_eq(web->needs[1].condition, PLAN_COMPLETED_SUCCESSFULLY);
	ck_assert_uint_eq(db->n_needed_by, 3);
	ck_assert_uint_eq(db->needed_by[0], plan_find(plan, "migrate")->index);
	ck_assert_uint_eq(db->needed_by[2], index->index);
	ck_assert_uint_eq(workers->n_after, 1);
	ck_assert_uint_eq(workers->after[0], web->index);
	ck_assert_uint_eq(web->n_before, 1);
	ck_assert_uint_eq(web->before[0], workers->index);
	/* Said twice, by `after` and by `before`: there once. A sequence makes no such edges. */
	ck_assert_uint_eq(fetch2->n_after, 1);
	ck_assert_uint_eq(fetch2->after[0], index->index);
	ck_assert_uint_eq(index->n_after, 0);
	ck_assert_uint_eq(fetch->n_before, 0);
	ck_assert(!fetch2->enabled);
	plan_world_done(&world);
}
END_TEST

START_TEST(a_folder_is_one_tree)
{
	struct plan_world world;
	struct plan *plan = load_good(&world, GOOD "/folder");

	ck_assert_str_eq(plan_name(plan), "folder");
	ck_assert_uint_eq(plan_n_units(plan), 4);
	ck_assert_str_eq(plan_unit(plan, 1)->name, "one");
	ck_assert_str_eq(plan_unit(plan, 3)->name, "three");
	ck_assert_int_eq(plan_unit(plan, 3)->restart, PLAN_NO);
	ck_assert_int_eq(plan_unit(plan, 1)->ways->stop.timeout_ns, EFF_S(1));
	/* Relative to where each stands. */
	ck_assert_str_eq(plan_find(plan, "two")->argv[0], GOOD "/folder/two");
	ck_assert_ptr_nonnull(strstr(plan_find(plan, "three")->argv[0], "parts/three"));
	ck_assert_ptr_nonnull(strstr(plan_files(plan)[3], "three.env"));
	ck_assert_ptr_null(plan_files(plan)[4]);
	plan_world_done(&world);
}
END_TEST

START_TEST(what_is_not_there_or_empty_is_told_without_a_line)
{
	char folder[32], path[64];
	struct plan_world world;
	FILE *file;

	(void)test_folder(folder, sizeof(folder));
	plan_world_init(&world);
	plan_world_load(&world, folder);
	(void)snprintf(path, sizeof(path), "%s/a.yaml", folder);
	plan_world_load(&world, path);
	file = fopen(path, "w");
	(void)fclose(file);
	plan_world_load(&world, path);
	(void)unlink(path);
	(void)rmdir(folder);

	ck_assert_int_eq(world.result, -EINVAL);
	ck_assert_uint_eq(diags_errors(world.diags), 3);
	ck_assert_str_eq(diags_at(world.diags, 0)->at.file, folder);
	ck_assert_str_eq(diags_at(world.diags, 0)->message, "the folder has no *.yaml file");
	ck_assert_str_eq(
		diags_at(world.diags, 1)->message, "cannot read it: No such file or directory");
	ck_assert_str_eq(diags_at(world.diags, 2)->message, "the file is empty");
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(diags_at(world.diags, i)->at.line, 0);
	plan_world_done(&world);
}
END_TEST

START_TEST(a_command_line_is_a_tree_of_one)
{
	static const char *const argv[] = {"./bin/web server", "${PORT}", "$$", "a b", NULL};
	struct plan_world world;
	const struct plan_unit *unit;

	plan_world_init(&world);
	ck_assert_int_eq(plan_of_command(argv, &world.source, &world.plan, world.diags), 0);
	ck_assert_uint_eq(diags_count(world.diags), 0);
	unit = plan_find(world.plan, "web");

	ck_assert_uint_eq(plan_n_units(world.plan), 2);
	for (int i = 0; i < 5; i++)
		ck_assert_pstr_eq(unit->argv[i], argv[i]);
	ck_assert_int_eq(unit->restart, PLAN_NO);
	ck_assert_str_eq(unit->working_dir, ".");
	ck_assert_uint_eq(plan_daemon(world.plan)->exit_code_from, 1);
	ck_assert_str_eq(plan_name(world.plan), "web");
	plan_world_done(&world);
}
END_TEST

START_TEST(a_command_line_of_nothing_is_an_error)
{
	static const char *const nothing[] = {"", NULL}, *const odd[] = {"/usr/bin/[", NULL};
	struct plan_world world;

	plan_world_init(&world);
	ck_assert_int_eq(plan_of_command(nothing, &world.source, &world.plan, world.diags), -EINVAL);
	ck_assert_str_eq(diags_at(world.diags, 0)->code, "E216");
	ck_assert_int_eq(plan_of_command(odd, &world.source, &world.plan, world.diags), 0);
	ck_assert_ptr_nonnull(plan_find(world.plan, "command"));
	plan_world_done(&world);
}
END_TEST

START_TEST(a_plan_lives_as_long_as_someone_has_it)
{
	struct plan_world world;
	struct plan *plan = plan_ref(load_good(&world, GOOD "/shop.yaml"));

	plan_world_done(&world);
	ck_assert_str_eq(plan_unit(plan, 1)->name, "db");
	plan_unref(plan);
	plan_unref(NULL);
}
END_TEST

static const char *const swept[] = {GOOD "/shop.yaml", GOOD "/folder", GOOD "/anchors.yaml",
	GOOD "/replicas.yaml", "tests/fixtures/plans/bad/unknown-key.yaml",
	"tests/fixtures/plans/bad/cycle.yaml", "tests/fixtures/plans/bad/include-missing.yaml",
	"tests/fixtures/plans/bad/env-file.yaml"};

START_TEST(without_memory_a_load_fails_and_leaves_nothing)
{
	struct plan_world world;
	bool has_failed;
	uint64_t n = 0;

	do {
		plan_world_init(&world);
		(void)alloc_fail_after(++n);
		plan_world_load(&world, swept[_i]);
		has_failed = alloc_fail_after(0) == 0;
		ck_assert_msg(world.result ==
				(has_failed              ? -ENOMEM
						: _i < 4 ? 0
							 : -EINVAL),
			"%s: %d at the %d.", swept[_i], world.result, (int)n);
		plan_world_done(&world);
	} while (has_failed);

	ck_assert_uint_gt(n, 100);
}
END_TEST

START_TEST(ten_thousand_units_are_a_plan_like_any_other)
{
	struct plan_world world;
	struct text text = {0};

	text_add(&text,
		"version: 1\ndaemon: {shutdown_timeout: 10h}\n"
		"defaults: {environment: {A: b}, stop: {timeout: 3s}}\nunits:\n  u0: {command: x}\n");
	for (int i = 1; i < 10000; i++)
		text_printf(&text, "  u%d: {command: [x, '%d'], depends_on: [u0], after: [u%d]}\n",
			i, i, i - 1);
	(void)plan_world_good(&world, text.bytes);
	text_done(&text);

	ck_assert_uint_eq(plan_n_units(world.plan), 10001);
	ck_assert_uint_eq(plan_find(world.plan, "u0")->n_needed_by, 9999);
	ck_assert_str_eq(plan_find(world.plan, "u9999")->argv[1], "9999");
	/* What all say is kept once. */
	ck_assert_ptr_eq(
		plan_find(world.plan, "u1")->argv[0], plan_find(world.plan, "u9999")->argv[0]);
	plan_world_done(&world);
}
END_TEST

START_TEST(defaults_cannot_be_multiplied_without_bound)
{
	struct plan_world world;
	struct text text = {0};

	text_add(&text, "version: 1\ndefaults:\n  labels:\n");
	for (int i = 0; i < 5000; i++)
		text_printf(&text, "    l%d: x\n", i);
	text_add(&text, "units:\n");
	for (int i = 0; i < 5000; i++)
		text_printf(&text, "  u%d: {command: x, labels: {a: b}}\n", i);
	(void)plan_world_text(&world, text.bytes);
	text_done(&text);

	ck_assert_int_eq(world.result, -EINVAL);
	ck_assert_str_eq(diags_at(world.diags, 0)->code, "E105");
	plan_world_done(&world);
}
END_TEST

START_TEST(fields_have_names_and_help)
{
	for (uint32_t i = 0; i < plan_n_fields(); i++) {
		ck_assert_uint_gt(strlen(plan_field(i)->name), 2);
		ck_assert_uint_gt(strlen(plan_field(i)->help), 5);
		for (uint32_t k = 0; k < i; k++)
			ck_assert_str_ne(plan_field(i)->name, plan_field(k)->name);
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");

	test_leak_guard(tcase);
	tcase_add_test(tcase, every_good_tree_is_good);
	tcase_add_test(tcase, units_are_in_declared_order_depth_first);
	tcase_add_test(tcase, the_shop_is_as_it_says);
	tcase_add_test(tcase, what_units_say_alike_is_held_once);
	tcase_add_test(tcase, effds_settings_are_as_they_say);
	tcase_add_test(tcase, orders_and_needs_have_inverses);
	tcase_add_test(tcase, a_folder_is_one_tree);
	tcase_add_test(tcase, what_is_not_there_or_empty_is_told_without_a_line);
	tcase_add_test(tcase, a_command_line_is_a_tree_of_one);
	tcase_add_test(tcase, a_command_line_of_nothing_is_an_error);
	tcase_add_test(tcase, a_plan_lives_as_long_as_someone_has_it);
	tcase_add_loop_test(tcase, without_memory_a_load_fails_and_leaves_nothing, 0,
		sizeof(swept) / sizeof(swept[0]));
	tcase_add_test(tcase, ten_thousand_units_are_a_plan_like_any_other);
	tcase_add_test(tcase, defaults_cannot_be_multiplied_without_bound);
	tcase_add_test(tcase, fields_have_names_and_help);
	suite_add_tcase(suite, tcase);
	return suite;
}
