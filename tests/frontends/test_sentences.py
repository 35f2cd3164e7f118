"""What a statement makes of a number, from its source."""

from whygrad.frontends.sentences import uses

LINES = [
    "def loss(self, w, x):\n",
    "    total = error(w, x) + (1 - self.share) * size(w)\n",
    "    if self.count > self.warm_up:\n",
    "        total = total + penalty(w)\n",
    "    if self.count < 1:\n",
    "        print('tracing')\n",
    "    return total if SETTINGS['soft'] else hard(total)\n",
]
WAS = {("self", "share"): 0.25, ("self", "count"): 0.0, ("self", "warm_up"): 3.0, ("SETTINGS", "soft"): 1.0}
NOW = {**WAS, ("self", "count"): 9.0, ("SETTINGS", "soft"): 0.0}


def test_a_number_and_what_arithmetic_makes_of_it() -> None:
    found = uses(LINES, 2, ("self", "share"), WAS, NOW)

    assert found.written == "self.share"
    assert {0.25, 0.75} <= set(found.values)


def test_a_condition_that_is_decided_otherwise_now() -> None:
    assert uses(LINES, 3, ("self", "count"), WAS, NOW).test == "self.count > self.warm_up"
    assert uses(LINES, 7, ("SETTINGS", "soft"), WAS, NOW).test == "SETTINGS['soft']"


def test_what_decides_nothing() -> None:
    assert not uses(LINES, 3, ("self", "count"), WAS, {**WAS, ("self", "count"): 2.0}).test
    assert not uses(LINES, 5, ("self", "count"), WAS, NOW).test, "what is printed is not trained"
    assert uses(LINES, 2, ("self", "count"), WAS, NOW).written == ""
    assert uses(["def (:\n"], 1, ("self", "count"), WAS, NOW).written == ""
