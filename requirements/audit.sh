#!/bin/sh
# Asks PyPI for known vulnerabilities in everything that is locked. Finding one is an error. A service that does not
# answer, twice, is said aloud and passed over: that is no statement about the packages.
set -eu
cd "$(dirname "$0")/.."

audit() {
    .venv/bin/python -m pip_audit "$@" --disable-pip --require-hashes --progress-spinner off \
        --requirement requirements/mongod.txt 2>&1
}

if report=$(audit --strict || { sleep 5 && audit --strict; }); then
    printf '%s\n' "$report"
    exit
fi
# Strict stops at the first package without an answer. Without it, the answers that did come are heard.
report=$(audit) || true
case $report in
    *"Found "*" known vulnerabilit"*) ;;
    *"not found on PyPI"* | *ConnectionError* | *"Could not connect"* | *"timed out"*)
        unheard=$(printf '%s\n' "$report" | grep -c "could not be audited") || unheard=all
        echo "SKIPPED: PyPI's vulnerability service has no answer from here for $unheard of the locked packages,"
        echo "         and names none of the others as vulnerable."
        exit
        ;;
esac
printf '%s\n' "$report"
exit 1
