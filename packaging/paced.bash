# bash completion for paced. Commands and options are read from the program's own help and keys from its table, so that
# nothing here has to be kept in step with them. Needs bash alone.

_paced_words() { # WORD CANDIDATES...
    mapfile -t COMPREPLY < <(compgen -W "${*:2}" -- "$1")
}

_paced_files() { # WORD PATTERN...: folders, and files that fit a pattern
    local pattern
    compopt -o filenames
    mapfile -t COMPREPLY < <(
        compgen -d -- "$1"
        for pattern in "${@:2}"; do compgen -f -X "!$pattern" -- "$1"; done | sort -u
    )
}

_paced_keys() { # PROGRAM WORD
    compopt -o nospace
    _paced_words "$2" "$("$1" config --keys | grep -o '^[a-z]*\.[a-z_0-9]*' | sed 's/$/=/')"
}

_paced() { # PROGRAM WORD PREVIOUS
    local program=$1 word=$2 previous=$3 help usage
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _paced_words "$word" "$("$program" --help | sed -n 's/^  paced \([a-z]*\) .*/\1/p')" --help --version
        return
    fi
    help=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null) usage=${help%%$'\n'*}
    # bash takes SECTION.KEY=VALUE apart at the '=', which is a word of its own.
    [[ ${COMP_WORDS[COMP_CWORD]} == = ]] && previous="="
    case $previous in
    --set) _paced_keys "$program" "$word" && return ;;
    =) _paced_files "$word" '*' && return ;;
    --output) _paced_files "$word" && return ;;
    --weights) _paced_files "$word" '*.safetensors' '*.pth' '*.pt' && return ;;
    --count | --size | --seed | --val | --patient) return ;;
    esac
    case $word:$COMP_CWORD:$usage in
    -*) _paced_words "$word" "$(grep -o -e '--[a-z][a-z-]*' <<<"$help")" --help ;;
    *:2:*" breast|needle|scene "*) _paced_words "$word" breast needle scene ;;
    *:2:*" check CONFIG | split CONFIG "*) _paced_words "$word" check split ;;
    *" IMAGE"*) _paced_files "$word" '*.ini' '*.png' '*.jpg' '*.jpeg' ;;
    *CONFIG*) _paced_files "$word" '*.ini' ;;
    *" RUN_DIR"*) _paced_files "$word" ;;
    *) _paced_files "$word" '*' ;;
    esac
}
complete -F _paced paced
