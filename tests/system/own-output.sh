#!/bin/bash
# SPDX-License-Identifier: MIT
# A program of any user may open its output by name, as /dev/stdout or /dev/stderr: at first, when it is started again, and when a
# reload has given it another user.
. "${0%/*}/lib.sh"
need_root
tree() { # [FIELD]
	cat <<-TREE
		version: 1
		defaults:
		  restart: no
		units:
		  again:
		    shell: 'echo "\$(id -u) out" >/dev/stdout && echo "\$(id -u) err" >/dev/stderr && exec sleep infinity'
		    log: {stdout: ring, stderr: ring}
		    $1
		  ready: {type: notify-fd, user: "1234", shell: 'echo >/dev/fd/3 && exec sleep infinity', log: {stdout: ring}}
	TREE
}
said() { ctl --json logs again | jq -r '.stream + " " + .text' | sort | uniq -c | sed 's/^ *//'; }
is_said() { [ "$(said | sort)" = "$1" ]; }
effd_start < <(tree 'user: "1234"')
same "who opens what it has to be ready by" "$(state ready)" up
eventually is_said $'1 stderr 1234 err\n1 stdout 1234 out'
for n in 2 3 4; do
	ctl restart again >/dev/null
	eventually is_said "$n stderr 1234 err
$n stdout 1234 out"
done
tree 'user: "1235"' >"$TREE"
ctl reload >/dev/null
eventually is_said $'1 stderr 1235 err\n1 stdout 1235 out\n4 stderr 1234 err\n4 stdout 1234 out'
tree '' >"$TREE"
ctl reload >/dev/null
eventually is_said $'1 stderr 0 err\n1 stderr 1235 err\n1 stdout 0 out\n1 stdout 1235 out\n4 stderr 1234 err\n4 stdout 1234 out'
effd_stop
