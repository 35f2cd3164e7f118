"""The origins of what a record names: labels, and the settings of optimizers that stand elsewhere than where these are made."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from whygrad.flow import StepIndex
from whygrad.frontends.origins.carried import carried
from whygrad.frontends.origins.choices import chosen_at
from whygrad.frontends.origins.evaluations import evaluations
from whygrad.frontends.origins.lambdas import lambdas
from whygrad.frontends.origins.modes import modes_of
from whygrad.frontends.origins.optimizing import of_optimizer
from whygrad.frontends.origins.penalties import penalties
from whygrad.frontends.origins.program import Binding, Program, Scope, Spot, dotted, functions, last_name
from whygrad.frontends.origins.restarts import begun_anew, drawn_within, seeded_anew
from whygrad.frontends.origins.rows import FITTING, first_line, is_told, made_by, path_of
from whygrad.frontends.origins.samplers import of_samplers
from whygrad.frontends.origins.starts import filled_in_class, filled_outside, filled_places, told_where_made
from whygrad.frontends.origins.trails import Trail, last_binding, places_of
from whygrad.frontends.origins.unkept import unkept
from whygrad.frontends.origins.untaken import untaken
from whygrad.frontends.origins.uphill import uphill
from whygrad.frontends.source import Sources
from whygrad.ir import Batches, Frame, Origin, Record, Site, Step, family

PICKED = ("layout", "select", "cast")
MOST_DRAWS = 16
"""Lines that draw, of which the generator is looked for."""
HUGE = 20.0
"""Largest entry from which WG505 may speak of an input, so that the source is read for it. In 161 runs of the corpus the 49 healthy programs with such inputs have a largest entry of 3.5 in the
middle and of 9.7 or less in 95 of 100; one reaches 24.6, and nothing is said of it. Of the faulty ones three lie above: 24.6, 255 and 1.7e9."""
TINY = 0.05
"""Largest entry up to which it may speak of one that is too small."""
SEEDING = ("manual_seed", "seed")
"""Methods that set a generator's seed."""
UNRELATED = 3.0
"""Standard deviations up to which a fit has found nothing, as WG104 has it."""
FUNCTIONAL = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
TOLD = 3
"""The argument of a functional dropout that tells the mode, counted from 1."""
INITIALISERS = ("kernel_initializer", "kernel_init")
"""What layers call the argument that says how their weights begin."""
TYPING = frozenset(
    ("tensor", "as_tensor", "from_numpy", "array", "asarray", "constant", "convert_to_tensor", "Tensor", "LongTensor", "FloatTensor",
     "BoolTensor", "IntTensor", "astype", "long", "int", "float", "double", "half", "bool", "cast", "bfloat16")
)  # fmt: skip
"""Calls that make a tensor or an array of other data, or cast one."""


def origins_of(record: Record, sources: Sources) -> tuple[Origin, ...]:
    """Everything that the source says about what a record names."""
    program = Program(sources)
    return (
        *_of_labels(program, record),
        *_of_orders(program, record),
        *_of_unpacking(program, record),
        *_of_asked(program, record),
        *_of_starts(program, record),
        *_of_choices(program, record),
        *carried(program, record),
        *evaluations(program, record),
        *unkept(program, record),
        *untaken(program, record),
        *uphill(program, record),
        *_always_on(program, record),
        *modes_of(program, record),
        *penalties(program, record),
        *lambdas(program, record),
        *_seeds(program, record),
        *_restarts(program, record),
        *_frozen_draws(program, record),
        *of_samplers(program, record),
        *(found for optimizer in record.optimizers for found in of_optimizer(program, optimizer)),
    )


def _all_alike(record: Record, step: Step) -> Iterator[str]:
    """What a loader handed out that was one number in every batch."""
    alike = (item for item in record.batches if item.minimum is not None and item.minimum == item.maximum)
    yield from (name for item in alike for name in item.values if name in step.graph.values and name not in step.labels.values)


