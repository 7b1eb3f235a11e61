# shellcheck shell=bash
# What the scripts need of the machine, and how it gets there. Sourced, never run: it defines functions only.
# It asks for nothing and installs nothing where everything is there already.

say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root, or says what somebody with the right to it has to run: the whole of $by_hand.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null 2>&1; then
        die "installing needs root, and there is no sudo here. As root run: $by_hand. Then try again"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        # Nobody is there to type a password.
        sudo -n "$@" || die "sudo failed, or wants a password and nobody can type it. Run: sudo $by_hand. Then try again"
    fi
}

package_manager() {
    local program
    for program in apt-get dnf apk brew; do
        if command -v "$program" >/dev/null 2>&1; then
            echo "$program"
            return
        fi
    done
    echo none
}

apt_install() {
    if [ "${apt_is_fresh:-no}" = no ]; then
        as_root apt-get -qq update || say "apt-get update failed; trying with the package lists of this machine"
        apt_is_fresh=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 NEEDRESTART_MODE=l \
        apt-get -qq -y --no-install-recommends install "$@" >&2
}

# --- What a process may have open ---------------------------------------------------------------------------------------

# Some tests hold thousands of connections, each with an end in the test and one in the server, and many a shell lets a process
# have 1024 files. What it is not allowed, the tests that need it say themselves.
allow_many_connections() {
    local now most
    now=$(ulimit -Sn) most=$(ulimit -Hn)
    # As many as in production (docs/deploy/systemd); with a billion some programs take minutes to close what they never opened.
    if [ "$most" = unlimited ] || [ "$most" -gt 65536 ]; then most=65536; fi
    if [ "$now" != unlimited ] && [ "$now" -lt "$most" ]; then
        # A Mac says unlimited and allows fewer.
        ulimit -Sn "$most" 2>/dev/null || ulimit -Sn 10240 2>/dev/null || true
    fi
}

# --- Rust -------------------------------------------------------------------------------------------------------------

ensure_rust() {
    # A fresh rustup is on no PATH until the next login.
    if ! command -v cargo >/dev/null 2>&1 && [ -x "${HOME:-/nonexistent}/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
        export PATH
    fi
    command -v cargo >/dev/null 2>&1 ||
        die "Rust is not installed: there is no cargo on the PATH. Install it as https://rustup.rs says, then try again"
    local folder=${CARGO_TARGET_DIR:-target}
    if [ -e "$folder" ] && [ ! -w "$folder" ]; then
        die "the build folder $folder belongs to another user. Build into one of your own: CARGO_TARGET_DIR=\"\$HOME/.cache/tarsify-target\" $(printf %q "$0")"
    fi
    # Whoever builds for the first time has nothing to reuse, and what would be kept for the next time takes as much room as
    # all the rest. With a folder of it from `cargo build` everything goes on as it began.
    [ -d "$folder/debug/incremental" ] || export CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"
}

ensure_rust_component() {
    local component=$1 command=$2
    if ! cargo "$command" --version >/dev/null 2>&1; then
        command -v rustup >/dev/null 2>&1 ||
            die "cargo $command is missing. Install the $component of your Rust (with rustup: rustup component add $component)"
        say "Installing $component with rustup"
        rustup component add "$component" >&2 || die "rustup could not install $component: see above"
    fi
}

# --- A C compiler: the linker of Rust, and the builder of aws-lc and zstd (which need no cmake) ------------------------

ensure_compiler() {
    # On a Mac without the developer tools cc exists, but only to say so.
    cc --version >/dev/null 2>&1 && return
    local manager
    manager=$(package_manager)
    if [ "$(uname -s)" = Darwin ]; then
        die "there is no C compiler. Run xcode-select --install, then try again"
    fi
    case $manager in
        apt-get)
            by_hand='apt-get install gcc libc6-dev'
            say "Installing a C compiler (gcc, libc6-dev) with apt-get" && apt_install gcc libc6-dev
            ;;
        dnf)
            by_hand='dnf install gcc'
            say "Installing a C compiler (gcc) with dnf" && as_root dnf -q -y install gcc >&2
            ;;
        apk)
            by_hand='apk add build-base'
            say "Installing a C compiler (build-base) with apk" && as_root apk add -q build-base >&2
            ;;
        *) die "there is no C compiler (cc) on the PATH. Install gcc or clang, then try again" ;;
    esac || die "the C compiler could not be installed: see above"
    cc --version >/dev/null 2>&1 || die "there is still no C compiler (cc) on the PATH. Install gcc or clang, then try again"
}

# --- PostgreSQL: its programs only; tarsify starts a private server of its own from them --------------------------------

# The same rule as in tarsify-local-postgres: postgres, initdb and psql, 13 or newer.
holds_postgres() {
    local folder=$1 version
    [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ] || return 1
    [ -x "$folder/psql" ] || command -v psql >/dev/null 2>&1 || return 1
    version=$("$folder/postgres" --version 2>/dev/null | sed -n 's/^.*(PostgreSQL) \([0-9][0-9]*\).*$/\1/p')
    [ -n "$version" ] && [ "$version" -ge 13 ]
}

# Where PostgreSQL's programs may be, one folder a line: that of PG_BIN first, then those on the PATH.
postgres_folders() {
    local folders
    IFS=: read -ra folders <<<"$PATH"
    [ -z "${PG_BIN:-}" ] || printf '%s\n' "$PG_BIN" "$PG_BIN/bin"
    printf '%s\n' "${folders[@]}" \
        /usr/lib/postgresql/*/bin /usr/libexec/postgresql* /usr/pgsql-*/bin \
        /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /opt/homebrew/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin
}

