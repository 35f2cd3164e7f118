"""Records that look like training, sound and faulty at random: `networks()`. Rules get further into these than into records of any shape."""

from collections.abc import Iterator
from typing import get_args

from hypothesis import strategies as st

from ir.strategies import MEASURES, NUMBERS
from whygrad.ir import (
    KINDS,
    Attribute,
    Batches,
    Ending,
    Event,
    GradientState,
    Graph,
    Group,
    Intervention,
    Labels,
    Lift,
    Measures,
    Op,
    Optimizer,
    Outcome,
    Parameter,
    Permute,
    Raised,
    Record,
    Role,
    Scope,
    Site,
    Statistics,
    Step,
    Trial,
    Value,
    family,
)

LOSSES = sorted(kind for kind in KINDS if family(kind) == "loss")
USUAL = ["linear", "relu", "mul", "add", "linear", "softmax", "sub", "mean", "reshape"]
CUTS = ["detach", "leave", "enter", "argmax", "compare", "round"]
OTHERS = [*USUAL * 8, *CUTS * 3, *sorted(KINDS)]
LIKELY = st.integers(0, 4).map(bool)
RARELY = LIKELY.map(lambda likely: not likely)
SHAPES = st.sampled_from((None, (), (4,), (4, 1), (4, 3), (3,), (1,), (4, 5, 1), (0,)))
FIGURES = st.one_of(
    st.none(),
    st.builds(
        Statistics,
        st.integers(0, 60),
        finite=st.sampled_from((0.0, 0.5, 1.0, float("nan"))),
        minimum=NUMBERS,
        maximum=NUMBERS,
        norm=NUMBERS,
    ),
    st.builds(
        Statistics,
        st.just(64),
        minimum=st.just(0.0),
        maximum=st.sampled_from((0.0, 1.0, 9.0)),
        distinct=st.integers(0, 3),
        whole=st.just(1.0),
    ),
)
STATES = st.sampled_from(get_args(GradientState))
REFUSALS = (
    Raised("RuntimeError", "element 0 of tensors does not require grad and does not have a grad_fn", Site("train.py", 24)),
    Raised("ValueError", "Expected input batch_size (4) to match target batch_size (3).", Site("train.py", 23)),
    Raised("KeyboardInterrupt", ""),
)
BATCHES = (
    Batches("[1]", 9, 0.0, 0.0, 9, values=("y",)),
    Batches("[1]", 9, 0.0, 1.0, 0, 9),
    Batches("[1]", 0),
    Batches("[1]", 3, float("nan")),
)
PROGRAM = {"train.py": 40, "model.py": 60}


@st.composite
def places(draw: st.DrawFn) -> Site | None:
    if not draw(st.integers(0, 3)):
        return None
    file = draw(st.sampled_from(sorted(PROGRAM)))
    return Site(file, draw(st.integers(1, PROGRAM[file])), column=5, end_column=20, function="forward", text="    h = f(x)")


def value(draw: st.DrawFn, name: str) -> Value:
    """Inputs, labels, parameters and what ops make, told apart by the first letter."""
    roles: dict[str, Role] = {"x": "input", "y": "label", "w": "parameter", "l": "loss", "p": "python", "c": "constant"}
    dtype = draw(st.sampled_from(("f32", "f32", "f16", "i64", "bool", "")))
    role, called = roles.get(name[0], "activation"), draw(st.sampled_from(("", "labels", name)))
    return Value(name, role, dtype, draw(SHAPES), draw(FIGURES), called, draw(st.booleans()))


@st.composite
def forwards(draw: st.DrawFn, weights: list[str]) -> tuple[Op, ...]:
    """A chain with side branches from inputs and weights to a loss with the labels, cut and mislaid at random."""
    known, calls = ["x", "y", *weights], []
    for number in range(draw(st.integers(1, 7))):
        back = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
        inputs = tuple(known[-min(step, len(known))] for step in back) + tuple(draw(st.lists(st.sampled_from(known), max_size=1)))
        calls.append(draw(op(f"h{number}", inputs, OTHERS)))
        known.append(f"h{number}")
    target = "y" if draw(LIKELY) else known[-2]
    calls.append(draw(op("loss", (known[-1], target), LOSSES if draw(st.booleans()) else USUAL)))
    return tuple(calls)


@st.composite
def op(draw: st.DrawFn, output: str, inputs: tuple[str, ...], kinds: list[str]) -> Op:
    attributes: dict[str, Attribute] = draw(
        st.fixed_dictionaries(
            {},
            optional={"target": st.integers(0, 1), "axis": st.integers(-2, 2), "reduction": st.just("mean"), "ignore_index": st.just(-100)},
        )
    )
    carries = None if draw(LIKELY) else tuple(draw(st.booleans()) for _ in inputs)
    scope, failed = draw(st.none() | st.just(0)), draw(st.integers(0, 9)) == 0
    return Op(
        draw(st.sampled_from(kinds)), inputs, (output,), "f", carries, draw(LIKELY), attributes, draw(places()), "net", scope, failed
    )  # fmt: skip


