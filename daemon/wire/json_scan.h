/* SPDX-License-Identifier: MIT */
/* The strict look at a text before cJSON sees it. */
#ifndef EFFD_JSON_SCAN_H
#define EFFD_JSON_SCAN_H

#include <stddef.h>

#include "wire/json.h"

/* Is this one document as json_parse() wants it, but for keys that come twice? Returns 0, or -EBADMSG and `error`. */
int json_scan(const char *text, size_t len, size_t max_values, struct json_error *error);
/* The offset of the n-th key (from 0, in the order of the text) of a text that json_scan() took. */
size_t json_scan_key(const char *text, size_t len, size_t n);

#endif
