/* SPDX-License-Identifier: MIT */
/* Lists of `key = value` under `[section]`, in the two dialects that matter here. */
#ifndef EFFCTL_IMPORT_INI_H
#define EFFCTL_IMPORT_INI_H

#include "effctl/import/import.h"

/* Read a text into sections at the end of the run's. A line that is none of the dialect's is refused, and the text with it:
 * false, and nothing of it is kept. */
bool ini_read_python(struct import *im, const char *bytes, size_t size);  /* supervisord */
bool ini_read_systemd(struct import *im, const char *bytes, size_t size); /* its units */

/* The last value of a key; NULL: none. */
const struct setting *setting_find(const struct section *section, const char *key);

#endif
