/* SPDX-License-Identifier: MIT */
/* Values that are one text: names, paths, words; and which reader is for which type. A reader gets the filled text and
 * writes the member and the canonical text. */
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "plan/suggest.h"
#include "plan/value.h"

typedef bool reader(struct value *value);

static bool read_text(struct value *value)
{
	if (value->to)
		*(const char **)value->to = value->filled;
	text_add(&value->text, value->filled);
	return true;
}

static bool read_name(struct value *value)
{
	if (value->filled[0])
		return read_text(value);
	advise_form(value->load,
		fault(value->load, value->node, "E213", "`%s` is empty", value->field->face.name),
		value->field);
	return false;
}

static bool read_path(struct value *value)
{
	if (!value->filled[0]) {
		advise_form(value->load,
			fault(value->load, value->node, "E204",
				"`%s` needs a path, and this is empty", value->field->face.name),
			value->field);
		return false;
	}
	value->filled = path_from(value->load, value->node->at.file, value->filled);
	return value->filled && read_text(value);
}

const char *bool_meant(const char *s)
{
	static const char *const words[] = {
		"true", "yes", "y", "on", "1", "false", "no", "n", "off", "0"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(s, words[i]) == 0)
			return i < 5 ? "true" : "false";
	return NULL;
}

static bool read_bool(struct value *value)
{
	bool yes = strcmp(value->filled, "true") == 0;
	struct diag *diag;

	if (!yes && strcmp(value->filled, "false") != 0) {
		const char *meant = bool_meant(value->filled);

		diag = fault(value->load, value->node, "E207",
			"`%s` needs true or false, and this is `%s`", value->field->face.name,
			value->filled);
		if (meant)
			diag_help(value->load->diags, diag, "write %s", meant);
		return false;
	}
	*(bool *)value->to = yes;
	text_add(&value->text, value->filled);
	return true;
}

static bool word_find(struct value *value, const char *words, int *ret_index)
{
	struct word word;
	int i;

	for (i = 0; word_next(&words, &word); i++) {
		if (strlen(value->filled) != word.len ||
			strncmp(value->filled, word.text, word.len) != 0)
			continue;
		*ret_index = i;
		return true;
	}
	word_fault(value, value->field->words);
	return false;
}

static bool read_word(struct value *value)
{
	int index;

	if (!word_find(value, value->field->words, &index))
		return false;
	if (value->to)
		*(int *)value->to = index;
	text_add(&value->text, value->filled);
	return true;
}

static bool read_choice(struct value *value)
{
	int index;

	return word_find(value, value->field->words, &index) && read_text(value);
}

/* What crontab(5) has a name for. NULL: it has none for that. */
static const char *cron_meant(const char *text)
{
	static const char *const names[][2] = {{"@hourly", "0 * * * *"},
		{"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
		{"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(text, names[i][0]) == 0)
			return names[i][1];
	return NULL;
}

static bool read_cron(struct value *value)
{
	const char *why, *wrong, *meant = cron_meant(value->filled);
	struct node inside;
	struct diag *diag;
	uint32_t at;

	if (cron_parse(value->filled, value->to, &at, &why) == 0) {
		text_add(&value->text, value->filled);
		return true;
	}
	/* Where something was filled in there is no place for it. */
	inside = strcmp(value->filled, value->node->text) == 0
		? node_inside(value->load, value->node, value->node->text + at)
		: *value->node;
	wrong = value->filled + at;
	/* Of what ends too early nothing is left to name. */
	if (*wrong)
		diag = fault(value->load, &inside, "E211", "`%.*s` %s",
			(int)strcspn(wrong, " \t"), wrong, why);
	else
		diag = fault(value->load, &inside, "E211", "`%s` %s", value->filled, why);
	if (meant)
		diag_help(value->load->diags, diag, "write \"%s\"", meant);
	return false;
}

static bool read_endpoint(struct value *value)
{
	const char *whole = address_from(value->load, value->node->at.file, value->filled);
	struct endpoint endpoint;

	if (!whole)
		return false;
	if (endpoint_parse(whole, &endpoint) == 0) {
		value->filled = whole;
		return read_text(value);
	}
	(void)fault(value->load, value->node, "E204",
		"`%s` needs an address as tcp:127.0.0.1:8080 or unix:/run/x.sock, and this is `%s`",
		value->field->face.name, value->filled);
	return false;
}

static reader *reader_of(enum field_type type, bool *ret_is_scalar)
{
	static reader *const scalars[] = {
		[TYPE_TEXT] = read_text,
		[TYPE_NAME] = read_name,
		[TYPE_BOOL] = read_bool,
		[TYPE_COUNT] = read_count,
		[TYPE_LIMIT] = read_limit,
		[TYPE_INTEGER] = read_integer,
		[TYPE_NUMBER] = read_number,
		[TYPE_RATIO] = read_ratio,
		[TYPE_DURATION] = read_duration,
		[TYPE_SIZE] = read_size,
		[TYPE_SIGNAL] = read_signal,
		[TYPE_MODE] = read_mode,
		[TYPE_PATH] = read_path,
		[TYPE_WORD] = read_word,
		[TYPE_CHOICE] = read_choice,
		[TYPE_PORT] = read_port,
		[TYPE_STATUS] = read_status,
		[TYPE_CRON] = read_cron,
		[TYPE_ENDPOINT] = read_endpoint,
		[TYPE_LISTEN] = read_listen,
		[TYPE_REFERENCE] = read_text,
	};
	static reader *const others[] = {
		[TYPE_TEXTS] = read_texts,
		[TYPE_FOLDERS] = read_folders,
		[TYPE_PATHS] = read_paths,
		[TYPE_CALLS] = read_calls,
		[TYPE_CAPABILITIES] = read_capabilities,
		[TYPE_CPUS] = read_cpus,
		[TYPE_RLIMIT_COUNT] = read_rlimit,
		[TYPE_RLIMIT_SIZE] = read_rlimit,
		[TYPE_RLIMIT_TIME] = read_rlimit,
		[TYPE_COMMAND] = read_command,
		[TYPE_SHELL] = read_shell,
		[TYPE_ENDS] = read_ends,
		[TYPE_TARGET] = read_target,
		[TYPE_READERS] = read_names,
		[TYPE_NAMES] = read_names,
		[TYPE_REFERENCES] = read_names,
		[TYPE_ENV_FILES] = read_names,
		[TYPE_SIGNALS] = read_signals,
		[TYPE_SOCKETS] = read_sockets,
		[TYPE_LABELS] = read_map,
		[TYPE_ENVIRONMENT] = read_map,
		[TYPE_NEEDS] = read_map,
		[TYPE_WITH] = read_map,
	};

	*ret_is_scalar = type <= TYPE_REFERENCE;
	return *ret_is_scalar ? scalars[type] : others[type];
}

bool value_read(struct value *value)
{
	bool is_scalar;
	reader *read = reader_of(value->field->type, &is_scalar);

	if (!is_scalar)
		return read(value);
	if (value->node->kind != NODE_SCALAR) {
		advise_form(value->load,
			fault(value->load, value->node, "E204", "`%s` needs a text, and this is %s",
				value->field->face.name, node_kind_text(value->node)),
			value->field);
		return false;
	}
	value->filled = value_fill(value, value->node);
	return value->filled && read(value);
}

void value_done(struct value *value)
{
	value->load->failed |= value->text.failed;
	text_done(&value->text);
}
