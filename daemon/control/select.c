/* SPDX-License-Identifier: MIT */
/* Which units a request means: full names, globs in which `*` does not cross `/` and `**` does, and `key=value` for all that
 * have this label (no name has a `=`). A name without the number of a replica is that of all of them. Names are looked up among the units and are never anything else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "control/methods.h"

/* What one request may ask for; a pattern is held against every unit. */
enum { NAMES_MAX = 16384, PATTERNS_MAX = 64 };

uint32_t tree_index(const struct tree *t, const char *name)
{
	const struct plan_unit *spec = plan_find(t->plan, name);

	return spec && spec->index < t->n_units ? spec->index : UINT32_MAX;
}

static bool name_is_label(const char *name)
{
	return strchr(name, '=') != NULL;
}

/* One that may mean many. */
static bool name_is_pattern(const char *name)
{
	return name_is_label(name) || strpbrk(name, "*?[");
}

static bool row_has_label(const struct plan_unit *row, const char *label)
{
	size_t len = strcspn(label, "=");

	for (uint32_t i = 0; i < row->n_labels; i++)
		if (strlen(row->labels[i].name) == len &&
			memcmp(row->labels[i].name, label, len) == 0 &&
			strcmp(row->labels[i].value, label + len + 1) == 0)
			return true;
	return false;
}

/* `row` may be NULL: of a unit that is there no more only the name is known. */
static bool pattern_matches(const char *pattern, const char *name, const struct plan_unit *row)
{
	if (name_is_label(pattern))
		return row && row_has_label(row, pattern);
	/* The root's slash is its name and parts nothing: what names units in supervisors never means all there is. */
	if (strcmp(name, "/") == 0)
		return strcmp(pattern, "**") == 0;
	return glob_match(pattern, name);
}

static const char *nearest(const struct tree *t, const char *name)
{
	const char *best = NULL;
	uint32_t most = strlen(name) < 5 ? 1 : 2;

	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct plan_unit *row = plan_unit(t->plan, i);
		const char *has = row->stem && !strchr(name, '@') ? row->stem : row->name;
		uint32_t distance = text_distance(name, has, most);
		const char *last = strrchr(has, '/');

		/* "index" for "workers/index". */
		if (last && last[1] && strcmp(last + 1, name) == 0)
			return has;
		/* Nobody who names a unit means all of them. */
		if (distance > most || distance >= strlen(name) || strcmp(has, "/") == 0)
			continue;
		best = has;
		most = distance ? distance - 1 : 0;
	}
	return best;
}

void select_missing(struct request *req, const char *name)
{
	struct json *parameters = json_object();
	const char *near = name_is_pattern(name) ? NULL : nearest(req->tree, name);

	(void)json_set(parameters, "unit", json_text(name));
	if (near)
		(void)json_set(parameters, "nearest", json_text(near));
	request_error(req, ERROR_NO_SUCH_UNIT, parameters);
}

static bool pattern_means(const char *pattern, const struct plan_unit *row)
{
	return pattern_matches(pattern, row->name, row) ||
		(row->stem && pattern_matches(pattern, row->stem, NULL));
}

bool select_has(const struct tree *t, const char *name)
{
	uint32_t first, n;

	if (!name_is_pattern(name))
		return plan_find_all(t->plan, name, &first, &n);
	for (uint32_t i = 0; i < t->n_units; i++)
		if (pattern_means(name, plan_unit(t->plan, i)))
			return true;
	return false;
}

/* A name, and beneath it what it stands for. */
struct marking {
	const struct tree *t;
	bool *marked; /* NULL: nobody can be named twice */
	struct selection *selection;
	bool below;
};

static void mark(struct marking *m, uint32_t index)
{
	uint32_t end = m->below ? plan_unit(m->t->plan, index)->end : index + 1;

	for (uint32_t i = index; i < end && i < m->t->n_units; i++) {
		if (m->marked && m->marked[i])
			continue;
		if (m->marked)
			m->marked[i] = true;
		m->selection->index[m->selection->n++] = i;
	}
}

static bool mark_name(struct marking *m, const char *name)
{
	uint32_t first = 0, n = 0;
	bool found = false;

	if (!name_is_pattern(name)) {
		found = plan_find_all(m->t->plan, name, &first, &n);
		for (uint32_t i = first; i < first + n; i++)
			mark(m, i);
		return found;
	}
	for (uint32_t i = 0; i < m->t->n_units; i++) {
		if (!pattern_means(name, plan_unit(m->t->plan, i)))
			continue;
		mark(m, i);
		found = true;
	}
	return found;
}

bool select_few(const struct json *names)
{
	uint32_t n = 0, n_patterns = 0;

	for (const struct json *v = json_first(names); v; v = json_next(v)) {
		n++;
		n_patterns += name_is_pattern(json_as_text(v));
	}
	return n <= NAMES_MAX && n_patterns <= PATTERNS_MAX;
}

static void selection_fill(struct selection *s, uint32_t n_units)
{
	while (s->n < n_units) {
		s->index[s->n] = s->n;
		s->n++;
	}
}

