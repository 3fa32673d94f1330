/* SPDX-License-Identifier: MIT */
/* Arguments, as getopt_long(3) takes them: options anywhere, `-fn5`, `--lines=5`, `--` ends them. The first that is no
 * option is the command, then come its arguments and the units. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "effctl/command.h"

#define ALWAYS \
	(1u << OPTION_SOCKET | 1u << OPTION_JSON | 1u << OPTION_HELP | 1u << OPTION_TIMEOUT | \
		1u << OPTION_VERSION)

static const struct {
	char letter;
	const char *name, *argument;
} options[OPTION_N] = {
#define OPTION(symbol, letter, name, argument, help) {letter, name, argument},
#include "effctl/options.def"
#undef OPTION
};

/* Where the reading is. */
struct reader {
	struct effctl *e;
	char **next;        /* arguments not looked at */
	const char **words; /* arguments that are no options */
	const char **labels;
	size_t n_words, n_labels;
};

static int find_long(const char *name, size_t len)
{
	for (int i = 0; i < OPTION_N; i++) {
		if (strlen(options[i].name) == len && !memcmp(options[i].name, name, len))
			return i;
	}
	return -1;
}

static int find_short(char letter)
{
	for (int i = 0; i < OPTION_N; i++) {
		if (options[i].letter == letter)
			return i;
	}
	return -1;
}

static int complain_unknown(const struct reader *in, const char *option)
{
	(void)fprintf(in->e->err, "effctl: no such option: %s (effctl --help lists them)\n", option);
	return -EINVAL;
}

/* Note an option. `value`: what stands behind it in the same argument, or NULL. */
static int take(struct reader *in, int option, const char *value)
{
	const char *name = options[option].name;

	if (!options[option].argument && value) {
		(void)fprintf(in->e->err, "effctl: --%s takes no value\n", name);
		return -EINVAL;
	}
	if (options[option].argument && !value)
		value = *in->next ? *in->next++ : NULL;
	if (options[option].argument && (!value || (option == OPTION_SOCKET && !*value))) {
		(void)fprintf(in->e->err, "effctl: --%s needs a value: --%s %s\n", name, name,
			options[option].argument);
		return -EINVAL;
	}
	if (option == OPTION_LABEL && !strchr(value, '=')) {
		(void)fprintf(in->e->err, "effctl: --label %s: KEY=VALUE is expected\n", value);
		return -EINVAL;
	}
	if (option == OPTION_LABEL)
		in->labels[in->n_labels++] = value;
	in->e->given[option] = true;
	in->e->value[option] = value;
	return 0;
}

static int take_long(struct reader *in, const char *argument)
{
	size_t len = strcspn(argument + 2, "=");
	int option = find_long(argument + 2, len);

	if (option < 0)
		return complain_unknown(in, argument);
	return take(in, option, argument[2 + len] ? argument + 3 + len : NULL);
}

static int take_letters(struct reader *in, const char *argument)
{
	for (const char *letter = argument + 1; *letter; letter++) {
		int option = find_short(*letter);
		bool with_value = option >= 0 && options[option].argument;
		int r;

		if (option < 0)
			return complain_unknown(in, argument);
		r = take(in, option, with_value && letter[1] ? letter + 1 : NULL);
		if (r < 0 || with_value)
			return r;
	}
	return 0;
}

static int take_all(struct reader *in)
{
	bool ended = false;
	int r = 0;

	while (r == 0 && *in->next) {
		const char *argument = *in->next++;

		if (ended || argument[0] != '-' || !argument[1])
			in->words[in->n_words++] = argument;
		else if (!strcmp(argument, "--"))
			ended = true;
		else if (argument[1] == '-')
			r = take_long(in, argument);
		else
			r = take_letters(in, argument);
	}
	return r;
}

static int check_values(struct effctl *e)
{
	const char *timeout = e->value[OPTION_TIMEOUT];
	const char *lines = e->value[OPTION_LINES];
	eff_ns timeout_ns;

	e->timeout_s = -1;
	e->n_lines = -1;
	if (timeout && duration_parse(timeout, &timeout_ns) < 0) {
		(void)fprintf(e->err,
			"effctl: --timeout %s: a duration has a unit: 30s, 500ms, 1m30s\n",
			timeout);
		return -EINVAL;
	}
	if (timeout && timeout_ns != EFF_FOREVER)
		e->timeout_s = (double)timeout_ns / 1e9;
	if (lines && (strlen(lines) > 9 || !*lines || strspn(lines, "0123456789") != strlen(lines))) {
		(void)fprintf(e->err, "effctl: --lines %s: a number is expected\n", lines);
		return -EINVAL;
	}
	if (lines)
		e->n_lines = strtol(lines, NULL, 10);
	return 0;
}

static int complain_usage(const struct effctl *e)
{
	(void)fprintf(e->err, "usage: effctl %s [OPTION...]%s%s (effctl %s --help says more)\n",
		e->command->name, *e->command->arguments ? " " : "", e->command->arguments,
		e->command->name);
	return -EINVAL;
}

static int check_command(const struct effctl *e, size_t n_arguments)
{
	static const struct {
		size_t min, max;
	} bounds[] = {
		[NO_UNITS] = {0, 0}, [ANY_UNITS] = {0, SIZE_MAX}, [ONE_UNIT] = {1, 1}, [PERHAPS_ONE] = {0, 1}, [SOME_UNITS] = {1, SIZE_MAX}};
	const struct command *command = e->command;

	for (int i = 0; i < OPTION_N; i++) {
		if (!e->given[i] || ((ALWAYS | command->options) >> i & 1))
			continue;
		(void)fprintf(e->err, "effctl: %s takes no --%s\n", command->name, options[i].name);
		return -EINVAL;
	}
	if (n_arguments < (size_t)command->n_before || e->n_units < bounds[command->units].min ||
		e->n_units > bounds[command->units].max)
		return complain_usage(e);
	return 0;
}

/* The words are the command, what it takes before the units, the units; the labels become units too. */
static int sort_words(struct reader *in)
{
	struct effctl *e = in->e;
	size_t n_arguments = in->n_words ? in->n_words - 1 : 0;
	size_t n_before;

	if (!in->n_words)
		return 0;
	e->command = command_find(in->words[0]);
	if (!e->command) {
		help_unknown(e->err, in->words[0]);
		return -EINVAL;
	}
	n_before = (size_t)e->command->n_before;
	if (n_before > n_arguments)
		n_before = n_arguments;
	memmove(in->words + in->n_words, in->labels, in->n_labels * sizeof(*in->labels));
	e->before = in->words + 1;
	e->units = in->words + 1 + n_before;
	e->n_units = n_arguments - n_before + in->n_labels;
	return e->given[OPTION_HELP] || e->given[OPTION_VERSION] ? 0
								 : check_command(e, n_arguments);
}

int options_read(struct effctl *e, int argc, char **argv)
{
	struct reader in = {.e = e, .next = argv + (argc > 0)};
	int r;

	e->words = alloc_new(((size_t)argc + 1) * 2 * sizeof(*e->words));
	if (!e->words)
		return -ENOMEM;
	in.words = e->words;
	in.labels = e->words + argc + 1;
	r = take_all(&in);
	if (r == 0)
		r = check_values(e);
	if (r == 0 && in.n_words && !strcmp(in.words[0], "help")) {
		e->given[OPTION_HELP] = true;
		in.words++;
		in.n_words--;
	}
	return r < 0 ? r : sort_words(&in);
}
