#!/usr/bin/env python3
"""Measures a busy loop with CodeCarbon, for a test that measures the same seconds with PUMA.

    pip install codecarbon==3.3.2
    compare_codecarbon.py [SECONDS [PROCESSES_BUSY]]
    compare_codecarbon.py SECONDS --processor-time FOLDER WATTS

In the second form CodeCarbon does not see this machine's processor time but that of FOLDER/stat, which the caller
writes, and takes WATTS for the full load.

Prints `start` when CodeCarbon has begun, `stop` when the loop has ended, then one line of JSON: what CodeCarbon says.
The tracker is offline, in machine mode, for Spain. Nothing is sent anywhere or written.
"""

import importlib.metadata
import json
import multiprocessing
import sys
import time

import psutil
from codecarbon import OfflineEmissionsTracker

J_PER_KWH = 3_600_000


def burn(until: float) -> None:
    number = 1
    while time.monotonic() < until:
        for _ in range(10_000):
            number = number * 1_103_515_245 % 2_147_483_647


def read_processor_time_from(folder: str) -> None:
    """Lets psutil, which CodeCarbon asks, read the times of all processors elsewhere; everything else as it is."""
    real = psutil.cpu_times

    def cpu_times(percpu: bool = False):
        psutil.PROCFS_PATH = folder
        try:
            return real(percpu)
        finally:
            psutil.PROCFS_PATH = "/proc"

    psutil.cpu_times = cpu_times


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    made_up = sys.argv[3:] if "--processor-time" in sys.argv else None
    busy = 0 if made_up else int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if made_up:
        read_processor_time_from(made_up[0])
    tracker = OfflineEmissionsTracker(
        country_iso_code="ESP",
        tracking_mode="machine",
        measure_power_secs=5,
        save_to_file=False,
        allow_multiple_runs=True,
        log_level="error",
        **({"force_cpu_power": float(made_up[1])} if made_up else {}),
    )
    tracker.start()
    print("start", flush=True)
    until = time.monotonic() + seconds
    workers = [multiprocessing.Process(target=burn, args=(until,)) for _ in range(busy)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    time.sleep(max(0.0, until - time.monotonic()))
    print("stop", flush=True)
    tracker.stop()
    data = tracker.final_emissions_data
    json.dump(
        {
            "version": importlib.metadata.version("codecarbon"),
            "duration_s": data.duration,
            "cpu_j": data.cpu_energy * J_PER_KWH,
            "gpu_j": data.gpu_energy * J_PER_KWH,
            "ram_j": data.ram_energy * J_PER_KWH,
            "total_j": data.energy_consumed * J_PER_KWH,
            "g_per_kwh": data.emissions * 1000 / data.energy_consumed,
            "cpu_model": data.cpu_model,
            "cpu_count": data.cpu_count,
            "ram_gib": data.ram_total_size,
        },
        sys.stdout,
    )
    print()


if __name__ == "__main__":
    main()
