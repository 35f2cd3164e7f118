"""Cuts: grouping, chains, and growth."""

import pytest

from sketch import sketch
from whygrad.flow import Index
from whygrad.flow.cuts import cuts
from whygrad.ir import Graph, Op, Optimizer, Parameter, Record, Site, Step, Value
from whygrad.ir.ops import Attribute
from whygrad.ir.steps import Event

CHAIN = """
    w: parameter f32[4]
    x: input f32[8,4]
    h = mul x w
    a = detach h @ "train.py":3
    b = copy a @ "train.py":3
    c = round b @ "train.py":4
    e = argmax c @ "train.py":5
    v: parameter f32[4]
    o = mul e v
    loss = mean o
"""


def test_a_chain_is_one_cut_named_by_its_first_op() -> None:
    (cut,) = cuts(sketch(CHAIN))

    assert (cut.story, cut.ops[0].output, [op.output for op in cut.chain]) == ("detached", "a", ["c", "e"])


def test_a_detour_through_another_cut_is_kept_apart() -> None:
    text = CHAIN.replace('a = detach h @ "train.py":3', 'r = round h @ "train.py":2\n    s = add r h\n    a = detach s @ "train.py":3')

    (cut,) = cuts(sketch(text))

    assert (cut.story, [op.output for op in cut.inner]) == ("detached", ["r"])


def test_two_paths_with_two_cuts_are_one_diagnosis_with_the_other_beside_it() -> None:
    text = """
        w: parameter f32[4]
        v: parameter f32[4]
        x: input f32[8,4]
        h = mul x w
        a = detach h @ "train.py":3
        b = argmax h @ "train.py":4
        c = add a b
        o = mul c v
        loss = mean o
    """
    (cut,) = cuts(sketch(text))

    assert (cut.story, [op.output for op in cut.others]) == ("detached", ["b"])


def test_steps_of_one_kind_show_one_cut() -> None:
    assert len(cuts(sketch(CHAIN, steps=2))) == 1


def test_nothing_is_computed_for_a_healthy_step() -> None:
    index = sketch("w: parameter f32[4]\nloss = mean w")

    assert index.once(cuts) is index.once(cuts) == ()


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_a_long_unrolled_loop_is_one_cut(count: int) -> None:
    (cut,) = cuts(_unrolled(count))

    assert (len(cut.ops), [p.name for p in cut.starved]) == (count, ["w"])


def _unrolled(count: int) -> Index:
    """A recurrent net that detaches its state at each of `count` steps, all on one line."""
    site = Site("train.py", 5)
    settings: dict[str, Attribute] = {}
    ops = []
    state = "x"
    for at in range(count):
        ops.append(Op("linear", (state, "w"), (f"h{at}",), site=Site("train.py", 4), attributes=settings))
        ops.append(Op("detach", (f"h{at}",), (f"s{at}",), site=site))
        state = f"s{at}"
    ops.append(Op("linear", (state, "v"), ("loss",)))
    names = {name for op in ops for name in (*op.inputs, *op.outputs)}
    graph = Graph(tuple(ops), {name: Value(name) for name in names})
    parameters = (Parameter("w", "w", optimizer="opt", reached=True), Parameter("v", "v", optimizer="opt", reached=True, gradient="finite"))
    step = Step(0, graph=graph, events=(Event("backward", len(ops), ("loss",)),), parameters=parameters)
    return Index(Record(steps=(step,), optimizers=(Optimizer("opt"),)))


def _adversaries(*steps_of: str) -> Index:
    """Two losses through `fake`, which each detaches before it reads it; `steps_of` names the optimizers that step after the first and after the second."""
    steps = []
    for kind, (line, stepping) in enumerate(zip((11, 17), steps_of, strict=True)):
        ops = (
            Op("mul", ("z", "g"), ("fake",), site=Site("gan.py", 9)),
            Op("detach", ("fake",), ("cut",), site=Site("gan.py", line)),
            Op("mul", ("cut", "d"), ("score",), site=Site("gan.py", line)),
            Op("mean", ("score",), ("loss",), site=Site("gan.py", line)),
        )
        values = {name: Value(name, "loss" if name == "loss" else "activation") for op in ops for name in (*op.inputs, *op.outputs)}
        mine = Parameter("g", "g", optimizer="opt_g", reached=True)
        other = Parameter("d", "d", optimizer="opt_d", reached=True, gradient="finite")
        updates = [Event("optimizer_step", len(ops), (name,)) for name in stepping.split()]
        steps.append(
            Step(kind, kind, graph=Graph(ops, values), events=(Event("backward", len(ops), ("loss",)), *updates), parameters=(mine, other))
        )
    return Index(Record(steps=tuple(steps), optimizers=(Optimizer("opt_g"), Optimizer("opt_d"))))


@pytest.mark.parametrize(
    ("steps_of", "lines"),
    [(("opt_d", "opt_g"), [17]), (("opt_g", "opt_d"), [11]), (("opt_d", "opt_d"), [11, 17]), (("", "opt_d opt_g"), [17])],
    ids=["the second trains the generator", "the first does", "nothing is known of its update", "one update of both"],
)
def test_of_two_losses_the_one_is_told_of_whose_update_the_parameter_takes_part_in(steps_of: tuple[str, ...], lines: list[int]) -> None:
    found = [cut.ops[0].site for cut in cuts(_adversaries(*steps_of))]

    assert [site.line for site in found if site is not None] == lines
