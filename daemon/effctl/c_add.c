/* SPDX-License-Identifier: MIT */
/* `effctl add` and `effctl remove`: children of a supervisor that is simple_one_for_one. The file is read here and sent as
 * a text: effd need not be able to see it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "effctl/command.h"
#include "effctl/file.h"
#include "effctl/results.h"
#include "effctl/words.h"

/* Of a request some is not the file. */
#define FILE_MOST (FRAME_LIMIT - 8192)

static bool is_stdin(const struct effctl *e)
{
	return strcmp(e->before[1], "-") == 0;
}

static enum code complain_file(struct effctl *e, int r)
{
	(void)fputs("effctl: cannot read ", e->err);
	put_text(e->err, is_stdin(e) ? "the standard input" : e->before[1]);
	if (r == -EFBIG)
		(void)fprintf(e->err, ": it is longer than %zu KiB\n", FILE_MOST / 1024);
	else
		(void)fprintf(e->err, ": %s\n",
			r == -EILSEQ ? "it is no text in UTF-8" : strerror(-r));
	return r == -ENOMEM ? out_of_memory(e) : CODE_FAILED;
}

static enum code add(struct effctl *e, const char *file, const char *text)
{
	struct json *parameters = json_object();

	e->sent = (struct sent){file, text};
	(void)json_set(parameters, "supervisor", json_text(e->before[0]));
	(void)json_set(parameters, "tree", json_text(text));
	(void)json_set(parameters, "file", json_text(file));
	if (e->given[OPTION_NO_WAIT])
		(void)json_set(parameters, "wait", json_bool(false));
	call_add_timeout(e, parameters);
	return results_ask(e, METHOD_ADD, parameters, NULL);
}

enum code c_add(struct effctl *e)
{
	/* So it is named from now on, beside what relative paths in it are relative to; a file may be called `-`. */
	char *file = file_absolute(is_stdin(e) ? "<stdin>" : e->before[1]);
	struct text text = {0};
	enum code code;
	int r;

	if (!file)
		return no_folder(e);
	r = file_take(e->before[1], FILE_MOST, &text);
	code = r < 0 ? complain_file(e, r) : add(e, file, text.bytes ? text.bytes : "");
	e->sent = (struct sent){0};
	text_done(&text);
	free(file);
	return code;
}

enum code c_remove(struct effctl *e)
{
	return results_ask(e, METHOD_REMOVE, call_verb(e), "removed");
}
