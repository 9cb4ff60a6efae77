#!/usr/bin/env python3
"""Writes the recorded machines with GPUs of the tests: crates/testkit/machines/gpu-*.puma-host.

Nothing here was recorded on such a machine. The forms of the answers are those of the drivers' documentation and of what
machines printed publicly; clocks, bus widths and memory sizes are the cards' own. Run it from the root of the repository:

    python3 scripts/machines/gpus.py
"""

import json
import pathlib

FOLDER = pathlib.Path("crates/testkit/machines")
MIB = 1 << 20
GIB = 1 << 30

SMI_FIELDS = (
    "index,pci.bus_id,name,driver_version,memory.total,memory.free,memory.used,power.draw,power.limit,utilization.gpu,"
    "temperature.gpu,clocks.max.memory,enforced.power.limit,vbios_version,compute_cap,mig.mode.current,addressing_mode"
)
OLD_SMI_FIELDS = ",".join(SMI_FIELDS.split(",")[:11])
FORMAT = "--format=csv,noheader,nounits"


def lines(text):
    return text.split("\n")


def x86(model, cores, threads_per_core, flags="fpu sse2 sse4_1 avx avx2 fma f16c", vendor="GenuineIntel"):
    blocks = []
    for processor in range(cores * threads_per_core):
        blocks.append(
            f"processor\t: {processor}\nvendor_id\t: {vendor}\nmodel name\t: {model}\nphysical id\t: 0\n"
            f"core id\t\t: {processor % cores}\ncpu cores\t: {cores}\nflags\t\t: {flags}\n"
        )
    return "\n".join(blocks)


def arm(parts):
    blocks = []
    for processor, part in enumerate(parts):
        blocks.append(
            f"processor\t: {processor}\nBogoMIPS\t: 2000.00\nFeatures\t: fp asimd asimddp i8mm sve\n"
            f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {part}\nCPU revision\t: 1\n"
        )
    return "\n".join(blocks)


class Machine:
    """One file: what the machine answers."""

    def __init__(self, name, description, cpuinfo, memory_kib, arch="x86_64", system="Ubuntu 24.04.3 LTS"):
        self.name = name
        processors = cpuinfo.count("processor\t:")
        self.recording = {
            "format": 1,
            "description": description + "; written from documentation",
            "os": "linux",
            "arch": arch,
            "available_parallelism": processors,
            "files": {
                "/etc/os-release": lines(f'PRETTY_NAME="{system}"\nID={system.split()[0].lower()}'),
                "/proc/cpuinfo": lines(cpuinfo.rstrip("\n")),
                "/proc/meminfo": lines(
                    f"MemTotal:       {memory_kib} kB\nMemFree:        {memory_kib // 2} kB\n"
                    f"MemAvailable:   {memory_kib * 3 // 4} kB\nSwapTotal:      0 kB\nSwapFree:       0 kB"
                ),
            },
            "folders": {},
            "commands": {},
            "native": {},
        }

    def file(self, path, text):
        self.recording["files"][path] = lines(str(text))

    def folder(self, path, names):
        self.recording["folders"][path] = sorted(names)

    def nvml(self, devices):
        counters = [
            {key: value for key, value in device.items() if key in COUNTERS}
            for device in devices
        ]
        self.recording["native"]["nvml devices"] = json.dumps(devices)
        self.recording["native"]["nvml counters"] = json.dumps(counters)

    def smi(self, answer, fields=SMI_FIELDS):
        self.recording["commands"][f"nvidia-smi --query-gpu={fields} {FORMAT}"] = answer

    def card(self, number, address, vendor, device, revision, driver, files=None, sensors=None):
        path = f"/sys/class/drm/card{number}"
        names = self.recording["folders"].get("/sys/class/drm", ["version"])
        names += [f"card{number}", f"card{number}-DP-1", f"renderD{128 + number}"]
        self.folder("/sys/class/drm", names)
        nodes = self.recording["folders"].get("/dev/dri", ["by-path"])
        self.folder("/dev/dri", nodes + [f"card{number}", f"renderD{128 + number}"])
        self.file(f"{path}/device/vendor", f"0x{vendor:04x}")
        self.file(f"{path}/device/device", f"0x{device:04x}")
        self.file(f"{path}/device/revision", f"0x{revision:02x}")
        self.file(
            f"{path}/device/uevent",
            f"DRIVER={driver}\nPCI_CLASS=30000\nPCI_ID={vendor:04X}:{device:04X}\nPCI_SLOT_NAME={address}",
        )
        for name, value in (files or {}).items():
            self.file(f"{path}/device/{name}", value)
        if sensors:
            folder = f"{path}/device/hwmon"
            self.folder(folder, ["hwmon4"])
            for name, value in sensors.items():
                self.file(f"{folder}/hwmon4/{name}", value)

    def compute_node(self, node, address, version):
        bus, device, function = int(address[5:7], 16), int(address[8:10], 16), int(address[11])
        folder = "/sys/class/kfd/kfd/topology/nodes"
        self.folder(folder, self.recording["folders"].get(folder, ["0"]) + [str(node)])
        self.file(f"{folder}/0/properties", "cpu_cores_count 16\nsimd_count 0\nlocation_id 0\ngfx_target_version 0")
        location = bus << 8 | device << 3 | function
        self.file(
            f"{folder}/{node}/properties",
            f"cpu_cores_count 0\nsimd_count 192\nlocation_id {location}\ndomain 0\ngfx_target_version {version}",
        )

    def write(self):
        recording = {key: value for key, value in self.recording.items() if value != {}}
        text = json.dumps(recording, indent=2, ensure_ascii=False) + "\n"
        (FOLDER / f"{self.name}.puma-host").write_text(text, encoding="utf-8")


