#!/bin/sh
# requirements/install.sh NAME: brings .venv in step with requirements/NAME.txt, and is quick when it is already.
# PYTHON chooses the interpreter. uv does the work where it is installed, otherwise venv and pip.
set -eu
cd "$(dirname "$0")/.."

wanted=requirements/$1.txt
installed=.venv/installed-$1.txt
python=.venv/bin/python

stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

recent() { # is this program a Python that Parley runs on?
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if recent "$candidate"; then
            base=$candidate
            if command -v uv >/dev/null 2>&1 || "$base" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
        fi
    done
    if [ -z "${base-}" ]; then
        stop "Parley needs Python 3.11 or newer, and ${PYTHON:-python3} is not: name one that is, such as: PYTHON=python3.12 make install"
    fi
    version=$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    stop "$base cannot create virtual environments: install its venv module (Debian and Ubuntu: apt-get install python$version-venv), then repeat."
}

create() {
    find_python
    mkdir .venv.new 2>/dev/null && rmdir .venv.new || stop "$PWD cannot be written to: run this as its owner, or in a copy of your own."
    echo "Creating .venv with $("$base" --version)"
    if command -v uv >/dev/null 2>&1; then
        UV_PYTHON_DOWNLOADS=never uv venv --quiet --clear --seed --python "$base" .venv
    else
        "$base" -m venv --clear .venv
    fi || stop "The virtual environment could not be created in $PWD/.venv: the lines above say why."
}

[ -f "$wanted" ] || stop "There is no $wanted."
if recent "$python"; then
    if cmp -s "$wanted" "$installed"; then exit; fi
else
    create
fi
[ -w .venv ] || stop "$PWD/.venv cannot be written to: run this as its owner, or in a copy of your own."

echo "Installing $wanted into .venv (up to a minute the first time)"
if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --require-hashes --python "$python" -r "$wanted"
else
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$wanted"
fi || stop "The packages of $wanted could not be installed: the lines above say why. Without a network, PIP_INDEX_URL can name a mirror."
cp "$wanted" "$installed"
