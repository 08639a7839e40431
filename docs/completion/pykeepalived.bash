# bash completion of pykeepalived; made by python -m pykeepalived.config.generate
_pykeepalived() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} earlier=
    [ "$COMP_CWORD" -ge 2 ] && earlier=${COMP_WORDS[COMP_CWORD - 2]}
    if [ "$word" = = ]; then word=; fi
    if [ "$before" = = ]; then before=$earlier; fi
    COMPREPLY=()
    case $before in
        --explain) COMPREPLY=($(compgen -W "$(pykeepalived --list-keywords 2>/dev/null | cut -f1 | grep -v '[<$~@]')" -- "$word")); return ;;
        --format) COMPREPLY=($(compgen -W 'text json' -- "$word")); return ;;
        --signum) COMPREPLY=($(compgen -W 'RELOAD STOP DATA STATS JSON STATS_CLEAR TDUMP' -- "$word")); return ;;
        --bfd_pid|--checkers_pid|--config-test|--diff|--log-file|--peer|--pid|--use-file|--vrrp_pid|-f|-p|-r|-c|-b) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    if [ "$earlier" = --diff ]; then
        COMPREPLY=($(compgen -f -- "$word"))
        return
    fi
    COMPREPLY=($(compgen -W '--use-file --config-test --config-id --all-config --explain --list-keywords --no-lint --peer --resolved --diff --format --dont-fork --vrrp --check --all --dont-respawn --dont-release-vrrp --dont-release-ipvs --release-vips --ignore-sigint --log-console --log-detail --no-syslog --log-facility --dump-conf --address-monitoring --log-file --flush-log-file --pid --vrrp_pid --checkers_pid --bfd_pid --umask --namespace --signum --snmp --snmp-agent-socket --core-dump --core-dump-pattern --perf --no-mem-check --debug --version --help -f -t -i -e -n -P -C -R -V -I -X -l -D -G -S -d -a -g -p -r -c -b -u -s -x -A -m -M -v -h' -- "$word"))
}
complete -o filenames -F _pykeepalived pykeepalived
