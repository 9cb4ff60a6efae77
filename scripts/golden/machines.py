#!/usr/bin/env python3
"""Writes what is expected of every recorded machine, from facts kept here and rules computed here.

The table below says what each machine is, as its data sheet or its user would: chip, memories of its GPUs, where the
system runs. Sizes of main memory are taken from the recordings themselves, as raw text. Everything else is computed from
the published rules, by none of PUMA's code:

- profiles: upstream PUMA v4.0 (`preflight/profile.py`, `config/profiles.yaml`);
- the working set of Metal: what machines print on macOS up to 15 and from 26 on;
- what a model needs: block sizes of ggml, caches by attention head, buffers as llama.cpp's server reports them;
- verdicts: `docs/guide/fit.md`.

Run it from the root of the repository; it writes the two files that the tests read:

    python3 scripts/golden/machines.py
"""

import json
import pathlib

RECORDINGS = pathlib.Path("crates/testkit/machines")
CLASSES = pathlib.Path("crates/host/tests/it/golden/machines.txt")
FITS = pathlib.Path("crates/host/tests/fit/golden/machines.txt")

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

# ---------------------------------------------------------------------------------------------------------------------
# Facts of each machine, by hand.
#
#   chip    Apple's brand, on a Mac of Apple's own processor (not a virtual one: its GPU is not the chip's)
#   cards   MiB of each graphics card of one's own: total, free (None: unknown)
#   shared  MiB that an integrated GPU may use: carve-out, shared; or "all" for a GPU whose memory is the machine's
#   metal   MiB or bytes that Metal itself says; `limit`: iogpu.wired_limit_mb
#   mode    what a model server started here can use
#   warns   words of the first warning; None where nothing is wrong
#   energy  meters that open, best first; `lacks`: sources that do not, each with a word of its reason

METAL, CUDA, ROCM, VULKAN, CPU, BOX = (
    "native_metal", "cuda", "rocm", "vulkan", "native_cpu", "container_without_gpu")
IN_A_MAC = "the Mac's GPU is out of reach"
NO_GPU_SEEN = "the container sees no GPU"
TRANSLATED = "are translated to another processor's"

COUNTED = "IOReport energy counters"  # once for the GPU, once for the processor with its memory
WHOLE = "system management controller"
CHIP = "estimate by chip"
STILL = {COUNTED: "stands still", "powermetrics": "wants a password"}

RAPL, PERF, SENSORS, BATTERY = "RAPL powercap", "RAPL perf events", "hwmon", "battery discharge"
LOAD, MEMORY = "processor load", "memory size"
GUESSED = [LOAD, MEMORY]
NO_COUNTER = {RAPL: "is not there", PERF: "no perf events", SENSORS: "/sys/class/hwmon", BATTERY: "/sys/class/power_supply"}
# Recordings of GPUs answer nothing about the processor.
NO_LOAD = {**NO_COUNTER, LOAD: "/proc/stat"}
NVML, NVML_POWER, SMI = "NVML energy counter", "NVML power", "nvidia-smi power"


def mac(chip, macos, **more):
    return {"chip": chip, "macos": macos, "mode": METAL, "warns": None, "energy": [COUNTED, COUNTED, WHOLE], "lacks": {},
            **more}


def linux(mode=CPU, warns=None, **more):
    return {"mode": mode, "warns": warns, "energy": GUESSED, "lacks": NO_COUNTER, **more}


def gpu(mode, meters, cards=None, lacks=None, **more):
    return linux(mode, cards=cards, energy=[*meters, MEMORY], lacks={**NO_LOAD, **(lacks or {})}, **more)


def nvidia(mib, free_mib, meters=(NVML,), **more):
    return gpu(CUDA, meters, cards=[(mib * MIB, free_mib * MIB)], **more)


