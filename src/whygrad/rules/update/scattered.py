"""Rows that are added to an array of JAX's, where nobody keeps the array that comes of it."""

import ast
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Site
from whygrad.rules.phrases import places, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.statements import stands_alone, statements


def scattered(index: Index) -> Iterator[Diagnosis]:
    """Updates `table.at[rows].add(-rate * gradient)` that stand alone on their line."""
    found: dict[tuple[str, int], list[tuple[StepIndex, Op]]] = {}
    for step in index.steps:
        slopes = step.downstream(tuple(name for name, value in step.values.items() if value.role == "gradient"))
        for op in step.of("scatter"):
            unread = op.outputs and not any(name in step.consumers for name in op.outputs)
            if op.native == "jax.Array.at" and unread and not slopes.isdisjoint(op.inputs) and op.site and stands_alone(op.site):
                found.setdefault(op.site.line_of_code, []).append((step, op))
    if found:
        yield _diagnosis(list(found.values()))


def _diagnosis(found: list[list[tuple[StepIndex, Op]]]) -> Diagnosis:
    step, op = found[0][0]
    others = [members[0][1].site for members in found[1:]]
    kept = _target(op.site)
    kind = str(step.step.kind)
    backward = next((event.site for event in step.events("backward") if event.site), None)
    return Diagnosis(
        "WG415",
        "updated-copy",
        "error",
        "proved",
        "the update is computed and thrown away: `.at[…]` returns a new array, and nobody keeps it",
        site=op.site,
        label="makes a new array, and changes none",
        related=places(*((site, "and so here") for site in others), (backward, "the gradients are calculated here")),
        evidence=(
            Evidence(
                f"{step.value(op.output).type} is made of the gradient in {plural(len(found[0]), 'recorded step')}, and nothing reads it",
                "readers",
                0,
            ),
        ),
        help=f"keep the new array: `{kept} = {kept}.at[…]…`" if kept else "keep the new array under the name that the next step reads",
        explains=frozenset({Fact("no-update", kind), Fact("stands", kind)}),
        kind=step.step.kind,
        step=step.step.index,
        remedy=_kept(op.site, kept),
    )


def _target(site: Site | None) -> str:
    """What the rows are added to, as the line has it: a name, an entry or an attribute."""
    body = statements(site.text) if site is not None else ()
    nodes = [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Attribute) and node.attr == "at"]
    held = nodes[0].value if nodes else None
    return ast.unparse(held) if isinstance(held, ast.Name | ast.Subscript | ast.Attribute) else ""


def _kept(site: Site | None, target: str) -> Remedy | None:
    if site is None or not target:
        return None
    kept = Edit("insert", site, f"{target} = {site.text.strip()}", after=False)
    return remedy("keep the new array", kept, Edit("drop", site))