# Where the benchmark is that comes with PostgreSQL.
find_pgbench() {
    local folder
    while read -r folder; do
        if [ -x "$folder/pgbench" ]; then
            echo "$folder/pgbench"
            return
        fi
    done < <(postgres_folders)
    return 1
}

has_postgres() {
    local folder
    while read -r folder; do
        if holds_postgres "$folder"; then
            # Where no psql is on the PATH, that of this server is the one to use.
            command -v psql >/dev/null 2>&1 || PATH=$PATH:$folder
            return 0
        fi
    done < <(postgres_folders)
    return 1
}

# Has everything that is started from here on use the PostgreSQL that PG_BIN names: servers, psql, pgbench, pg_dump.
choose_postgres() {
    local folder
    for folder in "$PG_BIN" "$PG_BIN/bin"; do
        if holds_postgres "$folder"; then
            PG_BIN=$(CDPATH='' cd -- "$folder" && pwd)
            PATH=$PG_BIN:$PATH
            export PG_BIN PATH
            return
        fi
    done
    die "PG_BIN is $PG_BIN, but no PostgreSQL 13 or newer (postgres, initdb and psql) is there. Set it to the folder that holds them, or unset it to have them searched"
}

# Debian's package makes a cluster and starts it on port 5432, which nobody asked for: its switch is off meanwhile.
# A subshell, so that the switch is put back on every way out.
apt_install_postgres() (
    switch=/etc/postgresql-common/createcluster.conf
    apt_install postgresql-common || exit 1
    as_root cp -p "$switch" "$switch.before-tarsify" || exit 1
    trap 'as_root mv -f "$switch.before-tarsify" "$switch"' EXIT
    # shellcheck disable=SC2016 # the inner shell expands it, as root
    as_root sh -c 'echo "create_main_cluster = false" >>"$1"' sh "$switch" || exit 1
    apt_install postgresql
)

ensure_postgres() {
    if [ -n "${PG_BIN:-}" ]; then
        choose_postgres
        return
    fi
    has_postgres && return
    case $(package_manager) in
        apt-get)
            by_hand='apt-get install postgresql'
            say "Installing PostgreSQL's programs with apt-get (no server is started)" && apt_install_postgres
            ;;
        dnf)
            by_hand='dnf install postgresql-server postgresql-contrib'
            say "Installing PostgreSQL's programs with dnf" &&
                as_root dnf -q -y install postgresql-server postgresql-contrib >&2
            ;;
        apk)
            by_hand='apk add postgresql postgresql-client postgresql-contrib'
            say "Installing PostgreSQL's programs with apk" &&
                as_root apk add -q postgresql postgresql-client postgresql-contrib >&2
            ;;
        brew) say "Installing PostgreSQL's programs with brew" && brew install -q postgresql@17 >&2 ;;
        *) die "PostgreSQL's programs (13 or newer: postgres, initdb and psql) are missing, and this script knows only apt-get, dnf, apk and brew. Install them, and set PG_BIN to their folder if it is an unusual one" ;;
    esac || die "PostgreSQL could not be installed: see above. Install it yourself, and set PG_BIN to the folder with postgres and initdb if it is an unusual one"
    has_postgres || die "PostgreSQL is installed, but its programs (13 or newer: postgres, initdb and psql) were not found. Set PG_BIN to their folder"
}

# --- Redis: its program only; the tests start servers of their own from it ----------------------------------------------

# Debian's package starts a server on port 6379, which nobody asked for: what its scripts ask before that says no meanwhile,
# unless somebody has put an answer of his own there. A subshell, so that it is taken away on every way out.
apt_install_redis() (
    answer=/usr/sbin/policy-rc.d
    if [ ! -e "$answer" ]; then
        trap 'as_root rm -f "$answer"' EXIT
        # shellcheck disable=SC2016 # the inner shell expands it, as root
        as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$answer" || exit 1
    fi
    apt_install redis-server
)

ensure_redis() {
    ensure_program redis-server redis-server redis apt_install_redis
}

# --- wrk, for the load of the benchmark ----------------------------------------------------------------------------------

ensure_wrk() {
    ensure_program wrk wrk wrk 'apt_install wrk'
}

# ensure_program <program> <Debian's package> <that of others> <command that installs the first>
ensure_program() {
    local program=$1 debian=$2 package=$3 install=$4
    command -v "$program" >/dev/null 2>&1 && return
    case $(package_manager) in
        apt-get)
            by_hand="apt-get install $debian"
            # shellcheck disable=SC2086 # a command with its arguments
            say "Installing $debian with apt-get (no server is started)" && $install
            ;;
        dnf)
            by_hand="dnf install $package"
            say "Installing $package with dnf" && as_root dnf -q -y install "$package" >&2
            ;;
        apk)
            by_hand="apk add $package"
            say "Installing $package with apk" && as_root apk add -q "$package" >&2
            ;;
        brew) say "Installing $package with brew" && brew install -q "$package" >&2 ;;
        *) die "$program is missing, and this script knows only apt-get, dnf, apk and brew. Install it, and have it on the PATH" ;;
    esac || die "$package could not be installed: see above. Install $program yourself, and have it on the PATH"
    command -v "$program" >/dev/null 2>&1 || die "$package is installed, but there is no $program on the PATH"
}