MACHINES = {
    # Its GPU serves Vulkan, which neither Ollama nor the embedded engine asks for here.
    "asahi-m1": linux(),
    "colima-m2": linux(warns=IN_A_MAC),
    "desktop-amd-zen": linux(energy=[RAPL], lacks={BATTERY: "", SENSORS: ""}),
    "docker-desktop-m1-old": linux(BOX, IN_A_MAC),
    "docker-desktop-m3": linux(BOX, IN_A_MAC),
    "docker-desktop-rosetta": linux(BOX, TRANSLATED),
    "docker-linux": linux(BOX, NO_GPU_SEEN, lacks={
        **NO_COUNTER, RAPL: "no zone whose energy can be read", PERF: "perf_event_paranoid is 2"}),
    "firecracker-vm": linux(lacks={**NO_COUNTER, BATTERY: "no battery"}),
    # 3g.40gb, the largest part: a program gets one of the three. Only the whole board counts.
    "gpu-a100-mig": gpu(CUDA, [NVML], [(42144366592, 42105569280)]),
    "gpu-arc-b580": gpu(VULKAN, ["hwmon energy counter"], [(12288 * MIB, None)]),
    "gpu-gb10-spark": gpu(CUDA, [NVML_POWER], shared="all"),
    "gpu-h200": gpu(CUDA, [NVML], [(150754820096, 150408790016)]),
    "gpu-jetson-agx-orin-64gb": gpu(CUDA, ["INA3221 rails"], shared="all"),
    "gpu-nvidia-mismatch": gpu(CPU, []),
    "gpu-rtx2060-mobile-11gbps": nvidia(6144, 5814),
    "gpu-rtx2060-mobile-6gb": nvidia(6144, 5814),
    "gpu-rtx3060-smi-only": nvidia(12288, 11800, [SMI]),
    "gpu-rtx4060-without-power": nvidia(8188, 7858, [], lacks={NVML: "neither energy nor power"}),
    "gpu-rtx5090": nvidia(32607, 32277),
    "gpu-rx7900xtx": gpu(ROCM, ["amdgpu power"], [(25753026560, 25753026560 - 1288490188)]),
    # The processor's own GPU beside the card is left out of the memory, not of the joules.
    "gpu-ryzen-apu-and-rx7800xt": gpu(
        ROCM, ["amdgpu power", "amdgpu power of the chip"], [(17163091968, 17163091968 - 900000000)]),
    "gpu-strix-halo-128gb": gpu(ROCM, ["amdgpu power of the chip"], shared=(512, 98304)),
    "gpu-two-rtx3090": gpu(CUDA, [NVML], [(24576 * MIB, 24246 * MIB)] * 2),
    "gpu-wsl2-rtx4070-laptop": nvidia(8188, 7100, [], lacks={SMI: "no power"}),
    "gvisor": linux(BOX, NO_GPU_SEEN, energy=[MEMORY], lacks={**NO_COUNTER, LOAD: "gVisor"}),
    # The virtual GPU of krunkit serves Vulkan, as above.
    "krunkit-m1": linux(BOX, IN_A_MAC),
    "kubernetes-pod-4gb": linux(BOX, NO_GPU_SEEN),
    # On battery: the battery tells the whole machine's draw.
    "laptop-intel-8gb": linux(energy=[BATTERY, LOAD, MEMORY], lacks={
        RAPL: "permission denied", PERF: "perf_event_paranoid is 4", SENSORS: ""}),
    "lxc-proxmox": linux(BOX, NO_GPU_SEEN),
    "mac-a18-pro-8gb": mac("Apple A18 Pro", 26),
    "mac-intel-i7-16gb": mac(None, 15, mode=CPU, on_processor=True, energy=[WHOLE], lacks={COUNTED: "no chip of Apple's"}),
    "mac-m1-8gb": mac("Apple M1", 15),
    "mac-m1-max-64gb": mac("Apple M1 Max", 26),
    "mac-m1-rosetta": mac("Apple M1", 15, mode=CPU, warns="translated by Rosetta", on_processor=True),
    # From macOS 27 counters may stand still, and a recording's do.
    "mac-m1-ultra-128gb": mac("Apple M1 Ultra", 27, energy=[COUNTED, CHIP, WHOLE], lacks=STILL),
    "mac-m2-24gb": mac("Apple M2", 15, metal=17179885568),
    "mac-m2-pro-16gb-wired-limit": mac("Apple M2 Pro", 15, limit=12000),
    "mac-m2-ultra-192gb": mac("Apple M2 Ultra", 14),
    "mac-m3-max-128gb": mac("Apple M3 Max", 26),
    "mac-m3-max-36gb": mac("Apple M3 Max", 15),
    "mac-m3-pro-18gb": mac("Apple M3 Pro", 26),
    "mac-m3-ultra-512gb": mac("Apple M3 Ultra", 15, metal=498216206336),
    "mac-m4-16gb": mac("Apple M4", 26),
    "mac-m4-max-128gb": mac("Apple M4 Max", 26),
    "mac-m4-max-36gb": mac("Apple M4 Max", 26),
    "mac-m4-pro-24gb": mac("Apple M4 Pro", 15, metal=17179885568),
    "mac-m4-pro-48gb": mac("Apple M4 Pro", 26, metal=40200896512),
    "mac-m5-24gb": mac("Apple M5", 26),
    "mac-m5-max-128gb": mac("Apple M5 Max", 27, energy=[COUNTED, CHIP, WHOLE], lacks=STILL),
    "mac-m6-32gb": mac("Apple M6", 27, energy=[COUNTED, CHIP, WHOLE], lacks={**STILL, "powermetrics": "cannot be run"}),
    "mac-m9-hyper-256gb": mac("Apple M9 Hyper", 30, energy=[CHIP, CHIP, WHOLE], lacks={
        COUNTED: "no energy counters", "powermetrics": "cannot be run"}),
    # It is one of Apple's, and no more is known.
    "mac-nonsense": mac("Apple processor", None, energy=[CHIP], lacks={
        COUNTED: "no energy counter", "powermetrics": "cannot be run", CHIP: "how busy the GPU is", WHOLE: ""}),
    "mac-vm-m4-max": mac(None, 15, mode=CPU, warns="this Mac is virtual", on_processor=True, energy=[],
                         lacks={COUNTED: "this Mac is virtual"}),
    "orbstack": linux(BOX, IN_A_MAC),
    "podman-rootless": linux(BOX, NO_GPU_SEEN),
    "raspberry-pi-5": linux(),
    "server-arm-two-sockets": linux(),
    "server-xeon-two-sockets": linux(energy=[RAPL], lacks={BATTERY: "", SENSORS: ""}),
    "wsl2": linux(),
}

