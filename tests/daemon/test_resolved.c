/* SPDX-License-Identifier: MIT */
/* The good trees of the fixtures, resolved: of each unit every value that was written or inherited, in effd's words and with the
 * place that it came from, as it stands in resolved/NAME beside them; and what holds for those of each kind where nobody said
 * anything. EFFD_WRITE_FIXTURES writes them anew. */
#include <stdlib.h>

#include "daemon/plan_world.h"
#include "plan/fields.h"

Suite *test_suite(void);

#define GOOD "tests/fixtures/plans/good"

static const char *const kinds[] = {
	[PLAN_PROCESS] = "process", [PLAN_FIBER] = "fiber", [PLAN_SUPERVISOR] = "supervisor"};

/* Paths as they are from the folder of the fixtures, wherever that is. */
static void add_text(struct text *to, const char *text)
{
	const char *at;

	while ((at = strstr(text, GOOD))) {
		text_add_bytes(to, text, (size_t)(at - text));
		text_add(to, "GOOD");
		text = at + strlen(GOOD);
	}
	text_add(to, text);
}

static void add_value(struct text *to, const struct plan_value *value)
{
	const char *slash = value->at.file ? strrchr(value->at.file, '/') : NULL;

	text_printf(to, "  %s: ", plan_field(value->field)->name);
	add_text(to, value->text);
	if (value->at.line)
		text_printf(to, "  # %s:%u:%u", slash ? slash + 1 : value->at.file,
			value->at.line, value->at.column);
	text_add(to, "\n");
}

static void add_names(struct text *to, const struct plan *plan, const char *what,
	const uint32_t *items, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		text_printf(to, "%s%s", i == 0 ? what : ", ", plan_unit(plan, items[i])->name);
	if (n)
		text_add(to, "\n");
}

/* What follows from what units say of each other. */
static void add_order(struct text *to, const struct plan *plan, const struct plan_unit *unit)
{
	static const char *const conditions[] = {
		"started", "ready", "completed", "completed_successfully"};

	for (uint32_t i = 0; i < unit->n_needs; i++) {
		const struct plan_need *need = &unit->needs[i];

		text_printf(to, "  waits for %s: %s%s%s%s\n", plan_unit(plan, need->unit)->name,
			conditions[need->condition], need->required ? ", required" : "",
			need->restart ? ", restart" : "", need->bind ? ", bind" : "");
	}
	add_names(to, plan, "  after ", unit->after, unit->n_after);
	add_names(to, plan, "  conflicts with ", unit->conflicts, unit->n_conflicts);
}

static void add_presets(struct text *to, const struct plan_unit *unit)
{
	static const int masks[] = {
		[PLAN_PROCESS] = PROCESS, [PLAN_FIBER] = FIBER, [PLAN_SUPERVISOR] = SUPERVISOR};
	uint32_t next = 0;

	text_printf(to, "where nothing is said, a %s has\n", kinds[unit->kind]);
	for (enum field_id id = 0; id < N_FIELDS; id++) {
		const struct field *field = field_row(id);
		const char *preset;

		while (next < unit->n_values && unit->values[next].field < (uint32_t)id)
			next++;
		if ((next < unit->n_values && unit->values[next].field == (uint32_t)id) ||
			field->type == TYPE_SECTION || !(field->kinds & masks[unit->kind]) ||
			!field_holds(id, unit) || !(preset = field_preset(id, unit)))
			continue;
		text_printf(to, "  %s: %s\n", field->face.name, preset);
	}
}

static void resolve(struct text *to, const struct plan *plan)
{
	const struct plan_daemon *daemon = plan_daemon(plan);
	bool told[3] = {false};

	text_printf(to, "%s\n", plan_name(plan));
	for (uint32_t i = 0; i < daemon->n_values; i++)
		add_value(to, &daemon->values[i]);
	for (uint32_t i = 0; i < plan_n_units(plan); i++) {
		const struct plan_unit *unit = plan_unit(plan, i);

		text_printf(to, "%s, a %s\n", unit->name, kinds[unit->kind]);
		for (uint32_t k = 0; k < unit->n_values; k++)
			add_value(to, &unit->values[k]);
		add_order(to, plan, unit);
	}
	for (uint32_t i = 1; i < plan_n_units(plan); i++) {
		const struct plan_unit *unit = plan_unit(plan, i);

		if (!told[unit->kind])
			add_presets(to, unit);
		told[unit->kind] = true;
	}
}

static void compare(const char *path, const struct text *made)
{
	size_t n = 0;
	char *wanted = calloc(1, made->len + 2);
	FILE *file = fopen(path, getenv("EFFD_WRITE_FIXTURES") ? "w+" : "r");

	ck_assert_msg(file && wanted, "cannot open %s", path);
	if (getenv("EFFD_WRITE_FIXTURES"))
		(void)fwrite(made->bytes, 1, made->len, file);
	rewind(file);
	n = fread(wanted, 1, made->len + 1, file);
	(void)fclose(file);
	if (n != made->len || memcmp(wanted, made->bytes, n) != 0) {
		(void)fprintf(stderr, "%s", made->bytes);
		ck_abort_msg("%s is not what is made (on the standard error)", path);
	}
	free(wanted);
}

static const char *const trees[] = {"anchors", "byte-order-mark", "conflicts", "disabled",
	"folder", "replicas", "shop", "templates"};

START_TEST(a_good_tree_is_what_stands_beside_it)
{
	struct plan_world world;
	struct text made = {0};
	char path[256];

	(void)snprintf(path, sizeof(path), GOOD "/%s%s", trees[_i],
		strcmp(trees[_i], "folder") == 0 ? "" : ".yaml");
	plan_world_init(&world);
	plan_world_load(&world, path);
	ck_assert_int_eq(world.result, 0);
	resolve(&made, world.plan);
	(void)snprintf(path, sizeof(path), GOOD "/resolved/%s", trees[_i]);
	compare(path, &made);
	text_done(&made);
	plan_world_done(&world);
}
END_TEST

START_TEST(every_good_tree_has_its_resolved_form)
{
	struct dirent **names;
	int n = scandir(GOOD, &names, NULL, alphasort), found = 0;

	for (int i = 0; i < n; i++) {
		found += strstr(names[i]->d_name, ".yaml") || !strcmp(names[i]->d_name, "folder");
		free(names[i]);
	}
	free(names);
	ck_assert_int_eq(found, sizeof(trees) / sizeof(trees[0]));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("resolved");
	TCase *tcase = tcase_create("resolved");

	tcase_add_loop_test(tcase, a_good_tree_is_what_stands_beside_it, 0,
		(int)(sizeof(trees) / sizeof(trees[0])));
	tcase_add_test(tcase, every_good_tree_has_its_resolved_form);
	suite_add_tcase(suite, tcase);
	return suite;
}
