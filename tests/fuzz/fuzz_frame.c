/* SPDX-License-Identifier: MIT */
/* Bytes of a connection: the first says in how large pieces the others come. They are framed, each message is read as a
 * call and held to its method's table; and what was taken must print and be taken again, as the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"
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

static void take_message(const char *text, size_t len)
{
	struct json_error error = {0};
	struct call call;
	const char *parameter = NULL;
	int r = call_read(text, len, &call, &error);

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
