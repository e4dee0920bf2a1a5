"""What these tests write for the user stays in the test's own directory."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest


@pytest.fixture(autouse=True)
def own_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where fetched models and caches go; the same in child processes on Linux."""
    home = tmp_path / "home"
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    for kind in ("data", "cache"):
        monkeypatch.setattr(
            platformdirs,
            f"user_{kind}_path",
            lambda name, appauthor=None, kind=kind: home / kind / name,
        )
    return home
