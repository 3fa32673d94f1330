#!/bin/bash
# SPDX-License-Identifier: MIT
# Two hundred units that end at once, again and again: each restart is counted, effd answers, and keeps no descriptor.
. "${0%/*}/lib.sh"
compile family
units=$(printf '  u%03d: {command: [sh, -c, exit 3]}\n' {1..200})
effd_start <<TREE
version: 1
units:
  calm: {command: $DIR/bin/family}
  storm:
    activate: manual
    defaults: {restart: {max_restarts: 5, backoff: {initial: 10ms, factor: 1, jitter: 50%}}}
    units:
$(sed 's/^/    /' <<<"$units")
TREE
calm=$(pid_of calm)
descriptors() { find "/proc/$EFFD/fd" -mindepth 1 | wc -l; }
storm() {
	expect_exit 0 ctl start --no-wait storm
	for _ in {1..20}; do
		expect_exit 0 ctl --json status calm
		same "calm in the storm" "$(jq -r '.units[0] | "\(.state) \(.pid)"' <<<"$OUT")" "up $calm"
	done
	wait_for failed 'storm/*'
}
# A first storm, so that what is made once has been made.
storm
ctl --json status 'storm/*' >"$DIR/status.json" || [ $? -eq 3 ]
same "nothing is lost" "$(jq -c '.units | map([.state, .starts, .restarts, .failures, .cause.kind, .cause.because.code]) | unique' "$DIR/status.json")" \
	'[["failed",6,5,5,"max_restarts",3]]'
expect_exit 0 ctl stop storm
before=$(descriptors)
storm
ctl --json status 'storm/*' >"$DIR/status.json" || [ $? -eq 3 ]
same "nothing is lost the second time" "$(jq -c '.units | map([.state, .starts, .restarts]) | unique' "$DIR/status.json")" '[["failed",12,10]]'
expect_exit 0 ctl stop storm
# The last client's connection may still be on its way out, both times.
no_more_descriptors() { [ "$(descriptors)" -le "$before" ]; }
eventually no_more_descriptors
no_zombies() { [ -z "$(awk '$3 == "Z" && $4 == '"$EFFD" /proc/[0-9]*/stat 2>/dev/null)" ]; }
eventually no_zombies
effd_stop
