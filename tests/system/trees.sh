#!/bin/bash
# SPDX-License-Identifier: MIT
# The trees of conf/examples do what their comments say. shop.yaml and ticker.yaml have tests of their own.
. "${0%/*}/lib.sh"
need python3 curl
compile serve
examples=$here/../../conf/examples
export PORT HEALTH_PORT METRICS_PORT APP_PORTS
mapfile -t ports < <("$DIR/bin/serve" 0 3)
PORT=${ports[0]} HEALTH_PORT=${ports[1]} METRICS_PORT=${ports[2]}
APP_PORTS=$((2000 + PORT % 1000)) # below those that are given out
page() { curl -sS --max-time 10 "http://127.0.0.1:$1"; }
is_another() { [ "$(state "$1")" = up ] && [ "$(pid_of "$1")" != "$2" ]; } # UNIT PID

same "what is not looked at here" "$(cd "$examples" && echo *.yaml)" \
	"container.yaml fibers.yaml groups.yaml jobs.yaml minimal.yaml shop.yaml ticker.yaml web.yaml"

# One program.
effd_start <"$examples/minimal.yaml"
wait_for up hello
follow 1 '.text == "hello"' logs -f hello >/dev/null
effd_stop

# A site: it waits in order, answers, is visited, and a copy that dies comes back without anybody else noticing.
export VISIT_EVERY=200ms
effd_start <"$examples/web.yaml"
wait_for done prepare
wait_for up app@1 app@2 front health
same "the front" "$(page "$PORT/")" "the front"
same "the application" "$(page "${APP_PORTS}1/") $(page "${APP_PORTS}2/")" "the application the application"
follow 1 '.text == "the front"' logs -f visit >/dev/null
same "the balancer's page" "$(page "$HEALTH_PORT/readyz")" ready
front=$(pid_of front) app=$(pid_of app@1)
expect_exit 0 ctl signal KILL app@1
eventually is_another app@1 "$app"
same "the front goes on" "$(pid_of front)" "$front"
effd_stop

# Groups: who goes with whom.
effd_start <"$examples/groups.yaml"
wait_for done batch
wait_for up pair pipeline fragile pool
right=$(pid_of pair/right) read=$(pid_of pipeline/read) store=$(pid_of pipeline/store)
expect_exit 0 ctl signal KILL pair/left
eventually is_another pair/right "$right"
expect_exit 0 ctl signal KILL pipeline/parse
eventually is_another pipeline/store "$store"
same "what was declared before" "$(pid_of pipeline/read)" "$read"
expect_exit 0 ctl add pool - <<<'units: {blue: {environment: {COLOUR: blue}}}'
follow 1 '.text == "I am blue"' logs -f pool/blue >/dev/null
for try in 1 2 3 4; do
	wait_for up fragile/vital
	vital=$(pid_of fragile/vital)
	expect_exit 0 ctl signal KILL fragile/vital
	[ "$try" -eq 4 ] || eventually is_another fragile/vital "$vital"
done
eventually is_another fragile/first "$(pid_of fragile/first)"
same "the group was started anew" "$(field fragile .restarts)" 1
effd_stop

# Jobs: once, until it works, by the clock, by hand.
export POLL_EVERY=200ms RETRY_AFTER=50ms STATE_DIR=$DIR/state
effd_start <"$examples/jobs.yaml"
wait_for done migrate fetch
same "it was tried twice" "$(field fetch .starts)" 2
follow 2 '.text | startswith("the time is")' logs -f poll >/dev/null
same "when it runs next" "$(field report '.next_start_s > 0')" true
expect_exit 0 ctl start report
same "how it ended" "$(field report '.last_exit | "\(.kind) \(.code)"')" "exit 0"
same "not by itself" "$(field cleanup .starts)" 0
expect_exit 0 ctl start cleanup
same "by hand" "$(state cleanup)" "done"
effd_stop

# Fibers: effd serves its own pages.
export PAUSE=200ms BEAT_EVERY=200ms
effd_start <"$examples/fibers.yaml"
wait_for done pause
wait_for up worker health metrics
follow 1 '.text == "effd is well"' logs -f heartbeat >/dev/null
same "all is well" "$(page "$HEALTH_PORT/readyz")" ready
matches "the metrics" "$(page "$METRICS_PORT/metrics")" '^effd_unit_state\{unit="worker",effd_unit_state="up"\} 1$'
expect_exit 0 ctl start short
wait_for failed short
same "its second end was the last" "$(field short .starts)" 2
effd_stop

# A container: as PID 1 where that can be had. It ends as its application does, stopped or by itself.
[ -z "${APART-}" ] || EFFD_UNDER=(unshare --fork --pid --mount-proc --kill-child)
container() { # STATUS: of effd, after the command on standard input
	effd_start <"$examples/container.yaml"
	wait_for done setup
	wait_for up sidecar app
	inner=$EFFD
	[ -z "${APART-}" ] || inner=$(cut -d' ' -f1 <"/proc/$EFFD/task/$EFFD/children")
}
container
same "the page" "$(curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/")" 200
kill -TERM "$inner"
effd_ended 143
container
expect_exit 0 ctl signal KILL app
effd_ended 137
