/* SPDX-License-Identifier: MIT */
/* What effctl says of itself: the tables, in columns. */
#include <string.h>

#include "base/text.h"
#include "effctl/command.h"

#define O(symbol) (1u << OPTION_##symbol)
static const struct command commands[] = {
#define COMMAND(symbol, name, n_before, units, options, arguments, help) \
	{name, n_before, units, options, arguments, help, c_##symbol},
#include "effctl/commands.def"
#undef COMMAND
};
#undef O

#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct {
	char letter;
	const char *name, *argument, *help;
} options[OPTION_N] = {
#define OPTION(symbol, letter, name, argument, help) {letter, name, argument, help},
#include "effctl/options.def"
#undef OPTION
};

const struct command *command_at(size_t i)
{
	return i < N_COMMANDS ? &commands[i] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static void print_option(FILE *to, int i)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%c%c%s --%s%s%s", options[i].letter ? '-' : ' ',
		options[i].letter ? options[i].letter : ' ', options[i].letter ? "," : " ",
		options[i].name, options[i].argument ? " " : "",
		options[i].argument ? options[i].argument : "");
	(void)fprintf(to, "  %-24s %s\n", left, options[i].help);
}

static void print_command(FILE *to, const struct command *command)
{
	(void)fprintf(to, "usage: effctl %s [OPTION...]%s%s\n\n  %s\n\noptions:\n",
		command->name, *command->arguments ? " " : "", command->arguments, command->help);
	for (int i = 0; i < OPTION_N; i++) {
		if (i <= OPTION_TIMEOUT || (command->options >> i & 1))
			print_option(to, i);
	}
}

static void print_all(FILE *to)
{
	(void)fputs("usage: effctl [OPTION...] COMMAND [ARGUMENT...]\n\ncommands:\n", to);
	for (size_t i = 0; i < N_COMMANDS; i++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
		(void)fprintf(to, "  %-24s %s\n", left, commands[i].help);
	}
	(void)fputs("\noptions:\n", to);
	for (int i = 0; i < OPTION_N; i++)
		print_option(to, i);
	(void)fputs("\nUnits are full names (workers/index), globs ('workers/*'; ** crosses /) or -l KEY=VALUE;\n"
		    "/ is the root. EFFD_SOCKET names the socket where --socket does not.\n\n"
		    "exit codes: 0 done; 1 failed or refused; 2 usage; 3 status UNIT: not up; 4 no such unit;\n"
		    "5 no effd answers; 6 not permitted; 7 timed out\n",
		to);
}

void help_print(FILE *to, const struct command *command)
{
	if (command)
		print_command(to, command);
	else
		print_all(to);
}

/* What does here what that word means elsewhere; NULL. */
static const char *foreign(const char *word)
{
	static const char *const words[][2] = {
#define FOREIGN(word, write) {word, write},
#include "effctl/foreign.def"
#undef FOREIGN
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i][0]))
			return words[i][1];
	return NULL;
}

void help_unknown(FILE *to, const char *word)
{
	const char *nearest = foreign(word);
	uint32_t least = strlen(word) < 5 ? 2 : 3;

	if (nearest) {
		(void)fprintf(to, "effctl: no such command: %s; here it is: %s\n", word, nearest);
		return;
	}
	for (size_t i = 0; i < N_COMMANDS; i++) {
		bool begins = *word && !strncmp(commands[i].name, word, strlen(word));
		uint32_t distance = begins ? 0 : text_distance(word, commands[i].name, least);

		if (distance < least) {
			least = distance;
			nearest = commands[i].name;
		}
	}
	if (nearest)
		(void)fprintf(to, "effctl: no such command: %s; did you mean %s?\n", word, nearest);
	else
		(void)fprintf(to, "effctl: no such command: %s (effctl --help lists them)\n", word);
}
