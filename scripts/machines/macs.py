#!/usr/bin/env python3
"""Writes the recorded Macs of the tests: crates/testkit/machines/mac-*.puma-host.

Nothing here was recorded on a Mac. The forms of the answers, and the values marked "captured" below, are what Macs
printed publicly; the rest is filled in from Apple's specifications. Run it from the root of the repository:

    python3 scripts/machines/macs.py
"""

import json
import pathlib

FOLDER = pathlib.Path("crates/testkit/machines")
GIB = 1 << 30

# vm_stat of an M3 Pro with 18 GB: a merge of two captures; names, quotes and trailing dots are exact.
VM_STAT = """\
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                    33762.
Pages active:                                 399751.
Pages inactive:                               401894.
Pages speculative:                            172602.
Pages throttled:                                   0.
Pages wired down:                             106180.
Pages purgeable:                                5850.
"Translation faults":                     2059157267.
Pages copy-on-write:                        58902729.
Pages zero filled:                        1573609407.
Pages reactivated:                            577992.
Pages purged:                               17881481.
File-backed pages:                            647959.
Anonymous pages:                              326288.
Pages stored in compressor:                   229978.
Pages occupied by compressor:                  24572.
Decompressions:                               973775.
Compressions:                                1404319.
Pageins:                                    23222205.
Pageouts:                                      12866.
Swapins:                                           0.
Swapouts:                                          0.
"""

NO_SWAP = "total = 0.00M  used = 0.00M  free = 0.00M  (encrypted)"
SWAP = "total = 2048.00M  used = 1021.88M  free = 1026.12M  (encrypted)"
FRENCH_SWAP = "total = 2048,00M  used = 12,50M  free = 2035,50M  (encrypted)"

# IOReport's "Energy Model": CPU, DRAM and GPU as an M1 Max published them, with the channels that must not be added.
COUNTERS = [
    {"name": "EACC_CPU0", "unit": "mJ", "value": 211},
    {"name": "PACC0_CPU1", "unit": "mJ", "value": 640},
    {"name": "CPU Energy", "unit": "mJ", "value": 1701},
    {"name": "GPU SRAM0", "unit": "mJ", "value": 12},
    {"name": "GPU Energy", "unit": "nJ", "value": 9104980},
    {"name": "ANE0", "unit": "mJ", "value": 0},
    {"name": "DRAM0", "unit": "mJ", "value": 358},
]
TWO_DIES = [
    {"name": "DIE_0_CPU Energy", "unit": "mJ", "value": 1701},
    {"name": "DIE_1_CPU Energy", "unit": "mJ", "value": 1344},
    {"name": "GPU Energy", "unit": "nJ", "value": 9104980},
    {"name": "ANE0_0", "unit": "mJ", "value": 0},
    {"name": "ANE0_1", "unit": "mJ", "value": 0},
    {"name": "DRAM0_0", "unit": "mJ", "value": 358},
    {"name": "DRAM0_1", "unit": "mJ", "value": 341},
]


def vm_stat(memory_gib):
    """The capture, with its page counts scaled from 18 GB to another memory."""
    def scaled(line):
        name, _, count = line.rpartition(":")
        if not name.startswith("Pages ") or name == "Pages reactivated" or memory_gib == 18:
            return line
        number = int(count.strip().rstrip(".")) * memory_gib // 18
        return f"{name}:{number:>{len(count) - 1}}."
    first, *rest = VM_STAT.rstrip("\n").split("\n")
    return "\n".join([first, *map(scaled, rest)]) + "\n"


def lines(text):
    return text.rstrip("\n").split("\n")


def kept(answer):
    """An answer as the file keeps it: a list of lines, or why there is none."""
    return answer if isinstance(answer, dict) else lines(answer)


def ioreg(gpu_cores, gpu_class, chip):
    return (
        f"+-o AGXAccelerator{gpu_class}  <class AGXAccelerator{gpu_class}, id 0x10000039c, registered, matched, active, busy 0 (309 ms), retain 59>\n"
        "    {\n"
        '      "PerformanceStatistics" = {"In use system memory (driver)"=0,"Alloc system memory"=2181693440,'
        '"Tiler Utilization %"=30,"recoveryCount"=0,"Renderer Utilization %"=29,"Device Utilization %"=30,'
        '"In use system memory"=356089856}\n'
        f'      "model" = "{chip}"\n'
        f'      "gpu-core-count" = {gpu_cores}\n'
        "    }\n"
        "\n"
    )


