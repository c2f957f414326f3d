"""A fraud-scoring service as a stream of inference events: 20 features as they come in real traffic.

Numeric and categorical, with ties (counts, rounded amounts, zero inflation), missing values and correlation (a Gaussian
copula over three latent causes); the score is a logistic model of the features that the service received, so a drift of
an input moves the prediction as it would in production. Labels are left for later. One second of traffic is a function
of (seed, second): any part can be made again.

>>> columns = Fraud(seed=7).columns(second=0, rows=3)
>>> sorted(columns)[:4]
['account_age_days', 'age', 'amount', 'amount_ratio']
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson
from scipy import special, stats

from stream_monitor.lab.drifts import Columns, Drift

MODEL = "fraud"
VERSION = "7"
INSTANCES = ("fraud-6d8f-0", "fraud-6d8f-1", "fraud-6d8f-2")

COUNTRIES = ("DE", "FR", "IT", "ES", "NL", "PL", "AT", "BE", "SE", "PT", "IE", "FI")
MERCHANTS = (
    "groceries",
    "fashion",
    "electronics",
    "travel",
    "fuel",
    "pharmacy",
    "dining",
    "games",
    "books",
    "sports",
)
CHANNELS = ("web", "app", "phone")
CARDS = ("debit", "credit", "prepaid", "virtual")

MISSING = {
    "age": 0.04,
    "email_age_days": 0.10,
    "credit_utilisation": 0.06,
    "distance_km": 0.02,
}
"""Share of values that healthy traffic lacks."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fraud:
    """The scoring service of one bank.

    Attributes:
        seed: names the traffic; two services with one seed send the same events.
    """

    seed: int

    def columns(self, *, second: int, rows: int, drifts: tuple[Drift, ...] = ()) -> Columns:
        """Return the features of the requests of one second, shape (rows,) each, with the drifts given applied."""
        rng = np.random.default_rng((self.seed, second))
        columns = _population(rng, rows)
        for name, share in MISSING.items():
            lost = np.asarray(columns[name], dtype=object)
            lost[rng.random(rows) < share] = None
            columns[name] = lost
        for drift in drifts:
            drift.apply(columns, rng)
        return columns

    def events(
        self, *, second: int, rows: int, start_ms: int, drifts: tuple[Drift, ...] = ()
    ) -> list[tuple[int, bytes]]:
        """Return one second of traffic as (event time in ms, native JSON event), in the order of event time."""
        columns = self.columns(second=second, rows=rows, drifts=drifts)
        rng = np.random.default_rng((self.seed, second, 1))
        score = np.round(_score(columns), 4)
        latency = np.round(rng.lognormal(2.4, 0.35, rows), 2)
        failed = rng.random(rows) < 0.002
        instances = rng.integers(len(INSTANCES), size=rows)
        names = list(columns)
        lists = [column.tolist() for column in columns.values()]
        events = []
        for i, values in enumerate(zip(*lists, strict=True)):
            at_ms = start_ms + second * 1000 + i * 1000 // rows
            events.append(
                (
                    at_ms,
                    orjson.dumps(
                        {
                            "event_id": f"{self.seed:x}-{second}-{i}",
                            "model": MODEL,
                            "version": VERSION,
                            "timestamp": at_ms,
                            "features": dict(zip(names, values, strict=True)),
                            "prediction": None
                            if failed[i]
                            else {
                                "ok": round(1.0 - float(score[i]), 4),
                                "fraud": float(score[i]),
                            },
                            "latency_ms": float(latency[i]),
                            "error": "timeout" if failed[i] else None,
                            "instance": INSTANCES[instances[i]],
                        }
                    ),
                )
            )
        return events