def events(draw: st.DrawFn, ops: int, weights: list[str]) -> Iterator[Event]:
    """A step's usual events, each of them perhaps missing."""
    usual = (
        Event("freeze", 0, tuple(weights[:1]), draw(places())), Event("tracking", 0, (), draw(places()), {"on": False}),
        Event("batch", 0, ("x", "y"), draw(places()), {"path": "[0]"}), Event("clear", 0, tuple(weights)),
        Event("backward", ops, ("loss",), draw(places()), {"stale": draw(st.integers(0, 2))}), Event("clear", ops, tuple(weights), draw(places())),
        Event("exception", ops, (), draw(places()), {"type": "RuntimeError", "message": "element 0"}), Event("optimizer_step", ops, ("opt",)),
    )  # fmt: skip
    often = ("batch", "backward", "optimizer_step")
    yield from (event for event in usual if draw(LIKELY if event.kind in often else RARELY))


@st.composite
def trials(draw: st.DrawFn, calls: tuple[Op, ...], weights: list[str]) -> Trial:
    names = tuple(draw(st.sampled_from([op.output for op in calls])) for _ in range(1))
    intervention: Intervention = Lift(names) if draw(st.booleans()) else Permute(("y",))
    norms = draw(st.dictionaries(st.sampled_from(weights), st.floats(0), max_size=3)) if weights else {}
    return Trial(intervention, draw(NUMBERS), draw(NUMBERS), norms, draw(NUMBERS), draw(st.sampled_from(("", "it could not be replayed"))))


@st.composite
def steps(draw: st.DrawFn, index: int, weights: list[str]) -> Step:
    calls = draw(forwards(weights))
    names = dict.fromkeys(["x", "y", *weights, *(name for op in calls for name in (*op.inputs, *op.outputs))])
    labels = draw(st.sampled_from((Labels(("y",), "target"), Labels(("y",), "batch"), Labels(reason="no batch was seen"))))
    measured = draw(st.sampled_from((Measures(0.7, 1.0, 0.0, "", 0.0), Measures(0.7, 1.0, 0.5, "", 0.0), Measures())) | MEASURES)
    return Step(
        index,
        kind=int(draw(RARELY)),
        graph=Graph(calls, {name: value(draw, name) for name in names}),
        events=tuple(events(draw, len(calls), weights)),
        parameters=tuple(draw(parameters(name)) for name in weights),
        scopes=(
            Scope("criterion", {"output": "x", "labels": "y"}, draw(places()), draw(places()), draw(st.sampled_from(((), ("labels",))))),
        ),
        labels=labels,
        measures=measured,
        trials=tuple(draw(st.lists(trials(calls, weights), max_size=1))),
        updated=draw(LIKELY),
    )


@st.composite
def parameters(draw: st.DrawFn, name: str) -> Parameter:
    return Parameter(
        f"net.{name}",
        name,
        trainable=draw(LIKELY),
        registered=draw(LIKELY),
        owner="train.Net",
        library=draw(RARELY),
        loaded=draw(RARELY),
        optimizer=draw(st.sampled_from(("", "opt", "opt"))),
        reached=draw(LIKELY),
        gradient=draw(STATES),
        gradient_norm=draw(NUMBERS),
        gradient_at_update=draw(st.none() | STATES),
        norm=draw(NUMBERS),
        update_norm=draw(NUMBERS),
        site=draw(places()),
    )


@st.composite
def networks(draw: st.DrawFn) -> Record:
    """A well-formed record of a small training program, of which nearly everything may be wrong."""
    weights = [f"w{number}" for number in range(draw(st.integers(0, 3)))]
    named = [f"net.{name}" for name in weights]
    recorded = tuple(draw(steps(index, weights)) for index in range(draw(st.integers(1, 2))))
    held = tuple(name for name in named if draw(LIKELY))
    rate = draw(st.sampled_from((None, 0.0, 0.1, -0.1, float("nan"))))
    orphans = ("f32[4,3]",) if draw(RARELY) else ()
    rates = None if rate is None else (rate, rate)
    opt = Optimizer("opt", "SGD", (Group(rate, held),), orphans, draw(places()), draw(st.integers(0, 5)), rates, rate)
    return Record(
        outcome=Outcome(0, draw(st.sampled_from(REFUSALS)) if draw(RARELY) else None, draw(st.integers(0, 9)), draw(st.integers(0, 9))),
        steps=recorded,
        optimizers=(opt,),
        endings={name: Ending(*draw(st.tuples(st.booleans(), st.booleans()))) for name in named if draw(st.booleans())},
        batches=tuple(draw(st.lists(st.sampled_from(BATCHES), max_size=1))),
    )
