/* SPDX-License-Identifier: MIT */
/* Hubs: messages are numbered, and lie in one ring from the oldest that some subscriber has still to receive to the
 * newest. A subscriber is a number: what it receives next. `first` is the least of these numbers, and n_first how many
 * have it, so that looking for the next least is due once a message and not once a receiver. */
#include <string.h>

#include <eff/channel.h>

#include "exchange.h"

static char *slot(const struct eff_hub *hub, uint64_t number)
{
	return hub->ring + (size_t)(number % hub->capacity) * hub->item_bytes;
}

static struct eff_subscriber *subscriber_of(struct eff_list *node)
{
	return eff_container(node, struct eff_subscriber, link);
}

/* Nobody is at the oldest any more: which one is it now? */
static void find_first(struct eff_hub *hub)
{
	hub->first = hub->next;
	hub->n_first = 0;
	for (struct eff_list *l = hub->subscribers.next; l != &hub->subscribers; l = l->next) {
		uint64_t next = subscriber_of(l)->next;

		if (next < hub->first)
			hub->n_first = 0;
		if (next <= hub->first) {
			hub->first = next;
			hub->n_first++;
		}
	}
}

static bool is_full(const struct eff_hub *hub)
{
	return hub->next - hub->first == hub->capacity;
}

static void advance(struct eff_subscriber *subscriber)
{
	if (subscriber->next == subscriber->hub->first)
		subscriber->hub->n_first--;
	subscriber->next++;
}

static void take(struct eff_subscriber *subscriber, void *ret_item)
{
	memcpy(ret_item, slot(subscriber->hub, subscriber->next), subscriber->hub->item_bytes);
	advance(subscriber);
}

/* There is room. Who waits for a message has received all the others. */
static void push(struct eff_hub *hub, const void *item)
{
	memcpy(slot(hub, hub->next), item, hub->item_bytes);
	hub->next++;
	for (struct eff_list *l = hub->subscribers.next; l != &hub->subscribers; l = l->next) {
		struct eff_subscriber *subscriber = subscriber_of(l);
		struct eff__exchange *receiver = eff__exchange_first(&subscriber->receivers);

		if (!receiver)
			continue;
		take(subscriber, receiver->item);
		eff__wake(&receiver->wait, 0);
	}
	if (!hub->n_first)
		find_first(hub);
}

/* A subscriber has gone on, or away: there may be room for who waits. */
static void settle(struct eff_hub *hub)
{
	struct eff__exchange *sender;

	if (!hub->n_first)
		find_first(hub);
	while (!is_full(hub) && (sender = eff__exchange_first(&hub->senders))) {
		push(hub, sender->item);
		eff__wake(&sender->wait, 0);
	}
}

void eff_hub_init(
	struct eff_hub *hub, void *ring, size_t item_bytes, size_t capacity, enum eff_full full)
{
	if (!capacity)
		eff__misuse("eff_hub_init", "a hub has room for one message at least");
	*hub = (struct eff_hub){
		.ring = ring, .item_bytes = item_bytes, .capacity = capacity, .full = full};
	eff_list_init(&hub->senders);
	eff_list_init(&hub->subscribers);
}

static void drop_oldest(struct eff_hub *hub)
{
	uint64_t oldest = hub->first;

	for (struct eff_list *l = hub->subscribers.next; l != &hub->subscribers; l = l->next) {
		struct eff_subscriber *subscriber = subscriber_of(l);

		if (subscriber->next != oldest)
			continue;
		advance(subscriber);
		subscriber->missed++;
	}
	find_first(hub);
}

int eff_hub_try_send(struct eff_hub *hub, const void *item)
{
	bool full = is_full(hub);

	if (hub->closed)
		return -EPIPE;
	if (full && hub->full == EFF_FULL_WAITS)
		return -EAGAIN;
	hub->dropped += full;
	if (full && hub->full == EFF_FULL_DROPS_NEW)
		return 1;
	if (full)
		drop_oldest(hub);
	push(hub, item);
	return full;
}

int eff_hub_send(struct eff_hub *hub, const void *item)
{
	int r;

	if (is_full(hub) && hub->full == EFF_FULL_WAITS && !hub->closed)
		return eff__exchange_wait(&hub->senders, (void *)item, "hub");
	r = eff__check_wait("eff_hub_send");
	return r < 0 ? r : eff_hub_try_send(hub, item);
}

void eff_hub_close(struct eff_hub *hub)
{
	hub->closed = true;
	eff__exchange_close(&hub->senders);
	for (struct eff_list *l = hub->subscribers.next; l != &hub->subscribers; l = l->next)
		eff__exchange_close(&subscriber_of(l)->receivers);
}

void eff_hub_join(struct eff_hub *hub, struct eff_subscriber *subscriber)
{
	*subscriber = (struct eff_subscriber){.hub = hub, .next = hub->next};
	eff_list_init(&subscriber->receivers);
	eff_list_append(&hub->subscribers, &subscriber->link);
	if (hub->first == hub->next)
		hub->n_first++;
}

void eff_hub_leave(struct eff_subscriber *subscriber)
{
	struct eff_hub *hub = subscriber->hub;

	if (!hub)
		return;
	advance(subscriber);
	eff_list_remove(&subscriber->link);
	subscriber->hub = NULL;
	eff__exchange_close(&subscriber->receivers);
	settle(hub);
}

int eff_hub_try_receive(struct eff_subscriber *subscriber, void *ret_item)
{
	struct eff_hub *hub = subscriber->hub;

	if (!hub)
		return -EPIPE;
	if (subscriber->next == hub->next)
		return hub->closed ? -EPIPE : -EAGAIN;
	take(subscriber, ret_item);
	settle(hub);
	return 0;
}

int eff_hub_receive(struct eff_subscriber *subscriber, void *ret_item)
{
	const struct eff_hub *hub = subscriber->hub;
	int r;

	if (hub && subscriber->next == hub->next && !hub->closed)
		return eff__exchange_wait(&subscriber->receivers, ret_item, "hub");
	r = eff__check_wait("eff_hub_receive");
	return r < 0 ? r : eff_hub_try_receive(subscriber, ret_item);
}
