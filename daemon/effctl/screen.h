/* SPDX-License-Identifier: MIT */
/* A terminal that is drawn on again and again, and left as it was found. */
#ifndef EFFCTL_SCREEN_H
#define EFFCTL_SCREEN_H

#include <stdbool.h>
#include <stdio.h>
#include <termios.h>

struct screen {
	FILE *out;
	int keys; /* descriptor of the keyboard; -1: none */
	struct termios before;
	unsigned rows, columns;
};

/* Take it: its own page, keys one by one and not shown. Signals that end a program end the drawing. */
void screen_open(struct screen *screen, FILE *out);
/* Also when it is not open any more. */
void screen_close(struct screen *screen);
/* Begin a new picture: at the top, of the size that the terminal has now. */
void screen_begin(struct screen *screen);
/* Show it. */
void screen_show(struct screen *screen);
/* Wait for a key, so long at most. Returns the key; 0: none came; -1: it is to end. */
int screen_key(struct screen *screen, double seconds);

#endif
