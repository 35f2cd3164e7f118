"""WG110: the same examples at every step."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.origins import seeded_at, weighted_at
from whygrad.idioms import idiom
from whygrad.ir import Batches, Op, Site, Statistics, family
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, places, plural
from whygrad.rules.remedies import before_loop, remedy
from whygrad.rules.statements import calls_in

ENOUGH = 5
"""Batches that must have been alike: a loader that is begun anew four times to show its first batch is no training loop."""
ENTRIES = 16
"""Entries below which figures may be equal by chance."""

DRAWING = ("random", "sample")

BEGINNINGS = {
    "restart": "begins anew and takes the first batch",
    "reseeded": "makes the generator anew at each call, and with it the same rows",
}
"""What begins anew at each step, by the source."""


@rule("WG110", "repeated-batch", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Every step trains on the very same examples.

    ## What it finds
    `next(iter(loader))` in the training loop, which begins the loader anew at each step and takes its first batch; indices that are drawn
    from a generator that was seeded anew at each step, or is made with its seed in the function that picks the rows, or with a key that is used again, or data that are made from such random numbers.
    A sampler that was given one weight for each class where it wants one for each row: it draws the first few rows again and again.
    Rows that `np.random` draws within a function which the framework compiles: it runs once, while the function is traced.

    ## Why it matters
    The loss falls to zero on a handful of examples, and the rest of the data is never seen.

    ## When it is fine
    A loader whose one batch is the whole data set hands out the same examples each time; so does a batch that was taken once before the loop,
    to see whether the network can fit it. Both are left alone, and so is a batch on which several updates are made, and a random map that stays the same, whose
    numbers are drawn with one key: random features, a random projection.

    ## How sure
    Proved by digests of what the loader handed out, where it has more batches than that one; for indices drawn by the program, by equal
    figures of inputs and labels in all recorded steps, to the last digit. Rows that NumPy or Python draws within a compiled step are constants of
    it: proved by one and the same array in all recorded steps, where the source draws it in the step itself.

    ## References
    `torch.utils.data.DataLoader`; `next(iter(loader))` belongs before the loop, `for batch in loader` in it.
    """
    yield from distinct((*from_loaders(index), *from_draws(index), *from_restarts(index), *from_weights(index), *from_tracing(index)))


def from_loaders(index: Index) -> Iterator[Diagnosis]:
    """Loaders with several batches that handed out one alone."""
    groups: dict[object, list[Batches]] = {}
    for batches in index.record.batches:
        groups.setdefault((batches.site.file, batches.site.line, batches.length) if batches.site else batches.length, []).append(batches)
    for group in groups.values():
        first = group[0]
        if (first.length or 0) > 1 and first.seen >= ENOUGH and all(batches.distinct == 1 for batches in group):
            step = next((step for step in index.steps if any(trained_on(step, batches) for batches in group)), None)
            if step is not None:
                yield of_loader(index, step, first)


def from_weights(index: Index) -> Iterator[Diagnosis]:
    """Samplers with fewer weights than rows, which draw the first rows alone."""
    few = [batches for batches in index.record.batches if batches.drawable is not None]
    for step in index.steps[:1]:
        mine = [batches for batches in few if trained_on(step, batches)]
        if mine and mine[0].drawable is not None:
            made_by = [batches for batches in few if batches.site == mine[0].site]
            yield of_weights(index, step, mine[0], mine[0].drawable, tuple(name for batches in made_by for name in batches.values))


def of_weights(index: Index, step: StepIndex, batches: Batches, drawable: tuple[int, int], names: tuple[str, ...]) -> Diagnosis:
    """What is said of a sampler."""
    weights, rows = drawable
    kind = str(step.step.kind)
    made = weighted_at(index, batches.values)
    return Diagnosis(
        rule="WG110",
        name="repeated-batch",
        severity="error",
        confidence="proved",
        message=f"only {weights} of {rows} rows are ever drawn: the sampler has {plural(weights, 'weight')}, and wants one for each row",
        site=made or batches.site,
        label=f"is given {plural(weights, 'weight')}" if made else "draws rows by these weights",
        related=places((batches.site if made else None, "the loader draws rows by them")),
        evidence=(
            Evidence(f"its `WeightedRandomSampler` has {plural(weights, 'weight')}, and the data set {plural(rows, 'row')}: row number {weights} and all behind it have none", "rows", weights),
        ),
        help="give the sampler the weight of each row's class: `WeightedRandomSampler(class_weights[labels], len(labels))`",
        facts=frozenset({Fact("few-rows", kind)}),
        explains=frozenset({Fact("stands", kind), *(Fact("constant", name) for name in names), *(Fact("constant", name) for name in step.step.labels.values)}),
        kind=step.step.kind,
        step=step.step.index,
        names=("sampler",),
    )  # fmt: skip


