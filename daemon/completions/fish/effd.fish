# fish completion for effd, made of its tables.

complete -c effd -f
@fish-options-of-effd@
complete -c effd -n 'contains -- -- (commandline -opc)' -a '(__fish_complete_subcommand)'