# ---------------------------------------------------------------------------------------------------------------------
# Memory, from the raw text of the recordings.


class Memory:
    """`total`, `limit` of a container, and `free`, in bytes; None where nobody says."""

    def __init__(self, kept):
        files, commands = kept.get("files", {}), kept.get("commands", {})
        fields = {line.split(":")[0]: line.split(":")[1].split()[0] for line in files.get("/proc/meminfo", [])}
        self.total = self.free = self.limit = None
        if fields:
            self.total, self.free = int(fields["MemTotal"]) * KIB, int(fields["MemAvailable"]) * KIB
            limit, used = self.container(files)
            # One as large as the memory limits nothing.
            if limit is not None and limit < self.total:
                self.limit, self.free = limit, min(self.free, limit - used)
        elif commands:
            bytes_ = int(commands["sysctl -n hw.memsize"][0])
            self.total = bytes_ if bytes_ > 0 else None
            pages = dict(line.rsplit(":", 1) for line in commands["vm_stat"] if line.startswith("Pages "))
            if pages:
                kinds = ("Pages free", "Pages inactive", "Pages speculative", "Pages purgeable")
                page_bytes = int(commands["vm_stat"][0].split("page size of ")[1].split()[0])
                self.free = sum(int(pages[kind].strip(" .")) for kind in kinds) * page_bytes

    @staticmethod
    def container(files):
        """The tightest of the control groups above this process, and what is used of it but not given back at need."""
        found = []
        for path, text in files.items():
            folder, _, name = path.rpartition("/")
            if name not in ("memory.max", "memory.high") or not isinstance(text, list) or not text[0].isdigit():
                continue
            current = int(files.get(f"{folder}/memory.current", ["0"])[0])
            stat = dict(line.split() for line in files.get(f"{folder}/memory.stat", []))
            found.append((int(text[0]), current - int(stat.get("inactive_file", 0))))
        return min(found, default=(None, 0))

    @property
    def usable(self):
        return min(self.total, self.limit) if self.limit is not None else self.total


