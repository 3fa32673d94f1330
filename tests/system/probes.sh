#!/bin/bash
# SPDX-License-Identifier: MIT
# Probes decide when a unit is up, take it back to starting, and stop what is no longer alive.
. "${0%/*}/lib.sh"
compile serve family
read -rd '' http_port tcp_port live_port < <("$DIR/bin/serve" 0 3) || true
echo 503 >"$DIR/http.status"
echo 200 >"$DIR/live.status"
effd_launch <<TREE
version: 1
defaults: {restart: {backoff: {initial: 10ms}}}
units:
  http:
    command: [$DIR/bin/serve, "$http_port", $DIR/http.status]
    readiness_probe: {http_get: {port: $http_port, path: /ready}, period: 50ms, timeout: 1m, failure_threshold: 2}
  tcp:
    command: [$DIR/bin/serve, "$tcp_port"]
    readiness_probe: {tcp: {port: $tcp_port}, period: 50ms, timeout: 1m}
  exec:
    command: $DIR/bin/family
    readiness_probe: {exec: {command: test -e $DIR/exec.ready}, period: 500ms, timeout: 500ms}
  after-http: {command: $DIR/bin/family, depends_on: [http]}
  live:
    command: [$DIR/bin/serve, "$live_port", $DIR/live.status]
    readiness_probe: {tcp: {port: $live_port}, period: 50ms, timeout: 1m}
    liveness_probe: {http_get: {port: $live_port}, period: 100ms, timeout: 500ms}
  alive:
    command: [tail, -f, /dev/null]
    liveness_probe: {exec: {command: test ! -e $DIR/alive.not}, period: 500ms, timeout: 500ms}
  hangs:
    command: $DIR/bin/family
    start_timeout: 400ms
    restart: no
    readiness_probe: {exec: {command: [$DIR/bin/family, main=deaf, nested]}, period: 100ms, timeout: 100ms}
TREE
# The others are on their way; the socket is there as soon as the first has begun.
await_notice '(STATUS|EXTEND_TIMEOUT_USEC)=.*'
wait_for up tcp alive live
same "not ready by HTTP" "$(field http '"\(.state) \(.health)"' | sed 's/unknown/failing/')" "starting failing"
same "what waits for it" "$(state after-http)" waiting
same "not ready by command" "$(state exec)" starting
echo 204 >"$DIR/http.status"
touch "$DIR/exec.ready"
wait_for up http exec after-http
same "its health" "$(field http .health)" passing

# One whose probe hangs is never ready, and no probe outlives its time.
wait_for failed hangs
same "how that ended" "$(field hangs '.last_exit.kind')" start_timeout
same "its probes have gone" "$(processes_of family | wc -l)" 2

# Readiness lost: back to starting, nobody is killed, dependants stay.
http=$(pid_of http) after=$(pid_of after-http)
echo 500 >"$DIR/http.status"
wait_for starting http
same "the same process" "$(pid_of http) $(field http .restarts) $(field http .health)" "$http 0 failing"
same "its dependant stays" "$(pid_of after-http) $(state after-http)" "$after up"
echo 200 >"$DIR/http.status"
wait_for up http
same "the same process, ready again" "$(pid_of http)" "$http"

# Liveness lost: stopped by the probe, and started again by policy.
seq=$(last_seq)
live=$(pid_of live)
echo hang >"$DIR/live.status"
await_events 1 ".seq > $seq and .event == \"state\" and .to == \"backoff\"" live >"$DIR/ended.json"
same "why it ended" "$(jq -r '"\(.cause.kind)"' "$DIR/ended.json")" probe
echo 200 >"$DIR/live.status"
wait_for up live
[ "$(pid_of live)" != "$live" ] || fail "live was not restarted"
same "its last exit" "$(field live '"\(.last_exit.kind) \(.last_exit.signal) \(.restarts >= 1)"')" "probe SIGTERM true"
seq=$(last_seq)
touch "$DIR/alive.not"
await_events 1 ".seq > $seq and .event == \"state\" and .to == \"backoff\"" alive >"$DIR/ended.json"
same "why that ended" "$(jq -r .cause.kind "$DIR/ended.json")" probe
rm "$DIR/alive.not"
wait_for up alive
effd_stop
