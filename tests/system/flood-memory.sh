#!/bin/bash
# SPDX-License-Identifier: MIT
# What waited beside log files while many units wrote much at once is given back when they are silent: then effd has as much as
# if they had written to their rings alone.
. "${0%/*}/lib.sh"
if ldd "$BUILD/effd" | grep -q asan; then skip "a sanitizer keeps what is freed"; fi
compile family
more_kib=4096
mkfifo "$DIR/go"
exec {go}<>"$DIR/go"

memory() { awk '/^RssAnon:/ { print $2 }' "/proc/$EFFD/status"; }
# The word of `family` comes last.
all_written() { [ "$(ctl logs -n 1 'u*' | grep -c complete)" -eq 150 ]; }
flood() { # TARGET
	effd_start <<TREE
version: 1
daemon: {log_dir: $DIR/logs}
units:
$(seq -f "  u%.0f: {shell: 'read go <$DIR/go; yes aaaaaaaaaaaaaaaaaaaaa | head -c 3000000; exec $DIR/bin/family', log: {stdout: $1}}" 150)
TREE
	seq 150 >&"$go"
	eventually all_written
}
flood ring
alone=$(memory)
effd_stop
flood file
echo "with rings alone $alone KiB, with files $(memory) KiB at their end"
as_before() { [ "$(memory)" -le $((alone + more_kib)) ]; }
eventually as_before
effd_stop
