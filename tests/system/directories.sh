#!/bin/bash
# SPDX-License-Identifier: MIT
# A unit's directories are there before it starts, its own, and made where nobody else can lead root astray.
. "${0%/*}/lib.sh"
own=$(id -u) user= owner=$(id -un) group=$(id -gn)
runtime=$DIR/xdg/run state=$DIR/xdg/state cache=$DIR/xdg/cache logs=$DIR/xdg/state/log
if [ "$own" -eq 0 ]; then
	need_apart
	runtime=/run state=/var/lib cache=/var/cache logs=/var/log
	for place in $runtime $state $cache $logs; do mount -t tmpfs -o mode=755 place $place; done
	user="user: nobody" owner=nobody group=$(id -gn nobody)
fi
export XDG_RUNTIME_DIR=$DIR/xdg/run XDG_STATE_HOME=$DIR/xdg/state XDG_CACHE_HOME=$DIR/xdg/cache
mkdir -p "$DIR/xdg/run"
chmod 755 "$DIR/xdg" "$DIR/xdg/run"
mkdir -p "$DIR/elsewhere" "$state"
ln -s "$DIR/elsewhere" "$state/linked"
effd_start <<TREE
version: 1
defaults: {restart: no, log: {stdout: ring}}
units:
  made:
    type: oneshot
    $user
    shell: "umask 0; for d in $runtime/a $state/a $state/b/c $cache/a $logs/a; do stat -c '%n %a %U %G' \$d && touch \$d/mine; done"
    hooks: {pre_start: [test, -d, $state/a]}
    directories: {runtime: a, state: [a, b/c], cache: [a], logs: a}
    umask: "0077"
  tight:
    type: oneshot
    command: [stat, -c, "%a", $state/tight]
    directories: {state: tight, mode: "0700"}
  linked: {type: oneshot, command: echo started, directories: {state: linked/in}}
TREE
same "the folders of made" "$(ctl --json logs made | jq -r .text)" "$(for d in "$runtime/a" "$state/a" "$state/b/c" "$cache/a" "$logs/a"; do
	echo "$d 755 $owner $group"
done)"
same "what leads to one" "$(stat -c '%a %U' "$state/b")" "755 $(id -un)"
same "one that others may not look into" "$(ctl --json logs tight | jq -r .text)" 700
same "one behind a link" "$(field linked '"\(.last_exit.kind) \(.last_exit.text)"')" \
	"exec_error directory: ELOOP (Too many levels of symbolic links): $state/linked/in"
same "where the link leads" "$(ls "$DIR/elsewhere")" ""

# Another start finds what is in them, and takes back what was changed.
touch "$state/a/kept"
chmod 700 "$state/a"
expect_exit 0 ctl restart made
same "the folder of the second run" "$(stat -c '%a %U' "$state/a")" "755 $owner"
[ -e "$state/a/kept" ] || fail "what was in the folder is gone"
if [ "$own" -eq 0 ]; then
	chmod 1777 "$state/b"
	expect_exit 1 ctl restart made
	same "one where others may write, for the hook that comes first" "$(field made .last_exit.text)" \
		"pre_start: directory: EPERM (Operation not permitted): $state/b/c"
fi
# Below /run they go with the run, when its last command has ended; what is in the others stays.
[ ! -e "$runtime/a" ] || fail "the runtime directory is there when its unit rests"
[ -e "$state/a/kept" ] || fail "what was in the folder is gone"
cat >>"$TREE" <<TREE
  serves:
    $user
    shell: 'mkdir $runtime/serves/deep; touch $runtime/serves/deep/x; exec sleep 1000000'
    directories: {runtime: serves}
    hooks: {post_stop: [sh, -c, 'ls $runtime/serves/deep']}
TREE
expect_exit 0 ctl reload
wait_for up serves
eventually test -e "$runtime/serves/deep/x"
expect_exit 0 ctl stop serves
same "what post_stop sees" "$(ctl --json logs serves | jq -r .text)" x
[ ! -e "$runtime/serves" ] || fail "the runtime directory is there after a stop"
effd_stop
