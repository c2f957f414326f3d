"""Detectors: evidence, pane by pane, that a series no longer follows its baseline.

To add one: a file with a frozen spec (`fingerprint`, `build`) and its group (`group.DetectorGroup`), and a line in
`DETECTORS`; the laws in `tests/laws/test_detectors.py` then hold it to the contract.
"""
