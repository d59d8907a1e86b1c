# What the scripts here share: . tools/platforms/common.sh
script=$(basename "$0" .sh)
platforms=$PWD/.platforms

fail() { if [ -s "$log" ]; then tail -n 5 "$log"; fi; echo "$script: $1"; exit 1; }

# begin FOLDER NAME: make .platforms/FOLDER for the program NAME; exit if it is set up.
begin() {
    folder=$platforms/$1 name=$2 log=$platforms/$1/log start=$(date +%s)
    if [ -x "$folder/$name" ]; then
        echo "$script: .platforms/$1/$name is set up; remove .platforms/$1 to set it up again"
        exit
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
}

# finish CODE: make the program from stdin; it is set up if it runs this Python code.
finish() {
    cat >"$folder/$name.new"
    chmod +x "$folder/$name.new"
    PYTHONPATH=$platforms/$name "$folder/$name.new" -c "$1" >"$log" 2>&1 || fail "it does not run"
    mv "$folder/$name.new" "$folder/$name"
    echo "$script: set up ${folder#"$PWD/"}/$name in $(($(date +%s) - start)) s, $(du -sm "$folder" | cut -f1) MB of disk"
}

# The rest reads another suite of Debian, and leaves apt's own lists alone.

# Print the mirror of this machine.
mirror_of_debian() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$' ||
        { echo "apt knows no mirror of Debian" >&2; return 1; }
}

# use_suite deb|deb-src SUITE FOLDER: apt-get reads this suite from now on, and writes below the folder.
use_suite() {
    mkdir -p "$3/lists/partial" "$3/archives/partial"
    echo "$1 [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror_of_debian) $2 main" >"$3/sources"
    cat >"$3/conf" <<END
Dir::Etc::sourcelist "$3/sources";
Dir::Etc::sourceparts "-";
Dir::State::lists "$3/lists";
Dir::State::status "/dev/null";
Dir::Cache "$3";
APT::Architecture "amd64";
APT::Sandbox::User "root";
END
    export APT_CONFIG="$3/conf"
    apt-get --quiet=2 update
}
