"""Where the factor of a layer's penalty stands, when the layer was given its regulariser by a name."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from whygrad.frontends.origins.program import Program, Spot
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Origin, Parameter, Record, Site

DECLARES: Final = "_regularizer"
"""How the arguments end by which Keras' layers are given what penalises a weight; before it stands the weight's name."""


def penalties(program: Program, record: Record) -> Iterator[Origin]:
    """The call that made the regulariser of each parameter, or the number that this was given by a name; nothing where the layer's own call has it."""
    found: dict[tuple[str, Site | None], list[Parameter]] = {}
    for parameter in (p for step in record.steps for p in step.parameters if p.site is not None):
        found.setdefault((parameter.name, parameter.site), []).append(parameter)
    for known in found.values():
        for site in _factor(program, known[0]):
            yield Origin(tuple(dict.fromkeys(p.value for p in known)), setting="penalty", site=site)


def _factor(program: Program, parameter: Parameter) -> Iterator[Site]:
    site = parameter.site
    if site is None or DECLARES not in site.text:
        return
    call = program.call_at(site)
    weight = re.split(r"[./]", parameter.name)[-1]
    for item in call.node.keywords if call is not None and isinstance(call.node, ast.Call) else ():
        if call is not None and item.arg == weight + DECLARES:
            yield from _last(program, replace(call, node=item.value), item.value)


def _last(program: Program, spot: Spot, given: ast.expr) -> Iterator[Site]:
    """The end of the way back: the number, where it has a name of its own, else the call that is given it."""
    for at, _ in Trail(program).steps(spot):
        if isinstance(at.node, ast.Call):
            numbers = [*at.node.args, *(item.value for item in at.node.keywords)]
            named = [number for number in numbers if not isinstance(number, ast.Constant)]
            number = _number(program, replace(at, node=named[0], path=())) if len(named) == 1 else None
            if number is not None:
                yield program.site(number)
            elif at.node is not given:
                yield program.site(at)
            return


def _number(program: Program, spot: Spot) -> Spot | None:
    return next((at for at, _ in Trail(program).steps(spot) if isinstance(at.node, ast.Constant)), None)
