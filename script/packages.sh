# Debian packages for the other scripts, which read this file. Nothing here starts, enables or leaves a service: what
# would bring one is only unpacked, into .lab/ of the checkout.

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo > /dev/null; then sudo "$@"
    else fail "this needs root, and there is no sudo: $*"
    fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" < /dev/null; }

refresh_package_lists() {
    [ -z "${package_lists_fresh:-}" ] || return 0
    apt update > /dev/null || fail "apt-get update failed"
    package_lists_fresh=yes
}

# need_packages NAME...: install those that are missing, without what they merely recommend.
need_packages() {
    missing=
    for name in "$@"; do
        case "$(dpkg-query -W -f '${Status}' "$name" 2> /dev/null)" in
            *' installed') ;;
            *) missing="$missing $name" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    command -v apt-get > /dev/null || fail "not a Debian system; it needs the like of:$missing"
    say "installing:$missing"
    refresh_package_lists
    # shellcheck disable=SC2086
    apt install --no-install-recommends $missing > /dev/null || fail "apt-get install failed:$missing"
}

# unpack_program PROGRAM PACKAGE...: make .lab/bin/PROGRAM from packages that are not installed, unless the machine has it.
unpack_program() {
    program=$1
    shift
    for folder in "$root/.lab/bin" /usr/local/sbin /usr/sbin /sbin /usr/bin /bin; do
        [ ! -x "$folder/$program" ] || return 0
    done
    say "unpacking $program into .lab/"
    mkdir -p "$root/.lab/bin" "$root/.lab/packages" "$root/.lab/root"
    for name in "$@"; do
        [ ! -e "$root/.lab/packages/$name" ] || continue
        download=$(mktemp -d)
        ( cd "$download" && apt-get -q -o APT::Sandbox::User=root download "$name" ) > /dev/null 2>&1 || {
            refresh_package_lists
            ( cd "$download" && apt-get -q -o APT::Sandbox::User=root download "$name" ) > /dev/null ||
                fail "cannot download the package $name"
        }
        dpkg -x "$download"/*.deb "$root/.lab/root"
        rm -rf "$download"
        touch "$root/.lab/packages/$name"
    done
    libraries=
    for folder in "$root"/.lab/root/usr/lib/*-linux-gnu* "$root"/.lab/root/lib/*-linux-gnu* "$root"/.lab/root/usr/lib/*-linux-gnu*/frr; do
        [ ! -d "$folder" ] || libraries=$libraries:$folder
    done
    for folder in usr/sbin sbin usr/bin bin; do
        file=$root/.lab/root/$folder/$program
        [ -x "$file" ] || continue
        # shellcheck disable=SC2016
        printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' \
            "${libraries#:}" "$file" > "$root/.lab/bin/$program"
        chmod 755 "$root/.lab/bin/$program"
        return 0
    done
    fail "the packages $* do not hold $program"
}

unpack_keepalived() {
    unpack_program keepalived keepalived libsnmp40 libsensors5 libglib2.0-0 libmnl0 libnftnl11 libnl-3-200 \
        libnl-genl-3-200 libpcre2-8-0 libpci3 libwrap0
}
unpack_ipvsadm() { unpack_program ipvsadm ipvsadm libnl-3-200 libnl-genl-3-200 libpopt0; }
unpack_msmtpd() { unpack_program msmtpd msmtp-mta libsecret-1-0 libglib2.0-0; }
unpack_frr() {
    unpack_program vtysh frr libyang2 libc-ares2 libjson-c5 libcap2 libpcre2-8-0 libelf1 libprotobuf-c1 libreadline8
    for program in zebra vrrpd; do
        [ -e "$root/.lab/bin/$program" ] || sed "s,[^ ]*/vtysh ,$root/.lab/root/usr/lib/frr/$program ," \
            "$root/.lab/bin/vtysh" > "$root/.lab/bin/$program"
        chmod 755 "$root/.lab/bin/$program"
    done
}
unpack_haproxy() { unpack_program haproxy haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1; }
unpack_nsd() { unpack_program nsd nsd libevent-2.1-7 libfstrm0 libprotobuf-c1 libssl3; }
unpack_nginx() { unpack_program nginx nginx libpcre2-8-0; }

# The lab: a kernel that runs as a process, and what its first process and the hosts in it need.
lab_packages() { need_packages user-mode-linux kmod iproute2 procps util-linux tcpdump; unpack_ipvsadm; unpack_nginx; }