# ---------------------------------------------------------------------------------------------------------------------
# Profiles.

FLOORS = {"Apple M3": 8, "Apple M3 Pro": 18, "Apple M3 Max": 36, "Apple M4": 16, "Apple M4 Pro": 24, "Apple M4 Max": 36,
          "Apple M5": 16, "Apple M5 Pro": 24, "Apple M5 Max": 36, "Apple M5 Ultra": 36}


def dashed(chip):
    return "apple-silicon-" + chip.removeprefix("Apple ").lower().replace(" ", "-")


def by_gpu(gib):
    return "gpu-high" if gib >= 24 else "gpu-mid" if gib >= 12 else "gpu-entry" if gib >= 6 else None


def profile(facts, memory):
    """(id, upstream's id, rule)."""
    ram = None if memory.usable is None else round(memory.usable / GIB, 2)
    cards, chip = facts.get("cards"), facts.get("chip")
    own = round(max(total for total, _ in cards) / GIB, 1) if cards else 0
    upstream = None
    if ram is not None and ram >= 8:
        if chip in FLOORS and memory.usable // GIB >= FLOORS[chip]:
            upstream = dashed(chip)
        else:
            upstream = by_gpu(own) or ("cpu-standard" if ram >= 16 else "cpu-lite")
    if chip:
        return dashed(chip), upstream, "apple_chip" if upstream == dashed(chip) else "other_apple_chip"
    if upstream and upstream.startswith("gpu-"):
        return upstream, upstream, "gpu_memory"
    shared = facts.get("shared")
    if shared:
        gib = round((memory.total if shared == "all" else sum(shared) * MIB) / GIB, 1)
        return f"unified-{by_gpu(gib)}", upstream, "shared_gpu_memory"
    return (upstream, upstream, "memory") if upstream else ("cpu-small", None, "below_upstream")


# ---------------------------------------------------------------------------------------------------------------------
# What a model needs.

BLOCKS = {"F32": (1, 4), "Q4_1": (32, 20), "Q8_0": (32, 34), "Q4_K": (256, 144), "Q6_K": (256, 210)}
CHUNK, STEP, PROGRAM = 512, 256, 150 * MIB