COUNTERS = {
    "index", "pci_bus_id", "memory_total_bytes", "memory_free_bytes", "memory_used_bytes", "power_draw_mw", "energy_mj",
    "utilization_percent", "temperature_c", "graphics_clock_mhz", "memory_clock_mhz", "throttle_reasons",
}


def board(index, address, name, driver, capability, cores, mib, clock, width, limit_w, power_w=15.2, energy=98765432, **more):
    device = {
        "index": index,
        "pci_bus_id": address,
        "memory_total_bytes": mib * MIB if mib else None,
        "memory_free_bytes": (mib - 330) * MIB if mib else None,
        "memory_used_bytes": 330 * MIB if mib else None,
        "power_draw_mw": round(power_w * 1000) if power_w else None,
        "energy_mj": energy,
        "utilization_percent": 0,
        "temperature_c": 41,
        "graphics_clock_mhz": 300,
        "memory_clock_mhz": 405,
        "throttle_reasons": ["gpu_idle"],
        "name": name,
        "driver_version": driver,
        "compute_capability": capability,
        "cores": cores,
        "memory_bus_width_bits": width,
        "max_memory_clock_mhz": clock,
        "enforced_power_limit_mw": limit_w * 1000 if limit_w else None,
        "mig_mode": None,
        "mig_devices": [],
    }
    device.update(more)
    return device


def laptops():
    for name, clock, gbps in [("gpu-rtx2060-mobile-6gb", 7001, 14), ("gpu-rtx2060-mobile-11gbps", 5501, 11)]:
        machine = Machine(
            name,
            f"Laptop with an RTX 2060 Mobile (6 GB at {gbps} Gb/s a pin), as PUMA's reference host; the driver calls it as "
            "the desktop card",
            x86("Intel(R) Core(TM) i7-10750H CPU @ 2.60GHz", 6, 2),
            32_724_300,
            system="Ubuntu 22.04.4 LTS",
        )
        machine.nvml([
            board(0, "00000000:01:00.0", "NVIDIA GeForce RTX 2060", "535.183.01", "7.5", 1920, 6144, clock, 192, 80)
        ])
        machine.card(0, "0000:00:02.0", 0x8086, 0x9BC4, 5, "i915")
        machine.card(1, "0000:01:00.0", 0x10DE, 0x1F15, 0xA1, "nvidia")
        machine.write()


