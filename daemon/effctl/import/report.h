/* SPDX-License-Identifier: MIT */
/* What an import has to say beside its tree. */
#ifndef EFFCTL_IMPORT_REPORT_H
#define EFFCTL_IMPORT_REPORT_H

#include <stdio.h>

#include "effctl/import/import.h"
#include "wire/json.h"

/* `FILE:LINE: no equal: UNIT: SETTING: why`, a line a note, and how many there are. */
void report_print(FILE *to, const struct import *im);
/* {"tree", "report": [{"kind", "file", "line", "unit", "setting", "text"}]}; the tree is null when it has no units. NULL
 * when out of memory. */
struct json *report_document(const struct import *im);

#endif
