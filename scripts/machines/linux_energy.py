#!/usr/bin/env python3
"""Adds to the recorded Linux machines of the tests what they answer about their energy: crates/testkit/machines/*.

The forms are the kernel's (Documentation/power/powercap/powercap.rst, ABI/testing/sysfs-class-power, proc(5)); the RAPL
values are those of an Intel laptop that Alumet's tests publish. Who may read them is as distributions set it since Linux
5.10: root alone, unless somebody arranged it otherwise. Run it from the root of the repository, as often as you like:

    python3 scripts/machines/linux_energy.py
"""

import json
import pathlib

FOLDER = pathlib.Path("crates/testkit/machines")
POWERCAP = "/sys/class/powercap"
SUPPLIES = "/sys/class/power_supply"
DENIED = {"unanswered": "denied"}


def stat(threads, busy=(212345, 1312, 98765), idle=4321000):
    """`/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice in ticks."""
    user, nice, system = busy
    row = f"{user} {nice} {system} {idle} 2301 0 812 0 0 0"
    share = f"{user // threads} {nice // threads} {system // threads} {idle // threads} 12 0 4 0 0 0"
    return [f"cpu  {row}", *(f"cpu{thread} {share}" for thread in range(threads)), "ctxt 123456789", "btime 1763000000"]


class Machine:
    def __init__(self, name):
        self.path = FOLDER / f"{name}.puma-host"
        self.kept = json.loads(self.path.read_text())

    def file(self, path, text):
        self.kept.setdefault("files", {})[path] = text

    def folder(self, path, names):
        self.kept.setdefault("folders", {})[path] = names

    def zone(self, zone, name, energy, microjoules_range=262143328850):
        """A zone of RAPL; `energy` in microjoules, or why it cannot be read."""
        for file, text in [("name", name), ("energy_uj", energy), ("max_energy_range_uj", microjoules_range)]:
            self.file(f"{POWERCAP}/{zone}/{file}", text if isinstance(text, dict) else [str(text)])

    def perf_denied(self, level):
        self.kept.setdefault("native", {})["perf energy"] = DENIED
        self.file("/proc/sys/kernel/perf_event_paranoid", [str(level)])

    def write(self):
        for part in ("files", "folders", "native"):
            if part in self.kept:
                self.kept[part] = dict(sorted(self.kept[part].items()))
        self.path.write_text(json.dumps(self.kept, indent=2, ensure_ascii=False) + "\n")


def laptop():
    """Running on its battery; counters as the distribution leaves them."""
    machine = Machine("laptop-intel-8gb")
    machine.folder(POWERCAP, ["dtpm", "intel-rapl", "intel-rapl:0", "intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:1"])
    for zone, name in [("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl:0:1", "uncore"),
                       ("intel-rapl:1", "psys")]:
        machine.zone(zone, name, DENIED)
    machine.perf_denied(4)
    machine.folder(SUPPLIES, ["AC", "BAT0"])
    machine.file(f"{SUPPLIES}/AC/type", ["Mains"])
    for file, text in [("type", "Battery"), ("status", "Discharging"), ("power_now", "9870000"),
                       ("voltage_now", "11551000")]:
        machine.file(f"{SUPPLIES}/BAT0/{file}", [text])
    machine.file("/proc/stat", stat(12))
    machine.write()


def desktop():
    """AMD publishes its counters under Intel's names; a udev rule lets the user read them."""
    machine = Machine("desktop-amd-zen")
    machine.folder(POWERCAP, ["intel-rapl", "intel-rapl:0", "intel-rapl:0:0"])
    machine.zone("intel-rapl:0", "package-0", 124599532281, 65532610987)
    machine.zone("intel-rapl:0:0", "core", 23893449269, 65532610987)
    machine.file("/proc/stat", stat(16))
    machine.write()


def server():
    """Two sockets with their memory; run with cap_dac_read_search."""
    machine = Machine("server-xeon-two-sockets")
    machine.folder(POWERCAP, ["intel-rapl", "intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1", "intel-rapl:1:0"])
    machine.zone("intel-rapl:0", "package-0", 124599532281)
    machine.zone("intel-rapl:0:0", "dram", 182178908522, 65712999613)
    machine.zone("intel-rapl:1", "package-1", 98221002411)
    machine.zone("intel-rapl:1:0", "dram", 61778908522, 65712999613)
    machine.file("/proc/stat", stat(48))
    machine.write()


def container():
    """Docker masks /sys/devices/virtual/powercap, so that the links of /sys/class/powercap lead nowhere."""
    machine = Machine("docker-linux")
    machine.folder(POWERCAP, ["intel-rapl", "intel-rapl:0", "intel-rapl:0:0"])
    machine.perf_denied(2)
    machine.file("/proc/stat", stat(16))
    machine.write()


def without_counters():
    """Virtual machines, pods and boards: the kernel has no counter to show."""
    for name, threads in [
        ("asahi-m1", 8), ("colima-m2", 4), ("docker-desktop-m1-old", 4), ("docker-desktop-m3", 8),
        ("docker-desktop-rosetta", 8), ("krunkit-m1", 4), ("kubernetes-pod-4gb", 8), ("lxc-proxmox", 4), ("orbstack", 10),
        ("podman-rootless", 8), ("raspberry-pi-5", 4), ("server-arm-two-sockets", 64), ("wsl2", 20),
    ]:
        machine = Machine(name)
        machine.file("/proc/stat", stat(threads))
        machine.write()
    sandbox = Machine("gvisor")
    sandbox.file("/proc/stat", ["cpu  0 0 0 0 0 0 0 0 0 0", "cpu0 0 0 0 0 0 0 0 0 0 0", "cpu1 0 0 0 0 0 0 0 0 0 0"])
    sandbox.write()


laptop()
desktop()
server()
container()
without_counters()
