/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "base/cause.h"
#include "effctl/grid.h"
#include "effctl/status_file.h"
#include "effctl/words.h"
#include "wire/ledger.h"
#include "wire/states.h"

/* What names are patterns, effd alone knows: of these all are shown. */
static bool is_asked_for(const struct effctl *e, const char *name)
{
	for (size_t i = 0; i < e->n_units; i++)
		if (strcmp(e->units[i], name) == 0 || strpbrk(e->units[i], "*?[="))
			return true;
	return e->n_units == 0;
}

static void add_uptime(struct text *to, const struct ledger_record *record)
{
	struct timespec now;

	if (record->state != UNIT_UP || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return;
	add_seconds(to, (double)now.tv_sec - (double)record->since_ns / 1e9);
}

static void add_last_end(struct text *to, const struct ledger_record *record)
{
	char signal[16];

	if (record->exit_cause == 0 || record->exit_cause > CAUSE_N_KINDS)
		return;
	if (record->exit_cause - 1 != CAUSE_SIGNAL)
		text_add(to, cause_kind_name((enum cause_kind)(record->exit_cause - 1)));
	if (record->exit_signal)
		text_printf(to, "%s%s", to->len ? ", " : "",
			signal_text(record->exit_signal, signal));
	else if (record->exit_code >= 0)
		text_printf(to, " %d", record->exit_code);
}

static void add_row(struct grid *grid, const struct ledger_record *record)
{
	const char *state = record->state < UNIT_N_STATES ? state_name(record->state) : "?";
	struct text text = {0};

	text_printf(&text, "%s%s", record->name, record->name_is_cut ? "..." : "");
	grid_add_built(grid, &text);
	grid_add(grid, state_paint(state), state);
	if (record->pid > 0)
		add_number(&text, (uint64_t)record->pid);
	grid_add_built(grid, &text);
	add_uptime(&text, record);
	grid_add_built(grid, &text);
	add_number(&text, record->restarts);
	grid_add_built(grid, &text);
	add_last_end(&text, record);
	grid_add_built(grid, &text);
}

static void put_rows(struct effctl *e, const struct ledger *ledger)
{
	static const char *const titles[] = {
		"UNIT", "STATE", "PID", "UPTIME", "RESTARTS", "LAST EXIT"};
	static const unsigned char spared[] = {4, 3, 2, 0};
	struct grid grid;

	grid_init(&grid, 6, titles);
	grid.spared = spared;
	for (uint32_t i = 0; i < ledger->head->n_units; i++)
		if (is_asked_for(e, ledger->records[i].name))
			add_row(&grid, &ledger->records[i]);
	(void)grid_print(&grid, e->out, e->width, e->colour);
	grid_done(&grid);
}

void put_status_file(struct effctl *e)
{
	struct ledger ledger = {0};
	struct text path = {0};

	text_printf(&path, "%s" LEDGER_SUFFIX, e->socket);
	if (!path.failed && ledger_read(path.bytes, &ledger) == 0) {
		(void)fprintf(e->err,
			"effctl: this is what effd (process %d) has written of its units\n",
			ledger.head->pid);
		put_rows(e, &ledger);
	}
	ledger_done(&ledger);
	text_done(&path);
}