def _compared(step: Step) -> Iterator[str]:
    """What a step was handed and compares with something, where all its entries are one number: a mask of it keeps everything or nothing."""
    made = {name for op in step.graph.ops for name in op.outputs}
    for name in (name for op in step.graph.ops if op.kind == "compare" for name in op.inputs if name not in made):
        value = step.graph.values[name]
        figures = value.statistics
        if (
            value.shape
            and value.role == "input"
            and figures is not None
            and figures.minimum is not None
            and figures.minimum == figures.maximum
        ):
            yield name


def _huge(step: Step) -> Iterator[str]:
    """Inputs that the program made before it was watched, and whose entries are far from the size that layers reckon with, on either side."""
    made = {name for op in step.graph.ops for name in op.outputs}
    for name, value in step.graph.values.items():
        figures = value.statistics
        ends = (figures.minimum, figures.maximum) if figures is not None and value.role == "input" and name not in made else ()
        sizes = [abs(end) for end in ends if end is not None]
        if sizes and (max(sizes) >= HUGE or 0 < max(sizes) <= TINY):
            yield name


def _spoilt(record: Record, step: Step) -> Iterator[str]:
    """Inputs that were not finite when the step began, and that no loader handed out: where a function of the user's was given them, the source may say where they come from."""
    for name in sorted({birth.value for birth in step.births if birth.stage == "given"}):
        value = step.graph.values.get(name)
        if value is not None and value.role == "input" and name not in step.labels.values and _handed(record, (name,)) is None:
            yield name


def _of_labels(program: Program, record: Record) -> Iterator[Origin]:
    """The labels of each kind of step, and inputs that are one number everywhere or huge: what a loader handed out, or what the step itself picked from."""
    seen: set[str] = set()
    for step in record.steps:
        index = StepIndex(step)
        spoilt = set(_spoilt(record, step))
        for label in (*step.labels.values, *_all_alike(record, step), *_compared(step), *_huge(step), *sorted(spoilt), *_weights(step)):
            names = (label, *_before(index, label))
            if not seen.isdisjoint(names):
                continue
            seen.update(names)
            handed = _handed(record, names)
            spots = _arguments(program, step, label) if label in spoilt else _spots(program, record, index, names)
            for site in next((found for spot in spots if (found := places_of(program, spot))), ()):
                yield Origin((*names, *(value for value in (handed.values if handed else ()) if value not in names)), site=site)
            typed = _typed(program, _spots(program, record, index, names))
            if typed is not None:
                yield Origin(names, setting="dtype", site=typed)


def _weights(step: Step) -> Iterator[str]:
    """Weights of examples that leave out whole classes."""
    yield from (event.targets[-1] for event in step.events if event.kind == "batch" and "weightless" in event.attributes and event.targets)


def _typed(program: Program, spots: Iterator[Spot]) -> Site | None:
    """The nearest call that gives numbers their dtype."""
    steps = (at for spot in spots for at, _ in Trail(program).steps(spot))
    return next((program.site(at, at.node) for at in steps if isinstance(at.node, ast.Call) and last_name(at.node.func) in TYPING), None)


def _of_orders(program: Program, record: Record) -> Iterator[Origin]:
    """Where one side of data without any relation was put into another order, and the other side was not."""
    for fit in record.fits:
        step = next((step for step in record.steps if any(name in step.graph.values for name in fit.labels)), None)
        if step is None or fit.score is None or not fit.score < UNRELATED:
            continue
        index = StepIndex(step)
        ways = [
            (tuple(_spots(program, record, index, names)), tuple(spot for name in names for spot in _arguments(program, step, name)))
            for known in (fit.inputs, fit.labels)
            for names in [_known(index, known)]
        ]
        sides = [list(_orders(program, seen)) or list(_orders(program, given)) for seen, given in ways]
        # what the labels themselves are, as in `x = glyphs[y]`, is no order of the inputs
        mine, theirs = (
            {key for key, _ in side} | _passed(program, (*seen, *given)) for side, (seen, given) in zip(sides, ways, strict=True)
        )
        alone = {key: site for side, other in zip(sides, (theirs, mine), strict=True) for key, site in side if key not in other}
        for site in alone.values():
            yield Origin(fit.labels, setting="order", site=site)


