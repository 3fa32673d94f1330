/* SPDX-License-Identifier: MIT */
/* How what is wrong is written right, where nothing nearer to what was meant can be said: the form of a value by its row's
 * type, and the keys that a mapping may have. */
#include "base/text.h"
#include "plan/suggest.h"

/* More keys than these are a page to read. */
enum { KEYS_TOLD = 20 };

static const char *const forms[] = {
	[TYPE_TEXT] = "TEXT",
	[TYPE_NAME] = "TEXT",
	[TYPE_BOOL] = "true",
	[TYPE_COUNT] = "3",
	[TYPE_LIMIT] = "5",
	[TYPE_NUMBER] = "2",
	[TYPE_RATIO] = "10%",
	[TYPE_DURATION] = "30s",
	[TYPE_SIZE] = "64KiB",
	[TYPE_SIGNAL] = "SIGTERM",
	[TYPE_MODE] = "\"0022\"",
	[TYPE_PATH] = "PATH",
	[TYPE_PORT] = "8080",
	[TYPE_STATUS] = "\"200-399\"",
	[TYPE_CRON] = "\"0 3 * * *\"",
	[TYPE_ENDPOINT] = "tcp:127.0.0.1:8080",
	[TYPE_LISTEN] = "tcp:127.0.0.1:8080",
	[TYPE_REFERENCE] = "UNIT",
	[TYPE_RLIMIT_COUNT] = "1024",
	[TYPE_RLIMIT_SIZE] = "64MiB",
	[TYPE_RLIMIT_TIME] = "10s",
	[TYPE_COMMAND] = "[PROGRAM, ARGUMENT, …]",
	[TYPE_SHELL] = "TEXT",
	[TYPE_ENDS] = "[0, 64-78, SIGTERM]",
	[TYPE_TARGET] = "{file: PATH}",
	[TYPE_READERS] = "[USER, \"@GROUP\"]",
	[TYPE_NAMES] = "[NAME, …]",
	[TYPE_REFERENCES] = "[UNIT, …]",
	[TYPE_ENV_FILES] = "[PATH, …]",
	[TYPE_SOCKETS] = "[NAME, …]",
	[TYPE_SIGNALS] = "{USR1: reload, USR2: forward:UNIT}",
	[TYPE_LABELS] = "{NAME: VALUE, …}",
	[TYPE_ENVIRONMENT] = "{NAME: VALUE, …}",
	[TYPE_NEEDS] = "[UNIT, …]",
	[TYPE_WITH] = "{NAME: VALUE, …}",
};

static const char *form_of(const struct field *field)
{
	if (field->type == TYPE_RAW)
		return field_id(field) == FIELD_UNITS ? "{NAME: {command: [PROGRAM, …]}, …}"
			: field_id(field) == FIELD_DEFAULTS ? "{FIELD: VALUE, …}"
							    : "[PATH, …]";
	return field->type < sizeof(forms) / sizeof(forms[0]) ? forms[field->type] : NULL;
}

/* The keys below a row, or of a unit of these kinds. Returns how many. */
static uint32_t keys_add(struct text *text, const struct field *section, int kinds)
{
	uint32_t n = 0;

	for (enum field_id id = 0; id < N_FIELDS; id++) {
		const struct field *row = field_row(id);

		if (!(row->kinds & kinds) || field_section(row) != section)
			continue;
		text_printf(text, "%s%s", n++ ? ", " : "", field_key(row));
	}
	return n;
}

void advise_form(struct load *load, struct diag *diag, const struct field *field)
{
	struct text text = {0};
	const char *form;

	if (!diag || diag->help || !load_may_suggest(load))
		return;
	if (field->type == TYPE_SECTION) {
		if (keys_add(&text, field, field->kinds) > 0)
			diag_help(load->diags, diag, "write `%s: {…}` with some of %s",
				field_key(field), text.bytes ? text.bytes : "its keys");
	} else if (field->type == TYPE_WORD || field->type == TYPE_CHOICE) {
		const char *words = field->words;
		struct word word;

		if (word_next(&words, &word))
			diag_help(load->diags, diag, "write a word, as `%s: %.*s`",
				field_key(field), (int)word.len, word.text);
	} else if (field->min > 0 && field->min == field->max) {
		diag_help(load->diags, diag, "write `%s: %llu`", field_key(field),
			(unsigned long long)field->min);
	} else {
		form = form_of(field);
		if (form)
			diag_help(load->diags, diag, "write `%s: %s`", field_key(field), form);
	}
	load->failed |= text.failed;
	text_done(&text);
}

void advise_keys(struct load *load, struct diag *diag, const struct field *section, int kinds)
{
	struct text text = {0};

	if (!diag || diag->help || !load_may_suggest(load))
		return;
	if (keys_add(&text, section, kinds) <= KEYS_TOLD)
		diag_help(load->diags, diag, "the keys of %s are %s",
			section ? section->face.name : field_kind_text(kinds),
			text.bytes ? text.bytes : "none");
	else
		diag_help(load->diags, diag, "effd.yaml(5) tells the keys of %s",
			field_kind_text(kinds));
	load->failed |= text.failed;
	text_done(&text);
}
