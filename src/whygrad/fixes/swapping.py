"""What a call is swapped for where it is no plain function of its arguments."""

import libcst as cst

from whygrad.fixes.finding import Expression
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
