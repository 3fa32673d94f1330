#!/bin/bash
# SPDX-License-Identifier: MIT
# A child runs on the terms that its unit says, and on no others; a term that cannot be granted ends the start with its name.
. "${0%/*}/lib.sh"
compile world family

world_of() { ctl --json logs "$1" | jq -r .text; }
plain= # The world of a unit that asks for nothing: another one differs in what it asked for, and in nothing else.
differs() { # UNIT DIFFERENCE, in lines of diff's
	local got
	got=$(diff <(echo "$plain") <(world_of "$1") | grep '^[<>]' || true)
	same "what is different for $1" "$(grep '^>' <<<"$got" | cut -c 3-)" "$2"
}
end_of() { field "$1" '"\(.last_exit.kind) \(.last_exit.text)"'; }

ulimit -S -n 512
hard=$(ulimit -H -n)
core=$(ulimit -H -c)
[ "$core" != unlimited ] || core=-1
effd_start <<TREE
version: 1
defaults: {type: oneshot, log: {stdout: ring}, restart: no}
units:
  plain: {command: $DIR/bin/world}
  limited:
    command: $DIR/bin/world
    limits: {nofile: 100, cpu: 1h, fsize: {soft: 64MiB}, stack: {soft: 4MiB, hard: 16MiB}, nproc: {hard: 4000}}
  above:
    command: $DIR/bin/world
    limits: {nofile: {soft: 400}}
  low: {command: $DIR/bin/world, limits: {nofile: {hard: 64}}}
TREE
plain=$(world_of plain)
matches "the plain one's limits" "$plain" "^limit nofile 512 $hard\$"
fsize=$(sed -n 's/^limit fsize .* //p' <<<"$plain")
differs limited "limit cpu 3600 3600
limit fsize $((64 << 20)) $fsize
limit nofile 100 100
limit nproc $(awk '/^limit nproc/ { print ($3 == -1 || $3 > 4000) ? 4000 : $3 }' <<<"$plain") 4000
limit stack $((4 << 20)) $((16 << 20))"
differs above "limit nofile 400 $hard"
differs low "limit nofile 64 64"

# What effd may not grant is refused before anything starts, or is the cause of the end.
sed -i "s/nofile: {soft: 400}/nofile: {soft: 500}/" "$TREE"
same "what a change of a limit does" "$(ctl --json plan | jq -c '.changes[] | [.unit, .action, .fields]')" \
	'["above","restart",["limits.nofile"]]'
expect_exit 0 ctl show above
matches "what is shown" "$OUT" "nofile"
sed -i "s/nofile: {soft: 500}/nofile: {soft: $((hard + 1))}/" "$TREE"
if [ "$(id -u)" -eq 0 ]; then
	expect_exit 0 ctl reload
	wait_for failed above
	same "one above the hard limit" "$(end_of above)" "exec_error rlimit: EINVAL (Invalid argument): nofile"
else
	expect_exit 1 ctl reload
	matches "the refusal" "$ERR" "E220.*only root may raise .limits.nofile. above the hard limit"
fi
effd_stop