def _known(index: StepIndex, names: tuple[str, ...]) -> tuple[str, ...]:
    """The first of these names that the step knows, and what it was picked, reshaped or cast from."""
    known = next((name for name in names if name in index.values), None)
    return (known, *_before(index, known)) if known is not None else ()


def _orders(program: Program, spots: Iterable[Spot]) -> Iterator[tuple[str, Site]]:
    """What put a value's rows into another order on its way, with something that tells whether two are the same."""
    for at, step in (pair for spot in spots for pair in Trail(program).steps(spot)):
        if step.order is not None:
            yield _order_key(step.order), program.site(at, step.order if isinstance(step.order, ast.stmt) else None)


def _passed(program: Program, spots: Iterable[Spot]) -> set[str]:
    """All that a value was made of on its way, and behind what can't be followed further, as the keys of orders that are told by their very call."""
    ways = [[at for at, _ in Trail(program).steps(spot)] for spot in spots]
    ends = [replace(way[-1], node=name, path=()) for way in ways if way for name in ast.walk(way[-1].node) if isinstance(name, ast.Name)]
    return {str(id(at.node)) for way in (*ways, *([at for at, _ in Trail(program).steps(end)] for end in ends)) for at in way}


def _order_key(order: ast.AST) -> str:
    """What two orders that are the same have in common: a sorting its criterion, a shuffle its seed, any other the very call."""
    if isinstance(order, ast.Call) and last_name(order.func) in ("argsort", "sort_values", "sort"):
        return ast.dump(order)
    seeded = isinstance(order, ast.Call) and last_name(order.func) == "shuffle" and any(item.arg == "seed" for item in order.keywords)
    given = (*order.args, *order.keywords) if seeded and isinstance(order, ast.Call) else ()
    return " ".join(ast.dump(item) for item in given) or str(id(order))


def _of_unpacking(program: Program, record: Record) -> Iterator[Origin]:
    """What a call that raised was given, where the program took it out of one call's result together with the first."""
    for step in record.steps:
        for op in (op for op in step.graph.ops if op.failed and op.site is not None and len(op.inputs) > 1):
            site = op.site
            assert site is not None
            scope = program.scope_at(site.file, site.line, site.callers)
            first, *others = (_taken_apart(program, scope, step.graph.values[name].called, site.line) for name in op.inputs)
            for name, other in zip(op.inputs[1:], others, strict=True):
                if (
                    scope is not None
                    and first is not None
                    and other is not None
                    and first.value is other.value
                    and first.path != other.path
                ):
                    yield Origin((name,), setting="unpacked", site=program.site(Spot(other.value, scope)))


def _taken_apart(program: Program, scope: Scope | None, name: str, before: int) -> Binding | None:
    """The assignment that gave a name a part of what a call returned."""
    found = last_binding(program.bindings(scope.node).get(name, []), before) if scope is not None else None
    return found if found is not None and found.path and isinstance(found.value, ast.Call) else None


def _of_asked(program: Program, record: Record) -> Iterator[Origin]:
    """Where the list was taken that a gradient is asked for, which was empty."""
    for event in (event for step in record.steps for event in step.events if event.attributes.get("asked") == 0 and event.site):
        call = program.call_at(event.site, name="gradient") if event.site is not None else None
        given = [item.value for item in call.node.keywords if item.arg == "sources"] if call and isinstance(call.node, ast.Call) else []
        given += call.node.args[1:2] if call is not None and isinstance(call.node, ast.Call) else []
        for at, _ in Trail(program).steps(replace(call, node=given[0])) if call is not None and given else ():
            if not isinstance(at.node, ast.Name):
                yield Origin(event.targets, setting="asked", site=program.site(at))
                break


