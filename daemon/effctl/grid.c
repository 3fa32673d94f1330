/* SPDX-License-Identifier: MIT */
/* Cells are kept as text; widths are known when all are there. No row has blanks at its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "effctl/grid.h"
#include "wire/escape.h"

#define GAP 2
/* Below this nothing readable would be left of the last column. */
#define LEAST 8

void grid_init(struct grid *grid, unsigned n_columns, const char *const *titles)
{
	*grid = (struct grid){.n_columns = n_columns};
	for (unsigned i = 0; i < n_columns; i++)
		grid_add(grid, BOLD, titles[i]);
}

void grid_done(struct grid *grid)
{
	for (size_t i = 0; i < grid->n_cells; i++)
		free(grid->cells[i].text);
	free(grid->cells);
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

void grid_add(struct grid *grid, enum paint paint, const char *text)
{
	struct text shown = {0};

	escape_bytes(&shown, text, strlen(text));
	if (!shown.len)
		text_add(&shown, "-");
	if (shown.failed || grid_grow(grid) < 0) {
		text_done(&shown);
		grid->failed = true;
		return;
	}
	grid->cells[grid->n_cells++] = (struct grid_cell){shown.bytes, paint};
}

void grid_add_built(struct grid *grid, struct text *text)
{
	grid->failed |= text->failed;
	grid_add(grid, PLAIN, text->bytes ? text->bytes : "");
	text_done(text);
}

size_t text_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

void paint_text(FILE *to, enum paint paint, const char *text, bool colour)
{
	static const char *const codes[] = {
		[GOOD] = "32", [BUSY] = "33", [BAD] = "31", [FAINT] = "2", [BOLD] = "1"};

	if (colour && codes[paint])
		(void)fprintf(to, "\033[%sm%s\033[0m", codes[paint], text);
	else
		(void)fputs(text, to);
}

void text_cut(char *text, size_t columns)
{
	if (text_columns(text) <= columns)
		return;
	for (size_t n = 1; *text; text++) {
		if ((*text & 0xc0) == 0x80)
			continue;
		if (n++ == columns) {
			text[0] = '>';
			text[1] = '\0';
			return;
		}
	}
}

static int print_last(const struct grid_cell *cell, FILE *to, size_t room, bool colour)
{
	char *text = strdup(cell->text);

	if (!text)
		return -ENOMEM;
	if (room)
		text_cut(text, room);
	paint_text(to, cell->paint, text, colour);
	(void)fputc('\n', to);
	free(text);
	return 0;
}

static int print_row(const struct grid *grid, const struct grid_cell *row, FILE *to,
	const size_t *widths, bool colour)
{
	unsigned last = grid->n_columns - 1;

	for (unsigned i = 0; i < last; i++) {
		paint_text(to, row[i].paint, row[i].text, colour);
		(void)fprintf(to, "%*s", (int)(widths[i] + GAP - text_columns(row[i].text)), "");
	}
	return print_last(&row[last], to, widths[last], colour);
}

int grid_print(const struct grid *grid, FILE *to, unsigned width, bool colour)
{
	size_t widths[GRID_COLUMNS] = {0};
	unsigned last = grid->n_columns - 1;
	size_t left = 0;

	if (grid->failed)
		return -ENOMEM;
	for (size_t i = 0; i < grid->n_cells; i++) {
		size_t columns = text_columns(grid->cells[i].text);
		size_t *widest = &widths[i % grid->n_columns];

		*widest = columns > *widest ? columns : *widest;
	}
	for (unsigned i = 0; i < last; i++)
		left += widths[i] + GAP;
	/* From here on: the room that the last column has. */
	widths[last] = !width ? 0 : width > left + LEAST ? width - left : LEAST;
	for (size_t i = 0; i + last < grid->n_cells; i += grid->n_columns) {
		int r = print_row(grid, &grid->cells[i], to, widths, colour);

		if (r < 0)
			return r;
	}
	return 0;
}