def _population(rng: np.random.Generator, rows: int) -> Columns:
    """Healthy traffic: marginals with the correlation of three latent causes (wealth, activity, risk)."""
    wealth, activity, risk = rng.standard_normal((3, rows))

    def normal(*, of: Floats, weight: float) -> Floats:
        return np.asarray(weight * of + np.sqrt(1.0 - weight**2) * rng.standard_normal(rows))

    def uniform(*, of: Floats, weight: float) -> Floats:
        return np.asarray(special.ndtr(normal(of=of, weight=weight)))

    amount = _rounded(np.exp(3.4 + 0.9 * normal(of=wealth, weight=0.6)), 2)
    weekly = stats.poisson.ppf(uniform(of=activity, weight=0.8), 9.0)
    home = uniform(of=risk, weight=0.3) < 0.35
    return {
        "amount": amount,
        "amount_ratio": _rounded(np.exp(0.5 * normal(of=risk, weight=0.4)), 3),
        "account_age_days": np.floor(-900.0 * np.log1p(-uniform(of=wealth, weight=0.3))).astype(np.int64),
        "age": np.clip(np.round(43.0 + 15.0 * normal(of=wealth, weight=0.4)), 18, 95).astype(np.int64),
        "transactions_24h": stats.poisson.ppf(uniform(of=activity, weight=0.7), 1.8).astype(np.int64),
        "transactions_7d": weekly.astype(np.int64),
        "distance_km": np.where(home, 0.0, _rounded(np.exp(2.0 + 1.4 * normal(of=risk, weight=0.5)), 1)),
        "device_score": np.round(special.betaincinv(5.0, 2.0, uniform(of=-risk, weight=0.5)), 4),
        "ip_risk": np.round(special.betaincinv(1.3, 7.0, uniform(of=risk, weight=0.6)), 4),
        "email_age_days": np.floor(-600.0 * np.log1p(-uniform(of=wealth, weight=0.2))).astype(np.int64),
        "session_seconds": np.round(special.gammaincinv(2.0, uniform(of=activity, weight=0.3)) * 70.0, 1),
        "failed_logins": stats.poisson.ppf(uniform(of=risk, weight=0.4), 0.2).astype(np.int64),
        "basket_items": 1 + stats.geom.ppf(uniform(of=wealth, weight=0.2), 0.45).astype(np.int64),
        "credit_utilisation": np.round(special.betaincinv(2.0, 3.0, uniform(of=-wealth, weight=0.4)), 3),
        "country": _choice(rng, COUNTRIES, rows, skew=1.1),
        "channel": _choice(rng, CHANNELS, rows, skew=0.9),
        "merchant": _choice(rng, MERCHANTS, rows, skew=0.7),
        "card": _choice(rng, CARDS, rows, skew=1.0),
        "new_device": uniform(of=risk, weight=0.3) > 0.88,
        "cvv_match": uniform(of=risk, weight=0.2) < 0.97,
    }


def _rounded(values: Floats, decimals: int) -> Floats:
    return np.asarray(np.round(values, decimals), dtype=np.float64)


def _choice(rng: np.random.Generator, values: tuple[str, ...], rows: int, *, skew: float) -> npt.NDArray[np.object_]:
    """Draw categories with Zipf weights of exponent `skew`."""
    weights = np.arange(1, len(values) + 1) ** -skew
    return np.asarray(values, dtype=object)[rng.choice(len(values), size=rows, p=weights / weights.sum())]


def _score(columns: Columns) -> Floats:
    """The model under watch: a logistic regression with mean imputation, P(fraud) per request, shape (rows,)."""

    def feature(name: str, mean: float) -> Floats:
        values = np.asarray(columns[name], dtype=np.float64)
        return np.where(np.isnan(values), mean, values)

    logit = (
        -5.2
        + 0.25 * np.log(feature("amount", 30.0))
        + 3.0 * feature("ip_risk", 0.16)
        - 1.5 * feature("device_score", 0.71)
        + 0.5 * feature("failed_logins", 0.2)
        + 0.9 * feature("new_device", 0.12)
        - 0.6 * feature("cvv_match", 0.97)
        + 0.2 * feature("transactions_24h", 1.8)
        + 0.15 * np.log1p(feature("distance_km", 10.0))
    )
    return np.asarray(special.expit(logit))