def displays(chip, gpu_cores):
    return json.dumps({"SPDisplaysDataType": [{
        "_name": f"kHW_{chip.replace(' ', '')}Item", "spdisplays_mtlgpufamilysupport": "spdisplays_metal3",
        "spdisplays_vendor": "sppci_vendor_Apple", "sppci_bus": "spdisplays_builtin", "sppci_cores": str(gpu_cores),
        "sppci_device_type": "spdisplays_gpu", "sppci_model": chip}]}, separators=(",", ":")) + "\n"


def hardware(chip, model, processors, memory_gib):
    return json.dumps({"SPHardwareDataType": [{
        "_name": "hardware_overview", "chip_type": chip, "machine_model": model, "number_processors": processors,
        "physical_memory": f"{memory_gib} GB"}]}, separators=(",", ":")) + "\n"


def generation_of(chip):
    word = chip.split()[1] if len(chip.split()) > 1 else ""
    return int(word[1:]) if word[:1] == "M" and word[1:].isdigit() else 2


def mac(name, what, chip, tiers, memory_gib, gpu_cores, macos, model, *, arch="aarch64", darwin=None, gpu_by="ioreg",
        gpu_class="G13", metal=None, swap=NO_SWAP, sysctl=None, commands=None, native=None, counters=COUNTERS,
        system_power_w=5.876533, origin="written from documentation"):
    cores = sum(count for _, count in tiers)
    values = {
        "machdep.cpu.brand_string": chip,
        "hw.memsize": memory_gib * GIB,
        "hw.physicalcpu": cores,
        "hw.model": model,
        "hw.optional.arm64": 1,
        "hw.optional.arm.FEAT_DotProd": 1,
        "sysctl.proc_translated": 0,
        "kern.hv_vmm_present": 0,
        "kern.osrelease": darwin or {"15.6": "24.6.0", "26.1": "25.1.0", "27.0.1": "26.0.1"}[macos],
        "iogpu.wired_limit_mb": 0,
        "vm.swapusage": swap,
        "hw.nperflevels": len(tiers),
    }
    for level, (tier, count) in enumerate(tiers):
        values[f"hw.perflevel{level}.name"] = tier
        values[f"hw.perflevel{level}.physicalcpu"] = count
        values[f"hw.perflevel{level}.logicalcpu"] = count
    for feature, since in [("I8MM", 2), ("BF16", 2), ("SME", 4), ("SME2", 4)]:
        values[f"hw.optional.arm.FEAT_{feature}"] = int(chip.startswith("Apple A18") or generation_of(chip) >= since)
    values.update(sysctl or {})
    asked = {f"sysctl -n {key}": f"{value}\n" for key, value in values.items() if value is not None}
    asked["sw_vers -productVersion"] = macos + "\n"
    asked["vm_stat"] = vm_stat(memory_gib)
    if gpu_by == "ioreg":
        asked["ioreg -rc AGXAccelerator -d1"] = ioreg(gpu_cores, gpu_class, chip)
    elif gpu_by == "profiler":
        asked["system_profiler SPDisplaysDataType -json"] = displays(chip, gpu_cores)
    asked.update(commands or {})
    interfaces = {}
    if metal:
        interfaces["metal device"] = json.dumps({
            "name": chip, "working_set_bytes": metal, "allocated_bytes": 0,
            "largest_buffer_bytes": metal // 4 * 3, "unified_memory": True})
    if counters:
        interfaces["ioreport energy"] = json.dumps(counters)
    if system_power_w is not None:
        interfaces["smc system power"] = str(system_power_w)
    interfaces["processor ticks"] = json.dumps({"user": 212_345, "system": 98_765, "idle": 4_321_000, "nice": 0})
    interfaces.update(native or {})
    recording = {
        "format": 1,
        "description": f"{what}; {origin}",
        "os": "macos",
        "arch": arch,
        "available_parallelism": cores,
        "commands": {key: kept(answer) for key, answer in sorted(asked.items()) if answer is not None},
        "native": {key: value for key, value in sorted(interfaces.items())},
    }
    path = FOLDER / f"{name}.puma-host"
    path.write_text(json.dumps(recording, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path)


P, E, S = "Performance", "Efficiency", "Super"
REFUSED = {"unanswered": {"failed": "sudo: a password is required"}}
POWERMETRICS = "sudo -n /usr/bin/powermetrics --samplers cpu_power,gpu_power,thermal -f plist -i 200 -n 1"

mac("mac-m1-8gb", "MacBook Air, M1 with 7 GPU cores, macOS 15", "Apple M1", [(P, 4), (E, 4)], 8, 7, "15.6",
    "MacBookAir10,1", gpu_by="profiler", swap=SWAP, commands={POWERMETRICS: REFUSED})
mac("mac-m1-max-64gb", "Mac Studio, M1 Max with 32 GPU cores, macOS 26", "Apple M1 Max", [(P, 8), (E, 2)], 64, 32,
    "26.1", "Mac13,1", gpu_class="G13C")
mac("mac-m1-ultra-128gb", "Mac Studio, M1 Ultra with 64 GPU cores, macOS 27", "Apple M1 Ultra", [(P, 16), (E, 4)],
    128, 64, "27.0.1", "Mac13,2", gpu_class="G13D", counters=TWO_DIES, commands={POWERMETRICS: REFUSED})
mac("mac-m2-24gb", "MacBook Air, M2 with 10 GPU cores, whose sysctl does not name the chip", "Apple M2",
    [(P, 4), (E, 4)], 24, 10, "15.6", "Mac14,2", gpu_class="G14G", sysctl={"machdep.cpu.brand_string": None},
    # Captured.
    commands={"system_profiler SPHardwareDataType -json": hardware("Apple M2", "Mac14,2", "proc 8:4:4", 24)},
    metal=17179885568)
mac("mac-m2-pro-16gb-wired-limit", "Mac mini, M2 Pro, whose owner set iogpu.wired_limit_mb to 12000", "Apple M2 Pro",
    [(P, 6), (E, 4)], 16, 16, "15.6", "Mac14,12", gpu_class="G14S", sysctl={"iogpu.wired_limit_mb": 12000})
mac("mac-m2-ultra-192gb", "Mac Studio, M2 Ultra with 76 GPU cores, macOS 14", "Apple M2 Ultra", [(P, 16), (E, 8)],
    192, 76, "14.6", "Mac14,14", darwin="23.6.0", gpu_class="G14D", counters=TWO_DIES)
mac("mac-m3-pro-18gb", "MacBook Pro, M3 Pro with 14 GPU cores, set to French", "Apple M3 Pro", [(P, 5), (E, 6)], 18,
    14, "26.1", "Mac15,6", gpu_class="G15X", swap=FRENCH_SWAP)
mac("mac-m3-max-36gb", "MacBook Pro, M3 Max with 30 GPU cores", "Apple M3 Max", [(P, 10), (E, 4)], 36, 30, "15.6",
    "Mac15,10", gpu_class="G15X")
mac("mac-m3-max-128gb", "MacBook Pro, M3 Max with 40 GPU cores", "Apple M3 Max", [(P, 12), (E, 4)], 128, 40, "26.1",
    "Mac15,9", gpu_class="G15X")
mac("mac-m3-ultra-512gb", "Mac Studio, M3 Ultra with 80 GPU cores, macOS 15", "Apple M3 Ultra", [(P, 24), (E, 8)],
    512, 80, "15.6", "Mac15,14", gpu_class="G15D", counters=TWO_DIES,
    # Captured.
    metal=498216206336)
mac("mac-m4-16gb", "Mac mini, M4", "Apple M4", [(P, 4), (E, 6)], 16, 10, "26.1", "Mac16,10", gpu_class="G16G")
mac("mac-m4-pro-24gb", "Mac mini, M4 Pro with 16 GPU cores, macOS 15", "Apple M4 Pro", [(P, 8), (E, 4)], 24, 16,
    "15.6", "Mac16,11", gpu_class="G16S",
    # Captured.
    metal=17179885568)
mac("mac-m4-pro-48gb", "MacBook Pro, M4 Pro with 20 GPU cores", "Apple M4 Pro", [(P, 10), (E, 4)], 48, 20, "26.1",
    "Mac16,7", gpu_class="G16S",
    # Captured as maxBufferLength 30150672384, three quarters of it.
    metal=40200896512)
mac("mac-m4-max-36gb", "Mac Studio, M4 Max with 32 GPU cores", "Apple M4 Max", [(P, 10), (E, 4)], 36, 32, "26.1",
    "Mac16,9", gpu_class="G16C")
mac("mac-m4-max-128gb", "MacBook Pro, M4 Max with 40 GPU cores, whose ioreg fails", "Apple M4 Max",
    [(P, 12), (E, 4)], 128, 40, "26.1", "Mac16,5", gpu_by="nothing")
mac("mac-m5-24gb", "MacBook Pro, M5", "Apple M5", [(S, 4), (E, 6)], 24, 10, "26.1", "Mac17,2", gpu_class="G17G")
mac("mac-m5-max-128gb", "MacBook Pro, M5 Max with 40 GPU cores, macOS 27, where processor counters stand still",
    "Apple M5 Max", [(S, 6), (P, 12)], 128, 40, "27.0.1", "Mac17,6", gpu_class="G17X",
    # Captured: chip_type and the order of number_processors.
    commands={"system_profiler SPHardwareDataType -json": hardware("Apple M5 Max", "Mac17,6", "proc 18:6:0:12", 128),
              POWERMETRICS: REFUSED})
mac("mac-a18-pro-8gb", "MacBook Neo, A18 Pro", "Apple A18 Pro", [(P, 2), (E, 4)], 8, 5, "26.1", "Mac17,5",
    gpu_class="G17P")
mac("mac-m6-32gb", "MacBook Pro, M6, which only secondary reports describe", "Apple M6", [(S, 3), (P, 5), (E, 4)], 32,
    12, "27.0.1", "Mac18,1", gpu_class="G18G", origin="made up from secondary reports")
mac("mac-m9-hyper-256gb", "a chip that does not exist: M9 Hyper with 64 GPU cores", "Apple M9 Hyper",
    [(S, 16), (E, 8)], 256, 64, "30.2", "Mac25,3", darwin="29.2.0", gpu_class="G21H", counters=None,
    origin="made up")
mac("mac-vm-m4-max", "macOS guest on an M4 Max", "Apple M4 Max (Virtual)", [(P, 2)], 4, 0, "15.6", "VirtualMac2,1",
    gpu_by="nothing", counters=None, system_power_w=None,
    sysctl={"kern.hv_vmm_present": 1, "hw.nperflevels": 1},
    # Captured.
    commands={"system_profiler SPHardwareDataType -json": hardware("Apple M4 Max (Virtual)", "VirtualMac2,1", 2, 4)},
    native={"metal device": json.dumps({"name": "Apple Paravirtual device", "working_set_bytes": 0,
                                        "allocated_bytes": 0, "largest_buffer_bytes": 0, "unified_memory": True})})
mac("mac-intel-i7-16gb", "MacBook Pro of 2019 with Intel's processor", "Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz",
    [("Standard", 6)], 16, 0, "15.6", "MacBookPro16,1", arch="x86_64", gpu_by="nothing", counters=None,
    sysctl={"hw.optional.arm64": None, "sysctl.proc_translated": None, "hw.nperflevels": 1, "hw.optional.avx2_0": 1,
            "hw.cpufrequency_max": 2600000000, "iogpu.wired_limit_mb": None,
            **{f"hw.optional.arm.FEAT_{name}": None for name in ["DotProd", "I8MM", "BF16", "SME", "SME2"]}},
    commands={"vm_stat": vm_stat(16 * 4).replace("16384", "4096")})
mac("mac-m1-rosetta", "MacBook Air, M1 with 8 GPU cores, running the build for Intel under Rosetta", "Apple M1",
    [(P, 4), (E, 4)], 16, 8, "15.6", "MacBookAir10,1", arch="x86_64", gpu_class="G13G",
    sysctl={"sysctl.proc_translated": 1})
mac("mac-nonsense", "a Mac whose programs answer nonsense", "Apple \u001b[31mM?", [(P, 1)], 8, 0, "15.6", "Mac",
    gpu_by="nothing", counters=None, origin="made up",
    sysctl={"hw.memsize": -1, "hw.physicalcpu": 4294967295, "hw.nperflevels": 99, "hw.model": "sysctl: unknown oid",
            "iogpu.wired_limit_mb": "lots", "vm.swapusage": "total = NaNM  used = -1M", "kern.osrelease": "?  ?",
            "kern.hv_vmm_present": "maybe"},
    commands={"vm_stat": "vm_stat: failed to get host info\n", "sw_vers -productVersion": "ProductVersion not found\n",
              "ioreg -rc AGXAccelerator -d1": '      "gpu-core-count" = -7\n',
              "system_profiler SPHardwareDataType -json": "{\"SPHardwareDataType\":[]}\n",
              "system_profiler SPDisplaysDataType -json": "not JSON\n"},
    native={"metal device": "null", "ioreport energy": "[]", "smc system power": "NaN"})