def desktops():
    machine = Machine(
        "gpu-two-rtx3090", "Workstation with two RTX 3090", x86("AMD Ryzen 9 5950X 16-Core Processor", 16, 2, vendor="AuthenticAMD"), 131_829_000
    )
    machine.nvml([
        board(index, address, "NVIDIA GeForce RTX 3090", "550.54.14", "8.6", 10496, 24576, 9751, 384, 350)
        for index, address in enumerate(["00000000:21:00.0", "00000000:4A:00.0"])
    ])
    machine.write()

    machine = Machine("gpu-rtx5090", "Desktop with an RTX 5090", x86("AMD Ryzen 7 9800X3D 8-Core Processor", 8, 2, vendor="AuthenticAMD"), 65_011_712)
    machine.nvml([board(0, "00000000:01:00.0", "NVIDIA GeForce RTX 5090", "575.57.08", "12.0", 21760, 32607, 14001, 512, 575)])
    machine.write()

    machine = Machine(
        "gpu-rtx4060-without-power", "Desktop with an RTX 4060 whose board tells neither power nor energy", x86("13th Gen Intel(R) Core(TM) i5-13400F", 10, 1), 32_700_000
    )
    machine.nvml([
        board(0, "00000000:01:00.0", "NVIDIA GeForce RTX 4060", "550.54.14", "8.9", 3072, 8188, 8501, 128, None, power_w=None, energy=None)
    ])
    machine.write()

    machine = Machine(
        "gpu-rtx3060-smi-only", "Desktop with an RTX 3060 and an older driver, where only nvidia-smi can be used", x86("Intel(R) Core(TM) i5-9600K CPU @ 3.70GHz", 6, 1), 16_300_000
    )
    refusal = {"unanswered": {"failed": 'Field "addressing_mode" is not a valid field to query.'}}
    machine.smi(refusal)
    machine.smi(
        lines("0, 00000000:01:00.0, NVIDIA GeForce RTX 3060, 470.256.02, 12288, 11800, 488, 17.21, 170.00, 3, 39\n"),
        OLD_SMI_FIELDS,
    )
    machine.recording["commands"][f"nvidia-smi --query-gpu=index,pci.bus_id,power.draw {FORMAT}"] = lines(
        "0, 00000000:01:00.0, 17.21\n"
    )
    machine.write()

    machine = Machine(
        "gpu-nvidia-mismatch", "Desktop with a GTX 1660 Ti after a driver update without a restart: nvidia-smi prints its error and ends well", x86("Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz", 6, 2), 32_700_000
    )
    machine.recording["native"]["nvml devices"] = {"unanswered": {"failed": "RM detects a driver/library version mismatch"}}
    machine.smi(lines("Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.90\n"))
    machine.folder("/proc/driver/nvidia/gpus", ["0000:01:00.0"])
    machine.file(
        "/proc/driver/nvidia/gpus/0000:01:00.0/information",
        "Model: \t\t NVIDIA GeForce GTX 1660 Ti\nIRQ:   \t\t 147\nVideo BIOS: \t 90.16.20.40.1e\nBus Type: \t PCIe\nBus Location: \t 0000:01:00.0",
    )
    machine.file(
        "/proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\nGCC version:  gcc version 12.3.0",
    )
    machine.card(0, "0000:01:00.0", 0x10DE, 0x2182, 0xA1, "nvidia")
    machine.write()

    machine = Machine(
        "gpu-wsl2-rtx4070-laptop", "Windows laptop with an RTX 4070, seen from WSL2", x86("13th Gen Intel(R) Core(TM) i7-13700H", 10, 2), 16_121_000
    )
    machine.file("/proc/sys/kernel/osrelease", "6.6.87.2-microsoft-standard-WSL2")
    machine.smi(
        lines(
            "0, 00000000:01:00.0, NVIDIA GeForce RTX 4070 Laptop GPU, 566.36, 8188, 7100, 1088, [N/A], [N/A], [N/A], 44, "
            "8001, [N/A], 95.06.18.00.51, 8.9, [N/A], None\n"
        )
    )
    machine.write()


def servers():
    machine = Machine("gpu-h200", "Server with one H200", x86("Intel(R) Xeon(R) Platinum 8480C", 8, 2), 134_217_728)
    machine.nvml([
        board(
            0, "00000000:04:00.0", "NVIDIA H200", "570.124.06", "9.0", 16896, 143771, 3201, 6144, 700, power_w=76.4, energy=8123456789, mig_mode=False
        )
    ])
    machine.write()

    machine = Machine("gpu-a100-mig", "Server with an A100 80 GB that MIG divides into three", x86("AMD EPYC 7742 64-Core Processor", 64, 2, vendor="AuthenticAMD"), 528_280_000)
    part = "NVIDIA A100-SXM4-80GB MIG "
    machine.nvml([
        board(
            0, "00000000:07:00.0", "NVIDIA A100-SXM4-80GB", "535.161.08", "8.0", 6912, 81920, 1593, 5120, 400, power_w=61.0,
            utilization_percent=None, mig_mode=True,
            mig_devices=[
                {"name": part + "3g.40gb", "memory_total_bytes": 40192 * MIB, "memory_free_bytes": 40155 * MIB},
                {"name": part + "2g.20gb", "memory_total_bytes": 19968 * MIB, "memory_free_bytes": 19950 * MIB},
                {"name": part + "1g.10gb", "memory_total_bytes": 9728 * MIB, "memory_free_bytes": 9718 * MIB},
            ],
        )
    ])
    machine.write()


