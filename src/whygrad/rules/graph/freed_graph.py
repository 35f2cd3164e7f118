"""WG310: a backward goes through a graph that an earlier backward has freed."""

import ast
import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Carried, Failure, carried, consequences, failed_backward, matching
from whygrad.flow.writes import overwritten
from whygrad.ir import Event, Site
from whygrad.rules import rule
from whygrad.rules.graph.inplace_overwrite import CHANGED
from whygrad.rules.phrases import distinct, places, typed
from whygrad.rules.remedies import in_front, remedy, setting
from whygrad.rules.statements import statements

FREED = re.compile(r"backward through the graph a second time")


@rule("WG310", "freed-graph", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A backward goes through a graph that an earlier backward has freed, or whose parameters have been updated since.

    ## What it finds
    Two forms. A value that one step made is kept, with its graph, and a later step's loss is computed from it: a recurrent state that is not detached, features or
    prototypes that are computed once before the loop. Or two backwards of one step share a part of the forward, and the first frees it.

    ## Why it matters
    The exception is raised at the second backward and advises `retain_graph=True`. For a value kept over steps that only moves the problem: the graph grows with
    every step, and the next exception says that a parameter was modified in place.

    ## When it is fine
    Truncated backpropagation that detaches the state, a second backward with `retain_graph=True` in the first, values that carry no graph.

    ## How sure
    Proved: the framework refused the backward, and the record shows which value crossed from one step to the next, or which ops two backwards share.

    ## References
    PyTorch, `torch.autograd.backward`, `retain_graph`; "Frequently asked questions: my model reports cuda runtime error: out of memory" (detach the hidden state);
    `whygrad explain WG309` for values changed in place.
    """
    found = [_freed(index, failure) for failure, _ in matching(index, FREED)]
    found += [_kept_over(index, failure) for failure, _ in matching(index, CHANGED)]
    yield from distinct(diagnosis for diagnosis in found if diagnosis is not None)


def _freed(index: Index, failure: Failure) -> Diagnosis | None:
    over = _kept_over(index, failure)
    if over is not None:
        return over
    shared = _shared(failure.step) if failure.step is not None else None
    return _about_shared(failure, *shared) if shared else _unseen(failure)


def _kept_over(index: Index, failure: Failure) -> Diagnosis | None:
    """A value of an earlier step whose graph this backward went through."""
    kept = [item for item in index.once(carried) if item.step is failure.step]
    if failure.step is None or not kept or (CHANGED.search(failure.message) and _written_here(failure.step, failure)):
        return None
    return _about_kept(failure, kept)


def _written_here(step: StepIndex, failure: Failure) -> bool:
    """A value of this step that fits the message was changed in place, so that the graph kept over is not to blame."""
    match = CHANGED.search(failure.message)
    shape = tuple(int(size) for size in match["shape"].split(",") if size.strip()) if match else ()
    return any(item.value.shape == shape for item in overwritten(step))


def _about_kept(failure: Failure, kept: list[Carried]) -> Diagnosis:
    first = kept[0]
    held = _handed_back(first.used.site)
    names = [item.value.shown for item in kept] if first.value.called or not held else list(held)
    made = first.made.site if first.made is not None else None
    handed = handed_in(first.step, first.value.name)
    holder = None if first.recurrent else _kept_at(made, handed or first.used.site)
    return Diagnosis(
        "WG310",
        "freed-graph",
        "error",
        "proved",
        f"`{names[0]}` ({first.value.type}) is kept from an earlier step with its graph, which that step's backward has used up",
        site=holder or handed or made or first.used.site or failure.site,
        label="computed once, and used in every step"
        if holder
        else "handed on from an earlier step"
        if handed
        else "made in an earlier step, and used again in this one"
        if made
        else "uses what an earlier step made",
        related=places(
            (handed if holder else None, "handed on from an earlier step here"),
            (made if handed else None, "made in an earlier step here"),
            (first.used.site, "used again here"),
            (_backward_site(first.step) or failure.site, "this backward goes into the old graph"),
        ),
        evidence=(
            Evidence(
                f"{_when(first, names[0])}; the loss of step {first.step.step.index} is computed from it", "values_carried", len(kept)
            ),
            Evidence(f"backward was refused: {failure.message.split('(')[0].split('.')[0].strip()[:160]}"),
        ),
        help=_help(first, held, several=len(kept) > 1),
        facts=frozenset({Fact("freed-graph", first.value.name)}),
        explains=consequences(failure, first.step),
        kind=first.step.step.kind,
        step=first.step.step.index,
        names=(names[0],),
        remedy=_cut_off(kept) or (None if first.recurrent else made_anew(first)),
    )


_CACHED = re.compile(r"\s*((self|cls)\.\w+\s*=[^=]|return\b)")


def made_anew(item: Carried) -> Remedy | None:
    """What an object made once and keeps, made at each call; anywhere else it may be made on purpose where it is."""
    site = item.made.site if item.made is not None else None
    places = site.with_callers if site is not None else ()
    kept = next((way for way in places if _CACHED.match(way.text)), None)
    return remedy("make it anew each time", Edit("uncache", kept), otherwise=_made_where_read(item, kept)) if kept is not None else None


_OWN = re.compile(r"\s*(self\.\w+)\s*=(?!=)\s*(.*\S)\s*")


def _made_where_read(item: Carried, kept: Site) -> tuple[Edit, ...]:
    """What an object makes of its own parts and keeps, made once more in front of the line of the same class that reads it."""
    made, read = _OWN.fullmatch(kept.text.partition("#")[0]), item.used.site
    if made is None or read is None or not read.function or not kept.function:
        return ()
    alike = (read.file, read.function.rpartition(".")[0]) == (kept.file, kept.function.rpartition(".")[0])
    names = set(re.findall(r"(?<![\w.])[A-Za-z_]\w*(?![\w(]|\.\w+\()", made[2])) - {"self", "dim", "axis"}
    if not alike or names or made[2].count("(") != made[2].count(")") or made[1] not in read.text:
        return ()
    return (Edit("insert", read, f"{made[1]} = {made[2]}", after=False),)


def _kept_at(made: Site | None, used: Site | None) -> Site | None:
    """The line, in the very function that goes on to use a value, whose call made it: what keeps it from being made anew in each step stands there."""
    for frame in made.with_callers[1:] if made is not None and used is not None else ():
        if used is not None and (frame.file, frame.function) == (used.file, used.function):
            return frame if frame.line != used.line else None
    return None


def handed_in(step: StepIndex, name: str) -> Site | None:
    """The outermost call that a value was given to: there the program holds it, and cuts it off or does not."""
    scopes = step.step.scopes
    given = {at for at, scope in enumerate(scopes) if name in scope.arguments.values()}
    outermost = [at for at in sorted(given) if scopes[at].parent not in given]
    return scopes[outermost[0]].caller if outermost else None


def _when(item: Carried, shown: str) -> str:
    return (
        f"`{shown}` was made in step {item.born.step.index}"
        if item.born is not None
        else f"`{shown}` was made before step {item.step.step.index}"
    )


def _help(item: Carried, held: tuple[str, ...], *, several: bool) -> str:
    names = held or (item.value.called or "state",)
    if item.recurrent:
        return f"cut it off between steps: `{_detached(names, several=bool(held) and several)}` before the next forward"
    return "compute it anew in every step, inside the loop; or, if it should not be trained, compute it under `torch.no_grad()`"


def _shared(step: StepIndex | None) -> tuple[Event, Event, str] | None:
    """An earlier backward of the step, the refused one, and a value that both go through."""
    refused = failed_backward(step) if step is not None else None
    if step is None or refused is None:
        return None
    mine = _through(step, refused)
    for event in step.events("backward"):
        if event is refused:
            return None
        common = [
            op for op in step.graph.ops if any(name in mine for name in op.outputs) and not _through(step, event).isdisjoint(op.outputs)
        ]
        if common:
            return event, refused, common[-1].output
    return None


def _through(step: StepIndex, backward: Event) -> frozenset[str]:
    """Values that an op made and that this backward's gradient passes."""
    found = set(backward.targets)
    for op in reversed(step.graph.ops):
        if not found.isdisjoint(op.outputs):
            found.update(name for name, open_ in zip(op.inputs, op.carrying, strict=True) if open_)
    return frozenset(name for name in found if name in step.producer)


def _about_shared(failure: Failure, first: Event, second: Event, name: str) -> Diagnosis:
    step = failure.step
    assert step is not None  # `_shared` looked into it
    value = step.value(name)
    same = set(first.targets) & set(second.targets)
    twice = "one loss is differentiated twice" if same else f"two backwards go through {typed(value)}, and the first frees its graph"
    return Diagnosis(
        "WG310",
        "freed-graph",
        "error",
        "proved",
        twice,
        site=first.site or second.site or failure.site,
        label="frees the part of the graph that the next backward needs",
        related=places((second.site, "the second backward"), (_site_of(step, name), "both go through this")),
        evidence=(Evidence("backward was refused: the graph was freed by the backward before it in the same step"),),
        help="add the losses and call `backward` once, or write `retain_graph=True` in the first",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
        remedy=remedy("keep the graph for the second backward", setting(first.site, "retain_graph", "True")),
    )


def _unseen(failure: Failure) -> Diagnosis:
    return Diagnosis(
        "WG310",
        "freed-graph",
        "error",
        "proved",
        "the loss was computed from something whose graph an earlier backward has freed",
        site=failure.site,
        label="the backward is refused here",
        evidence=(Evidence("backward was refused: the graph was freed before; which value it came through was not recorded"),),
        help="detach what is kept from one step to the next, or compute it anew in every step",
        facts=frozenset({Fact("freed-graph", "")}),
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step else None,
        step=failure.step.step.index if failure.step else None,
    )


def _site_of(step: StepIndex, name: str) -> Site | None:
    return step.producer[name][1].site if name in step.producer else None


def _backward_site(step: StepIndex) -> Site | None:
    event = failed_backward(step)
    return event.site if event is not None else None


def _cut_off(kept: list[Carried]) -> Remedy | None:
    """What is carried over is detached before it is used again."""
    first = kept[0]
    several = sum(1 for item in kept if item.used is first.used) > 1
    names = _handed_back(first.used.site) or (() if several else (first.value.called,))
    if not first.recurrent or not names or not all(name.replace(".", "").isidentifier() for name in names):
        return None
    return remedy("cut it off between steps", in_front(first.used.site, _detached(names, several=several)))


def _detached(names: tuple[str, ...], *, several: bool) -> str:
    """The statement; one name for several values holds a tuple of them, and often nothing before the first step."""
    if len(names) == 1 and several:
        return f"{names[0]} = None if {names[0]} is None else tuple(part.detach() for part in {names[0]})"
    return f"{', '.join(names)} = {', '.join(f'{name}.detach()' for name in names)}"


def _handed_back(site: Site | None) -> tuple[str, ...]:
    """Names that a line gives to its call and takes from it again, as recurrent layers are written: `out, state = lstm(x, state)`."""
    body = statements(site.text) if site is not None else []
    line = body[0] if body else None
    if not isinstance(line, ast.Assign) or not isinstance(line.value, ast.Call):
        return ()
    taken = {ast.unparse(node) for target in line.targets for node in ast.walk(target) if isinstance(node, ast.Name | ast.Attribute)}
    for given in (*line.value.args, *(item.value for item in line.value.keywords)):
        names = tuple(ast.unparse(part) for part in (given.elts if isinstance(given, ast.Tuple) else [given]))
        if taken.issuperset(names):
            return names
    return ()
