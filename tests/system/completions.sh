#!/bin/bash
# SPDX-License-Identifier: MIT
# What the shells complete: commands, their options, the states to wait for, and the units of an effd that runs, at the
# socket that was typed. bash always, zsh and fish where they are.
. "${0%/*}/lib.sh"
PATH=$BUILD:$PATH
effd_start <<TREE
version: 1
units:
  web: {command: [/bin/sleep, "1000000"]}
  well: {command: [/bin/sleep, "1000000"]}
  workers: {units: {index: {command: [/bin/sleep, "1000000"]}}}
  fetch: {command: [/bin/sleep, "1000000"], replicas: 2}
  jobs: {units: {pool: {strategy: simple_one_for_one, template: {command: [/bin/sleep, "1000000"]}}}}
TREE
touch a-file.yaml

# ── bash ──

. "$BUILD/completions/bash/effctl"
. "$BUILD/completions/bash/effd"
# What bash makes of a line that ends at the cursor: it splits at blanks, at = and at @.
in_bash() { # LINE
	local words line
	trap - ERR
	set +e
	line=${1//=/ = }
	read -ra words <<<"${line//@/ @ }"
	[[ $1 != *\  ]] || words+=("")
	COMP_WORDS=("${words[@]}")
	COMP_CWORD=$((${#words[@]} - 1))
	COMPREPLY=()
	"_${words[0]}"
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' ' -
}
completes() { # LINE WANTED
	same "bash completes <$1>" "$(in_bash "$1")" "$2"
}
completes "effctl st" "start status stop"
completes "effctl --j" "--json"
completes "effctl --json ping -" "--help --json --socket --timeout -h -s"
completes "effctl stop --n" "--no-wait --now"
completes "effctl wait --for s" "starting stopping"
completes "effctl wait --for=u" "up"
completes "effctl --socket ./a" "./a-file.yaml"
completes "effctl check a" "a-file.yaml"
completes "effctl import s" "supervisord systemd"
completes "effctl import compose a" "a-file.yaml"
completes "effctl -s $SOCKET add " "jobs/pool"
completes "effctl -s $SOCKET add jobs/pool a-" "a-file.yaml"
completes "effctl help ex" "explain"
completes "effctl -s $SOCKET restart we" "web well"
completes "effctl --socket=$SOCKET logs -f web work" "workers workers/index"
completes "effctl -s $SOCKET explain web " ""
completes "effctl -s $SOCKET restart fe" "fetch fetch@1 fetch@2"
completes "effctl -s $SOCKET restart fetch@" "1 2"
completes "effctl -s $SOCKET logs fetch@1 fetch@2" "2"
completes "effctl -s $SOCKET logs fetch@1 we" "web well"
completes "effctl -s $SOCKET signal US" "USR1 USR2"
completes "effctl -s $SOCKET signal SIGUS" "SIGUSR1 SIGUSR2"
completes "effctl -s $SOCKET signal J" ""
completes "effctl -s $SOCKET signal HUP wel" "well"
completes "effctl -s $DIR/nobody.sock stop we" ""
EFFD_SOCKET=$SOCKET completes "effctl stop wel" "well"
completes "effctl ping we" ""
completes "effd --log-level d" "debug"
completes "effd --log-level=w" "warn"
completes "effd -c a" "a-file.yaml"
completes "effd --so" "--socket"
# Every command of effctl is there, and every option of each.
for command in $("$BUILD/effctl" --help | awk '/^commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'); do
	[[ " $(in_bash "effctl ") " == *" $command "* ]] || fail "bash does not complete $command"
	wanted=$("$BUILD/effctl" help "$command" | grep -oE '^ +(-.,)? +--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort | paste -sd ' ' -)
	completes "effctl $command --" "$wanted"
done
# One that hangs keeps nobody waiting for long.
kill -STOP "$EFFD"
completes "effctl -s $SOCKET stop we" ""
kill -CONT "$EFFD"

# ── fish ──

in_fish() { # LINE
	XDG_CONFIG_HOME=$DIR XDG_DATA_HOME=$DIR HOME=$DIR fish --no-config -c "
		source $BUILD/completions/fish/effctl.fish
		source $BUILD/completions/fish/effd.fish
		complete -C '$1'" | cut -f 1 | sort | paste -sd ' ' -
}
if command -v fish >/dev/null; then
	same "fish completes a command" "$(in_fish "effctl st")" "start status stop"
	same "fish completes an option" "$(in_fish "effctl stop --no")" "--no-wait --now"
	same "fish completes a state" "$(in_fish "effctl wait --for s")" "starting stopping"
	same "fish completes units" "$(in_fish "effctl -s $SOCKET restart we")" "web well"
	same "fish completes replicas" "$(in_fish "effctl -s $SOCKET restart fetch")" "fetch fetch@1 fetch@2"
	same "fish completes units of another socket" "$(in_fish "effctl --socket=$DIR/nobody.sock restart we")" ""
	same "fish completes what can be added to" "$(in_fish "effctl -s $SOCKET add jo")" "jobs/pool"
	same "fish completes what is imported" "$(in_fish "effctl import super")" "supervisord"
	same "fish completes a signal" "$(in_fish "effctl signal USR")" "USR1 USR2"
	same "fish completes a level" "$(in_fish "effd --log-level d")" "debug"
	same "fish completes a tree" "$(in_fish "effd -c a-")" "a-file.yaml"
fi

# ── zsh ──

# Type a line and a tab into a zsh, and see what is on the line then: `say`, which is put before it, tells.
in_zsh() { # LINE
	cat >zsh.script <<'Z'
zmodload zsh/zpty
zpty z TERM=dumb zsh -f -i
zpty -w z "PS1=; PS2=; unsetopt prompt_sp beep; fpath=($BUILD/completions/zsh \$fpath)"
zpty -w z 'autoload -U compinit; compinit -u -D; say() { print -r -- "<$*>"; }; bindkey -e; print re""ady'
zpty -r -m z line '*ready*' || exit 1
zpty -w -n z "$LINE"$'\t'
zpty -w z $'\x01say '
zpty -r -m z line '*<*>*' || exit 1
line=${line##*\<}
print -r -- "${line%%\>*}"
zpty -d z
Z
	LINE=$1 HOME=$DIR ZDOTDIR=$DIR timeout "$limit" zsh -f zsh.script </dev/null
}
zsh_completes() { # LINE WANTED
	same "zsh completes <$1>" "$(in_zsh "$1")" "$2"
}
if command -v zsh >/dev/null; then
	zsh_completes "effctl expl" "effctl explain"
	zsh_completes "effctl stop --no-" "effctl stop --no-wait"
	zsh_completes "effctl wait --for bac" "effctl wait --for backoff"
	zsh_completes "effctl wait --for=bac" "effctl wait --for=backoff"
	zsh_completes "effctl -s $SOCKET restart wel" "effctl -s $SOCKET restart well"
	zsh_completes "effctl -s $SOCKET restart fetch@2" "effctl -s $SOCKET restart fetch@2"
	zsh_completes "effctl --socket=$SOCKET restart web wel" "effctl --socket=$SOCKET restart web well"
	zsh_completes "effctl restart wel" "effctl restart wel"
	zsh_completes "effctl -s $SOCKET add jo" "effctl -s $SOCKET add jobs/pool"
	zsh_completes "effctl -s $SOCKET add jobs/pool a-f" "effctl -s $SOCKET add jobs/pool a-file.yaml"
	zsh_completes "effctl import superv" "effctl import supervisord"
	zsh_completes "effctl import compose a-" "effctl import compose a-file.yaml"
	zsh_completes "effctl signal HUP" "effctl signal HUP"
	zsh_completes "effd --log-level deb" "effd --log-level debug"
	zsh_completes "effd -c a-f" "effd -c a-file.yaml"
fi
effd_stop
