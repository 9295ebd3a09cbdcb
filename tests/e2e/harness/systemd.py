"""A real systemd, in namespaces of its own: it sees a copy of this machine's files, in which everything may be changed, and
a control group of its own. Needs root. It shares the network, so that a test reaches what it starts."""

import os
import shutil
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path

from .poll import eventually

SYSTEMD = Path("/lib/systemd/systemd")
UNITS = Path("/lib/systemd/system")
# Those that a service without a word on it depends on, and what ends the manager.
TARGETS = "sysinit basic sockets multi-user network-online network paths slices timers local-fs swap umount shutdown final exit"

# $1: where its root is to be, $2: a folder of the test's that it sees as /run/test, $3: the binary under test
ENTER = """
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
root=$1/root
mount -t proc proc "$root/proc"
mount -o bind,ro "$root/proc/sys" "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"  # PrivateDevices= takes them over
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for folder in run tmp var/log; do mount -t tmpfs -o mode=1755 tmpfs "$root/$folder"; done
mkdir "$root/run/test"
mount --bind "$2" "$root/run/test"
rm -rf "$root"/etc/systemd/system/* "$root/etc/weir" "$root/etc/default/weir"
cp -r "$2"/files/* "$root/"
touch "$root/usr/bin/weir"
mount --bind "$3" "$root/usr/bin/weir"
chroot "$root" systemd-sysusers /usr/lib/sysusers.d/weir.conf
cd /
exec chroot "$root" env -i container=test PATH=/usr/sbin:/usr/bin SYSTEMD_UNIT_PATH=/run/test/units \
    SYSTEMD_GENERATOR_PATH=/run/test/none /lib/systemd/systemd --system --unit=multi-user.target \
    --log-target=console --show-status=0
"""


class Unavailable(Exception):
    """This machine does not let us."""


class Systemd:
    """`files` is a folder that is laid over the root; units stand in `folder`/units and may be changed at run time."""

    def __init__(self, folder, binary):
        self.folder = folder
        self.units = folder / "units"
        self.log = folder / "systemd.log"
        self._group = control_group()
        self._popen = None
        try:
            self._start(binary)
        except BaseException:
            self.close()
            raise

    def _start(self, binary):
        if os.geteuid() != 0 or not SYSTEMD.exists():
            raise Unavailable("it takes root and Debian's package systemd")
        try:
            self._group.mkdir()
        except OSError as error:
            raise Unavailable(f"no control group can be made: {error}") from None
        for name in TARGETS.split():
            with suppress(FileNotFoundError):
                shutil.copy(UNITS / f"{name}.target", self.units)
        (self.folder / "root").mkdir()
        (self.folder / "none").mkdir()
        script = ["bash", "-c", ENTER, "enter", self.folder / "root", self.folder, binary]
        namespaces = ["unshare", "--mount", "--uts", "--ipc", "--cgroup", "--pid", "--fork", "--kill-child"]
        join = f'echo $$ > "{self._group}/cgroup.procs" && exec "$@"'
        with self.log.open("wb") as log:
            self._popen = subprocess.Popen(
                ["bash", "-c", join, "join", *namespaces, *script],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            eventually(self._is_up, 20, "systemd is up")
        except AssertionError:
            raise Unavailable(f"systemd does not come up: {self.log.read_text()}") from None

    def _is_up(self):
        if self._popen.poll() is not None:
            raise Unavailable(self.log.read_text())
        return self.pid and "running" in self.ask("is-system-running").stdout

    @property
    def pid(self):
        """Of the manager, as it is seen from here."""
        with suppress(OSError, ValueError):
            child = int(Path(f"/proc/{self._popen.pid}/task/{self._popen.pid}/children").read_text())
            return child if Path(f"/proc/{child}/comm").read_text() == "systemd\n" else None
        return None

    def ask(self, *arguments):
        """systemctl."""
        enter = ["nsenter", "-t", self.pid, "-m", "-p", "-C", "-r", "-w"]
        return subprocess.run(
            [str(part) for part in [*enter, "systemctl", "--no-pager", *arguments]],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def do(self, *arguments):
        """systemctl, which has to do it."""
        done = self.ask(*arguments)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{self.ask('status', 'weir').stdout}"

    def show(self, name, unit="weir"):
        return self.ask("show", "-P", name, unit).stdout.strip()

    def main_process(self, unit="weir"):
        """As it is seen from here; 0 where there is none."""
        inner = self.show("MainPID", unit)
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):
                ids = [row.split()[1:] for row in status.read_text().splitlines() if row.startswith("NSpid:")]
                if ids and ids[0][1:] == [inner] and self._is_inside(int(ids[0][0])):
                    return int(ids[0][0])
        return 0

    def _is_inside(self, pid):
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(f"/proc/{self.pid}/ns/pid")

    def path(self, inside):
        """A file of its, as it is found from here."""
        return Path(f"/proc/{self.pid}/root{inside}")

    def close(self):
        """With it end all that it has started, and its files with them."""
        if self._popen:
            self._popen.kill()
            self._popen.wait(10)
        if self._group.exists():
            eventually(self._remove_group, what=f"{self._group} is gone")

    def _remove_group(self):
        folders = [Path(path) for path, _, _ in os.walk(self._group, topdown=False)]
        try:
            for folder in folders:
                folder.rmdir()
        except OSError:
            return False
        return True


def control_group():
    """One that is not there yet, in the hierarchy that systemd manages."""
    with open("/proc/mounts", encoding="ascii") as mounts:
        found = [row.split()[1] for row in mounts if row.split()[2] == "cgroup2"]
    return Path(found[0] if found else "/sys/fs/cgroup") / f"weir-test-{uuid.uuid4()}"