def trained_on(step: StepIndex, batches: Batches) -> bool:
    """The loss of this step was computed from the loader's batch."""
    return not step.shapes_loss.isdisjoint(batches.values)


def from_draws(index: Index) -> Iterator[Diagnosis]:
    """Steps that drew their rows anew and got the same ones."""
    for steps in index.kinds.values():
        if len(steps) > 1 and all(step.losses for step in steps):
            kept = _kept(steps)
            drawn = [dict(rows_drawn(step)) or dict(data_drawn(step, kept)) for step in steps]
            figures = [sorted((repr(seen) for _, seen in picked.values()), key=str) for picked in drawn]
            makers = [frozenset(draw.output for draw, _ in picked.values()) for picked in drawn]
            fresh = all(not one & other for at, one in enumerate(makers) for other in makers[at + 1 :])
            # timid: whole numbers have equal sums by chance
            fresh = fresh and any(seen.whole is not None and seen.whole < 1.0 for _, seen in drawn[0].values())
            if fresh and figures[0] and all(seen == figures[0] for seen in figures[1:]):
                yield of_draw(index, steps[0], next(iter(drawn[0].values()))[0], len(steps))


def from_restarts(index: Index) -> Iterator[Diagnosis]:
    """Steps that got one batch from an iterator which the source begins anew each time."""
    for origin in index.record.origins:
        fed = [step for step in index.steps if any(set(origin.values) <= set(event.targets) for event in step.events("batch"))]
        if origin.setting in BEGINNINGS and len(fed) == len(index.steps) > 1 and origin.site is not None:
            statement = f"the batch is the same to the last bit in {len(fed)} of {len(fed)} recorded steps"
            once = "make the generator once, before the loop, and hand it to what draws the rows"
            helps = idiom(index, "one iterator") if origin.setting == "restart" else once
            found = _diagnosis(fed[0], origin.site, statement, BEGINNINGS[origin.setting], helps, None)
            yield found if origin.setting == "restart" else replace(found, remedy=_seeded_once(origin.site))
            return


def from_tracing(index: Index) -> Iterator[Diagnosis]:
    """Steps whose rows were drawn outside of the framework while the step was traced, and never again."""
    for origin in index.record.origins:
        if origin.setting != "frozen draw" or origin.site is None or len(index.steps) < 2:  # noqa: PLR2004 - one may be all there is
            continue
        picks = [next((op for op in step.graph.ops if _picks_some(step, op, origin.values)), None) for step in index.steps]
        first = picks[0]
        if first is not None and None not in picks:
            rows, of = (plural((index.steps[0].value(name).shape or (0,))[0], "row") for name in (first.output, first.inputs[0]))
            yield _diagnosis(
                index.steps[0], origin.site,
                f"the same {rows} of {of} were picked in {len(picks)} of {len(picks)} recorded steps: numbers from outside of the framework are drawn as the step is traced, and become constants",
                "runs once, while the step is traced", idiom(index, "draw outside"), None,
            )  # fmt: skip
            return


def _picks_some(step: StepIndex, op: Op, rows: tuple[str, ...]) -> bool:
    """It takes some rows of data by these, and they shape the loss."""
    if op.kind != "index" or len(op.inputs) < 2 or op.inputs[1] not in rows or op.output not in step.shapes_loss:  # noqa: PLR2004 - data and rows
        return False
    source, picked = step.value(op.inputs[0]).shape, step.value(op.output).shape
    some = source is not None and picked is not None and picked[:1] < source[:1]
    return some and op.output not in step.depends_on_parameters


