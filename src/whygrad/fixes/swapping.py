"""What a call is swapped for where it is no plain function of its arguments, and a quotient of whole numbers for one with a fraction."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Expression, Tree
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused


def named_like(old: Expression, function: str) -> Expression:
    """Another function in the place of the one that a layer of Keras' is given, by its name where the old one is."""
    if not isinstance(old, cst.SimpleString):
        raise Refused("the layer is given a function, not its name")
    return old.with_changes(value=f"{old.quote}{function.rpartition('.')[2]}{old.quote}")


def by_size(node: cst.Comparison) -> tuple[Expression, Expression]:
    """What a comparison takes for the larger, and what for the smaller."""
    first = node.comparisons[0]
    if len(node.comparisons) == 1 and isinstance(first.operator, cst.GreaterThan | cst.GreaterThanEqual):
        return node.left, first.comparator
    if len(node.comparisons) == 1 and isinstance(first.operator, cst.LessThan | cst.LessThanEqual):
        return first.comparator, node.left
    raise Refused("it compares in another way than by size")


def divided(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`/` for the only `//` of the line."""
    floors = [
        node for node in tree.within(tree.module, cst.BinaryOperation)
        if isinstance(node.operator, cst.FloorDivide) and tree.ranges[node.operator].start.line == edit.site.line
    ]  # fmt: skip
    if len(floors) != 1:
        raise Refused(f"{'several' if floors else 'no'} `//` on its line")
    old = cst.ensure_type(floors[0].operator, cst.FloorDivide)
    changes.new[old] = cst.Divide(whitespace_before=old.whitespace_before, whitespace_after=old.whitespace_after)
