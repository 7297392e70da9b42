# shellcheck shell=dash
# What scenarios with NFS share. Sourced, after lib.sh. Server and client are in the same kernel: that a read goes to the server, both
# caches must be dropped.
server=127.0.0.1

# Beginnings that both NFS servers need.
begin_nfs() {
  modprobe -a loop nfsd nfs nfsv3 nfsv4 || not_ok 'modules'
  for folder in /export /nfs /var/lib/nfs; do mount -t tmpfs tmp $folder; done
  mkdir -p /run/rpcbind /run/ganesha /var/lib/nfs/v4recovery /var/lib/nfs/ganesha
  touch /var/lib/nfs/etab /var/lib/nfs/rmtab
  mount -t nfsd nfsd /proc/fs/nfsd
  rpcbind -f 2> /dev/null &
  wait_for 10 port 111 || not_ok 'rpcbind'
}

port() { netstat -lnt | grep -q ":$1 "; }

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
  late=$(($(cut -d . -f 1 /proc/uptime) + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ "$(cut -d . -f 1 /proc/uptime)" -lt $late ] || return 1
    sleep 0.1
  done
}

# kill_worker FOLDER: of the mount there.
kill_worker() { kill -9 "$(fuse4fs status --json "$1" | sed -n 's/.*"worker":\([0-9]*\).*/\1/p')"; }

# --- The kernel's server, as exportfs and rpc.nfsd start it. ---

# export_by_knfsd FSID FOLDER. A FUSE mount has no device to be known by, so a number must be given.
export_by_knfsd() { exportfs -o "ro,no_root_squash,no_subtree_check,insecure,fsid=$1" "$server:$2" 2> /tmp/exportfs; }

# start_knfsd first|again. Again: clients held state, and are given time (the shortest there is) to claim it.
start_knfsd() {
  rpc.mountd
  rpc.nfsd --grace-time 10 4
  [ "$1" = again ] || echo Y > /proc/fs/nfsd/v4_end_grace
}

# Without threads it holds no file; and without exports no folder.
stop_knfsd() {
  rpc.nfsd 0
  exportfs -au 2> /dev/null
  exportfs -f 2> /dev/null
  kill "$(pidof rpc.mountd)"
}

# --- NFS-Ganesha, version 4 only. ---

# start_ganesha UUID FOLDER. fsid_type keeps the device number out of the handles, for that is another one on each FUSE mount. Without NFS 4.2: there
# Ganesha 4.3 answers this kernel's READ_PLUS without data, and the client reads zeros or EIO, whatever the filesystem.
start_ganesha() {
  uuid=$(echo "$1" | tr -d -)
  cat > /tmp/ganesha.conf <<END
NFS_CORE_PARAM { Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false; }
NFSV4 { Minor_Versions = 0, 1; Graceless = true; Only_Numeric_Owners = true; RecoveryBackend = fs; RecoveryRoot = /var/lib/nfs/ganesha; }
NFS_KRB5 { Active_krb5 = false; }
EXPORT {
  Export_Id = 77; Filesystem_Id = 0x$(echo "$uuid" | cut -c 1-16).0x$(echo "$uuid" | cut -c 17-);
  Path = $2; Pseudo = $2; Protocols = 4; Transports = TCP; Access_Type = RO; Squash = No_Root_Squash; SecType = sys;
  Attr_Expiration_Time = 0; FSAL { Name = VFS; fsid_type = Major64; }
}
MDCACHE { Dir_Chunk = 0; }
END
  ganesha.nfsd -F -f /tmp/ganesha.conf -L /tmp/ganesha.log -p /tmp/ganesha.pid &
  ganesha=$!
  wait_for 60 port 2049 || not_ok "ganesha: $(tail -n 5 /tmp/ganesha.log)"
}

stop_ganesha() {
  kill -9 "$ganesha"
  wait "$ganesha" 2> /dev/null
}

# --- The client. ---

# mount_nfs VERSION EXPORT PLACE [OPTIONS]
mount_nfs() {
  mkdir -p "$3"
  timeout 30 mount.nfs "$server:$2" "$3" -o "ro,vers=$1,nolock${4:+,$4}"
}

drop_caches() { sync; echo 3 > /proc/sys/vm/drop_caches; }
