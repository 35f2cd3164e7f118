"""What switches off the branch in which a function reads its labels is followed to where it is set."""

import time
from pathlib import Path

import pytest

from whygrad.frontends.origins.program import Program
from whygrad.frontends.origins.untaken import untaken
from whygrad.frontends.source import Sources
from whygrad.ir import Labels, Record, Scope, Site, Step

METHOD = """
class Loss:
    def __init__(self, spec):
        self.weight = spec.get("label", 0.0)  # decided

    def __call__(self, out, labels):
        total = out.mean()
        if self.weight > 0:
            total = total + self.weight * (out - labels).pow(2).mean()
        return total
"""
GLOBAL = """
SUPERVISED = False  # decided

def objective(out, labels):
    if SUPERVISED:
        return (out - labels).pow(2).mean()
    return out.mean()
"""
DECIDED = {
    "an attribute": METHOD,
    "a setting of the module": GLOBAL,
    "a comparison of what nothing is known of": GLOBAL.replace("SUPERVISED = False  # decided", "").replace(
        "if SUPERVISED:", "if out.dim() == 1:  # decided"
    ),
}
UNKNOWN = {
    "labels that are read elsewhere too": METHOD.replace("return total", "return total + labels.mean()"),
    "two branches": GLOBAL.replace("    return out.mean()", "    if out.ndim:\n        return labels.mean()\n    return out.mean()"),
    "a branch that asks about the labels": GLOBAL.replace("if SUPERVISED:", "if labels is not None:"),
}


def found(text: str, folder: Path) -> list[int]:
    file = folder / "objective.py"
    file.write_text(text)
    line = next(at for at, written in enumerate(text.splitlines(), 1) if "labels):" in written)
    scope = Scope("objective", {"out": "p", "labels": "y"}, Site(str(file), line, line))
    step = Step(0, scopes=(scope,), labels=Labels(("y",), "batch"))
    return [origin.site.line for origin in untaken(Program(Sources(time.time() + 10)), Record(steps=(step,))) if origin.site is not None]


@pytest.mark.parametrize("text", DECIDED.values(), ids=DECIDED)
def test_the_place_that_decides(text: str, tmp_path: Path) -> None:
    (line,) = found(text, tmp_path)

    assert "# decided" in text.splitlines()[line - 1]


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN)
def test_nothing_is_said_of_what_may_have_been_read(text: str, tmp_path: Path) -> None:
    assert found(text, tmp_path) == []