def rows_drawn(step: StepIndex) -> Iterator[tuple[str, tuple[Op, Statistics]]]:
    """Data that were picked by rows which this step drew at random: the value, the op that drew, and its figures."""
    for op in step.of("index"):
        figures = step.value(op.output).statistics if op.outputs else None
        picks = len(op.inputs) > 1 and op.output in step.shapes_loss and op.output not in step.depends_on_parameters
        if (
            not picks
            or figures is None
            or figures.count < ENTRIES
            or figures.minimum == figures.maximum
            or step.graph.values[op.inputs[1]].dtype == "bool"
        ):
            continue
        source, picked = step.value(op.inputs[0]).shape, step.value(op.output).shape
        above = step.upstream(op.inputs[1])
        draw = next((made for made in reversed(step.graph.ops) if made.kind in DRAWING and not above.isdisjoint(made.outputs)), None)
        if draw is not None and source and picked and picked[0] < source[0]:
            yield op.output, (draw, figures)


def _kept(steps: Sequence[StepIndex]) -> frozenset[str]:
    """What all steps hold, but for numbers that are drawn again at the same place: a later step may still hold those of the first."""
    common = frozenset.intersection(*(frozenset(step.values) for step in steps))
    draws = [op for step in steps for op in step.graph.ops if op.kind == "random"]
    again = {op.site for op in draws if op.output not in common}
    return common - {op.output for op in draws if op.site in again}


def data_drawn(step: StepIndex, kept: Collection[str] = ()) -> Iterator[tuple[str, tuple[Op, Statistics]]]:
    """Data that were computed from random numbers of this step and meet parameters, or what came of them: the value, the op that drew, and its figures. `kept`: what other steps hold too."""
    draws = [op for op in step.graph.ops if op.kind == "random" and op.output not in kept]
    drawn = {op.output for op in draws}
    for op in step.graph.ops if draws else ():
        # timid: rows picked in an order that was drawn are rows_drawn's: in another order all rows have the same figures
        drawn.update(op.outputs if not drawn.isdisjoint(op.inputs[:1] if family(op.kind) == "select" else op.inputs) else ())
    for op in step.graph.ops if draws else ():
        meets = not step.depends_on_parameters.isdisjoint(op.inputs) and not step.shapes_loss.isdisjoint(op.outputs)
        for name in op.inputs if meets else ():
            figures = step.value(name).statistics
            if name in drawn - step.depends_on_parameters and figures and figures.count >= ENTRIES and figures.minimum != figures.maximum:
                above = step.upstream(name)
                drew = [draw for draw in draws if draw.output in above]
                if not _maps_rows(step, name, above.intersection(kept) or above - step.producer.keys(), drew):
                    yield name, (drew[0], figures)


def _maps_rows(step: StepIndex, name: str, outside: Collection[str], draws: Sequence[Op]) -> bool:
    """Rows that come from outside go through a map whose numbers were drawn, the same for all rows: random features, a random projection."""
    rows = (step.value(name).shape or ())[:1]
    given = any((step.value(found).shape or ())[:1] == rows for found in outside)
    return given and all((step.value(draw.output).shape or ())[:1] != rows for draw in draws)


def of_loader(index: Index, step: StepIndex, batches: Batches) -> Diagnosis:
    """What is said of a loader."""
    site = next((event.site for event in step.events("batch") if event.site), None)
    return _diagnosis(
        step, site or batches.site, f"one batch was handed out {batches.seen} times, of {plural(batches.length or 0, 'batch')} that the loader has",
        "begins the loader anew and takes its first batch", idiom(index, "one iterator"),
        batches.site,
    )  # fmt: skip


def of_draw(index: Index, step: StepIndex, draw: Op, steps: int) -> Diagnosis:
    """What is said of drawn rows."""
    seed = seeded_at(index, draw)
    found = _diagnosis(
        step, seed or draw.site, f"inputs and labels have the same figures to the last digit in {steps} of {steps} recorded steps, though they were drawn anew",
        "seeds the generator anew at each step" if seed else "draws the same each time", idiom(index, "seed once"), None,
    )  # fmt: skip
    callers = [s.caller for s in step.step.scopes if s.caller is not None and not set(s.arguments.values()).isdisjoint(draw.inputs)]
    return replace(found, remedy=_seeded_once(seed) if seed else key_split(draw, callers))