def _of_starts(program: Program, record: Record) -> Iterator[Origin]:
    """Where the initialiser stands that layers with equal rows were given by a name, or what fills them in a function of the program's."""
    first = {step.kind: step for step in reversed(record.steps)}.values()
    for parameter in {p.value: p for step in first for p in step.parameters if p.symmetric and p.site is not None}.values():
        call = program.call_at(parameter.site) if parameter.site is not None else None
        for item in call.node.keywords if call is not None and isinstance(call.node, ast.Call) else ():
            if call is not None and item.arg in INITIALISERS and isinstance(item.value, ast.Name | ast.Attribute | ast.Subscript):
                for site in places_of(program, replace(call, node=item.value), 1):
                    yield Origin((parameter.value,), setting="start", site=site)
        places = (
            (*told_where_made(program, call, INITIALISERS), *filled_places(program, call, parameter.name))[:1] if call is not None else ()
        )
        scope = program.scope_at(parameter.site.file, parameter.site.line) if parameter.site is not None and not places else None
        places = places or (tuple(filled_in_class(program, scope, parameter.name.rpartition(".")[2])) if scope is not None else ())
        for site in places or filled_outside(program, parameter.name):
            yield Origin((parameter.value,), setting="start", site=site)


def _of_choices(program: Program, record: Record) -> Iterator[Origin]:
    """Where it is decided which parameters a part of a chain of optax' freezes."""
    jax = any(framework.name == "jax" for framework in record.frameworks)
    frozen = {event.targets: event.site for step in record.steps if jax for event in step.events if event.kind == "freeze" and event.site}
    for names, made in frozen.items():
        site = chosen_at(program, made)
        if site is not None:
            yield Origin(names, setting="chosen", site=site)


def _handed(record: Record, names: tuple[str, ...]) -> Batches | None:
    return next((item for item in record.batches if not set(item.values).isdisjoint(names)), None)


def _spots(program: Program, record: Record, index: StepIndex, names: tuple[str, ...]) -> Iterator[Spot]:
    """Where to begin with a value: at the loader or the data that handed it out, else in the step."""
    handed = _handed(record, names)
    call = program.call_at(handed.site) if handed is not None and handed.site is not None else None
    made = tuple(made_by(program, handed)) if handed is not None else ()
    if call is None or handed is None:
        yield from (*made, *_in_step(program, index, names))
        return
    spot = Spot(call.node, call.scope, path_of(handed.path), call.before)
    told = _given_to_fit(spot) if isinstance(call.node, ast.Call) and last_name(call.node.func) in FITTING else spot
    yield from (told, *made) if is_told(program, call) else (*made, told)


def _given_to_fit(spot: Spot) -> Spot:
    """`fit(x, y)`: the argument that an element of its batches comes from; of a data set given alone, its part."""
    call, part = spot.node, spot.path[1]
    assert isinstance(call, ast.Call)
    named = {item.arg: item.value for item in call.keywords}
    given = [named.get(name, call.args[at] if at < len(call.args) else None) for at, name in enumerate(("x", "y"))]
    given.append(named.get("sample_weight"))
    own = given[part] if given[1] is not None and isinstance(part, int) and part < len(given) else None
    if own is not None:
        return replace(spot, node=own, path=spot.path[2:])
    return replace(spot, node=given[0]) if given[0] is not None and given[1] is None else spot


def _in_step(program: Program, index: StepIndex, names: tuple[str, ...]) -> Iterator[Spot]:
    """The op that made a value; without one, its variable where it is read first."""
    made = index.producer.get(names[-1])
    if made is not None:
        spot = program.expression_at(made[1].site) if made[1].site is not None else None
        if spot is not None:
            yield spot
        return
    readers = [op.site for name in names for op in index.consumers.get(name, ()) if op.site is not None]
    for name in (index.value(item).called for item in names):
        for site in readers[:1] if name.replace(".", "_").isidentifier() else ():
            scope = program.scope_at(site.file, site.line, site.callers)
            if scope is not None:
                yield Spot(ast.parse(name, mode="eval").body, scope, (), site.line + 1)
    yield from _in_arguments(program, index, names)


