"""Well-formed records of every shape, for properties: `records()`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from hypothesis import strategies as st

from whygrad.ir import (
    KINDS,
    ROLES,
    Batches,
    Birth,
    Bypass,
    Collation,
    Course,
    Descend,
    Emptied,
    Ending,
    Event,
    EventKind,
    Fit,
    Follow,
    Frame,
    Framework,
    GradientState,
    Graph,
    Group,
    Labels,
    Lift,
    Loading,
    Measures,
    Op,
    Optimizer,
    Origin,
    Outcome,
    Parameter,
    Permute,
    Perturb,
    Plateau,
    Raised,
    Record,
    Redraw,
    Reseed,
    Reshape,
    Reword,
    Scope,
    Site,
    Stage,
    Standardise,
    Statistics,
    Step,
    Trial,
    Turning,
    Value,
)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
NAMES = st.one_of(st.from_regex(r"[A-Za-z_%][\w.%\[\]]{0,6}", fullmatch=True), TEXTS.filter(bool))
NUMBERS = st.one_of(st.none(), st.floats(width=32))
COUNTS = st.integers(0, 10_000)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(("axis", "reduction", "target", "ignore_index", "inplace", "on", "stale", "rate", "dtype")) | TEXTS,
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(), TEXTS, st.lists(st.integers(-9, 9)).map(tuple),
        st.lists(TEXTS).map(tuple), st.lists(st.floats(0, 1)).map(tuple),
    ),
    max_size=3,
)  # fmt: skip
FRAMES = st.lists(st.builds(Frame, TEXTS, st.integers(1, 99), TEXTS, TEXTS), max_size=2).map(tuple)
SITES = st.builds(
    Site, TEXTS.filter(bool), st.integers(1, 99), st.integers(0, 99), st.integers(0, 9), st.integers(0, 99), TEXTS, TEXTS, FRAMES, FRAMES,
)  # fmt: skip
PLACES = st.none() | SITES
SHAPES = st.none() | st.lists(st.integers(0, 64), max_size=4).map(tuple)
DTYPES = st.sampled_from(("", "f32", "f16", "i64", "bool", "?", "odd type"))
STATISTICS = st.builds(
    Statistics, COUNTS, finite=st.floats(0, 1), minimum=NUMBERS, maximum=NUMBERS, mean=NUMBERS, std=NUMBERS, zeros=NUMBERS, norm=NUMBERS,
    whole=NUMBERS, distinct=st.none() | COUNTS, row_sums=st.none() | st.tuples(st.floats(width=32), st.floats(width=32)), sampled=st.booleans(),
)  # fmt: skip
VALUES = st.builds(
    Value, st.just(""), st.sampled_from(ROLES), DTYPES, SHAPES, st.none() | STATISTICS, TEXTS, st.booleans(),
)  # fmt: skip
MEASURES = st.builds(Measures, NUMBERS, NUMBERS, NUMBERS, TEXTS, NUMBERS, NUMBERS, st.none() | st.booleans())

COURSES = st.builds(
    Course, COUNTS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, COUNTS, st.none() | COUNTS, NUMBERS, NUMBERS, PLACES, NUMBERS
)
FITS = st.builds(Fit, st.just(("x",)), st.just(("y",)), COUNTS, NUMBERS, TEXTS, NUMBERS, NUMBERS, NUMBERS)
ORIGINS = st.builds(Origin, st.just(("x",)), TEXTS, TEXTS, PLACES)
COLLATIONS = st.builds(Collation, TEXTS, TEXTS, st.just(7), st.integers(0, 7), st.booleans(), st.just(("x",)), st.just(()), PLACES)


LOADINGS = st.builds(Loading, TEXTS, COUNTS, COUNTS, TEXTS, TEXTS, TEXTS, TEXTS, COUNTS, PLACES)
REDRAWS = st.builds(Redraw, st.lists(TEXTS, max_size=2).map(tuple), TEXTS, COUNTS, COUNTS, COUNTS, PLACES)
TURNINGS = st.builds(Turning, TEXTS, TEXTS, COUNTS, COUNTS, COUNTS, COUNTS, st.just(("x",)), st.just(()), PLACES)
EMPTIED = st.builds(Emptied, NAMES, TEXTS, COUNTS, PLACES, PLACES, PLACES, PLACES)


def some(names: list[str], *, most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    """A few of these names, in any order."""
    return st.lists(st.sampled_from(names), unique=True, max_size=most).map(tuple) if names else st.just(())


@st.composite
def ops(draw: st.DrawFn, known: list[str], fresh: list[str], scopes: int) -> Op:
    """An op that reads known values and makes fresh ones, which are known from then on."""
    inputs = draw(some(known))
    outputs = tuple(fresh.pop() for _ in range(draw(st.integers(0, min(2, len(fresh))))))
    known.extend(outputs)
    return Op(
        kind=draw(st.sampled_from(sorted(KINDS))),
        inputs=inputs,
        outputs=outputs,
        native=draw(TEXTS),
        carries=draw(st.none() | st.tuples(*(st.booleans() for _ in inputs))),
        tracking=draw(st.booleans()),
        attributes=draw(ATTRIBUTES),
        site=draw(PLACES),
        module=draw(TEXTS),
        scope=draw(st.none() | st.integers(0, scopes - 1)) if scopes else None,
        failed=draw(st.booleans()),
        made=draw(PLACES),
    )


def targets(kind: str, values: list[str], parameters: list[str], optimizers: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """What events of this kind are about."""
    if kind in ("backward", "batch"):
        return some(values)
    return some(parameters if kind in ("clear", "update", "freeze", "unfreeze", "load") else optimizers)


@st.composite
def parameters(draw: st.DrawFn, name: str, value: str, optimizers: list[str]) -> Parameter:
    return Parameter(
        name,
        value,
        trainable=draw(st.booleans()),
        registered=draw(st.booleans()),
        owner=draw(TEXTS),
        library=draw(st.booleans()),
        loaded=draw(st.booleans()),
        optimizer=draw(st.sampled_from(["", *optimizers])),
        reached=draw(st.booleans()),
        gradient=draw(st.sampled_from(get_args(GradientState))),
        gradient_norm=draw(NUMBERS),
        gradient_at_update=draw(st.sampled_from((None, *get_args(GradientState)))),
        norm=draw(NUMBERS),
        update_norm=draw(NUMBERS),
        moved=draw(NUMBERS),
        symmetric=draw(st.booleans()),
        unwritten=draw(st.booleans()),
        site=draw(PLACES),
    )


def trials(values: list[str], made: list[str]) -> st.SearchStrategy[Trial]:
    few = [st.builds(Follow, TEXTS), st.builds(Permute, some(values)), st.builds(Lift, some(made)), st.builds(Bypass, some(made))]
    if values:
        few.append(st.builds(Reshape, st.sampled_from(values), st.lists(st.integers(0, 9), max_size=3).map(tuple)))
        few.append(st.builds(Perturb, *(st.sampled_from(values) for _ in range(3))))
        few.append(st.builds(Reword, *(st.sampled_from(values) for _ in range(2)), st.integers(0, 1)))
    few += [st.builds(Standardise, some(values)), st.builds(Descend, COUNTS, st.sampled_from((1.0, 0.1)), some(values))]
    few += [
        st.builds(Reseed, some(made)),
        st.builds(Descend, COUNTS, activate=some(made), control=some(values), thaw=some(values), joined=some(values)),
    ]
    figures = st.dictionaries(TEXTS, st.floats(), max_size=2)
    losses = st.lists(st.floats(), max_size=3).map(tuple)
    return st.builds(Trial, st.one_of(few), NUMBERS, NUMBERS, figures, NUMBERS, TEXTS, losses, losses)


def births(index: int, values: list[str], made: list[str]) -> st.SearchStrategy[Birth]:
    entries = st.dictionaries(TEXTS, st.lists(st.floats(), max_size=2).map(tuple), max_size=2)
    named = st.sampled_from(["", *made]), st.sampled_from(["", *values])
    return st.builds(Birth, st.sampled_from(get_args(Stage)), *named, st.integers(index, index + 9), COUNTS, entries, NUMBERS)


@st.composite
def steps(draw: st.DrawFn, index: int, held: list[str], optimizers: list[str]) -> Step:
    names = draw(st.lists(NAMES, unique=True, max_size=10))
    split = draw(st.integers(0, len(names)))
    known, fresh = names[:split], names[split:]
    scopes = draw(st.integers(0, 2))
    calls = tuple(draw(st.lists(ops(known, fresh, scopes), max_size=6)))
    values = {name: replace(draw(VALUES), name=name) for name in draw(st.permutations(names))}
    kinds = draw(st.lists(st.sampled_from(get_args(EventKind)), max_size=4))
    at = sorted(draw(st.integers(0, len(calls))) for _ in kinds)
    arguments: Mapping[str, Any] = {"y": names[0]} if names else {}
    found = draw(some(names))
    made = [name for op in calls for name in op.outputs]
    return Step(
        index,
        kind=draw(st.integers(0, 2)),
        graph=Graph(calls, values),
        events=tuple(
            Event(kind, place, draw(targets(kind, names, held, optimizers)), draw(PLACES), draw(ATTRIBUTES))
            for kind, place in zip(kinds, at, strict=True)
        ),
        parameters=tuple(draw(parameters(name, value, optimizers)) for name, value in zip(held, names, strict=False)),
        scopes=tuple(Scope(draw(TEXTS), arguments, draw(PLACES), draw(PLACES), draw(st.sampled_from(((), ("y",))))) for _ in range(scopes)),
        labels=Labels(found, "target" if found else "", draw(TEXTS)),
        measures=draw(MEASURES),
        trials=tuple(draw(st.lists(trials(names, made), max_size=2))),
        updated=draw(st.booleans()),
        births=tuple(draw(st.lists(births(index, names, made), max_size=2))),
        modes=draw(st.dictionaries(TEXTS, st.booleans(), max_size=2)),
    )


@st.composite
def optimizers(draw: st.DrawFn, name: str, held: list[str]) -> Optimizer:
    group = st.builds(Group, NUMBERS, some(held), ATTRIBUTES)
    return Optimizer(
        name,
        native=draw(TEXTS),
        groups=tuple(draw(st.lists(group, max_size=2))),
        orphans=draw(st.sampled_from(((), ("f32[10,2]",)))),
        site=draw(PLACES),
        steps=draw(COUNTS),
        rates=draw(st.none() | st.tuples(st.floats(), st.floats())),
        last_rate=draw(NUMBERS),
        rate_site=draw(PLACES),
        schedule_site=(scheduled := draw(PLACES)),
        given_site=scheduled,
        idle_steps=draw(COUNTS),
        idle_from=draw(st.none() | COUNTS),
        laid_out=draw(st.none() | st.tuples(COUNTS, COUNTS)),
        plateau=draw(
            st.none()
            | st.builds(
                Plateau,
                TEXTS,
                COUNTS,
                COUNTS,
                NUMBERS,
                NUMBERS,
                NUMBERS,
                st.none() | st.tuples(st.floats(), st.floats()),
                COUNTS,
                st.none() | COUNTS,
            )
        ),
    )


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A well-formed record."""
    held = draw(st.lists(NAMES, unique=True, max_size=3))
    named = draw(st.lists(NAMES, unique=True, max_size=2))
    return Record(
        whygrad=draw(TEXTS),
        program=draw(TEXTS),
        arguments=tuple(draw(st.lists(TEXTS, max_size=2))),
        frameworks=tuple(draw(st.lists(st.builds(Framework, TEXTS, TEXTS), max_size=2))),
        outcome=Outcome(
            draw(st.none() | st.integers(-9, 255)),
            draw(st.none() | st.builds(Raised, TEXTS, TEXTS, PLACES)),
            *draw(st.tuples(COUNTS, COUNTS)),
            draw(TEXTS),
        ),
        steps=tuple(draw(steps(index, held, named)) for index in range(draw(st.integers(0, 2)))),
        optimizers=tuple(draw(optimizers(name, held)) for name in named),
        endings={name: Ending(*draw(st.tuples(st.booleans(), st.booleans()))) for name in held},
        batches=tuple(
            draw(st.lists(st.builds(Batches, TEXTS, COUNTS, NUMBERS, NUMBERS, COUNTS, st.none() | COUNTS, rows_site=PLACES), max_size=2))
        ),
        courses=tuple(draw(st.lists(COURSES, max_size=2))),
        fits=tuple(draw(st.lists(FITS, max_size=1))),
        evaluated=draw(st.none() | PLACES),
        origins=tuple(draw(st.lists(ORIGINS, max_size=2))),
        emptied=tuple(draw(st.lists(EMPTIED, max_size=1))),
        loadings=tuple(draw(st.lists(LOADINGS, max_size=1))),
        redraws=tuple(draw(st.lists(REDRAWS, max_size=1))),
        turnings=tuple(draw(st.lists(TURNINGS, max_size=1))),
        collations=tuple(draw(st.lists(COLLATIONS, max_size=1))),
        limits=tuple(draw(st.lists(TEXTS, max_size=1))),
        faults=tuple(draw(st.lists(TEXTS, max_size=1))),
    )
