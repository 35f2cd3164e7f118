"""A layer put in front of another one, where a model is a list of layers."""

from collections.abc import Sequence
from typing import TypeVar

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Expression, Tree, expression, last_name, statement_of
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused

Listed = TypeVar("Listed", cst.BaseElement, cst.Arg)


def enlisted(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """A new element before the layer that is made at the place, or a new call of `add`; raises `Refused` where the layer stands in no list."""
    node, text = expression(tree, edit), names.spell(edit.text)
    new = cst.parse_expression(text)
    parent = tree.parents[node]
    above = tree.parents.get(parent)
    if isinstance(parent, cst.Element) and isinstance(above, cst.List | cst.Tuple):
        changes.new[above] = above.with_changes(elements=_before(above.elements, parent, new))
    elif isinstance(parent, cst.Arg) and isinstance(above, cst.Call) and last_name(above) == "Sequential" and parent.keyword is None:
        changes.new[above] = above.with_changes(args=_before(above.args, parent, new))
    elif isinstance(parent, cst.Arg) and isinstance(above, cst.Call) and last_name(above) == "add":
        line = cst.parse_statement(f"{tree.code(above.func).strip()}({text})", config=tree.module.config_for_parsing)
        changes.before.setdefault(statement_of(tree, node), []).append(line)
    else:
        raise Refused("the layer stands in no list of layers")


def _before(items: Sequence[Listed], found: Listed, new: Expression) -> list[Listed]:
    """The list with one item more, set off as the others are."""
    kept = list(items)
    at = kept.index(found)
    like = kept[at - 1].comma if at else found.comma
    comma = like if isinstance(like, cst.Comma) else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    kept.insert(at, found.with_changes(value=new, comma=comma))
    return kept
