#!/bin/bash
# SPDX-License-Identifier: MIT
# What a service costs effd while it runs: a page of stack, and records beside it that are no larger than another. What it does
# before and after that, as to run a hook, takes no further page. Five hundred are compared with a thousand: what effd takes
# once, as the room for what has happened, it has taken by then. And what effd costs without any: pages of its own, and the
# libraries, each of which is some dozens of pages more: that which reads trees has gone when one is read.
. "${0%/*}/lib.sh"
compile family
most_alone_kib=340
most_resident_kib=900
libraries='ld-linux libc libcjson libev'

# Of effd's own memory, in KiB: what it shares with others is no service's.
own() { awk '/^Anonymous:/ {print $2}' "/proc/$1/smaps_rollup"; }
# All that is resident but the C library, which others are mapping too: how much of it is counted as effd's hangs on how many.
resident() {
	awk '/^[0-9a-f]+-/ {shared = $6 ~ /\/(libc|ld-linux)[^\/]*$/} /^Rss:/ && !shared {kib += $2} END {print kib}' "/proc/$1/smaps"
}
least() { # N FIELDS, into took[N]
	local pid now
	effd_start <<TREE
version: 1
units:
$(seq -f "  u%.0f: {command: [$DIR/bin/family], log: {stdout: \"null\"}$2}" "$1")
TREE
	pid=$(ctl --json version | jq -r .pid)
	grep -q '^AnonHugePages: *0 kB' "/proc/$pid/smaps_rollup" ||
		skip "a huge page is as large as hundreds of services"
	now=$(own "$pid")
	effd_stop
	[ "$now" -ge "${took[$1]:-$now}" ] || took[$1]=$now
	: "${took[$1]:=$now}"
}
# What the heap keeps of what was freed differs from time to time by some hundred KiB: the least of at most four counts.
a_service() { # WHAT MOST-BYTES FIELDS
	local -A took
	local bytes
	for _ in 1 2 3 4; do
		least 500 "$3"
		least 1000 "$3"
		bytes=$(((took[1000] - took[500]) * 1024 / 500))
		echo "$1: 500: ${took[500]} KiB, 1000: ${took[1000]} KiB; $bytes bytes a service"
		[ $bytes -gt "$2" ] || return 0
	done
	fail "$1: a service costs more than $2 bytes"
}
a_service plain 8800 ""
a_service hooked 9050 ", hooks: {pre_start: {command: [\"true\"]}}"

effd_start <<<'{version: 1, units: {}}'
pid=$(ctl --json version | jq -r .pid)
alone=$(own "$pid")
resident=$(resident "$pid")
loaded=$(sed -nE 's#.*/(lib[^/.]*|ld-[a-z]*)[^/]*\.so.*#\1#p' "/proc/$pid/maps" | sort -u | xargs)
effd_stop
echo "without a unit: $alone KiB, $resident KiB resident; $loaded"
[ "$alone" -le $most_alone_kib ] || fail "alone it takes more than $most_alone_kib KiB"
[ "$resident" -le $most_resident_kib ] || fail "alone more than $most_resident_kib KiB are resident"
[ "$loaded" = "$libraries" ] || fail "it has loaded $loaded, and not $libraries"
