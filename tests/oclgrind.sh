#!/bin/sh
# oclgrind.sh PROGRAM: runs a test on the checking simulator, and fails where it found anything (an invalid access, a
# race), which alone does not change the program's status.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
oclgrind --data-races --max-errors 20 --log "$log" "$@"
status=$?
if [ -s "$log" ]; then
    cat "$log"
    status=1
fi
exit $status
