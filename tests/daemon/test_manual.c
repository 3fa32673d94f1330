/* SPDX-License-Identifier: MIT */
/* What the manual says of fields beside fields.def: there is no field without, and each example is a good tree that has its
 * field in it. */
#include <check.h>

#include "leak.h"
#include "plan/fields.h"
#include "plan_world.h"

Suite *test_suite(void);

struct page {
	const char *name, *absent, *example;
};

static const struct page pages[] = {
#define MANUAL(name, absent, example) {name, absent, example},
#include "plan/manual.def"
#undef MANUAL
};
enum { N_PAGES = sizeof(pages) / sizeof(pages[0]) };

static const struct page *page_of(const char *name)
{
	for (size_t i = 0; i < N_PAGES; i++)
		if (strcmp(pages[i].name, name) == 0)
			return &pages[i];
	return NULL;
}

/* NULL: none. */
static const struct field *row_of(const char *name)
{
	for (enum field_id id = 0; id < N_FIELDS; id++)
		if (strcmp(field_row(id)->face.name, name) == 0)
			return field_row(id);
	return NULL;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

START_TEST(every_field_has_its_lines)
{
	for (enum field_id id = 0; id < N_FIELDS; id++) {
		const struct field *row = field_row(id);
		const struct page *page = page_of(row->face.name);

		ck_assert_msg(row->face.help && strlen(row->face.help) > 3, "%s has no help",
			row->face.name);
		/* The probes are alike. */
		if (row->type == TYPE_SECTION || begins(row->face.name, "startup_probe.") ||
			begins(row->face.name, "liveness_probe."))
			continue;
		ck_assert_msg(page, "%s is not in manual.def", row->face.name);
		ck_assert_msg(row->face.preset || page->absent,
			"%s says nothing of what holds where it is not given", row->face.name);
		ck_assert_msg(!row->face.preset || !page->absent, "%s has two defaults",
			row->face.name);
	}
}
END_TEST

/* Is one of its lines of that key? */
static bool has_key(const char *example, const char *key)
{
	const char *line = example;

	for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (begins(line, key) && line[strlen(key)] == ':')
			return true;
	return false;
}

static void lines_add(struct text *text, const char *lines, const char *indent)
{
	text_add(text, indent);
	for (; *lines; lines++) {
		text_add_bytes(text, lines, 1);
		if (*lines == '\n')
			text_add(text, indent);
	}
	text_add(text, "\n");
}

/* The tree that an example is of. */
static struct text tree_of(const struct field *row, const char *example)
{
	bool of_root = row->kinds & ROOT;
	struct text text = {0};

	if (!of_root || !has_key(example, "version"))
		text_add(&text, "version: 1\n");
	if (of_root)
		lines_add(&text, example, "");
	else if (has_key(example, "significant"))
		text_add(&text, "auto_shutdown: any\n");
	if (of_root && (has_key(example, "units") || has_key(example, "template")))
		return text;
	text_add(&text,
		"units:\n  db: {command: x, type: notify}\n  cache: {command: x, type: notify}\n"
		"  job: {type: oneshot, command: x}\n");
	if (of_root)
		return text;
	text_add(&text, "  mine:\n");
	lines_add(&text, example, "    ");
	if (row->kinds == FIBER && !has_key(example, "fiber"))
		text_add(&text, "    fiber: heartbeat\n");
	else if (!has_key(example, "fiber") && !has_key(example, "command") &&
		!has_key(example, "shell"))
		text_add(&text, "    command: x\n");
	return text;
}

static bool is_given(const struct plan *plan, const struct field *row)
{
	const struct plan_unit *one = plan_find(plan, "mine"),
			       *mine = one ? one : plan_find(plan, "mine@1");
	const struct plan_value *values = mine ? mine->values : plan_unit(plan, 0)->values;
	uint32_t n = mine ? mine->n_values : plan_unit(plan, 0)->n_values;

	if (begins(row->face.name, "daemon.")) {
		values = plan_daemon(plan)->values;
		n = plan_daemon(plan)->n_values;
	}
	for (uint32_t i = 0; i < n; i++)
		if (values[i].field == field_id(row))
			return true;
	/* Of these no value is kept, nor of a dependency's keys. */
	return row->type == TYPE_RAW || row->where == IN_NEED || row->where == IN_SOCKET;
}

static void example_check(const struct page *page, const struct field *row)
{
	struct text tree = tree_of(row, page->example);
	struct plan_world world;

	plan_world_init(&world);
	world.text = tree.bytes;
	world.env_text = "A=b\n";
	plan_world_load(&world, "/tree/effd.yaml");
	if (world.result < 0 || diags_count(world.diags) || !is_given(world.plan, row)) {
		diags_print(world.diags, stderr);
		ck_abort_msg("the example of %s is none:\n%s", page->name, tree.bytes);
	}
	text_done(&tree);
	plan_world_done(&world);
}

START_TEST(every_example_is_a_good_tree_with_its_field)
{
	size_t n = 0;

	for (size_t i = 0; i < N_PAGES; i++) {
		const struct field *row = row_of(pages[i].name);

		/* There are no further files in this world. */
		if (!row || row->type == TYPE_SECTION || field_id(row) == FIELD_INCLUDE)
			continue;
		example_check(&pages[i], row);
		n++;
	}
	ck_assert_uint_gt(n, 100);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("manual");
	TCase *tcase = tcase_create("manual");

	test_leak_guard(tcase);
	tcase_add_test(tcase, every_field_has_its_lines);
	tcase_add_test(tcase, every_example_is_a_good_tree_with_its_field);
	suite_add_tcase(suite, tcase);
	return suite;
}