def key_split(draw: Op, callers: Iterable[Site] = ()) -> Remedy | None:
    """Another key for each call, made of the one before, where the outermost function that names the key hands it on.

    `callers`: who called the functions that were given the key, which a compiled function does not show itself.
    """
    if draw.site is None or not draw.native.startswith("jax.random"):
        return None
    key = _first_name(draw.site.text)
    ways = [*draw.site.with_callers, *(frame for site in callers for frame in site.with_callers)]
    frames = [frame for frame in ways if key and re.search(rf"[(,]\s*{key}\s*[,)]", frame.text)]
    # timid: within the function that draws a new key would be made of the same one each time
    if len(frames) < 2:  # noqa: PLR2004 - the draw itself, and who hands the key on
        return None
    made = remedy("split the key in every step", Edit("insert", frames[-1], f"{key} = jax.random.split({key})[0]", after=False))
    return replace(made, later=True) if made is not None else None


def _first_name(text: str) -> str:
    """`key` of `rows = jax.random.choice(key, …)`; "" where the first argument is no name, or several calls stand there."""
    given = [call.args[0] for call in calls_in(text) if call.args and "random" in ast.unparse(call.func)]
    return given[0].id if len(given) == 1 and isinstance(given[0], ast.Name) else ""


def _seeded_once(seed: Site | None) -> Remedy | None:
    """The seeding before the loop; where it stands in a function of its own, it goes if nothing is assigned."""
    if seed is None:
        return None
    alone = "=" not in seed.text.partition("(")[0]
    made = remedy(
        "seed once, before the loop",
        Edit("move", seed, to=seed, after=False, around="loop"),
        otherwise=(Edit("drop", seed),) if alone else (Edit("hoist", seed),),
        changes="each step draws other numbers than before",
    )
    return replace(made, later=True) if made is not None else None


def begun_once(site: Site | None) -> Remedy | None:
    """One iterator for all steps, which begins again when it is through."""
    source = _iterated(site.text) if site is not None else ""
    if site is None or not source:
        return None
    made = remedy(
        "begin the iterator once, before the loop",
        Edit("insert", site, f"endless = itertools.cycle({source})", after=False, around="loop"),
        Edit("replace", site, "next(endless)", calls=("next",)),
        otherwise=(_begun_elsewhere(site, source),),
        changes="the batches are kept in memory, and come again in the order of the first round",
    )
    return replace(made, later=True) if made is not None else None


def _begun_elsewhere(site: Site, source: str) -> Edit | None:
    """The same in a function that a loop calls for each batch: kept by its object, or begun by who hands it in, since `iter` of an iterator goes on with that."""
    if source.startswith("self."):
        return Edit("hoist", site, f"itertools.cycle({source})", calls=("next",), written="endless")
    return before_loop(site, "{name} = itertools.cycle({name})", source)


def _iterated(text: str) -> str:
    """`loader` for a statement with `next(iter(loader))`; "" for any other."""
    begun = [call.args[0] for call in calls_in(text) if isinstance(call.func, ast.Name) and call.func.id == "next" and len(call.args) == 1]
    if len(begun) != 1 or not isinstance(begun[0], ast.Call):
        return ""
    inner = begun[0]
    is_iter = isinstance(inner.func, ast.Name) and inner.func.id == "iter" and len(inner.args) == 1
    return ast.unparse(inner.args[0] if is_iter else inner)


def _diagnosis(step: StepIndex, site: Site | None, statement: str, label: str, help_: str, loader: Site | None) -> Diagnosis:
    return Diagnosis(
        rule="WG110",
        name="repeated-batch",
        severity="error",
        confidence="proved",
        message="every step trains on the same batch",
        site=site,
        label=label,
        related=places((loader, "the loader is made here")),
        evidence=(Evidence(statement, "batches"),),
        help=help_,
        facts=frozenset({Fact("constant", name) for name in step.step.labels.values}),
        kind=step.step.kind,
        step=step.step.index,
        names=("batch",),
        remedy=begun_once(site),
    )
