/* SPDX-License-Identifier: MIT */
/* Two growing buffers. Room doubles, bytes move to the front only when at least as many have been taken as are left, and
 * a buffer that has run empty after a big message gives its memory back. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "wire/frame.h"
#include "wire/json.h"

#define ROOM_FIRST ((size_t)4096)
#define ROOM_KEPT ((size_t)65536) /* by an empty buffer */

/* Make `*bytes` hold at least `want`. Returns 0 or -ENOMEM. */
static int grow(char **bytes, size_t *room, size_t want)
{
	size_t size = *room ? *room : ROOM_FIRST;
	char *more;

	if (want <= *room)
		return 0;
	while (size < want)
		size *= 2;
	more = alloc_grow(*bytes, size);
	if (!more)
		return -ENOMEM;
	*bytes = more;
	*room = size;
	return 0;
}

static void give_back(char **bytes, size_t *room)
{
	if (*room <= ROOM_KEPT)
		return;
	free(*bytes);
	*bytes = NULL;
	*room = 0;
}

void frame_in_init(struct frame_in *in, size_t limit)
{
	*in = (struct frame_in){.limit = limit};
}

void frame_in_done(struct frame_in *in)
{
	free(in->bytes);
	in->bytes = NULL;
	in->room = in->start = in->seen = in->end = 0;
}

static void frame_in_move(struct frame_in *in)
{
	size_t held = in->end - in->start;

	if (!in->start || held > in->start)
		return;
	if (held)
		memmove(in->bytes, in->bytes + in->start, held);
	in->seen -= in->start;
	in->start = 0;
	in->end = held;
}

int frame_in_room(struct frame_in *in, char **ret_bytes, size_t *ret_size)
{
	int r;

	frame_in_move(in);
	if (!in->end)
		give_back(&in->bytes, &in->room);
	if (in->end - in->start > 2 * in->limit)
		return -ENOBUFS;
	r = grow(&in->bytes, &in->room, in->end + ROOM_FIRST / 4);
	if (r < 0)
		return r;
	*ret_bytes = in->bytes + in->end;
	*ret_size = in->room - in->end;
	return 0;
}

void frame_in_came(struct frame_in *in, size_t n)
{
	assert(n <= in->room - in->end);
	in->end += n;
}

int frame_in_next(struct frame_in *in, char **ret_text, size_t *ret_len)
{
	const char *nul = NULL;
	size_t len;

	if (in->seen < in->end)
		nul = memchr(in->bytes + in->seen, '\0', in->end - in->seen);
	in->seen = nul ? (size_t)(nul - in->bytes) : in->end;
	len = in->seen - in->start;
	if (len > in->limit)
		return -EMSGSIZE;
	if (!nul)
		return 0;
	*ret_text = in->bytes + in->start;
	*ret_len = len;
	in->seen++;
	in->start = in->seen;
	return 1;
}

bool frame_in_is_partial(const struct frame_in *in)
{
	return in->end > in->start;
}

void frame_out_done(struct frame_out *out)
{
	free(out->bytes);
	*out = (struct frame_out){0};
}

int frame_out_add_text(struct frame_out *out, const char *text)
{
	size_t size = strlen(text) + 1;
	size_t held = out->end - out->start;
	int r;

	if (out->start && held <= out->start) {
		memmove(out->bytes, out->bytes + out->start, held);
		out->start = 0;
		out->end = held;
	}
	r = grow(&out->bytes, &out->room, out->end + size);
	if (r < 0)
		return r;
	memcpy(out->bytes + out->end, text, size);
	out->end += size;
	return 0;
}

int frame_out_take(struct frame_out *out, struct text *text)
{
	int r = 0;

	if (text->failed || !text->bytes) {
		r = -ENOMEM;
	} else if (out->end > out->start) {
		r = frame_out_add_text(out, text->bytes);
	} else {
		free(out->bytes);
		*out = (struct frame_out){text->bytes, text->room, 0, text->len + 1};
		text->bytes = NULL;
	}
	text_done(text);
	return r;
}

struct text frame_out_lend(struct frame_out *out)
{
	struct text text = {0};

	if (out->end == out->start && out->bytes) {
		text.bytes = out->bytes;
		text.room = out->room;
		text.bytes[0] = '\0';
		*out = (struct frame_out){0};
	}
	return text;
}

int frame_out_add(struct frame_out *out, const struct json *message)
{
	char *text = json_print(message);
	int r = text ? frame_out_add_text(out, text) : -ENOMEM;

	free(text);
	return r;
}

size_t frame_out_pending(const struct frame_out *out)
{
	return out->end - out->start;
}

const char *frame_out_bytes(const struct frame_out *out)
{
	return out->bytes ? out->bytes + out->start : "";
}

void frame_out_sent(struct frame_out *out, size_t n)
{
	assert(n <= out->end - out->start);
	out->start += n;
	if (out->start < out->end)
		return;
	out->start = out->end = 0;
	give_back(&out->bytes, &out->room);
}
