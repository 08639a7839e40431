"""Completion for bash, zsh and fish: the options, and the paths that --explain takes, asked of the command itself."""

from collections.abc import Iterator

from pykeepalived.cli.options import SECTIONS, SIGNAL_NUMBERS, Option, Value

_PATHS = "pykeepalived --list-keywords 2>/dev/null | cut -f1 | grep -v '[<$~@]'"
_FILES = frozenset(
    option.word for _, options in SECTIONS for option in options if option.metavar == "FILE" or option.word == "diff"
)
_CHOICES = {"format": "text json", "signum": " ".join(SIGNAL_NUMBERS)}


def _options() -> Iterator[Option]:
    for _, options in SECTIONS:
        yield from options


def bash() -> str:
    """docs/completion/pykeepalived.bash."""
    words = [f"--{option.word}" for option in _options()]
    words += [f"-{option.letter}" for option in _options() if option.letter]
    files = [
        *(f"--{word}" for word in sorted(_FILES)),
        *(f"-{each.letter}" for each in _options() if _takes_file(each)),
    ]
    choices = "".join(
        f"        --{word}) COMPREPLY=($(compgen -W '{values}' -- \"$word\")); return ;;\n"
        for word, values in _CHOICES.items()
    )
    return f"""# bash completion of pykeepalived; made by python -m pykeepalived.config.generate
_pykeepalived() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} earlier=
    [ "$COMP_CWORD" -ge 2 ] && earlier=${{COMP_WORDS[COMP_CWORD - 2]}}
    if [ "$word" = = ]; then word=; fi
    if [ "$before" = = ]; then before=$earlier; fi
    COMPREPLY=()
    case $before in
        --explain) COMPREPLY=($(compgen -W "$({_PATHS})" -- "$word")); return ;;
{choices}        {"|".join(files)}) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    if [ "$earlier" = --diff ]; then
        COMPREPLY=($(compgen -f -- "$word"))
        return
    fi
    COMPREPLY=($(compgen -W '{" ".join(words)}' -- "$word"))
}}
complete -o filenames -F _pykeepalived pykeepalived
"""


def _takes_file(option: Option) -> bool:
    return bool(option.letter) and option.word in _FILES and option.value is Value.REQUIRED


def zsh() -> str:
    """docs/completion/_pykeepalived."""
    lines = []
    for option in _options():
        text = option.text.replace("[", "(").replace("]", ")").replace("'", "").replace(":", "\\:")
        action = _zsh_action(option)
        if option.letter:
            lines.append(f"    '-{option.letter}[{text}]{action}' \\")
        joined = "=" if action and option.value is not Value.TWO else ""
        if option.value is Value.OPTIONAL:
            joined, action = "=-", f":{action}"
        lines.append(f"    '--{option.word}{joined}[{text}]{action}' \\")
    body = "\n".join(lines).removesuffix(" \\")
    return f"""#compdef pykeepalived
# zsh completion of pykeepalived; made by python -m pykeepalived.config.generate
_pykeepalived_paths() {{
    local -a paths
    paths=(${{(f)"$({_PATHS})"}})
    compadd -a paths
}}
_arguments -s \\
{body}
"""


def _zsh_action(option: Option) -> str:
    if option.value is Value.NONE:
        return ""
    if option.value is Value.TWO:
        return ":old file:_files:new file:_files"
    name = option.metavar.lower()
    if option.word == "explain":
        return f":{name}:_pykeepalived_paths"
    if option.word in _CHOICES:
        return f":{name}:({_CHOICES[option.word]})"
    return f":{name}:_files" if option.word in _FILES else f":{name}:"


def fish() -> str:
    """docs/completion/pykeepalived.fish."""
    lines = ["# fish completion of pykeepalived; made by python -m pykeepalived.config.generate"]
    for option in _options():
        words = ["complete -c pykeepalived"]
        if option.letter:
            words.append(f"-s {option.letter}")
        words.append(f"-l {option.word}")
        if option.word == "explain":
            words.append(f'-x -a "({_PATHS})"'.replace("$~", "\\$~"))
        elif option.word in _CHOICES:
            words.append(f"-x -a '{_CHOICES[option.word]}'")
        elif option.word in _FILES and option.value is not Value.OPTIONAL:
            words.append("-r -F")
        elif option.value is Value.REQUIRED:
            words.append("-x")
        elif option.value is Value.NONE:
            words.append("-f")
        text = option.text.replace("\\", "").replace("'", "\\'")
        lines.append(f"{' '.join(words)} -d '{text}'")
    return "\n".join(lines) + "\n"
