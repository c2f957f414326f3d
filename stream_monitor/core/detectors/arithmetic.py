"""Logarithm, exponential and rising factorial that give the same bits on every machine.

The C library's `log` and SIMD versions of it differ in last bits between processors, and a detector that sums thousands
of them then publishes other digits after a fail-over to another machine. Everything here is built from `+ - * /`,
`frexp` and `ldexp`, which IEEE 754 fixes and which NumPy never fuses across two calls. Relative errors are a few 1e-16;
`log_rising` is good to about 1e-13 + 1e-15 |result|.

>>> float(log(np.array([2.0]))[0])
0.6931471805599453
>>> float(log_rising(np.array([3.0]), np.array([2.0]))[0]) - math.log(12) < 1e-13
True

Sources: Abramowitz & Stegun (1964), 6.1.15 and 6.1.41 (gamma function); K. C. Ng, FDLIBM (1993), e_log.c
(coefficients of the logarithm).
"""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.arrays import Float64

LN2 = 0.6931471805599453
_LN2_HIGH = 6.93147180369123816490e-01  # 33 significant bits, so that k * _LN2_HIGH is exact for every exponent k
_LN2_LOW = 1.90821492927058770002e-10
_SQRT_HALF_BITS = int(np.array(0.7071067811865476).view(np.int64))
_LOG_TERMS = (  # of 2 atanh(s) / s in s², best approximation for |s| <= 0.1716: 8 terms instead of 11 of the series
    2.0,
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
_EXP_TERMS = tuple(1.0 / math.factorial(i) for i in range(15))
_STIRLING_TERMS = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_STIRLING_FROM = 8.0  # below it the series does not reach 1e-14: arguments are moved up by 8 first
_BLOCK = 8192  # elements a call: the temporaries of one block stay in the cache of a core


def log(x: Float64) -> Float64:
    """Return ln x of positive, finite, normal (>= 2.3e-308) numbers, any shape."""
    mantissa, exponent = _split(np.ascontiguousarray(x))
    return _log_of_parts((mantissa - 1.0) / (mantissa + 1.0), exponent)


def exp(x: Float64) -> Float64:
    """Return e^x; below -745 it is 0, above 709 it overflows to infinity, -inf gives 0."""
    bounded = np.maximum(x, -746.0)
    exponent = np.rint(bounded * (1.0 / LN2))
    rest = (bounded - exponent * _LN2_HIGH) - exponent * _LN2_LOW
    return np.ldexp(_polynomial(_EXP_TERMS, rest), exponent.astype(np.int64))


def log1p_exp(x: Float64) -> Float64:
    """Return ln(1 + e^x) without overflow; -inf gives 0."""
    return np.maximum(x, 0.0) + log(1.0 + exp(-np.abs(x)))


def log_sum_exp(x: Float64) -> Float64:
    """Return ln of the sum of e^x along the last axis; -inf where every term is."""
    top = np.max(x, axis=-1, keepdims=True)
    safe = np.where(np.isneginf(top), 0.0, top)
    total = ordered_sum(exp(x - safe))
    out = np.full(total.shape, -np.inf)
    some = total > 0.0
    out[some] = log(total[some]) + safe[..., 0][some]
    return out


def ordered_sum(x: Float64) -> Float64:
    """Return sums along the last axis, added from first to last: `np.sum` may change its order with the memory
    layout.
    """
    sums: Float64 = np.ascontiguousarray(np.moveaxis(x, -1, 0)).cumsum(axis=0)[-1]
    return sums


def log_rising(x: Float64, c: Float64, log_x: Float64 | None = None) -> Float64:
    """Return ln Γ(x+c) - ln Γ(x), the log of the rising factorial, elementwise.

    Both terms are never formed: for x near 1e9 they agree in ten digits and their difference would keep six.

    Args:
        x: positive, finite, any shape.
        c: zero or positive, finite, same shape.
        log_x: ln x where the caller has it at less cost than a logarithm; it is trusted.
    """
    flat_x, flat_c = x.reshape(-1), c.reshape(-1)
    flat_log = None if log_x is None else log_x.reshape(-1)
    out = np.empty(flat_x.size)
    for start in range(0, flat_x.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        out[part] = _log_rising_block(flat_x[part], flat_c[part], None if flat_log is None else flat_log[part])
    return out.reshape(x.shape)


def _log_rising_block(x: Float64, c: Float64, log_x: Float64 | None) -> Float64:
    small = np.flatnonzero(x < _STIRLING_FROM)
    y = x
    if small.size:
        y = x.copy()
        y[small] += _STIRLING_FROM
    if log_x is None:
        log_y = log(y)
    elif small.size:
        log_y = log_x.copy()
        log_y[small] = log(y[small])
    else:
        log_y = log_x
    top = y + c
    out = c * log_y
    out += (top - 0.5) * _log_ratio(top, y, c)
    out -= c
    out += _stirling(top)
    out -= _stirling(y)
    if small.size:
        out[small] -= log(_rise_by_8(x[small] + c[small]) / _rise_by_8(x[small]))
    return out


def _log_ratio(top: Float64, y: Float64, c: Float64) -> Float64:
    """Return ln(top / y) for top = y + c, exact to the last digits also where c is tiny against y."""
    mantissa, exponent = _split(top / y)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    near = exponent == 0
    np.copyto(s, c / (top + y), where=near)
    return _log_of_parts(s, exponent)


def _split(x: Float64) -> tuple[Float64, Float64]:
    """Return (mantissa, exponent) with x = mantissa 2^exponent and mantissa in [√½, √2), of positive normal numbers."""
    bits = x.view(np.int64)
    exponent = (bits - _SQRT_HALF_BITS) >> 52
    return (bits - (exponent << 52)).view(np.float64), exponent.astype(np.float64)


def _log_of_parts(s: Float64, exponent: Float64) -> Float64:
    """Return exponent ln 2 + 2 atanh(s), |s| <= 0.172."""
    series = s * _polynomial(_LOG_TERMS, s * s)
    return exponent * _LN2_HIGH + (series + exponent * _LN2_LOW)


def _stirling(y: Float64) -> Float64:
    inverse = 1.0 / y
    return inverse * _polynomial(_STIRLING_TERMS, inverse * inverse)


def _rise_by_8(x: Float64) -> Float64:
    product = x.copy()
    for i in range(1, 8):
        product *= x + i
    return product


def _polynomial(terms: tuple[float, ...], x: Float64) -> Float64:
    value = x * terms[-1]
    for term in reversed(terms[1:-1]):
        value += term
        value *= x
    value += terms[0]
    return value
