"""Well-formedness: each check has a record that fails it alone, and whole records fail none."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given

from ir.networks import networks
from ir.strategies import records
from whygrad.ir import Graph, Record, Step, Value
from whygrad.ir import wellformed as checks
from whygrad.ir.text import loads
from whygrad.ir.wellformed import RECORD_CHECKS, STEP_CHECKS, problems

SOUND = """
optimizer opt
collation path=a other=b rows=4 moved=2
step 0
  x: input f32[2]
  y: label f32[2]
  w: parameter f32[2]
  h = mul x w scope=0
  l = mse_loss h y carries=[true,false]
  ! backward l
  ! optimizer_step opt
  parameter w optimizer="opt"
  scope f arguments={"out":"h"}
  labels values=["y"] how="target"
  trial intervention={"type":"permute","values":["y"]}
  trial intervention={"type":"lift","ops":["h"]}
  trial intervention={"type":"reshape","value":"y","shape":[2,1]}
  birth stage="forward" op="h"
step 3
"""

UNSOUND = {
    checks.inputs_come_first: ("h = mul l w", "op 0 (mul): reads `l` before it is made", "h = mul x w scope=0"),
    checks.one_producer: (
        "l = mse_loss h y\nl = add x y",
        "op 2 (add): `l` is made a second time",
        "l = mse_loss h y carries=[true,false]",
    ),
    checks.carries_fit: ("carries=[true]", "1 entries in `carries` for 2 inputs", "carries=[true,false]"),
    checks.shapes_are_sizes: ("y: label shape=[-1]", "value `y`: the shape (-1,) has a negative size", "y: label f32[2]"),
    checks.events_are_placed: ("! backward l at=7", "event 0 (backward): stands at op 7 of 2", "! backward l"),
    checks.scopes_exist: ("scope=1", "op 0 (mul): there is no scope 1", "scope=0"),
    checks.parameters_have_values: ("parameter w value=v", "parameter `w`: its value `v` is not declared", 'parameter w optimizer="opt"'),
    checks.labels_are_values: ('labels values=["z"]', "the label `z` is not declared", 'labels values=["y"]'),
    checks.trials_name_the_step: ('"lift","ops":["x"]', "a trial changes `x`, which the step does not have", '"lift","ops":["h"]'),
    checks.births_name_the_step: ('op="z"', "a birth names `z`, which the step does not have", 'op="h"'),
    checks.steps_in_order: ("step 0", "steps are numbered 0, 0", "step 3"),
    checks.collations_count_rows: ("moved=5", "a collation of 4 rows has 5 elsewhere", "moved=2"),
    checks.optimizers_are_known: ('optimizer="adam"', "parameter `w` is held by `adam`, which is not listed", 'optimizer="opt"'),
}

MORE = {
    "the second event before the first": ("! optimizer_step opt at=0", "stands before the event above it", "! optimizer_step opt"),
    "a parameter twice": ("parameter w\nparameter w", "a parameter is listed twice", 'parameter w optimizer="opt"'),
    "two optimizers of one name": ("optimizer opt\noptimizer opt", "two optimizers have the same name", "optimizer opt"),
    "labels from nowhere": ("how=", "labels were found, but not how", 'how="target"'),
    "a negative count": ("y: label f32[2] count=-1", "statistics of -1 entries", "y: label f32[2]"),
    "a scope given something else": ('"out":"q"', "`out` is `q`, not declared", '"out":"h"'),
    "a permutation of nothing known": ('"permute","values":["q"]', "a trial changes `q`", '"permute","values":["y"]'),
    "a reshape of nothing known": ('"value":"q"', "a trial changes `q`", '"value":"y"'),
    "a negative scope": ("scope=-1", "there is no scope -1", "scope=0"),
}


def changed(new: str, old: str) -> tuple[str, ...]:
    assert old in SOUND
    return problems(loads(SOUND.replace(old, new if new != "how=" else "", 1)))


def test_a_sound_record_has_no_problems():
    assert problems(loads(SOUND)) == ()


@given(records() | networks())
def test_generated_records_have_no_problems(record: Record):
    assert problems(record) == ()


@pytest.mark.parametrize("check", UNSOUND, ids=lambda check: check.__name__)
def test_each_check_finds_its_problem(check: Callable[..., object]):
    new, problem, old = UNSOUND[check]

    assert any(problem in found for found in changed(new, old))


@pytest.mark.parametrize("case", MORE)
def test_the_finer_points_are_found_too(case: str):
    new, problem, old = MORE[case]

    assert any(problem in found for found in changed(new, old))


def broken(check: Callable[[Step], Iterator[str]]) -> tuple[str, ...]:
    """Problems of records that the text form can't say."""
    record = loads(SOUND)
    step, graph = record.steps[0], record.steps[0].graph
    first = graph.ops[0]
    steps: dict[Callable[[Step], Iterator[str]], Step] = {
        checks.values_are_declared: replace(step, graph=Graph(graph.ops, {k: v for k, v in graph.values.items() if k != "x"})),
        checks.kinds_and_roles: replace(step, graph=Graph((replace(first, kind="melt"),), graph.values)),
        checks.attributes_are_plain: replace(step, graph=Graph((replace(first, attributes={"pad": ((1, 1),)}),), graph.values)),  # type: ignore[dict-item]
        checks.losses_exist: replace(step, events=(replace(step.events[0], targets=("q",)),)),
    }
    return problems(replace(record, steps=(steps[check],)))


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (checks.values_are_declared, "step 0: op 0 (mul): `x` is not declared"),
        (checks.kinds_and_roles, "step 0: op 0: unknown kind `melt`"),
        (checks.attributes_are_plain, "step 0: op 0 (mul): the attribute `pad` is no scalar and no tuple of scalars"),
        (checks.losses_exist, "step 0: the loss `q` is not declared"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_no_text_can_say_is_found(check: Callable[[Step], Iterator[str]], problem: str):
    assert problem in broken(check)


def test_a_value_under_another_name_is_found():
    step = loads("x: input").steps[0]

    assert problems(Record(steps=(replace(step, graph=Graph((), {"y": Value("x")})),))) == ("step 0: value `x` stands under `y`",)


def test_every_check_is_tested_here():
    others = {checks.values_are_declared, checks.kinds_and_roles, checks.attributes_are_plain, checks.losses_exist}

    assert {*STEP_CHECKS, *RECORD_CHECKS} == {*UNSOUND, *others}
