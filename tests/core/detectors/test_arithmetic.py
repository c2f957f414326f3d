"""The special functions against independent values, at the ends of their ranges."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln

from stream_monitor.core.detectors.arithmetic import exp, log, log1p_exp, log_rising, log_sum_exp, ordered_sum


@given(st.floats(1e-300, 1e300))
def test_the_logarithm_is_that_of_the_library_to_the_last_digits(x: float) -> None:
    """Two roundings apart at most."""
    assert float(log(np.array([x]))[0]) == pytest.approx(math.log(x), rel=4e-16, abs=1e-16)


@given(st.floats(-700.0, 700.0))
def test_the_exponential_is_that_of_the_library_to_the_last_digits(x: float) -> None:
    """Two roundings apart at most."""
    assert float(exp(np.array([x]))[0]) == pytest.approx(math.exp(x), rel=5e-16)


def test_minus_infinity_is_a_number_that_may_be_summed() -> None:
    """R = 0 before the first pane is -inf in logarithms and must come through every step."""
    nothing = np.array([-np.inf, -np.inf])

    assert exp(nothing).tolist() == [0.0, 0.0]
    assert log1p_exp(nothing).tolist() == [0.0, 0.0]
    assert log_sum_exp(nothing) == -np.inf
    assert log_sum_exp(np.array([-np.inf, 3.0])) == 3.0


def test_log_sum_exp_does_not_overflow() -> None:
    """Evidence of e^600 from several alternatives is summed."""
    assert float(log_sum_exp(np.array([600.0, 600.0]))) == pytest.approx(600.0 + math.log(2.0), rel=1e-15)


@given(st.integers(1, 4000), st.integers(0, 3000))
def test_the_rising_factorial_of_integers_is_exact(x: int, c: int) -> None:
    """The logarithm of x (x+1) ... (x+c-1), multiplied out in integers."""
    product = math.prod(range(x, x + c))
    expected = math.log(product) if product else 0.0

    found = float(log_rising(np.array([float(x)]), np.array([float(c)]))[0])

    assert found == pytest.approx(expected, rel=2e-15, abs=2e-13)


@pytest.mark.parametrize(("x", "c"), [(1e-4, 3.0), (0.3, 1.0), (7.999, 2.5), (8.0, 1e6), (2.5, 0.2), (1.0, 0.5)])
def test_the_rising_factorial_of_reals_agrees_with_the_gamma_function(x: float, c: float) -> None:
    """On both sides of the switch at 8, and for counts that a design effect made fractional."""
    found = float(log_rising(np.array([x]), np.array([c]))[0])

    assert found == pytest.approx(float(gammaln(x + c) - gammaln(x)), rel=1e-12, abs=1e-13)


def test_the_rising_factorial_keeps_its_digits_where_the_gamma_function_loses_them() -> None:
    """At x = 10^9, c = 3 the difference of two gamma functions is wrong in the seventh digit."""
    exact = Fraction(10**9) * (10**9 + 1) * (10**9 + 2)

    found = float(log_rising(np.array([1e9]), np.array([3.0]))[0])

    assert found == pytest.approx(math.log(exact), rel=1e-15)


def test_a_known_logarithm_gives_the_same_rising_factorial() -> None:
    """The caller's ln x only saves time."""
    x, c = np.array([0.2, 5.0, 80.0, 3e5]), np.array([3.0, 1.0, 70.0, 9.0])

    assert log_rising(x, c, log(x)).tolist() == log_rising(x, c).tolist()


def test_sums_do_not_depend_on_what_else_is_summed() -> None:
    """A series alone and in a group of a hundred gets the same last bits."""
    x = np.random.default_rng(3).standard_normal((100, 57))

    assert ordered_sum(x)[41] == ordered_sum(x[41:42])[0] == ordered_sum(np.asfortranarray(x))[41]
