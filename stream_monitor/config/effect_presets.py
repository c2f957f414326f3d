"""Thresholds that other tools ship, as effects of rules: `effect: evidently`.

Measure and floor are theirs; evidence within the budget is asked for all the same, so that small windows do not alarm
by chance (a fixed floor alone alarms on up to 94 % of undrifted windows of 50 events).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from stream_monitor.core.plan import EffectPlan

PRESETS: Mapping[str, EffectPlan] = {
    "psi_watch": EffectPlan("psi", 0.1),
    "psi_act": EffectPlan("psi", 0.25),
    "sagemaker": EffectPlan("kolmogorov_smirnov_robust", 0.1),
    "sagemaker_categorical": EffectPlan("linf", 0.1),
    "evidently": EffectPlan("wasserstein_sigma", 0.1),
    "evidently_categorical": EffectPlan("jensen_shannon", round(0.1 / math.sqrt(math.log(2.0)), 6)),  # theirs is base e
    "vertex": EffectPlan("jensen_shannon", 0.3),
    "vertex_categorical": EffectPlan("linf", 0.3),
    "azure": EffectPlan("wasserstein_sigma", 0.1),
    "azure_categorical": EffectPlan("jensen_shannon", 0.1),
    "whylabs": EffectPlan("hellinger", 0.7),
    "deepchecks": EffectPlan("kolmogorov_smirnov", 0.2),
    "deepchecks_prediction": EffectPlan("kolmogorov_smirnov", 0.15),
}
"""Measure and floor by name."""
