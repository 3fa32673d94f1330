#!/bin/bash
# SPDX-License-Identifier: MIT
# A unit sees another folder as its root: program, working folder and commands beside it are in there, and there is no way out.
. "${0%/*}/lib.sh"
if [ "$(id -u)" -ne 0 ]; then
	printf 'version: 1\nunits: {a: {command: x, root_dir: /}}\n' >"$DIR/bad.yaml"
	expect_exit 78 "$BUILD/effd" --check -c "$DIR/bad.yaml"
	matches "the refusal" "$ERR$OUT" "E220.*only root may give a process another root"
	expect_exit 0 "$BUILD/effctl" check "$DIR/bad.yaml"
	matches "what is only checked" "$OUT" "W412.*only root may give a process another root"
	exit 0
fi
mkdir -p "$DIR/jail/bin" "$DIR/jail/in/side"
for program in world family; do
	${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -static -o "$DIR/jail/bin/$program" "$here/programs/$program.c" 2>/dev/null ||
		skip "needs a static C library"
done
printf '#!/bin/world\n' >"$DIR/jail/bin/script"
printf '#!/bin/sh\n' >"$DIR/jail/bin/shelled"
chmod 755 "$DIR/jail/bin/script" "$DIR/jail/bin/shelled"
ln -s / "$DIR/jail/up"
effd_start <<TREE
version: 1
defaults: {type: oneshot, root_dir: jail, log: {stdout: ring}, restart: no, env_inherit: []}
units:
  top: {command: /bin/world}
  searched: {command: world, working_dir: /in/side, environment: {PATH: "/nowhere:/bin"}}
  script: {command: /bin/script}
  up: {command: /up/up/bin/world, working_dir: /up}
  shelled: {command: /bin/shelled}
  outside: {command: $DIR/jail/bin/world}
  elsewhere: {command: /bin/world, working_dir: $DIR}
  missing: {command: /bin/world, root_dir: $DIR/missing}
  file: {command: /bin/world, root_dir: $DIR/jail/bin/world}
  hooked:
    type: exec
    command: /bin/family
    hooks: {pre_start: [/bin/world]}
    readiness_probe: {exec: {command: [/bin/world, probe]}, period: 10m}
  other:
    command: /bin/world
    user: nobody
    security: {capabilities: [CHOWN], no_new_privileges: true}
TREE
folder_of() { ctl --json logs "$1" | jq -r .text | grep '^folder' || true; }
end_of() { field "$1" '"\(.last_exit.kind) \(.last_exit.text)"'; }
same "where one is that says nothing" "$(folder_of top)" "folder /"
same "where one is that says where" "$(folder_of searched)" "folder /in/side"
same "where a script is" "$(folder_of script)" "folder /"
same "where a link to / leads" "$(folder_of up)" "folder /"
same "a script without its interpreter" "$(end_of shelled)" "exec_error exec: ENOENT (No such file or directory): /bin/shelled"
same "a program outside" "$(end_of outside)" "exec_error exec: ENOENT (No such file or directory): $DIR/jail/bin/world"
same "a folder outside" "$(end_of elsewhere)" "exec_error chdir: ENOENT (No such file or directory): $DIR"
same "a root that is not there" "$(end_of missing)" "exec_error root: ENOENT (No such file or directory): $DIR/missing"
same "a root that is a file" "$(end_of file)" "exec_error root: ENOTDIR (Not a directory): $DIR/jail/bin/world"
same "one with commands beside it" "$(state hooked)" up
same "its root" "$(readlink "/proc/$(pid_of hooked)/root")" "$DIR/jail"
uid=$(id -u nobody)
same "where a user is" "$(folder_of other)" "folder /"
matches "that user" "$(ctl --json logs other | jq -r .text)" "^uids $uid $uid $uid\$"
sed -i 's/command: \/bin\/world, root_dir: .*jail\/bin\/world/command: \/bin\/world, root_dir: \//' "$TREE"
same "what another root does" "$(ctl --json plan | jq -c '.changes[] | [.unit, .action, .fields]')" '["file","restart",["root_dir"]]'
effd_stop
