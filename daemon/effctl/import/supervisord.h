/* SPDX-License-Identifier: MIT */
/* One program of supervisord's, and its `%(…)s`. */
#ifndef EFFCTL_IMPORT_SUPERVISORD_H
#define EFFCTL_IMPORT_SUPERVISORD_H

#include "effctl/import/import.h"

/* What `%(name)s` may stand for; NULL where there is none. */
struct percents {
	const char *file, *program, *group;
	long number, of; /* process_num, numprocs; below 0: none */
};

/* A text with all `%(…)s` filled in, in effd's language: `%(ENV_X)s` becomes `${X}`. NULL: one is not known, which was
 * said. */
const char *percent(struct import *im, const char *s, const struct percents *with);

/* Do the processes of this program differ in more than their names: by their numbers, or by a file that only one can have? */
bool percent_differs(const struct import *im, const struct section *section);

void program_take(struct import *im, struct item *units, const struct section *section,
	const char *name, const char *group);
/* A="1",B='2' */
void environment_take(
	struct import *im, struct item *unit, const char *value, const struct percents *with);
void umask_take(struct import *im, struct item *unit, const char *value);

#endif
