#!/bin/sh
# Set up platforms and run the library's tests on each: sh tools/platforms/run.sh [PLATFORM ...]
# Continues after a failure. `make help` says what each platform takes.
failed=''
for name in ${*:-wine-3.11 wine-3.13 i386 free-threaded linux-5.10 linux-6.1 linux-6.12 arm64 s390x}; do
    case $name in
    wine-*) script="wine.sh ${name#wine-}" python=wine/wine-python-${name#wine-} ;;
    free-threaded) script=free_threaded.sh python=$name/$name-python-3.13 ;;
    linux-*) script="kernel.sh ${name#linux-}" python=$name/$name-python-3.14 ;;
    *) script="debian.sh $name" python=$name/$name-python-3.14 ;;
    esac
    # shellcheck disable=SC2086 # A script and its argument.
    sh tools/platforms/$script && .venv/bin/python -m evidence tests --python ".platforms/$python" || failed="$failed $name"
done
[ -z "$failed" ] || { echo "platforms: failed on$failed"; exit 1; }
