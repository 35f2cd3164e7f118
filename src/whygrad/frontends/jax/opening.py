"""What a recorded step begins with: which optimizer will update what, and how the step is run again."""

from collections.abc import Sequence

from whygrad.frontends.jax.assembly import Built, Part
from whygrad.frontends.jax.optimizers import Optimizers
from whygrad.frontends.jax.plans import Plan
from whygrad.frontends.jax.replay import JaxReplay


def held(optimizers: Optimizers, parts: Sequence[Part], plan: Plan | None) -> dict[int, tuple[str, ...]]:
    """Which transformation will update what, as far as that is known before: from the traced function, or from what its state was made for."""
    if plan is not None and any(moment.kind == "update" for moment in plan.capture.moments):
        return {id(moment.made): moment.held for moment in plan.capture.moments if moment.kind == "update"}
    known = {id(part.arrays.get(a.number)): a.path for part in parts for a in part.program.derivation.parameters}
    found = {id(made): tuple(known[key] for key in made.started if key in known) for made in optimizers.used()}
    if optimizers.own is not None:
        found[id(optimizers.own)] = optimizers.own.held
    return {key: names for key, names in found.items() if names}


def replay_of(optimizers: Optimizers, built: Built, plan: Plan | None) -> JaxReplay:
    """The step's last derivative, ready to be run again with one thing changed."""
    part, facts = built.parts[-1], built.facts[-1]
    engine = part.engine or part.program.engine(part.arrays)
    names = {name: number for number, name in facts.names.items()}
    parameters = {argument.number: argument.path for argument in part.program.derivation.parameters}
    recorded = part.gradients if plan is None else {}
    inside = plan is not None and any(nest.path for nest in plan.nests)
    rule = None if inside else optimizers.rule()  # what a loop's optimizer remembers by now is not known
    arrays = {**part.before.arrays, **part.arrays}
    fused = engine.compiled or len(part.program.bounds) != len(part.program.derivation.bounds)
    return JaxReplay(
        engine, arrays, names, built.step.graph, parameters, recorded, fused, part.before.bounds, rule, leading=part.program.leading
    )
