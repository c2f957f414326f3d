"""Which comparisons are computed and exported: what the file lists, and what follows from the rest of it.

The effect of a rule needs its measure, so that is computed whether it is listed or not. What is exported is, unless the
file says it, that part of the default which is computed: a setting that nobody wrote is never wrong.
"""

from __future__ import annotations

from stream_monitor.config.file import ConfigFile
from stream_monitor.config.sections.detection import Comparison
from stream_monitor.core.plan import DEFAULT_RULES


def computed(file: ConfigFile) -> tuple[str, ...]:
    """Return the comparisons of the plan: those listed, then those that only effects of rules need, by their order."""
    listed = [comparison.value for comparison in file.detection.comparisons]
    needed = _measures_of_rules(file)
    return (*listed, *(c.value for c in Comparison if c.value in needed and c.value not in listed))


def exported(file: ConfigFile) -> tuple[str, ...]:
    """Return the comparisons that have metrics."""
    names = tuple(comparison.value for comparison in file.metrics.comparisons)
    if "comparisons" in file.metrics.model_fields_set:
        return names
    known = computed(file)
    return tuple(name for name in names if name in known)


def _measures_of_rules(file: ConfigFile) -> set[str]:
    """Return the measures of all effects; a rule of the user's own has none."""
    if file.rules is None:
        return {rule.effect.measure for rule in DEFAULT_RULES}
    return {measure for rule in file.rules if rule.target is None for measure in rule.effect}
