"""Programs that pip cannot install and tests need: from the system, else from a Debian package unpacked into the cache.

The package is fetched by apt (which checks its signature chain) and unpacked, not installed: no service is started, no
user made, and no root needed where apt's package lists are there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = {"promtool": "prometheus", "prometheus": "prometheus"}  # program -> package
LIBRARIES = {"libfaketimeMT.so.1": "libfaketime"}  # for LD_PRELOAD


def program(name: str) -> Path | None:
    """Return where a program of `PACKAGES` is, or None when it is neither on the path nor in the cache."""
    found = shutil.which(name) or shutil.which(name, path=str(_folder(PACKAGES[name]) / "usr" / "bin"))
    return None if found is None else Path(found)


def library(name: str) -> Path | None:
    """Return where a library of `LIBRARIES` is, or None when it is neither in the system nor in the cache."""
    places = (root.glob(f"usr/lib/*/**/{name}") for root in (Path("/"), _folder(LIBRARIES[name])))
    return next((found for place in places for found in place), None)


def provide(name: str) -> str | None:
    """Unpack the package of a missing program or library into the cache; return why it is still missing, or None."""
    find = program if name in PACKAGES else library
    if find(name) is not None:
        return None
    package = {**PACKAGES, **LIBRARIES}[name]
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return f"{name} is not here, and there is no apt to fetch Debian's package {package}"
    folder = _folder(package)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{package}-", dir=folder.parent) as temporary:
        error = _download(package, Path(temporary))
        if error is not None:
            return f"{name} is not here, and apt could not fetch {package}: {error}"
        (archive,) = Path(temporary).glob("*.deb")
        _run("dpkg-deb", "-x", str(archive), f"{temporary}/root")
        if not folder.is_dir():
            (Path(temporary) / "root").rename(folder)
    return None if find(name) is not None else f"{name} is not in Debian's package {package}"


def _folder(package: str) -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "stream-monitor" / f"debian-{package}"


def _download(package: str, folder: Path) -> str | None:
    """Fetch a package into a folder; as root with fresh lists when the present ones do not know it."""
    error = _run("apt-get", "--quiet", "download", package, folder=folder)
    if error is not None and os.geteuid() == 0:
        error = _run("apt-get", "--quiet", "update") or _run("apt-get", "--quiet", "download", package, folder=folder)
    return error


def _run(*command: str, folder: Path | None = None) -> str | None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return f"{' '.join(command[:3])} took more than 300 s"
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]
