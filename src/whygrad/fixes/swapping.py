"""What a call is swapped for where it is no plain function of its arguments, its arguments for one another, and a quotient of whole numbers for one with a fraction."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes, fitted
from whygrad.fixes.finding import Expression, Tree, expression
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused


def named_like(old: Expression, function: str) -> Expression:
    """Another function in the place of the one that a layer of Keras' is given, by its name where the old one is."""
    if not isinstance(old, cst.SimpleString):
        raise Refused("the layer is given a function, not its name")
    return old.with_changes(value=f"{old.quote}{function.rpartition('.')[2]}{old.quote}")


_BY_NAME = (("labels", "logits"), ("y_true", "y_pred"), ("input", "target"), ("target", "output"))
"""What losses call the two that they compare, in PyTorch, TensorFlow and Keras."""


def exchanged(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`loss(y, x)` becomes `loss(x, y)`, by place or by name; raises `Refused` where the two are not written out."""
    node = expression(tree, edit)
    if not isinstance(node, cst.Call) or any(arg.star for arg in node.args):
        raise Refused("it is no call with its arguments written out")
    named = {arg.keyword.value: arg for arg in node.args if arg.keyword is not None}
    pairs = [(named[one], named[other]) for one, other in _BY_NAME if one in named and other in named]
    plain = [arg for arg in node.args if arg.keyword is None]
    both = pairs[0] if len(pairs) == 1 else (plain[0], plain[1]) if len(plain) > 1 and not pairs else None
    if both is None:
        raise Refused("its call does not show which two arguments are meant")
    first, second = both
    changes.new.update({first: first.with_changes(value=second.value), second: second.with_changes(value=first.value)})


def by_size(node: cst.Comparison) -> tuple[Expression, Expression]:
    """What a comparison takes for the larger, and what for the smaller."""
    first = node.comparisons[0]
    if len(node.comparisons) == 1 and isinstance(first.operator, cst.GreaterThan | cst.GreaterThanEqual):
        return node.left, first.comparator
    if len(node.comparisons) == 1 and isinstance(first.operator, cst.LessThan | cst.LessThanEqual):
        return first.comparator, node.left
    raise Refused("it compares in another way than by size")


def narrowed(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`stop(a + (b - a))` becomes `a + stop(b - a)`, be it a function or a method."""
    node = expression(tree, edit)
    if not isinstance(node, cst.Call) or len(node.args) > 1 or not (node.args or isinstance(node.func, cst.Attribute)):
        raise Refused("it is no call of one value")
    method = node.func if not node.args and isinstance(node.func, cst.Attribute) else None
    whole = method.value if method is not None else node.args[0].value
    kept, residue = _estimator(tree, whole)
    alone = method.with_changes(value=fitted(residue)) if method is not None else node.func
    bare = node.with_changes(func=alone, args=[] if method is not None else [cst.Arg(residue.with_changes(lpar=(), rpar=()))])
    changes.new[node] = cst.BinaryOperation(kept, cst.Add(), bare)


def _estimator(tree: Tree, whole: Expression) -> tuple[Expression, Expression]:
    """Of `a + (b - a)` what is kept, and the difference."""
    if isinstance(whole, cst.BinaryOperation) and isinstance(whole.operator, cst.Add):
        for kept, residue in ((whole.left, whole.right), (whole.right, whole.left)):
            minus = isinstance(residue, cst.BinaryOperation) and isinstance(residue.operator, cst.Subtract)
            if minus and tree.code(cst.ensure_type(residue, cst.BinaryOperation).right).strip() == tree.code(kept).strip():
                return kept, residue
    raise Refused("it is no sum of a value and of what another one differs from it by")


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
