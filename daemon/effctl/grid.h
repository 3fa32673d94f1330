/* SPDX-License-Identifier: MIT */
/* A table as people read it: columns aligned, the last cut to the terminal's width. Where little would be left of that one,
 * others are left out, and long names are cut. */
#ifndef EFFCTL_GRID_H
#define EFFCTL_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"

#define GRID_COLUMNS 8

/* How a cell is coloured, where colours are wanted. */
enum paint { PLAIN, GOOD, BUSY, BAD, FAINT, BOLD };

struct grid_cell {
	size_t at; /* in the grid's texts, as far as to where the next one is */
	unsigned columns;
	enum paint paint;
};

struct grid {
	struct grid_cell *cells; /* row by row */
	size_t n_cells, room;
	struct text texts; /* of all cells, one behind the other */
	unsigned n_columns;
	const unsigned char *spared; /* columns left out in turn where it is narrow, up to a 0; NULL */
	bool failed;                 /* out of memory: it does not print */
};

/* Columns by their titles. */
void grid_init(struct grid *grid, unsigned n_columns, const char *const *titles);
void grid_done(struct grid *grid);
/* The next cell, row by row; the text is copied, and shown without its controls. */
void grid_add(struct grid *grid, enum paint paint, const char *text);
void grid_add_text(struct grid *grid, enum paint paint, const struct text *text);
/* One that was built; takes it. */
void grid_add_built(struct grid *grid, struct text *text);
/* width 0: nothing is cut. Returns 0 or -ENOMEM. */
int grid_print(const struct grid *grid, FILE *to, unsigned width, bool colour);

/* Text in its colour; `colour` false: as it is. */
void paint_text(FILE *to, enum paint paint, const char *text, bool colour);

#endif
