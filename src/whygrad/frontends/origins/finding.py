"""The origins of what a record names: labels, and the settings of optimizers that stand elsewhere than where these are made."""

import ast
import math
import re
from collections.abc import Iterator

from whygrad.flow import StepIndex
from whygrad.frontends.origins.program import ITEM, Path, Program, Spot, dotted, last_name
from whygrad.frontends.origins.settings import literal_places, schedule_places
from whygrad.frontends.origins.trails import places_of
from whygrad.frontends.source import Sources
from whygrad.ir import Batches, Optimizer, Origin, Record, Site, family

PICKED = ("layout", "select", "cast")
FUNCTIONAL = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
TOLD = 3
"""The argument of a functional dropout that tells the mode, counted from 1."""
SETTINGS = ("eps", "weight_decay", "momentum")
_KEY = re.compile(r"\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?\d+)\]")


def origins_of(record: Record, sources: Sources) -> tuple[Origin, ...]:
    """Everything that the source says about what a record names."""
    program = Program(sources)
    return (
        *_of_labels(program, record),
        *_always_on(program, record),
        *(found for optimizer in record.optimizers for found in _of_optimizer(program, optimizer)),
    )


def _of_labels(program: Program, record: Record) -> Iterator[Origin]:
    """The labels of each kind of step: what a loader handed out, or what the step itself picked from."""
    seen: set[str] = set()
    for step in record.steps:
        index = StepIndex(step)
        for label in step.labels.values:
            names = (label, *_before(index, label))
            if not seen.isdisjoint(names):
                continue
            seen.update(names)
            handed = next((item for item in record.batches if not set(item.values).isdisjoint(names)), None)
            places = _from_loader(program, handed) if handed is not None else ()
            for site in places or _from_step(program, index, names):
                yield Origin((*names, *(value for value in (handed.values if handed else ()) if value not in names)), site=site)


def _before(index: StepIndex, name: str) -> list[str]:
    """What a value was picked, reshaped or cast from."""
    found: list[str] = []
    while name in index.producer:
        op = index.producer[name][1]
        if (family(op.kind) not in PICKED and op.kind not in ("integer_cast", "one_hot")) or not op.inputs:
            break
        name = op.inputs[0]
        found.append(name)
    return found


def _from_loader(program: Program, handed: Batches) -> tuple[Site, ...]:
    call = program.call_at(handed.site) if handed.site is not None else None
    if call is None:
        return ()
    return places_of(program, Spot(call.node, call.scope, path_of(handed.path), call.before))


def _from_step(program: Program, index: StepIndex, names: tuple[str, ...]) -> tuple[Site, ...]:
    """From the op that made the label; without one, from its variable where it is read first."""
    base = names[-1]
    made = index.producer.get(base)
    if made is not None:
        spot = program.expression_at(made[1].site) if made[1].site is not None else None
        return places_of(program, spot) if spot is not None else ()
    readers = [op.site for name in names for op in index.consumers.get(name, ()) if op.site is not None]
    for name in (index.value(item).called for item in names):
        for site in readers if name.replace(".", "_").isidentifier() else ():
            scope = program.scope_at(site.file, site.line, site.callers)
            if scope is not None:
                return places_of(program, Spot(ast.parse(name, mode="eval").body, scope, (), site.line + 1))
    return ()


def _always_on(program: Program, record: Record) -> Iterator[Origin]:
    """Calls of a functional dropout that are not told the mode."""
    seen: set[tuple[str, int]] = set()
    for step in record.steps:
        for op in step.graph.ops:
            if op.kind != "dropout" or op.site is None or op.site.line_of_code in seen:
                continue
            spot = program.expression_at(op.site)
            if spot is not None and isinstance(spot.node, ast.Call) and _leaves_mode_out(spot.node):
                seen.add(op.site.line_of_code)
                yield Origin(op.outputs, setting="mode", site=op.site)


def _leaves_mode_out(call: ast.Call) -> bool:
    """`F.dropout(x, 0.4)`: a function and no layer, and neither the third argument nor `training=`."""
    function = call.func
    layer = isinstance(function, ast.Attribute) and dotted(function).startswith("self.")
    told = len(call.args) >= TOLD or any(item.arg in ("training", None) for item in call.keywords)
    return last_name(function) in FUNCTIONAL and not layer and not told


def path_of(shown: str) -> Path:
    """`[1]` or `['labels']` as a path into each batch."""
    return (ITEM, *(ast.literal_eval(key) for key in _KEY.findall(shown)))


def _of_optimizer(program: Program, optimizer: Optimizer) -> Iterator[Origin]:
    if optimizer.site is None:
        return
    group = optimizer.groups[0] if optimizer.groups else None
    settings = {name: group.settings.get(name) for name in SETTINGS} if group is not None else {}
    begun = group.settings.get("initial_lr", group.rate) if group is not None else None
    for name, value in (("lr", begun), *settings.items()):
        if isinstance(value, int | float) and math.isfinite(value):
            for site in literal_places(program, optimizer.site, name, float(value)):
                yield Origin(optimizer=optimizer.name, setting=name, site=site)
    if optimizer.schedule_site is not None:
        for site in schedule_places(program, optimizer.schedule_site):
            yield Origin(optimizer=optimizer.name, setting="schedule", site=site)
