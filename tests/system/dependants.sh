#!/bin/bash
# SPDX-License-Identifier: MIT
# Stops are sticky and take dependants along, ends are not: what depends on a unit goes and comes as the rules say.
. "${0%/*}/lib.sh"
compile family
effd_start <<TREE
version: 1
defaults: {restart: {backoff: {initial: 10ms, jitter: 0}}}
units:
  db: {command: $DIR/bin/family}
  web: {command: $DIR/bin/family, depends_on: [db]}
  front: {command: $DIR/bin/family, depends_on: [web]}
  bound: {command: $DIR/bin/family, depends_on: {db: {bind: true}}}
  renewed: {command: $DIR/bin/family, depends_on: {db: {restart: true}}}
  lazy: {command: $DIR/bin/family, activate: manual, depends_on: [helper]}
  helper: {command: $DIR/bin/family, activate: manual}
  patient: {command: $DIR/bin/family, activate: manual, depends_on: [broken]}
  broken: {shell: exit 3, type: notify, restart: {policy: always, backoff: {initial: 1h, max: 2h}}, activate: manual}
  crash: {shell: exit 3, restart: {policy: always, backoff: {initial: 1h, max: 2h}}, activate: manual}
TREE
states() {
	local unit
	for unit in "$@"; do state "$unit"; done | paste -sd ' '
}
# An end by itself: dependants run on, but for those that asked for more.
web=$(pid_of web) bound=$(pid_of bound) renewed=$(pid_of renewed)
seq=$(last_seq)
kill -KILL "$(pid_of db)"
for unit in bound renewed; do
	await_events 1 ".seq > $seq and .event == \"state\" and .to == \"up\"" "$unit" >/dev/null
done
same "web runs on" "$(pid_of web)" "$web"
[ "$(pid_of bound)" != "$bound" ] || fail "bound was not stopped with db"
[ "$(pid_of renewed)" != "$renewed" ] || fail "renewed was not restarted after db"
same "neither counts" "$(field bound .restarts) $(field renewed .restarts) $(field db .restarts)" "0 0 1"

# A stop takes along what requires it, in reverse, and says so; it is sticky; a start brings all back.
expect_exit 0 ctl --json stop db
same "who was stopped, in order" "$(jq -r '.units | map(.name) | map(select(. == "front" or . == "web" or . == "db")) | join(" ")' <<<"$OUT")" "front web db"
same "outcomes" "$(jq -r '.units | map(.outcome) | unique | join(" ")' <<<"$OUT")" done
same "after the stop" "$(states db web front bound renewed)" "down waiting waiting waiting waiting"
same "still wanted" "$(field web '"\(.wanted) \(.cause.kind)"') $(field db .wanted)" "true dependency false"
expect_exit 0 ctl reload
same "a reload does not lift a stop" "$(states db web)" "down waiting"
expect_exit 0 ctl explain web
matches "explain names what it waits for" "$OUT" 'db'
expect_exit 0 ctl start front
same "a start is a start of all that it requires" "$(states db web front)" "up up up"
wait_for up bound renewed

# What was started for another's sake alone goes with it.
expect_exit 0 ctl start lazy
same "started for its sake" "$(states lazy helper)" "up up"
expect_exit 0 ctl stop lazy
wait_for down helper
same "stopped after it" "$(states lazy helper)" "down down"

# Who waits for another's next try does so for long, and says once for whom.
new_fifo
ctl_in_place start patient >"$DIR/out.txt" 2>"$FIFO" &
starter=$!
exec 5<"$FIFO"
read -r -t "$limit" line <&5 || fail "a start that takes long says nothing"
matches "whom it waits for" "$line" '^effctl: patient is waiting: dependency: waits for broken, which is in backoff; because of exit 3'
ctl stop patient broken >/dev/null
code=0
wait "$starter" || code=$?
same "how that start ended" "$code $(wc -l <&5)" "1 0"
exec 5<&-

# A reset leaves backoff at once; a stop in backoff is a stop.
expect_exit 1 ctl start crash
same "in backoff" "$(field crash '"\(.state) \(.next_start_s > 3000) \(.failures)"')" "backoff true 1"
seq=$(last_seq)
ctl reset --no-wait crash >/dev/null
await_events 1 ".seq > $seq and .event == \"state\" and .to == \"backoff\"" crash >/dev/null
same "tried again, counted from the start" "$(field crash '"\(.starts) \(.failures)"')" "2 1"
expect_exit 0 ctl stop crash
same "stopped in backoff" "$(field crash '"\(.state) \(.next_start_s)"')" "down null"
expect_exit 0 ctl --json restart db
same "a restart leaves dependants running" "$(states web front)" "up up"
effd_stop
