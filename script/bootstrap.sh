# Sourced by script/server, script/test and script/bench: a virtual environment with the locked packages, and the
# system libraries that WeasyPrint loads. Needs nothing but Python ≥ 3.11.
set -eu

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$ROOT"
VENV="$ROOT/.venv"
LOCK="$ROOT/requirements/local.txt"

fail() { printf '%s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo -n "$@"
  else return 1
  fi
}

# install_packages "why" "apt packages" "brew packages": with the system's package manager where it may,
# otherwise one message with the exact command.
install_packages() {
  if command -v apt-get >/dev/null 2>&1; then
    printf 'Installing %s (%s)\n' "$1" "$2" >&2
    # shellcheck disable=SC2086
    if as_root apt-get update -qq >&2 && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2 >&2; then return 0; fi
    printf 'Please install %s: sudo apt-get install %s\n' "$1" "$2" >&2
  elif command -v brew >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    if brew install --quiet $3 >&2; then return 0; fi
    printf 'Please install %s: brew install %s\n' "$1" "$3" >&2
  else
    printf 'Please install %s with the package manager of this system (Debian: %s)\n' "$1" "$2" >&2
  fi
  return 1
}

find_python() {
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s' "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed. Set PYTHON to its path if it is not found."
}

make_venv() {
  python=$(find_python)
  if "$python" -c 'import venv, ensurepip' 2>/dev/null && "$python" -m venv "$VENV"; then return; fi
  # Debian ships Python without ensurepip. Any of these can fill the gap.
  rm -rf "$VENV"
  if "$python" -c 'import venv' 2>/dev/null && "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --without-pip "$VENV" && "$python" -m pip --python "$VENV/bin/python" install --quiet pip && return
  fi
  rm -rf "$VENV"
  if "$python" -m virtualenv --version >/dev/null 2>&1; then "$python" -m virtualenv --quiet "$VENV" && return; fi
  version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
  install_packages "Python's venv module" "python$version-venv" python || exit 1
  "$python" -m venv "$VENV"
}

install_locked() {
  stamp="$VENV/.installed"
  digest=$(cksum < "$LOCK")
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$digest" ]; then return; fi
  printf 'Installing the locked packages\n' >&2
  # An environment that another tool made may have no pip.
  "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$VENV/bin/python" -m ensurepip >/dev/null
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$LOCK"
  printf '%s' "$digest" > "$stamp"
}

check_libraries() {
  # Loading the PDF printer takes a second: once per installation is enough.
  checked="$VENV/.libraries"
  # Homebrew's libraries are not on the loader's path by themselves.
  if [ "$(uname)" = Darwin ] && [ -d "${HOMEBREW_PREFIX:-/opt/homebrew}/lib" ]; then
    DYLD_FALLBACK_LIBRARY_PATH="${HOMEBREW_PREFIX:-/opt/homebrew}/lib:${DYLD_FALLBACK_LIBRARY_PATH:-/usr/lib}"
    export DYLD_FALLBACK_LIBRARY_PATH
  fi
  if [ "$checked" -nt "$VENV/.installed" ]; then return; fi
  if ! "$VENV/bin/python" -W ignore -c 'import weasyprint' >/dev/null 2>&1; then
    install_packages "the libraries of the PDF printer" \
      "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" "pango" || exit 1
    "$VENV/bin/python" -W ignore -c 'import weasyprint' >/dev/null || fail "WeasyPrint still does not load, see above."
  fi
  touch "$checked"
}

[ -x "$VENV/bin/python" ] || make_venv
install_locked
check_libraries
