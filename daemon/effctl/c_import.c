/* SPDX-License-Identifier: MIT */
/* `effctl import`: reads what other supervisors read, prints a tree, and tells what has no equal. Needs no effd. */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "effctl/command.h"
#include "effctl/import/import.h"
#include "effctl/import/report.h"
#include "effctl/words.h"
#include "plan/diag.h"

#define FILES_MOST 1000

/* Read a regular file whole: 0, or -errno, -EFBIG for what is larger than anything that people write. */
static int read_whole(const char *path, char **ret_bytes, size_t *ret_size)
{
	auto_fclose FILE *file = fopen(path, "re");
	auto_free char *bytes = NULL;
	struct stat st;
	size_t size;

	if (!file || fstat(fileno(file), &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	bytes = alloc_new(IMPORT_MAX_BYTES + 1);
	if (!bytes)
		return -ENOMEM;
	size = fread(bytes, 1, IMPORT_MAX_BYTES + 1, file);
	if (ferror(file))
		return -EIO;
	if (size > IMPORT_MAX_BYTES)
		return -EFBIG;
	*ret_bytes = bytes;
	*ret_size = size;
	bytes = NULL;
	return 0;
}

static void take_file(struct import *im, const char *path)
{
	auto_free char *bytes = NULL;
	const char *kept = im_strndup(im, path, strlen(path));
	size_t size = 0;
	int r = read_whole(path, &bytes, &size);

	if (!kept || r == -ENOMEM)
		im->failed = true;
	else if (im->n_files >= FILES_MOST)
		import_refuse_file(im, kept, "too many files");
	else if (r < 0)
		import_refuse_file(im, kept, r == -EFBIG ? "it has more than 1 MiB" : strerror(-r));
	else
		import_text(im, kept, bytes, size);
}

/* Files that a file names, as a pattern from its folder. */
static void take_pattern(struct import *im, const char *pattern)
{
	const char *slash = im->file ? strrchr(im->file, '/') : NULL;
	const char *from = im->file;
	const char *path = pattern;
	glob_t found = {0};

	if (pattern && *pattern != '/' && slash)
		path = im_printf(im, "%.*s/%s", (int)(slash - im->file), im->file, pattern);
	if (path && glob(path, 0, NULL, &found) == GLOB_NOSPACE)
		im->failed = true;
	else if (path && !found.gl_pathc)
		no_equal(im, "no file matches `%s`", path);
	for (size_t i = 0; i < found.gl_pathc && !im->failed; i++) {
		/* A file that names itself ends here. */
		if (strcmp(found.gl_pathv[i], from ? from : "") != 0)
			take_file(im, found.gl_pathv[i]);
	}
	globfree(&found);
}

/* What is wrong with a tree of ours is a mistake of ours: it is said, and not hidden. */
static enum code put_faults(struct effctl *e, const struct diags *diags)
{
	(void)fputs("effctl: the tree that was made has errors, which is a mistake of effctl's:\n",
		e->err);
	diags_print(diags, e->err);
	return CODE_FAILED;
}

static enum code put_tree(struct effctl *e, struct import *im, const struct text *yaml)
{
	struct diags *diags = diags_new();
	int r = diags ? import_check(im, yaml->bytes, yaml->len, diags) : -ENOMEM;
	enum code code = CODE_DONE;

	if (r == -ENOMEM)
		code = out_of_memory(e);
	else if (r == -EPROTO)
		code = put_faults(e, diags);
	else if (r < 0)
		code = CODE_FAILED;
	else if (!e->given[OPTION_JSON])
		(void)fwrite(yaml->bytes, 1, yaml->len, e->out);
	diags_free(diags);
	if (code == CODE_DONE && im->n_notes[NOTE_REFUSED])
		code = CODE_FAILED;
	return code;
}

static enum code put(struct effctl *e, struct import *im)
{
	struct text yaml = {0};
	enum code code = CODE_FAILED;

	if (im->n_units) {
		text_add(&yaml, "# Made by `effctl import`.\n");
		import_write(im, &yaml);
		code = yaml.failed ? out_of_memory(e) : put_tree(e, im, &yaml);
	}
	text_done(&yaml);
	if (!e->given[OPTION_JSON]) {
		report_print(e->err, im);
	} else {
		struct json *document = report_document(im);
		enum code printed = put_json(e, document);

		json_free(document);
		code = printed == CODE_DONE ? code : printed;
	}
	return code;
}

enum code c_import(struct effctl *e)
{
	enum import_kind kind = import_kind_of(e->before[0]);
	auto_free char *folder = getcwd(NULL, 0);
	struct import im;
	enum code code;
	int r;

	if (kind == IMPORT_N) {
		(void)fprintf(e->err, "effctl: import does not read %s; it reads:\n", e->before[0]);
		for (kind = 0; kind < IMPORT_N; kind++)
			(void)fprintf(e->err, "  %-12s %s\n", import_kind_name(kind),
				import_kind_help(kind));
		return CODE_USAGE;
	}
	learn_locale(e);
	r = import_init(&im, kind);
	im.include = take_pattern;
	im.folder = folder && import_is_text(folder) ? folder : NULL;
	for (size_t i = 0; r == 0 && i < e->n_units; i++)
		take_file(&im, e->units[i]);
	if (r == 0)
		r = import_end(&im);
	code = r < 0 ? out_of_memory(e) : put(e, &im);
	import_done(&im);
	return code;
}
