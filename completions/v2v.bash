# bash completion for v2v                                        -*- shell-script -*-
# shellcheck shell=bash disable=SC2207 # words have no blanks; file names go through compopt

_v2v_options()
{
	local writing='--compress --cluster-size --threads --rate-limit --force --quiet
		--machine-readable -c -q'
	case $1 in
	migrate)
		echo "--from --to --vm --name --mode --dry-run -n --start --storage --format
			--virt-type --network --bridge --ca --root --no-guest-conversion
			--no-verify --serial-log --report --json $writing --help -h"
		;;
	inspect) echo '--vm --ca --json --help -h' ;;
	convert)
		echo "--from-format -f --to-format -O --allow-root --digests --verify --json
			$writing --help -h"
		;;
	info) echo '--from-format -f --allow-root --chain --json --help -h' ;;
	esac
}

# The values of an option, one a word; @file and @folder for names, nothing for free text.
_v2v_values()
{
	case $1 in
	--from) echo @file ;;
	--ca | --report | --serial-log | --digests) echo @file ;;
	--allow-root) echo @folder ;;
	--storage) echo @folder ;;
	--to) echo 'kvm dir: qemu:///system qemu:///session qemu:///embed?root=' ;;
	--mode) echo 'auto cold' ;;
	--format | --to-format | -O) echo 'qcow2 raw' ;;
	--from-format | -f) echo 'qcow2 raw vmdk' ;;
	--virt-type) echo 'auto kvm qemu' ;;
	--compress | -c) echo 'zlib zstd' ;;
	--vm | --name | --network | --bridge | --root | --cluster-size | --threads | --rate-limit)
		echo @text
		;;
	esac
}

_v2v()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} values

	COMPREPLY=()
	# "--mode=auto" is three words to bash.
	if [[ $word == '=' ]]; then
		word=
	elif [[ $before == '=' ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $COMP_CWORD -eq 1 ]]; then
		COMPREPLY=($(compgen -W 'migrate inspect convert info --help --version' -- "$word"))
		return
	fi
	values=$(_v2v_values "$before")
	case $values in
	@text) return ;;
	@folder)
		compopt -o filenames
		COMPREPLY=($(compgen -d -- "$word"))
		return
		;;
	'' | @file) ;;
	*)
		COMPREPLY=($(compgen -W "$values" -- "$word"))
		[[ $word != *: ]] || compopt -o nospace
		return
		;;
	esac
	if [[ -z $values && $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_v2v_options "$command")" -- "$word"))
		return
	fi
	compopt -o filenames
	COMPREPLY=($(compgen -f -- "$word"))
}

complete -F _v2v v2v