class Model:
    """A transformer in a GGUF file. Dimensions from the models' published configurations."""

    def __init__(self, name, layers, width, heads, kv_heads, head, inner, vocabulary, context, tied, experts, kinds):
        self.name, self.trained = name, context
        kind, table_kind = kinds
        queries, kv, (routed, self.used) = heads * head, kv_heads * head, experts

        def tensor(columns, rows, kind):
            block, size = BLOCKS[kind]
            return columns // block * size * rows

        matrices = tensor(width, queries, kind) + 2 * tensor(width, kv, kind) + tensor(queries, width, kind)
        feed = 2 * tensor(width, inner, kind) + tensor(inner, width, kind)
        norms = 2 * tensor(width, 1, "F32")
        router = tensor(width, routed, "F32")
        self.layer_weights = matrices + norms + router + feed * max(routed, 1)
        table, last_norm = tensor(width, vocabulary, table_kind), tensor(width, 1, "F32")
        # A tied table is the output; a table of its own is read row by row and stays in main memory.
        self.output, self.lookup = table + last_norm, 0 if tied else table
        self.resident = self.output if tied else table
        self.layers, self.width, self.inner, self.queries, self.kv, self.vocabulary = (
            layers, width, inner, queries, kv, vocabulary)
        self.weights = layers * self.layer_weights + self.output + self.lookup

    def cache_of_layer(self, context):
        """Keys and values in f16, padded to 256 positions."""
        return -(-context // STEP) * STEP * self.kv * 2 * 2

    def buffers(self, context):
        """Of one micro-batch, with flash attention; the logits of all its tokens are kept, as Ollama's runner does."""
        chunk = min(CHUNK, context)
        activations = (5 * self.width + 2 * self.inner * max(self.used, 1) + self.queries + 2 * self.kv) * 4 * chunk
        mask = -(-context // STEP) * STEP * chunk * 2
        logits = chunk * self.vocabulary * 4 + 4 * chunk * self.width
        return max(activations + mask, logits)

    def total(self, context):
        return self.weights + self.layers * self.cache_of_layer(context) + self.buffers(context) + PROGRAM


Q4_K_M = ("Q4_K", "Q6_K")
MODELS = [
    Model("smollm2:135m", 30, 576, 9, 3, 64, 1536, 49152, 8192, True, (0, 0), ("Q4_1", "Q8_0")),
    Model("qwen2.5:3b", 36, 2048, 16, 2, 128, 11008, 151936, 32768, True, (0, 0), Q4_K_M),
    Model("qwen2.5:7b", 28, 3584, 28, 4, 128, 18944, 152064, 32768, False, (0, 0), Q4_K_M),
    Model("qwen3:30b-a3b", 48, 2048, 32, 4, 128, 768, 151936, 262144, False, (128, 8), Q4_K_M),
]

# ---------------------------------------------------------------------------------------------------------------------
# Verdicts.

FITS_WELL, TIGHT, OFFLOAD, PAGES, NOT = "FITS", "TIGHT", "PARTIAL_OFFLOAD", "WILL_PAGE", "WILL_NOT_FIT"
MARGIN = GIB


def working_set(facts, memory):
    """What Metal lets the GPU use: what it says, what the user set, or by version and memory."""
    if facts.get("metal"):
        return facts["metal"]
    if facts.get("limit"):
        return facts["limit"] * MIB
    total = memory.total
    if facts["macos"] <= 15:
        return total / 3 * 2 if total <= 32 * GIB else max(total * 3 // 4, total - 48 * GIB)
    for gib, share in [(256, 870), (128, 840), (64, 810), (32, 780), (16, 740)]:
        if total >= gib * GIB:
            return total * share / 1000
    return total / 3 * 2


def spread(model, context, rooms):
    """Layers on the devices, filled one after the other: (layers, bytes there, bytes in main memory)."""
    buffers, per_layer = model.buffers(context), model.layer_weights + model.cache_of_layer(context)
    placed = on_devices = 0
    for room in rooms:
        fixed = buffers + (0 if placed else model.output)
        here = min(model.layers - placed, max(0, (room - fixed) // per_layer))
        if here:
            placed, on_devices = placed + here, on_devices + fixed + here * per_layer
    main = (model.layers - placed) * per_layer + PROGRAM
    main += model.resident if placed else model.output + model.lookup
    main += buffers if placed < model.layers else 0
    return placed, on_devices, main


class Place:
    """Where models of a machine lie: `judge` says how well one does."""

    def __init__(self, facts, memory):
        self.facts, self.memory = facts, memory
        self.host = min(memory.free, memory.usable) if memory.free is not None else memory.usable

    def judge(self, model, context):
        if self.facts.get("cards"):
            return self.on_cards(model, context)
        if self.facts.get("shared"):
            return self.on_shared(model, context)
        if self.facts.get("chip") and not self.facts.get("on_processor"):
            return self.on_metal(model, context)
        return self.on_processor(model, context)

    def on_processor(self, model, context):
        need = model.total(context)
        if need <= self.host - MARGIN:
            return FITS_WELL
        if need <= self.host:
            return TIGHT
        mapped = need - model.weights <= self.host and need <= 1.5 * self.host
        return PAGES if mapped else NOT

    def on_metal(self, model, context):
        need, room = model.total(context), working_set(self.facts, self.memory)
        if need <= room - MARGIN:
            return FITS_WELL
        if need <= room:
            return TIGHT
        return PAGES if need <= min(1.5 * room, 0.95 * self.memory.total) else NOT

    def partly(self, model, context, rooms, in_main):
        layers, _, main = spread(model, context, rooms)
        main = in_main(layers, main)
        return OFFLOAD if main <= self.host else PAGES if main <= 1.5 * self.host else NOT

    def on_cards(self, model, context):
        free = [total if free is None else free for total, free in self.facts["cards"]]
        for verdict, kept in [(FITS_WELL, MARGIN), (TIGHT, 0)]:
            layers, _, main = spread(model, context, [room - kept for room in free])
            if layers == model.layers and main <= self.host:
                return verdict
        return self.partly(model, context, [room - MARGIN for room in free], lambda _, main: main)

    def on_shared(self, model, context):
        """ROCm sees the larger of carve-out and shared memory; shared memory must be free in main memory too."""
        shared = self.facts["shared"]
        carve, pool = (0, self.memory.usable) if shared == "all" else (shared[0] * MIB, shared[1] * MIB)
        if shared != "all":
            carve, pool = (0, pool) if pool > carve else (carve, carve)
        for verdict, kept in [(FITS_WELL, MARGIN), (TIGHT, 0)]:
            room = min(pool - kept, carve + self.host - kept)
            layers, on_gpu, main = spread(model, context, [room])
            if layers == model.layers and max(0, on_gpu - carve) + main <= self.host - kept:
                return verdict
        room = min(pool - MARGIN, carve + self.host - MARGIN)
        layers, on_gpu, main = spread(model, context, [room])
        main += max(0, on_gpu - carve)
        return OFFLOAD if main <= self.host else PAGES if main <= 1.5 * self.host else NOT

    def longest(self, model):
        """The largest context that fits: the trained one, or the largest multiple of 256 below it."""
        if self.judge(model, model.trained) == FITS_WELL:
            return model.trained
        fits = [context for context in range(STEP, model.trained, STEP) if self.judge(model, context) == FITS_WELL]
        return max(fits, default=None)


# ---------------------------------------------------------------------------------------------------------------------


def main():
    classes = ["# What every recorded machine is, by scripts/golden/machines.py.\n"]
    fits = ["# Verdict at 8,192 tokens and the largest context that fits, under Ollama, by scripts/golden/machines.py.\n"]
    for name, facts in MACHINES.items():
        kept = json.loads((RECORDINGS / f"{name}.puma-host").read_text())
        memory = Memory(kept)
        identity, upstream, rule = profile(facts, memory)
        classes.append(f"{name}\n  profile: {identity}\n  upstream: {upstream or '-'}\n  rule: {rule}\n")
        classes.append(f"  mode: {facts['mode']}\n  warns: {facts['warns'] or '-'}\n")
        classes.append(f"  energy: {'; '.join(facts['energy']) or '-'}\n")
        classes.extend(f"  lacks: {source}: {reason or '-'}\n" for source, reason in facts["lacks"].items())
        if memory.total is None:
            fits.append(f"{name}: memory unknown\n")
            continue
        place = Place(facts, memory)
        row = [f"{model.name} {place.judge(model, 8192)} {place.longest(model) or '-'}" for model in MODELS]
        fits.append(f"{name}: {', '.join(row)}\n")
    CLASSES.parent.mkdir(exist_ok=True)
    CLASSES.write_text("".join(classes))
    FITS.write_text("".join(fits))


main()
