#!/bin/bash
# SPDX-License-Identifier: MIT
# `systemctl reload` waits for what comes of it: a good tree is taken over and only what changed is touched, of a bad one
# the journal has every error and the old one goes on. A reload that takes long has the time.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
boot
drop_in effd.service <<<$'[Service]\nTimeoutStartSec=3s'
trees() { # VERSION OF CHANGED
	cat <<TREE
version: 1
units:
  stays: {command: [sleep, "1000000"]}
  changed: {command: [sleep, "100000$1"]}
  stubborn: {shell: 'trap "" TERM; echo here >>/test/stubborn; while :; do sleep 1000000; done', environment: {V: "$1"}, stop: {timeout: 5s}}
TREE
}
trees 1 | tree
expect_exit 0 inside systemctl start effd
pid=$(property effd MainPID)
stays=$(unit_pid stays)
changed=$(unit_pid changed)
await_line stubborn here >/dev/null

# ── Good: the stop of one takes 5 s, more than the 3 s that systemd gives ──

trees 2 | tree
expect_exit 0 inside systemctl reload effd
same "effd" "$(property effd MainPID) $(property effd ActiveState) $(property effd SubState)" "$pid active running"
same "what did not change" "$(unit_pid stays)" "$stays"
[ "$(unit_pid changed)" != "$changed" ] || fail "what changed was not started anew"
same "what takes 5 s to stop" "$(grep -c here stubborn)" 2
changed=$(unit_pid changed)

# ── Bad ──

{ trees 3; echo '  wrong: {comand: x, type: nothing}'; } | tree
expect_exit 1 inside systemctl reload effd
same "effd" "$(property effd MainPID) $(property effd ActiveState) $(property effd SubState)" "$pid active running"
same "all as before" "$(unit_pid stays) $(unit_pid changed)" "$stays $changed"
errors=$(journal -u effd -p err)
matches "the first error in the journal" "$errors" 'effd.yaml:6:11: error\[E[0-9]+\]: .*comand'
matches "the second error in the journal" "$errors" 'effd.yaml:6:.* error\[E[0-9]+\]: .*nothing'
matches "why reload failed" "$(journal -u effd)" 'effctl.*comand'
await_property effd StatusText '3 of 3 up'

# ── By a signal, asked twice at once ──

trees 4 | tree
inside sh -c "kill -HUP $pid; kill -HUP $pid"
inside /usr/local/bin/effctl --timeout 60s wait --for up changed >/dev/null
await_property effd SubState 'running'
same "effd" "$(property effd MainPID) $(property effd ActiveState)" "$pid active"
expect_exit 0 inside systemctl stop effd
