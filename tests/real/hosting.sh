# A host of its own within this one: a journal, an sshd that keeps a list of revoked keys, accounts made and gone.
# Run as root in a mount namespace of its own (unshare -m): /run and /dev/log are seen by nobody else.
# Arguments: folder, port, programs journald and sshd.
set -eu
folder=$1 port=$2 journald=$3 sshd=$4
cd "$folder"
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/log/journal /run/sshd dev
mount -t tmpfs none dev
for node in null zero random urandom tty full ptmx; do touch "dev/$node" && mount --bind "/dev/$node" "dev/$node"; done
mkdir dev/pts dev/shm
mount --bind /dev/pts dev/pts
ln -s /run/systemd/journal/dev-log dev/log
mount --rbind dev /dev
"$journald" & journal=$!
server=
trap 'kill $journal $server 2>/dev/null || true' EXIT
for _ in $(seq 100); do [ -S /run/systemd/journal/dev-log ] && break; sleep 0.05; done

for key in host good bad; do ssh-keygen -q -t ed25519 -N '' -f "$key"; done
cat good.pub bad.pub >keys
ssh-keygen -q -k -f revoked
cat >sshd.conf <<CONF
Port $port
ListenAddress 127.0.0.1
HostKey $folder/host
AuthorizedKeysFile $folder/keys
RevokedKeys $folder/revoked
PermitRootLogin yes
PidFile none
UsePAM no
StrictModes no
LogLevel VERBOSE
CONF
"$sshd" -D -f sshd.conf & server=$!
enter() { # key, user
  ssh -F none -p "$port" -i "$1" -l "$2" -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR 127.0.0.1 true
}
for _ in $(seq 100); do enter good root 2>/dev/null && break; sleep 0.1; done
enter bad root
ssh-keygen -q -k -u -f revoked bad.pub
! enter bad root
! enter good hf-nobody
useradd hf-mallory
usermod -aG daemon hf-mallory
userdel hf-mallory
printf 'MESSAGE\n\3\0\0\0\0\0\0\0a\nb\nSYSLOG_IDENTIFIER=two-lines\nPRIORITY=3\n' >entry
python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(open("entry", "rb").read(), "/run/systemd/journal/socket")'
sleep 0.3
for form in json export short-iso short-iso-precise short; do journalctl --no-pager -o "$form" >"journal.$form"; done
