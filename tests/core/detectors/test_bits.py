"""The same evidence to the last bit on processors with and without wide vector units."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import spacings

FOLD = "from tests.core.detectors.test_bits import fold; print(fold())"


def fold() -> str:
    """Digest of evidence and state after panes whose counts need no generator."""
    digest = hashlib.sha256()
    for mixture in Mixture:
        for m in (63, 1023, 65_535):
            layout = spacings(m)
            group = RankShiryaevRoberts(mixture).build(m)
            rows = np.array([group.add(SeriesReference(layout, design_effect=d)) for d in (1.0, 1.0, 2.3)])
            for pane in range(40):
                position = np.arange(3 * layout.size).reshape(3, -1)
                counts = (position * position * (pane + 3) + 7 * pane) % (2 + pane % 11)
                digest.update(group.step(rows, counts * (1 + 40 * (pane % 2))).tobytes())
            digest.update(group.dump())
    return digest.hexdigest()


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="names of x86 features")
@pytest.mark.parametrize("disabled", ["X86_V4", "X86_V3 X86_V4"])
def test_processor_features_change_no_bit(disabled: str) -> None:
    """A fold on a machine without AVX-512, or without AVX2, equals the one here: fail-over to other hardware."""
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled, "OPENBLAS_CORETYPE": "Prescott"}
    elsewhere = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FOLD], env=environment, capture_output=True, text=True, check=True
    )

    assert elsewhere.stdout.strip() == fold()


def test_the_digits_are_those_of_the_release() -> None:
    """A change of the arithmetic changes published digits and parts old from new workers: it must be seen."""
    assert fold() == "d44430463b535e09895b46ee9ddc3c28c8ea6afe7c149f4b7e893b6575132790"
