# Functions that read another suite of Debian and leave apt's own lists alone: . tools/platforms/apt.sh

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