def unified():
    machine = Machine("gpu-gb10-spark", "DGX Spark (GB10), whose GPU has the machine's memory", arm(["0xd85"] * 10 + ["0xd87"] * 10), 125_516_000, arch="aarch64")
    machine.nvml([
        board(0, "0000000F:01:00.0", "NVIDIA GB10", "580.95.05", "12.1", 6144, None, None, None, None, power_w=4.5, energy=None, addressing_mode="ATS")
    ])
    machine.write()

    machine = Machine("gpu-jetson-agx-orin-64gb", "Jetson AGX Orin 64 GB with JetPack 6", arm(["0xd42"] * 12), 64_349_000, arch="aarch64", system="Ubuntu 22.04.4 LTS")
    machine.file("/proc/device-tree/model", "NVIDIA Jetson AGX Orin Developer Kit\0")
    machine.file("/etc/nv_tegra_release", "# R36 (release), REVISION: 3.0, GCID: 36191598, BOARD: generic, EABI: aarch64")
    machine.smi(lines("0, [N/A], Orin (nvgpu), 540.3.0, [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], [N/A], 8.7, [N/A], [N/A]\n"))
    driver = "/sys/bus/i2c/drivers/ina3221"
    machine.folder(driver, ["1-0040", "1-0041", "bind", "uevent", "unbind"])
    rails = {
        "1-0040": [("VDD_GPU_SOC", 5020, 1024), ("VDD_CPU_CV", 5020, 651), ("VIN_SYS_5V0", 5020, 1096)],
        "1-0041": [("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 5000, 120), ("NC", 0, 0)],
    }
    for number, (chip, inputs) in enumerate(rails.items()):
        machine.folder(f"{driver}/{chip}/hwmon", [f"hwmon{number + 2}"])
        for at, (label, millivolts, milliamperes) in enumerate(inputs, start=1):
            folder = f"{driver}/{chip}/hwmon/hwmon{number + 2}"
            machine.file(f"{folder}/in{at}_label", label)
            machine.file(f"{folder}/in{at}_input", millivolts)
            machine.file(f"{folder}/curr{at}_input", milliamperes)
    machine.write()


def amd():
    machine = Machine("gpu-rx7900xtx", "Desktop with an RX 7900 XTX", x86("AMD Ryzen 7 5800X3D 8-Core Processor", 8, 2, vendor="AuthenticAMD"), 32_700_000)
    machine.card(
        1, "0000:03:00.0", 0x1002, 0x744C, 0xC8, "amdgpu",
        {"mem_info_vram_total": 25753026560, "mem_info_vram_used": 1288490188, "mem_info_gtt_total": 16741875712, "gpu_busy_percent": 2},
        {"name": "amdgpu", "power1_average": 21000000, "power1_cap": 339000000, "temp1_input": 44000, "freq1_input": 42000000},
    )
    machine.compute_node(1, "0000:03:00.0", 110000)
    machine.write()

    machine = Machine("gpu-strix-halo-128gb", "Ryzen AI Max+ 395 with 128 GB: 512 MiB cut out, 96 GiB by ttm.pages_limit=25165824", x86("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", 16, 2, vendor="AuthenticAMD"), 131_190_000)
    machine.card(
        1, "0000:c3:00.0", 0x1002, 0x1586, 0xC1, "amdgpu",
        {"mem_info_vram_total": 536870912, "mem_info_vram_used": 201326592, "mem_info_gtt_total": 103079215104, "gpu_busy_percent": 0},
        {"name": "amdgpu", "in1_label": "vddnb", "power1_input": 11024000, "temp1_input": 36000},
    )
    machine.compute_node(1, "0000:c3:00.0", 110501)
    machine.write()

    machine = Machine("gpu-ryzen-apu-and-rx7800xt", "Ryzen 9 7950X with its own small GPU beside an RX 7800 XT", x86("AMD Ryzen 9 7950X 16-Core Processor", 16, 2, vendor="AuthenticAMD"), 65_000_000)
    machine.card(
        0, "0000:0e:00.0", 0x1002, 0x164E, 0xC1, "amdgpu",
        {"mem_info_vram_total": 536870912, "mem_info_vram_used": 40000000, "mem_info_gtt_total": 33280000000, "gpu_busy_percent": 0},
        {"name": "amdgpu", "in1_label": "vddnb", "power1_input": 34000000, "temp1_input": 45000},
    )
    machine.card(
        1, "0000:03:00.0", 0x1002, 0x747E, 0xC8, "amdgpu",
        {"mem_info_vram_total": 17163091968, "mem_info_vram_used": 900000000, "mem_info_gtt_total": 33280000000, "gpu_busy_percent": 0},
        {"name": "amdgpu", "power1_average": 16000000, "power1_cap": 222000000, "temp1_input": 40000},
    )
    machine.compute_node(1, "0000:03:00.0", 110001)
    machine.compute_node(2, "0000:0e:00.0", 100306)
    machine.write()


def intel():
    machine = Machine("gpu-arc-b580", "Desktop with an Arc B580 and the processor's own graphics", x86("Intel(R) Core(TM) i5-14600K", 14, 1), 32_500_000)
    machine.card(0, "0000:00:02.0", 0x8086, 0xA780, 4, "i915")
    machine.card(
        1, "0000:03:00.0", 0x8086, 0xE20B, 0, "xe", {},
        {"name": "xe", "energy1_input": 48123456789, "energy2_input": 21123456789, "power1_max": 190000000},
    )
    machine.write()


if __name__ == "__main__":
    laptops()
    desktops()
    servers()
    unified()
    amd()
    intel()
