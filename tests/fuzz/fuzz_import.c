/* SPDX-License-Identifier: MIT */
/* Files of other supervisors: the first line says which (a name of imports.def), a line `%% NAME` begins a file of that name.
 * Whatever they are, what is made of them is a tree that effd takes, as YAML and as JSON. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "effctl/import/report.h"
#include "plan/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tree(struct import *im, const char *bytes, size_t size)
{
	struct diags *diags = diags_new();
	int r = import_check(im, bytes, size, diags);

	if (r == -EPROTO) {
		(void)fprintf(stderr, "%.*s\n", (int)size, bytes);
		diags_print(diags, stderr);
	}
	assert(r == 0 || r == -EINVAL);
	diags_free(diags);
}

/* JSON is YAML; and there are as many notes as were counted. */
static void check_document(struct import *im)
{
	struct json *document = report_document(im);
	char *tree;

	assert(json_count(json_get(document, "report")) ==
		(size_t)im->n_notes[NOTE_NO_EQUAL] + im->n_notes[NOTE_ASSUMED] +
			im->n_notes[NOTE_REFUSED]);
	if (im->n_units) {
		tree = json_print(json_get(document, "tree"));
		assert(tree);
		check_tree(im, tree, strlen(tree));
		free(tree);
	}
	json_free(document);
}

static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline + 1 : end;
}

/* Each file, to the next `%%`. */
static void take_files(struct import *im, const char *at, const char *end)
{
	const char *name = "file";

	while (at < end) {
		const char *begin = at;
		const char *stop = at;

		if (end - at >= 3 && !memcmp(at, "%% ", 3)) {
			begin = stop = line_end(at, end);
			name = im_strndup(im, at + 3, (size_t)(begin - at) - 3);
			name = strtok((char *)name, "/ \n");
		}
		while (stop < end && (end - stop < 3 || memcmp(stop, "%% ", 3) != 0))
			stop = line_end(stop, end);
		import_text(im, name ? name : "file", begin, (size_t)(stop - begin));
		at = stop;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	const char *end = at + size;
	const char *second = size ? line_end(at, end) : at;
	char name[16] = "";
	enum import_kind kind;
	struct import im;
	struct text yaml = {0};

	memcpy(name, at, second - at < 15 ? (size_t)(second - at) : 15);
	name[strcspn(name, "\n")] = '\0';
	kind = import_kind_of(name);
	if (kind == IMPORT_N)
		kind = (enum import_kind)(size % IMPORT_N);
	assert(import_init(&im, kind) == 0);
	take_files(&im, second, end);
	assert(import_end(&im) == 0);
	if (im.n_units) {
		import_write(&im, &yaml);
		assert(!yaml.failed);
		check_tree(&im, yaml.bytes, yaml.len);
	}
	check_document(&im);
	text_done(&yaml);
	import_done(&im);
	return 0;
}
