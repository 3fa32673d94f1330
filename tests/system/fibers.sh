#!/bin/bash
# SPDX-License-Identifier: MIT
# Units that are fibers: modules and built-ins start, end, fail and stop like any other unit.
. "${0%/*}/lib.sh"
[ -e "$BUILD/modules/fibers.so" ] || fail "$BUILD/modules/fibers.so was not built"
cp "$BUILD/modules/fibers.so" "$DIR/fibers.so"
module=$DIR/fibers.so
foreign=$module
if [ "$(id -u)" -eq 0 ]; then
	foreign=$DIR/foreign/fibers.so
	mkdir "$DIR/foreign"
	cp "$module" "$foreign"
	chown nobody "$DIR/foreign"
fi
mkfifo "$DIR/gate"
effd_start <<TREE
version: 1
defaults: {restart: no}
units:
  good:
    fiber: {module: $module, entry: good}
    with: {text: a text, number: 42, real: 2.5, flag: true, every: 1m30s, inner: {list: [x, y]}}
    log: {stdout: ring}
  returns: {fiber: {module: $module, entry: returns}}
  fails: {fiber: {module: $module, entry: fails}, with: {code: 9}}
  again: {fiber: {module: $module, entry: fails}, restart: {policy: always, max_restarts: 2, backoff: {initial: 1ms}}}
  dies: {fiber: {module: $module, entry: dies}}
  notifies: {fiber: {module: $module, entry: notifies}, type: notify, with: {after: 10ms}}
  never: {fiber: {module: $module, entry: good}, type: notify, start_timeout: 100ms}
  waits: {fiber: {module: $module, entry: good}, depends_on: [notifies]}
  lingers: {fiber: {module: $module, entry: lingers}, stop: {timeout: 50ms}, log: {stdout: ring}}
  foreign: {fiber: {module: $foreign, entry: good}}
  no-module: {fiber: {module: $DIR/nowhere.so, entry: good}}
  no-entry: {fiber: {module: $module, entry: nowhere}}
  idle: {fiber: idle}
  short: {fiber: idle, with: {for: 10ms, exit: success}}
  holds: {fiber: {module: $module, entry: holds}, with: {gate: $DIR/gate}, activate: manual, log: {stdout: ring}}
  fail: {fiber: idle, with: {for: 10ms, exit: fail}}
  die: {fiber: idle, with: {for: 10ms, exit: die}}
  beat: {fiber: heartbeat, with: {every: 10ms, text: still here}, log: {stdout: ring}}
TREE
shown() { field "$1" '"\(.kind) \(.state) \(.pid) \(.last_exit.kind) \(.last_exit.code)"'; }
wait_for done short
wait_for failed fail die again never
same good "$(shown good)" "fiber up null null null"
same returns "$(shown returns)" "fiber done null exit 0"
same fails "$(shown fails)" "fiber failed null fiber_failed 9"
matches "what it said" "$(field fails .last_exit.text)" 'on purpose'
same "again, and given up" "$(field again '"\(.starts) \(.restarts) \(.cause.kind) \(.cause.because.kind)"')" "3 2 max_restarts fiber_failed"
same dies "$(shown dies)" "fiber failed null fiber_died null"
matches "what it said" "$(field dies .last_exit.text)" 'by a broken promise'
same notifies "$(shown notifies)" "fiber up null null null"
same never "$(field never '"\(.state) \(.last_exit.kind)"')" "failed start_timeout"
same "one that waited" "$(shown waits)" "fiber up null null null"
same "no module" "$(field no-module '"\(.state) \(.last_exit.kind)"')" "failed exec_error"
matches "no module, and where" "$(field no-module .last_exit.text)" "$DIR/nowhere.so"
if [ "$foreign" != "$module" ]; then
	same "a module in somebody else's folder" "$(field foreign '"\(.state) \(.last_exit.kind)"')" "failed exec_error"
	matches "why it is not loaded" "$(field foreign .last_exit.text)" "root's"
fi
same "no entry" "$(field no-entry '"\(.state) \(.last_exit.kind)"')" "failed exec_error"
matches "no entry, and which" "$(field no-entry .last_exit.text)" "nowhere"
same idle "$(shown idle)" "fiber up null null null"
same short "$(shown short)" "fiber done null exit 0"
same "fail" "$(field fail .last_exit.kind)" fiber_failed
same "die" "$(field die .last_exit.kind)" fiber_died
follow 3 '.text == "still here"' logs -f beat >/dev/null

# What it was told by `with`, and what it tells.
same "the lines of a fiber" "$(ctl --json logs good | jq -r .text)" \
	"$(printf '%s\n' 'name good' 'instance 0' 'text a text' 'number 42' 'real 2.50' 'flag 1' 'every 90000000000' 'nested y' 'missing none')"
same "its status" "$(field good .status_text)" "well since 7"

# Stop is interruption.
expect_exit 0 ctl stop good idle
same "the stop of a fiber" "$(field good '"\(.state) \(.last_exit.kind)"')" "down stop_requested"
same "its last words" "$(ctl --json logs good | jq -r .text | tail -n 1)" "was asked to stop"
expect_exit 0 ctl stop lingers
same "one that lingers" "$(state lingers) $(ctl --json logs lingers | jq -r .text | tail -n 1)" "down has lingered"
expect_exit 0 ctl start good
same "started again" "$(field good '"\(.state) \(.starts)"')" "up 2"

# One that holds up all others is named while it does; what waits for it is late, and no more.
ctl_in_place start holds >/dev/null 2>&1 &
starting=$!
await_line "$DIR/effd.log" 'error: the fiber .*holds.* does not let go, for [0-9]+ ms so far' >/dev/null
echo >"$DIR/gate"
wait "$starting" || fail "it is not started"
same "one that has let go" "$(shown holds) $(ctl --json logs holds | jq -r .text)" "fiber up null null null has let go"
same "the others" "$(state good) $(state notifies)" "up up"
effd_stop
