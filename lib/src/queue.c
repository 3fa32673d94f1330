/* SPDX-License-Identifier: MIT */
/* Queues: a ring, and who waits at its ends. Senders wait only while it is full, receivers only while it is empty; so no
 * message waits beside a receiver, and nobody overtakes. */
#include <string.h>

#include <eff/channel.h>

#include "exchange.h"

static void copy(const struct eff_queue *queue, void *to, const void *from)
{
	/* Mostly it is a pointer: no call then. */
	if (queue->item_bytes == sizeof(void *))
		memcpy(to, from, sizeof(void *));
	else
		memcpy(to, from, queue->item_bytes);
}

static char *slot(const struct eff_queue *queue, size_t i)
{
	i += queue->first;
	if (i >= queue->capacity)
		i -= queue->capacity;
	return queue->ring + i * queue->item_bytes;
}

static void push(struct eff_queue *queue, const void *item)
{
	copy(queue, slot(queue, queue->count), item);
	queue->count++;
}

static void drop_first(struct eff_queue *queue)
{
	if (++queue->first == queue->capacity)
		queue->first = 0;
	queue->count--;
}

void eff_queue_init(struct eff_queue *queue, void *ring, size_t item_bytes, size_t capacity,
	enum eff_full full)
{
	*queue = (struct eff_queue){
		.ring = ring, .item_bytes = item_bytes, .capacity = capacity, .full = full};
	eff_list_init(&queue->senders);
	eff_list_init(&queue->receivers);
}

/* By policy: there is no room, and nobody waits for a message. */
static int send_to_full(struct eff_queue *queue, const void *item)
{
	if (queue->full == EFF_FULL_WAITS)
		return -EAGAIN;
	queue->dropped++;
	if (queue->full == EFF_FULL_DROPS_OLD && queue->capacity) {
		drop_first(queue);
		push(queue, item);
	}
	return 1;
}

int eff_queue_try_send(struct eff_queue *queue, const void *item)
{
	struct eff__exchange *receiver = eff__exchange_first(&queue->receivers);

	if (queue->closed)
		return -EPIPE;
	if (receiver) {
		copy(queue, receiver->item, item);
		eff__wake(&receiver->wait, 0);
		return 0;
	}
	if (queue->count == queue->capacity)
		return send_to_full(queue, item);
	push(queue, item);
	return 0;
}

int eff_queue_try_receive(struct eff_queue *queue, void *ret_item)
{
	struct eff__exchange *sender = eff__exchange_first(&queue->senders);

	if (queue->count) {
		copy(queue, ret_item, slot(queue, 0));
		drop_first(queue);
		if (sender)
			push(queue, sender->item);
	} else if (sender) {
		copy(queue, ret_item, sender->item);
	} else {
		return queue->closed ? -EPIPE : -EAGAIN;
	}
	if (sender)
		eff__wake(&sender->wait, 0);
	return 0;
}

int eff_queue_send(struct eff_queue *queue, const void *item)
{
	int r;

	if (queue->count == queue->capacity && queue->full == EFF_FULL_WAITS &&
		!queue->closed && eff_list_empty(&queue->receivers))
		return eff__exchange_wait(&queue->senders, (void *)item, "queue");
	r = eff__check_wait("eff_queue_send");
	return r < 0 ? r : eff_queue_try_send(queue, item);
}

int eff_queue_receive(struct eff_queue *queue, void *ret_item)
{
	int r;

	if (!queue->count && !queue->closed && eff_list_empty(&queue->senders))
		return eff__exchange_wait(&queue->receivers, ret_item, "queue");
	r = eff__check_wait("eff_queue_receive");
	return r < 0 ? r : eff_queue_try_receive(queue, ret_item);
}

void eff_queue_close(struct eff_queue *queue)
{
	queue->closed = true;
	eff__exchange_close(&queue->senders);
	eff__exchange_close(&queue->receivers);
}
