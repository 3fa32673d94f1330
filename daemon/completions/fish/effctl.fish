# fish completion for effctl, made of its tables.

function __effctl_needs_command
	not __fish_seen_subcommand_from @commands@ help
end

# Of an effd that runs and answers soon, at the socket that is typed.
function __effctl_ask
	set -l words (commandline -opc)
	set -l socket
	for i in (seq 2 (count $words))
		switch $words[$i]
			case '--socket=*'
				set socket --socket (string replace -- --socket= '' $words[$i])
			case --socket -s
				set -l next (math $i + 1)
				set -q words[$next]; and set socket --socket $words[$next]
		end
	end
	eval (string escape -- $words[1] $socket) --timeout 1s $argv[1] 2>/dev/null
end

function __effctl_units
	__effctl_ask status | awk 'NR > 1 { print $1; if (sub(/@1$/, "", $1)) print $1 }'
end

# Those that children can be added to.
function __effctl_pools
	__effctl_ask show | awk '/^[^ ]/ { unit = $1 } $1 == "strategy" && $2 == "simple_one_for_one" { print unit }'
end

function __effctl_signals
	if test (count (commandline -opc)) -le 2
		string split ' ' -- (command kill -l 2>/dev/null) | string match -r '^[A-Z][A-Z0-9]+$'
	end
end

complete -c effctl -f
@fish-options@
complete -c effctl -n __effctl_needs_command -a help -d 'say what a command does'
complete -c effctl -n '__fish_seen_subcommand_from help' -a '@commands@'
@fish-commands@
