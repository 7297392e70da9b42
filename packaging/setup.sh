# Shared by demo.sh and test.sh: what a fresh Debian machine lacks is installed, and said. Sourced.

say() { printf '==> %s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Administrators' programs (mke2fs, losetup) are not on everybody's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en

# need_packages PROGRAM=PACKAGE…: installs the packages whose programs are missing, all at once.
need_packages() {
  missing=
  for pair in "$@"; do
    command -v "${pair%%=*}" > /dev/null || missing="$missing ${pair#*=}"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    say "missing, and not installed without root and apt:$missing"
    return 0
  fi
  say "apt-get install$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -q --no-install-recommends $missing > /dev/null 2>&1 \
    || { apt-get update -q > /dev/null && apt-get install -y -q --no-install-recommends $missing > /dev/null; } \
    || fail "apt-get could not install:$missing"
}

need_dotnet() {
  command -v dotnet > /dev/null || fail 'the .NET SDK 10 is missing: https://learn.microsoft.com/dotnet/core/install/linux-debian'
  dotnet --version > /dev/null 2>&1 || fail "no .NET SDK that global.json accepts: $(dotnet --version 2>&1 | head -n 3)"
}

# quietly COMMAND…: shows what it says only if it fails.
quietly() {
  said=$("$@" 2>&1) || { printf '%s\n' "$said" >&2; fail "failed: $*"; }
}

is_x64() { [ "$(uname -m)" = x86_64 ]; }

# publish FOLDER [OPTION…]: the program as it is installed, compiled beforehand where NuGet has the compiler for that (Crossgen2, of the same version as the SDK).
publish() {
  folder=$1
  shift
  if is_x64 && said=$(dotnet restore Fuse4fs -r linux-x64 --locked-mode 2>&1); then
    quietly dotnet publish Fuse4fs -c Release -r linux-x64 --no-restore -o "$folder" "$@"
  else
    say 'no Crossgen2 from NuGet for this SDK and machine: the program will be compiled whenever it starts, and a mount takes half as long again'
    if is_x64; then printf '%s\n' "$said" | grep error | head -n 1 >&2 || true; fi
    quietly dotnet publish Fuse4fs -c Release -o "$folder" -p:RestoreLockedMode=true "$@"
  fi
}

# publish_native FOLDER: the program as machine code that needs no runtime; false where NuGet has not what it takes. .NET 9's compiler does it, for that of .NET 10
# (Microsoft.NETCore.App.Runtime.NativeAOT) is not everywhere. Its own folder for what is made on the way: ours is for .NET 10.
publish_native() {
  is_x64 || return 1
  native=$(mktemp -d)
  set -- "$1" -r linux-x64 -p:Fuse4fsFramework=net9.0 -p:PublishAot=true -p:PublishReadyToRun=false -p:GenerateDocumentationFile=false "-p:NuGetLockFilePath=$native/lock.json" --artifacts-path "$native"
  folder=$1
  shift
  if dotnet restore Fuse4fs "$@" > /dev/null 2>&1; then
    quietly dotnet publish Fuse4fs -c Release --no-restore -o "$folder" "$@"
    rm -rf "$native"
  else
    rm -rf "$native"
    return 1
  fi
}

# need_fuse: the device, loading the module where that is possible.
need_fuse() {
  [ -e /dev/fuse ] || modprobe fuse 2> /dev/null || true
  [ -e /dev/fuse ]
}
