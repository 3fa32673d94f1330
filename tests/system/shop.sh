#!/bin/bash
# SPDX-License-Identifier: MIT
# The example shop runs, shows all that a status promises, and stops in order at Ctrl-C.
. "${0%/*}/lib.sh"
effd_start <"$here/../../conf/examples/shop.yaml"
wait_for up db web workers workers/fetch workers/index heartbeat
wait_for done migrate

ctl --json status >"$DIR/status.json"
same "the units, depth first" "$(jq -r '.units | map(.name) | join(" ")' "$DIR/status.json")" \
	"/ migrate db web flaky heartbeat workers workers/fetch workers/index"
same "their kinds" "$(jq -r '.units | map(.kind) | join(" ")' "$DIR/status.json")" \
	"supervisor process process process process fiber supervisor process process"
fields='["cause","cpu_s","depends_on","description","failures","health","kind","last_exit","log_lost_bytes","memory_bytes","name","next_start_s","pid","restarts","since","sockets","starts","state","status_text","uptime_s","wanted"]'
group='["active","children","intensity","restarts_in_period"]'
same "the fields of each unit" "$(jq -c '.units[] | select(.kind != "supervisor") | keys' "$DIR/status.json" | sort -u)" "$fields"
same "the fields of a supervisor" \
	"$(jq -c --argjson unit "$fields" '.units[] | select(.kind == "supervisor") | keys - $unit' "$DIR/status.json" | sort -u)" "$group"
same "the types of the fields" "$(jq -c '.units[] | select(
	(.wanted | type) != "boolean" or (.starts | type) != "number" or (.restarts | type) != "number"
	or (.failures | type) != "number" or (.log_lost_bytes | type) != "number" or (.depends_on | type) != "array"
	or (.since | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$") | not))' "$DIR/status.json")" ""
same "what an up process shows" "$(jq -r '.units[] | select(.name == "web") | [.pid > 1, .uptime_s >= 0, .cpu_s >= 0,
	.memory_bytes > 0, .next_start_s, .last_exit, .starts, .restarts, (.depends_on | join(","))] | map(tostring) | join(" ")' "$DIR/status.json")" \
	"true true true true null null 1 0 db,migrate"
same "what a oneshot that is done shows" "$(jq -r '.units[] | select(.name == "migrate") |
	"\(.pid) \(.wanted) \(.last_exit.kind) \(.last_exit.code) \(.last_exit.signal)"' "$DIR/status.json")" "null true exit 0 null"
same "a dependency from a group upwards" "$(jq -r '.units[] | select(.name == "workers/index") | .depends_on[]' "$DIR/status.json")" workers/fetch
same "what the root counts" "$(jq -r '.units[0] | "\(.children) \(.intensity)"' "$DIR/status.json")" "6 null"
same "what a group counts" "$(jq -r '.units[] | select(.name == "workers") | "\(.children) \(.active)"' "$DIR/status.json")" "2 2"
same "the fiber's pid" "$(field heartbeat .pid)" null
expect_exit 0 ctl tree
for name in migrate db web flaky heartbeat workers fetch index; do
	matches "the drawn tree" "$OUT" "(^|[^a-z])$name([^a-z]|$)"
done

# Ctrl-C: each stops before what it depends on.
ctl_in_place --json events -f >"$DIR/stop.json" &
watcher=$!
await_line "$DIR/stop.json" '"unit": *"workers/index".*"up"' >/dev/null
kill -INT "$EFFD"
effd_ended 0
wait "$watcher" || true
seq_of() { jq -s "map(select(.unit == \"$1\" and .event == \"state\" and .to == \"$2\")) | last.seq" "$DIR/stop.json"; }
before() { # UNIT UNIT: the first is down before the second begins to stop
	local first second
	first=$(seq_of "$1" down) second=$(seq_of "$2" stopping)
	[ "$first" != null ] && [ "$second" != null ] && [ "$first" -lt "$second" ] ||
		fail "$1 was down at $first, $2 began to stop at $second: $(jq -c '[.seq, .unit, .from, .to]' "$DIR/stop.json")"
}
before workers/index workers/fetch
before workers/fetch web
before web db
same "what db left" "$(find "$TMPDIR" -name 'effd-shop-db.*')" ""
[ ! -e "$SOCKET" ] || fail "the control socket is still there"
