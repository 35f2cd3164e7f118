"""The part of WG318 that tells of copies in lower precision which a program makes once, though it updates the weights that they were made from."""

import ast
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.cast_copies import cast_copies
from whygrad.ir import Optimizer, Parameter, Site
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.statements import statements


def half_copies(index: Index) -> Iterator[Diagnosis]:
    """One for each optimizer whose updates went to weights of other precision than the gradient was taken by, all the run long."""
    yield from (_about(step, optimizer, still) for step, optimizer, still in cast_copies(index))


def _made(site: Site | None) -> Site | None:
    """Where the copy is given its name: within the function that casts, or where that is called."""
    levels = site.with_callers if site is not None else ()
    return next((level for level in levels if any(_binds(statement) for statement in statements(level.text))), site)


def _binds(statement: ast.stmt) -> bool:
    """It gives a value its name, and is not where a small function is written."""
    return isinstance(statement, ast.Assign | ast.AnnAssign) and not isinstance(statement.value, ast.Lambda)


def _about(step: StepIndex, optimizer: Optimizer, still: list[Parameter]) -> Diagnosis:
    names, own = [parameter.name for parameter in still], step.value(still[0].value).type
    asked = next((event.site for event in step.events("backward") if event.site), None)
    stepped = next((event.site for event in step.events("optimizer_step") if event.site), None)
    kind = str(step.step.kind)
    return Diagnosis(
        rule="WG318",
        name="stale-weight",
        severity="error",
        confidence="proved",
        message=f"the forward reads copies in {own.partition('[')[0]} that are made once, while `{optimizer.name}` updates the weights in {optimizer.orphans[0].partition('[')[0]}",
        site=_made(still[0].site) or asked,
        label="the copy is made here, and never again",
        related=places((asked, "the gradient is taken by the copy"), (stepped, "the update goes to the weights that it was made from")),
        evidence=(
            Evidence(
                f"{listed(names)} got gradients and hold{'s' if len(names) == 1 else ''} the same values at the end as at the first recorded step",
                "parameters",
                len(names),
            ),
            Evidence(
                f"{plural(optimizer.steps, 'update')} of `{optimizer.name}` went to {', '.join(optimizer.orphans[:3])}{' …' if len(optimizer.orphans) > 3 else ''}: the same shapes, in other precision",  # noqa: PLR2004 - a few will do
                "updates",
                optimizer.steps,
            ),
        ),
        help="make the copy anew after each update, or cast within the function that is differentiated",
        facts=frozenset({Fact("orphans", optimizer.name)}),
        explains=frozenset(Fact("unmoved", name) for name in names) | {Fact(what, kind) for what in ("no-update", "stands")},
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names),
    )
