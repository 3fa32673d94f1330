/* SPDX-License-Identifier: MIT */
/* Bytes of a connection: the first says in how large pieces the others come. They are framed, each message is read as a
 * call and held to its method's table; and what was taken must print and be taken again, as the same. Who walks through it
 * instead, into all that there is or past all of it, comes to the same end. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/json_piece.h"
#include "wire/json_scan.h"
#include "wire/varlink.h"

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct json *document)
{
	char *text = json_print(document);
	struct json *again = NULL;
	char *text_again;

	assert(text);
	assert(!json_parse(text, strlen(text), 0, &again, NULL));
	text_again = json_print(again);
	assert(text_again && !strcmp(text, text_again));
	free(text);
	free(text_again);
	json_free(again);
}

static unsigned walk_on(struct json_walk *walk, const char *text, size_t len, bool enters)
{
	struct json_piece key, value;

	if (!walk_next(walk, &key))
		return 0;
	assert(!key.len || (key.text > text && key.text + key.len < text + len && key.len >= 2));
	if (enters && walk_enter(walk))
		return 2;
	if (walk_kind(walk) < '0' || walk_kind(walk) > '9')
		return 1;
	value = walk_take(walk);
	assert(value.len == 0 || piece_number(value) >= 0);
	return 1;
}

static void check_walk(const char *text, size_t len, bool enters)
{
	struct json_error error;
	struct json_walk walk;
	bool is_json = json_scan(text, len, 0, &error) == 0;
	unsigned open;

	walk_begin(&walk, text, len);
	open = walk_enter(&walk);
	while (open > 0)
		open += walk_on(&walk, text, len, enters) - 1;
	assert((walk_end(&walk) == 0) == is_json);
}

static void take_message(const char *text, size_t len)
{
	struct json_error error = {0};
	struct call call;
	const char *parameter = NULL;
	int r = call_read(text, len, &call, &error);

	check_walk(text, len, true);
	check_walk(text, len, false);
	assert(r == 0 || (error.what && error.offset <= len));
	if (call.document)
		check_again(call.document);
	if (r == 0) {
		int n = call_interface_len(call.method);
		int method = n < 0 ? n : method_find(call.method + n + 1);

		if (method >= 0 && method_check((enum method)method, call.parameters, &parameter) < 0)
			assert(parameter);
	}
	call_done(&call);
}

/* Returns false when the connection would be closed. */
static bool take_messages(struct frame_in *in)
{
	char *text;
	size_t len;
	int r;

	while ((r = frame_in_next(in, &text, &len)) > 0) {
		assert(len <= LIMIT && text[len] == '\0');
		take_message(text, len);
	}
	return r == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? (size_t)data[0] + 1 : 1;
	struct frame_in in;
	size_t at = 1;

	frame_in_init(&in, LIMIT);
	while (at < size) {
		size_t n = size - at < piece ? size - at : piece;
		size_t room;
		char *bytes;

		assert(!frame_in_room(&in, &bytes, &room) && room);
		n = n < room ? n : room;
		memcpy(bytes, data + at, n);
		frame_in_came(&in, n);
		at += n;
		if (!take_messages(&in))
			break;
	}
	frame_in_done(&in);
	return 0;
}