/* Without a name, and with one that is no pattern: what is beneath replicas is beneath one of them. */
static bool none_comes_twice(const struct json *names)
{
	const struct json *first = json_first(names);

	return !first || (!json_next(first) && !name_is_pattern(json_as_text(first)));
}

/* Returns the first name that means nobody, or NULL. */
static const char *mark_all(const struct json *names, struct marking *m)
{
	const char *missing = NULL;

	if (!json_first(names))
		selection_fill(m->selection, m->t->n_units);
	for (const struct json *v = json_first(names); v; v = json_next(v))
		if (!mark_name(m, json_as_text(v)) && !missing)
			missing = json_as_text(v);
	return missing;
}

static bool selection_is_sorted(const struct selection *s)
{
	for (uint32_t i = 1; i < s->n; i++)
		if (s->index[i] < s->index[i - 1])
			return false;
	return true;
}

/* Back into the tree's order. Who asks for one of thousands does not wait until all are looked at. */
static void selection_sort(struct selection *s, const bool *marked, uint32_t n_units)
{
	if (selection_is_sorted(s))
		return;
	s->n = 0;
	for (uint32_t i = 0; i < n_units; i++)
		if (marked[i])
			s->index[s->n++] = i;
}

/* Returns 0, and in *ret_missing the first name that means nobody, or NULL; or -ENOMEM. */
static int selection_make(const struct tree *t, const struct json *names, bool below,
	struct selection *ret, const char **ret_missing)
{
	bool needs_marks = !none_comes_twice(names);
	struct selection s = {.index = alloc_grow(NULL, (t->n_units + 1) * sizeof(uint32_t))};
	struct marking m = {t, needs_marks ? alloc_new(t->n_units + 1) : NULL, &s, below};

	if (!s.index || (needs_marks && !m.marked)) {
		free(m.marked);
		selection_done(&s);
		return -ENOMEM;
	}
	*ret_missing = mark_all(names, &m);
	if (below && needs_marks)
		selection_sort(&s, m.marked, t->n_units);
	free(m.marked);
	*ret = s;
	return 0;
}

int select_units(struct request *req, const struct json *names, bool below, struct selection *ret)
{
	const char *missing = NULL;
	struct selection s;
	int r;

	if (!select_few(names)) {
		request_invalid(req, "units");
		return -E2BIG;
	}
	r = selection_make(req->tree, names, below, &s, &missing);
	if (r < 0) {
		request_fail(req, ERROR_FAILED, "out of memory");
		return r;
	}
	if (missing) {
		select_missing(req, missing);
		selection_done(&s);
		return -ENOENT;
	}
	*ret = s;
	return 0;
}

int select_left(const struct tree *t, const struct json *names, struct selection *ret)
{
	const char *unused;

	return selection_make(t, names, true, ret, &unused);
}

void selection_done(struct selection *selection)
{
	free(selection->index);
	*selection = (struct selection){0};
}

char **selection_names(const struct tree *t, const struct selection *selection)
{
	char **names = alloc_new((selection->n + 1) * sizeof(*names));

	for (uint32_t i = 0; names && i < selection->n; i++) {
		names[i] = strdup(t->units[selection->index[i]]->name);
		if (names[i])
			continue;
		names_free(names);
		return NULL;
	}
	return names;
}

void names_free(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

int select_check(struct request *req, const struct json *names)
{
	struct selection s;
	int r;

	if (!json_first(names))
		return 0;
	r = select_units(req, names, true, &s);
	if (r == 0)
		selection_done(&s);
	return r;
}

/* Does the pattern match what stands before `at`? */
static bool pattern_matches_until(
	const struct tree *t, const char *pattern, const char *name, char *at)
{
	char was = *at;
	bool matches;

	*at = '\0';
	matches = pattern_matches(pattern, name, plan_find(t->plan, name));
	*at = was;
	return matches;
}

/* Does the pattern match the unit, all its replicas, or one above it? `name` is cut for the moment. */
static bool pattern_reaches(const struct tree *t, const char *pattern, char *name)
{
	char *number = strchr(name, '@');

	if (strcmp(pattern, "/") == 0 || pattern_matches(pattern, name, plan_find(t->plan, name)))
		return true;
	if (number && pattern_matches_until(t, pattern, name, number))
		return true;
	for (char *slash = strchr(name, '/'); slash && slash != name; slash = strchr(slash + 1, '/'))
		if (pattern_matches_until(t, pattern, name, slash))
			return true;
	return false;
}

static bool label_is_among(const char *labels, const char *label)
{
	for (; labels && *labels; labels += strlen(labels) + 1)
		if (strcmp(labels, label) == 0)
			return true;
	return false;
}

bool select_matches(
	const struct tree *t, const struct json *names, const char *name, const char *labels)
{
	bool matches = false;
	char *copy;

	if (!json_first(names))
		return true;
	copy = strdup(name);
	for (const struct json *v = json_first(names); copy && v && !matches; v = json_next(v))
		matches = label_is_among(labels, json_as_text(v)) ||
			pattern_reaches(t, json_as_text(v), copy);
	free(copy);
	return matches;
}
