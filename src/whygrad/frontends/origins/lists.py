"""Where the list of parameters was put together that an optimizer is handed in the loop."""

import ast
from collections.abc import Iterator
from typing import Final

from whygrad.frontends.origins.program import Program, Spot
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Site

WEIGHTS: Final = frozenset(("trainable_variables", "trainable_weights", "variables", "weights"))
"""What Keras' layers and models call their own."""


def list_taken(program: Program, given: Site) -> Site | None:
    """The expression that a name for the trained variables stands for, if it is on another line than the one where they are given."""
    named = program.expression_at(given)
    found = next(_followed(program, named), None) if named is not None else None
    site = program.site(found) if found is not None else None
    return site if site is not None and site.line_of_code != given.line_of_code else None


def _followed(program: Program, spot: Spot) -> Iterator[Spot]:
    """The first expression on the way back that is no mere name; a name that leads nowhere says nothing."""
    for at, step in Trail(program).steps(spot):
        node = at.node
        own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        if not (own or isinstance(node, ast.Name)) or (isinstance(node, ast.Attribute) and node.attr in WEIGHTS and step.onward is None):
            yield at
            return
