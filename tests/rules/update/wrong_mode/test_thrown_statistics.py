"""The part of WG413 about running statistics that nobody carries over: fires, is silent, and the line that evaluates by them."""

from pathlib import Path
from time import time

import pytest

from sketch import said, sketch
from whygrad.frontends.origins.evaluations import evaluations
from whygrad.frontends.origins.program import Program
from whygrad.frontends.source import Sources
from whygrad.rules.update.wrong_mode import diagnose

STEP = """
    x{0}: input f32[8,4]
    m{0}: input f32[4] minimum=0.0 maximum=0.0
    v{0}: input f32[4] minimum=1.0 maximum=1.0
    g: parameter f32[4]
    n{0} = batch_norm x{0} m{0} v{0} g with={{"training":true}} module="norm" @ "net.py":3 in "Net.__call__" callers=[["net.py",9,"loss_fn"]]
    loss = mean n{0}
"""
TWO = (
    'origin values=["n1"] setting="statistics" @ "net.py":15\n    step 0 updated=true\n'
    + STEP.format(0)
    + "    step 1 updated=true\n"
    + STEP.format(1)
)


def test_statistics_that_are_as_they_were_made_after_a_step() -> None:
    (diagnosis,) = said(diagnose, TWO)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 9
    assert diagnosis.related[0].site.line == 15
    assert "thrown away" in diagnosis.message


@pytest.mark.parametrize(
    "text",
    [
        TWO.replace("m1: input f32[4] minimum=0.0 maximum=0.0", "m1: input f32[4] minimum=0.1 maximum=0.4"),
        TWO.replace("m1: input f32[4] minimum=0.0 maximum=0.0", 'm1: input f32[4] minimum="nan" maximum="nan"'),
        TWO.partition("\n")[2],
        TWO.partition("    step 1")[0].replace("n1", "n0"),
        TWO.replace('values=["n1"]', 'values=["other"]'),
    ],
    ids=["carried over", "no figures", "never evaluated by them", "a single step", "another model is evaluated"],
)
def test_statistics_that_are_kept_or_not_needed(text: str) -> None:
    assert not said(diagnose, text)


NET = """\
class Net(nn.Module):
    def __call__(self, x, train):
        return nn.BatchNorm(use_running_average={told})(x)

variables = Net().init(key, x, train=False)

def loss_fn(params, stats, x):
    return Net().apply({{"params": params, "batch_stats": stats}}, x, train=True, mutable=["batch_stats"])

{rest}
"""


@pytest.mark.parametrize(
    ("told", "rest", "line"),
    [
        ("not train", "Net().apply(variables, x, train=False)", 10),
        ("train", "Net().apply(variables, x, train=True)", 10),
        ("not train", "Net().apply(variables, x, train=True)", None),
        ("False", "Net().apply(variables, x, train=False)", None),
    ],
    ids=["evaluated", "the other way round", "always in training", "no mode"],
)
def test_the_line_that_evaluates(tmp_path: Path, told: str, rest: str, line: int | None) -> None:
    source = tmp_path / "net.py"
    source.write_text(NET.format(told=told, rest=rest))
    record = sketch(TWO.replace("net.py", str(source))).record
    found = [origin.site.line for origin in evaluations(Program(Sources(time() + 9)), record) if origin.site is not None]

    assert found == ([line] if line else [])
