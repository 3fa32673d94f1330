#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGTERM while effd starts, while it reloads, and twice: one stop in order. SIGKILL amid a reload: what the file says then is
# what the next effd runs, whole.
. "${0%/*}/lib.sh"
compile family
tree() { # VALUE
	cat <<TREE
version: 1
daemon: {shutdown_timeout: 300ms}
defaults: {log: {stdout: ring}}
units:
  first: {command: [$DIR/bin/family, main=herald], stop: {timeout: 1h}, environment: {V: "$1"}}
  slow: {type: notify, command: $DIR/bin/family, start_timeout: infinity, depends_on: [first]}
  hooked: {command: $DIR/bin/family, hooks: {pre_start: {command: [$DIR/bin/family], timeout: 1h}}}
  later: {command: $DIR/bin/family, depends_on: [slow]}
  other: {command: $DIR/bin/family, environment: {V: "$1"}}
TREE
}
all_stopped() {
	effd_ended 0
	same "what is left" "$(processes_of family)" ""
	[ ! -e "$SOCKET" ] || fail "the control socket is still there"
	same "how often it was begun" "$(grep -c 'SIGTERM: stopping' "$DIR/effd.log")" 1
	! grep -E '^effd: (error|warn): ' "$DIR/effd.log" |
		grep -v -e 'not all has stopped within 300ms' -e 'warning\[W402\]: these stop one after the other' -e ':     [nh]' || fail "it complains"
	: >"$DIR/effd.log"
}
complete() { follow 1 '.text == "complete"' logs -f first >/dev/null; }

# ── while it starts ──

effd_launch < <(tree 1)
complete
wait_for starting slow hooked
wait_for waiting later
same "it is not ready" "$(grep -c READY "$DIR/effd.log" || true)" 0
kill -TERM "$EFFD"
kill -TERM "$EFFD"
await_line "$DIR/effd.log" 'later: .*-> down' >/dev/null
kill -TERM "$EFFD"
all_stopped

# As soon as it can be at all: it ends, and leaves nothing.
for _ in {1..20}; do
	effd_again
	await_line "$DIR/effd.log" 'down -> starting' >/dev/null
	kill -TERM "$EFFD"
	all_stopped
done

# ── while it reloads ──

simple() { tree "$1" | sed '/slow:/d; /later:/d; /hooked:/d'; }
effd_start < <(simple 1)
complete
simple 2 >"$TREE"
ctl_in_place reload >"$DIR/reload.txt" 2>&1 &
reload=$!
follow 1 '.text == "herald was asked"' logs -f first >/dev/null
kill -TERM "$EFFD"
kill -TERM "$EFFD"
all_stopped
wait "$reload" || true

# ── killed amid ──

effd_start < <(simple 1)
complete
simple 3 >"$TREE"
ctl_in_place reload >"$DIR/reload.txt" 2>&1 &
reload=$!
follow 1 '.text == "herald was asked"' logs -f first >/dev/null
kill -KILL "$EFFD"
effd_ended 137
wait "$reload" || true
none() { [ -z "$(processes_of family)" ]; }
eventually none
effd_again
await_notice READY=1
same "the next one's tree" "$(ctl --json show first --values --resolved | jq -r '.. | objects | select(.field? == "environment") | .value' | grep -o '3')" 3
same "what is there to change" "$(ctl --json plan | jq -c .changes)" "[]"
same "the next one's units" "$(field first '"\(.state) \(.starts)"') $(field other '"\(.state) \(.starts)"')" "up 1 up 1"
same "what they were given" "$(tr '\0' '\n' <"/proc/$(pid_of first)/environ" | grep ^V=)" V=3
effd_stop
