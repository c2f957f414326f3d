"""Average run lengths of river's error detectors and of KSWIN: tables of `core/detectors/run_length.py`.

    python -m bench run_length_errors            # ten minutes

One line a parameter. Error detectors: fresh streams of 30,000 events at an error rate of .2; DDM and EDDM compare with
the best they ever saw and so alarm early or hardly ever: the alarms in the first 1,000 events tell. KSWIN: 150 streams
of 12,000 standard normal numbers for every step of its p-value at once.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2, ks_2samp

from stream_monitor.core.detectors.river_detectors import RIVER_VERSION, ErrorCell

SEED = 20261124
RATE, EVENTS, MOST_STREAMS, WANTED = 0.2, 30_000, 400, 200
PARAMETERS = {
    "ddm": (3.0, 3.5, 4.0, 4.5, 5.0),
    "eddm": (0.9, 0.8, 0.7, 0.6, 0.5),
    "hddm_a": (0.01, 0.003, 0.001, 0.0003),
    "hddm_w": (0.01, 0.003, 0.001),
    "fhddm": (1e-3, 1e-4, 1e-5, 1e-6),
}


def lower_limit(numbers: int, alarms: int) -> float:
    """Return the lower 95 % limit of the average run length after that many numbers and alarms."""
    return 2.0 * numbers / float(chi2.ppf(0.975, 2 * alarms + 2))


def error_run_length(kind: str, parameter: float) -> tuple[int, int, int]:
    """Return (events, alarms, alarms among the first 1,000 events) of fresh detectors on streams of their own."""
    generator = np.random.default_rng(SEED)
    events = alarms = early = 0
    for _ in range(MOST_STREAMS):
        cell, run = ErrorCell(kind, parameter), 0
        for error in (generator.random(EVENTS) < RATE).astype(int).tolist():
            run += 1
            if cell.update(error):
                alarms, early = alarms + 1, early + (run < 1_000)
                break
        events += run
        if alarms == WANTED:
            break
    return events, alarms, early


def kswin_run_lengths(streams: int = 150, panes: int = 12_000) -> list[tuple[float, int, int]]:
    """Return (p-value, numbers, alarms) for each possible distance of 30 against 30, largest p-value first."""
    generator = np.random.default_rng(SEED)
    first = np.full((31, streams), panes)
    window = generator.standard_normal((streams, 100))
    for pane in range(100, panes):
        chosen = generator.random((streams, 70)).argpartition(30, axis=1)[:, :30]
        both = np.concatenate([np.take_along_axis(window[:, :70], chosen, 1), window[:, 70:]], axis=1)
        gaps = np.abs(np.where(both.argsort(1) < 30, 1, -1).cumsum(1)).max(1)
        for steps in range(13, 19):
            first[steps][(gaps >= steps) & (first[steps] == panes)] = pane
        window = np.concatenate([window[:, 1:], generator.standard_normal((streams, 1))], axis=1)
    ordered = np.arange(30.0)
    return [
        (
            float(ks_2samp(ordered, ordered + steps - 0.5).pvalue),
            int(first[steps].sum()),
            int((first[steps] < panes).sum()),
        )
        for steps in range(13, 19)
    ]


def main() -> None:
    """Print the tables."""
    print(f"river {RIVER_VERSION}, seed {SEED}, error rate {RATE}")
    print("detector   parameter    run length    lower 95 %    alarms    early")
    for kind, parameters in PARAMETERS.items():
        for parameter in parameters:
            events, alarms, early = error_run_length(kind, parameter)
            print(
                f"{kind:<10} {parameter:<9g} {events / max(1, alarms):>13.0f} {lower_limit(events, alarms):>13.0f}"
                f" {alarms:>9} {early:>8}"
            )
    for p_value, numbers, alarms in kswin_run_lengths():
        length = numbers / max(1, alarms)
        print(f"kswin      {p_value:<9.3g} {length:>13.0f} {lower_limit(numbers, alarms):>13.0f} {alarms:>9}")


if __name__ == "__main__":
    main()
