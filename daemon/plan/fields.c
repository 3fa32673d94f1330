/* SPDX-License-Identifier: MIT */
/* The rows of fields.def as one array. What can be derived (the last part of a name, the section above) is derived once
 * for each load, into the load's own table, so that nothing here is written at run time. */
#include <string.h>
#include <sys/resource.h>

#include "plan/fields.h"

#define U(m) IN_UNIT, offsetof(struct plan_unit, m), sizeof(((struct plan_unit *)0)->m)
#define W(m) IN_WAYS, offsetof(struct plan_ways, m), sizeof(((struct plan_ways *)0)->m)
#define R(m) IN_RULES, offsetof(struct plan_rules, m), sizeof(((struct plan_rules *)0)->m)
#define P(m) IN_PROCESS, offsetof(struct plan_process, m), sizeof(((struct plan_process *)0)->m)
#define N(m) IN_NEED, offsetof(struct plan_need, m), sizeof(((struct plan_need *)0)->m)
#define S(m) IN_SOCKET, offsetof(struct plan_socket, m), sizeof(((struct plan_socket *)0)->m)
#define D(m) IN_DAEMON, offsetof(struct plan_daemon, m), sizeof(((struct plan_daemon *)0)->m)
#define X IN_UNIT, 0, 0
#define OF(name) TYPE_##name, 0, 0, NULL
#define RANGE(name, least, most) TYPE_##name, least, most, NULL
#define WORDS(set) TYPE_WORD, 0, 0, set
#define CHOICE(set) TYPE_CHOICE, 0, 0, set
#define TARGET(set) TYPE_TARGET, 0, 0, set

/* The arguments come with commas in them, so they pass through one macro that sees them expanded. */
#define ROW(...) ROW_OF(__VA_ARGS__)
#define ROW_OF(name, preset, kinds, effect, help, type, min, max, words, where, offset, size, \
	short_form) \
	{{name, PLAN_##effect, preset, help}, type, min, max, words, kinds, where, offset, \
		size, FIELD_##short_form},

static const struct field rows[] = {
#define FIELD(symbol, name, type, member, preset, kinds, effect, help) \
	ROW(name, preset, kinds, effect, help, type, member, NONE)
#define SECTION(symbol, name, short_form, kinds, help) \
	ROW(name, NULL, kinds, LIVE, help, OF(SECTION), X, short_form)
#include "plan/fields.def"
#undef FIELD
#undef SECTION
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) == N_FIELDS, "one row a field");

const struct field *field_row(enum field_id id)
{
	return &rows[id];
}

enum field_id field_id(const struct field *field)
{
	return (enum field_id)(field - rows);
}

const char *field_key(const struct field *field)
{
	const char *dot = strrchr(field->face.name, '.');

	return dot ? dot + 1 : field->face.name;
}

/* The section of a row stands before it, and its name is the row's without the last part. */
const struct field *field_section(const struct field *field)
{
	size_t len = (size_t)(field_key(field) - field->face.name);
	const struct field *row;

	for (row = field; len > 0 && row > rows;) {
		row--;
		if (strlen(row->face.name) == len - 1 &&
			strncmp(row->face.name, field->face.name, len - 1) == 0)
			return row;
	}
	return NULL;
}

void fields_index(struct load *load)
{
	enum field_id id;
	void **at;

	for (id = 0; id < N_FIELDS && !load->failed; id++) {
		at = table_at(&load->fields, field_section(&rows[id]), field_key(&rows[id]));
		if (at)
			*at = (void *)&rows[id];
		else
			load->failed = true;
	}
}

const struct field *field_find(const struct load *load, const struct field *section, const char *key)
{
	return table_get(&load->fields, section, key);
}

const char *field_preset(enum field_id id, const struct plan_unit *unit)
{
	bool is_scheduled = unit && unit->rules->schedule.is_there;
	bool is_oneshot = unit && unit->kind != PLAN_SUPERVISOR && unit->type == PLAN_ONESHOT;

	if (unit && unit->ways->strategy == PLAN_REST_FOR_ONE && id == FIELD_START_ORDER)
		return "sequential";
	if (is_scheduled && id == FIELD_RESTART_POLICY)
		return "no";
	if (is_oneshot && id == FIELD_RESTART_POLICY)
		return "on-failure";
	if (is_oneshot && id == FIELD_START_TIMEOUT)
		return "infinity";
	return rows[id].face.preset;
}

/* Within a probe, counted from its section: what all kinds have, or what is of its own kind. */
static bool probe_row_holds(int row, const struct plan_probe *probe)
{
	static const struct {
		int from;
		enum plan_probe_kind kind;
	} kinds[] = {{PROBE_EXEC, PLAN_PROBE_EXEC}, {PROBE_TCP, PLAN_PROBE_TCP},
		{PROBE_UNIX, PLAN_PROBE_UNIX}, {PROBE_HTTP, PLAN_PROBE_HTTP}};
	enum plan_probe_kind kind = PLAN_PROBE_NONE;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (row >= kinds[i].from && row < PROBE_KINDS_END)
			kind = kinds[i].kind;
	return probe->kind != PLAN_PROBE_NONE && (kind == PLAN_PROBE_NONE || kind == probe->kind);
}

bool field_holds(enum field_id id, const struct plan_unit *unit)
{
	const struct {
		enum field_id section;
		const struct plan_probe *probe;
	} probes[] = {{FIELD_STARTUP, &unit->rules->startup},
		{FIELD_READINESS, &unit->rules->readiness},
		{FIELD_LIVENESS, &unit->rules->liveness}};

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (id >= probes[i].section && id < probes[i].section + (enum field_id)PROBE_ROWS)
			return probe_row_holds((int)(id - probes[i].section), probes[i].probe);
	/* Of sockets what is given is shown. */
	return rows[id].where != IN_SOCKET && (rows[id].where != IN_NEED || unit->n_needs > 0);
}

const char *field_kind_text(int kind)
{
	switch (kind) {
	case ROOT:
		return "the root";
	case SUPERVISOR:
		return "a supervisor";
	case FIBER:
		return "a fiber";
	default:
		return "a process";
	}
}

bool word_next(const char **words, struct word *ret_word)
{
	const char *text = *words + strspn(*words, " ");

	if (*text == '\0')
		return false;
	ret_word->text = text;
	ret_word->len = strcspn(text, " ");
	*words = text + ret_word->len;
	return true;
}

uint32_t plan_n_fields(void)
{
	return N_FIELDS;
}

const struct plan_field *plan_field(uint32_t field)
{
	return &rows[field].face;
}
