"""What all rules do for a step grows with its ops and no faster: counted in calls, since times are nobody's to promise."""

import cProfile
import pstats
import runpy
from pathlib import Path

import pytest

from whygrad.flow import Index
from whygrad.rules import load_rules

BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/rules.py"))
FACTOR = 4
SLACK = 1.5
"""Beyond linear: sets and sorting. One search of the whole graph for each of its ops has a factor of 16."""


def calls(size: int, fault: str) -> int:
    """Python calls of all rules over the benchmark's record of so many ops."""
    index, profile = Index(BENCHMARK["record"](size, fault)), cProfile.Profile()
    rules = load_rules()
    profile.enable()
    for rule in rules:
        tuple(rule.check(index))
    profile.disable()
    total: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]  # typeshed leaves it out
    return total


@pytest.mark.parametrize("fault", BENCHMARK["FAULTS"])
def test_the_rules_are_linear_in_the_ops(fault: str) -> None:
    calls(100, fault)  # fills caches

    assert calls(FACTOR * 1_000, fault) < SLACK * FACTOR * calls(1_000, fault)
