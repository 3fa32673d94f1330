/* SPDX-License-Identifier: MIT */
/* Cells are kept as one text; widths are known when all are there. No row has blanks at its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "effctl/columns.h"
#include "effctl/grid.h"
#include "wire/escape.h"

#define GAP 2
/* Below this nothing readable would be left of the last column. */
#define LEAST 8
/* With less it says little, and what can be spared goes. */
#define ENOUGH 24
/* And so it is with names. */
#define NAME_LEAST 12

static const char *const codes[] = {
	[GOOD] = "32", [BUSY] = "33", [BAD] = "31", [FAINT] = "2", [BOLD] = "1"};

void grid_init(struct grid *grid, unsigned n_columns, const char *const *titles)
{
	*grid = (struct grid){.n_columns = n_columns};
	for (unsigned i = 0; i < n_columns; i++)
		grid_add(grid, BOLD, titles[i]);
}

void grid_done(struct grid *grid)
{
	free(grid->cells);
	text_done(&grid->texts);
	*grid = (struct grid){0};
}

static int grid_grow(struct grid *grid)
{
	size_t room = grid->room ? 2 * grid->room : 64;
	struct grid_cell *cells;

	if (grid->n_cells < grid->room)
		return 0;
	cells = alloc_grow(grid->cells, room * sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	grid->cells = cells;
	grid->room = room;
	return 0;
}

static void add(struct grid *grid, enum paint paint, const char *text, size_t len)
{
	size_t at = grid->texts.len;

	escape_bytes(&grid->texts, text, len);
	if (grid->texts.len == at)
		text_add(&grid->texts, "-");
	if (grid->texts.failed || grid_grow(grid) < 0) {
		grid->failed = true;
		return;
	}
	grid->cells[grid->n_cells++] = (struct grid_cell){at,
		(unsigned)bytes_columns(grid->texts.bytes + at, grid->texts.len - at), paint};
}

void grid_add(struct grid *grid, enum paint paint, const char *text)
{
	add(grid, paint, text, strlen(text));
}

void grid_add_text(struct grid *grid, enum paint paint, const struct text *text)
{
	grid->failed |= text->failed;
	add(grid, paint, text->len ? text->bytes : "", text->len);
}

void grid_add_built(struct grid *grid, struct text *text)
{
	grid_add_text(grid, PLAIN, text);
	text_done(text);
}

void paint_text(FILE *to, enum paint paint, const char *text, bool colour)
{
	if (colour && codes[paint])
		(void)fprintf(to, "\033[%sm%s\033[0m", codes[paint], text);
	else
		(void)fputs(text, to);
}

/* `room` 0: as much as it takes. */
static void add_painted(struct text *line, const struct grid *grid,
	const struct grid_cell *cell, size_t room, bool colour)
{
	bool painted = colour && codes[cell->paint];
	bool is_name = (size_t)(cell - grid->cells) % grid->n_columns == 0;
	bool is_last = cell + 1 == grid->cells + grid->n_cells;
	size_t end = is_last ? grid->texts.len : cell[1].at;
	size_t at;

	if (painted)
		text_printf(line, "\033[%sm", codes[cell->paint]);
	at = line->len;
	text_add_bytes(line, grid->texts.bytes + cell->at, end - cell->at);
	if (room && !line->failed) {
		(is_name ? name_cut : text_cut)(line->bytes + at, room);
		line->len = at + strlen(line->bytes + at);
	}
	if (painted)
		text_add(line, "\033[0m");
}

static void add_blanks(struct text *line, size_t n)
{
	char *to = text_room(line, n);

	if (!to)
		return;
	memset(to, ' ', n);
	text_wrote(line, n);
}

static void add_row(struct text *line, const struct grid *grid, const struct grid_cell *row,
	const size_t *widths, bool colour)
{
	unsigned last = grid->n_columns - 1;

	for (unsigned i = 0; i < last; i++) {
		bool is_cut = row[i].columns > widths[i];

		if (widths[i] == 0)
			continue;
		add_painted(line, grid, &row[i], is_cut ? widths[i] : 0, colour);
		add_blanks(line, is_cut ? GAP : widths[i] + GAP - row[i].columns);
	}
	add_painted(line, grid, &row[last], widths[last], colour);
	text_add(line, "\n");
}

/* Make room for the last column. A column that is left out has no width. Returns what the others take. */
static size_t widths_fit(const struct grid *grid, size_t *widths, unsigned width)
{
	const unsigned char *spared = grid->spared;
	unsigned last = grid->n_columns - 1;
	size_t wanted = widths[last] < ENOUGH ? widths[last] : ENOUGH;
	size_t left = 0, over;

	for (unsigned i = 0; i < last; i++)
		left += widths[i] + GAP;
	for (; width && spared && *spared && left + wanted > width; spared++) {
		left -= widths[*spared] + GAP;
		widths[*spared] = 0;
	}
	over = width && left + LEAST > width ? left + LEAST - width : 0;
	if (widths[0] < NAME_LEAST + over)
		over = widths[0] > NAME_LEAST ? widths[0] - NAME_LEAST : 0;
	widths[0] -= over;
	return left - over;
}

int grid_print(const struct grid *grid, FILE *to, unsigned width, bool colour)
{
	size_t widths[GRID_COLUMNS] = {0};
	unsigned last = grid->n_columns - 1;
	struct text line = {0};
	size_t left;
	int r;

	if (grid->failed)
		return -ENOMEM;
	for (size_t i = 0; i < grid->n_cells; i++) {
		size_t columns = grid->cells[i].columns;
		size_t *widest = &widths[i % grid->n_columns];

		*widest = columns > *widest ? columns : *widest;
	}
	left = widths_fit(grid, widths, width);
	/* From here on: the room that the last column has. */
	widths[last] = !width ? 0 : width > left + LEAST ? width - left : LEAST;
	for (size_t i = 0; i + last < grid->n_cells && !line.failed; i += grid->n_columns) {
		line.len = 0;
		add_row(&line, grid, &grid->cells[i], widths, colour);
		if (!line.failed)
			(void)fwrite(line.bytes, 1, line.len, to);
	}
	r = line.failed ? -ENOMEM : 0;
	text_done(&line);
	return r;
}
