"""How many cores may work."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path


def available_cores() -> int:
    """Cores this process may use: its affinity and the quota of its container, at least 1."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        cores = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min([cores, *(math.ceil(quota) for quota in _container_quotas())]))


def _container_quotas(
    root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")
) -> Iterator[float]:
    """CPU quotas, in cores, of the control groups above this process (Linux)."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        base = root / controllers if controllers else root
        place = base / group.lstrip("/")
        for folder in (place, *place.parents):
            quota = _quota(folder)
            if quota:
                yield quota
            if folder == base:
                break


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():  # version 2
            limit, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            limit = (folder / "cpu.cfs_quota_us").read_text(encoding="utf-8")
            period = (folder / "cpu.cfs_period_us").read_text(encoding="utf-8")
        return int(limit) / int(period) if limit.strip() != "max" and int(limit) > 0 else None
    except (OSError, ValueError):
        return None