def _in_arguments(program: Program, index: StepIndex, names: tuple[str, ...]) -> Iterator[Spot]:
    """The argument of a function around the model's call, where that itself can't be followed: `model(x)` calls `forward`."""
    for called in index.step.scopes:
        given = next((argument for argument, value in called.arguments.items() if value in names and argument.isidentifier()), None)
        site, caller = called.site, called.caller
        if given is not None and site is not None and caller is not None:
            around = (Frame(caller.file, caller.line, caller.function, caller.text), *caller.callers)
            scope = program.scope_at(site.file, site.line, around)
            if scope is not None:
                yield Spot(ast.parse(given, mode="eval").body, scope, (), site.line + 1)


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


def _seeds(program: Program, record: Record) -> Iterator[Origin]:
    """Where the generator was seeded that a draw of the first recorded step is given."""
    draws = [op for op in record.steps[0].graph.ops if op.kind == "random" and op.site is not None] if record.steps else []
    found: dict[tuple[str, int], tuple[Site, ...]] = {}
    for op in draws:
        assert op.site is not None
        place = op.site.line_of_code
        if place not in found and len(found) < MOST_DRAWS:
            found[place] = tuple(_seeded(program, op.site))
        for site in found.get(place, ()):
            yield Origin(op.outputs, setting="seed", site=site)


def _restarts(program: Program, record: Record) -> Iterator[Origin]:
    """Where the iterator is begun anew that handed out the one batch of all recorded steps."""
    batches = [set(next((event.targets for event in step.events if event.kind == "batch"), ())) for step in record.steps]
    same = set.intersection(*batches) if len(batches) > 1 else set()
    for name in sorted(same):
        index = StepIndex(record.steps[0])
        spots = (*_spots(program, record, index, (name,)), *_arguments(program, record.steps[0], name))
        for setting, find in (("restart", begun_anew), ("reseeded", seeded_anew)):
            for at in find(program, iter(spots)):
                yield Origin((name,), setting=setting, site=program.site(at))
                return


def _frozen_draws(program: Program, record: Record) -> Iterator[Origin]:
    """Where a step draws the rows itself that are the very same in all recorded steps: it was traced once, and they with it."""
    picked = [{op.inputs[1]: op for op in step.graph.ops if op.kind == "index" and len(op.inputs) > 1} for step in record.steps]
    same = set.intersection(*map(set, picked)) if len(picked) > 1 else set()
    for name in sorted(same):
        op = picked[0][name]
        made = any(name in other.outputs for other in record.steps[0].graph.ops)
        for at in drawn_within(program, op.site) if op.site is not None and not made else ():
            yield Origin((name,), setting="frozen draw", site=program.site(at))
            return


def _arguments(program: Program, step: Step, name: str) -> Iterator[Spot]:
    """A value where a function of the user's is given it."""
    for item in step.scopes:
        argument = next((argument for argument, value in item.arguments.items() if value == name), "")
        module = program.module(item.site.file) if item.site is not None and argument.isidentifier() else None
        caller = item.caller
        outer = (Frame(caller.file, caller.line, caller.function), *caller.callers) if caller is not None else ()
        for scope in functions(module, outer) if module is not None else ():
            if item.site is not None and first_line(scope.node) == item.site.line:
                yield Spot(ast.Name(argument, ast.Load()), scope)


def _seeded(program: Program, site: Site) -> Iterator[Site]:
    call = program.expression_at(site)
    given = (
        [item.value for item in call.node.keywords if item.arg == "generator"]
        if call is not None and isinstance(call.node, ast.Call)
        else []
    )
    for at, _ in Trail(program).steps(replace(call, node=given[0])) if call is not None and given else ():
        if isinstance(at.node, ast.Call) and last_name(at.node.func) in SEEDING:
            yield program.site(at)
            return


def _leaves_mode_out(call: ast.Call) -> bool:
    """`F.dropout(x, 0.4)`: a function and no layer, and neither the third argument nor `training=`."""
    function = call.func
    layer = isinstance(function, ast.Attribute) and dotted(function).startswith("self.")
    told = len(call.args) >= TOLD or any(item.arg in ("training", None) for item in call.keywords)
    return last_name(function) in FUNCTIONAL and not layer and not told
