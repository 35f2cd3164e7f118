"""Assignments that bind a name anew where a part of something was meant, or change a part where another value was."""

from collections.abc import Callable, Mapping, Sequence

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes, fitted
from whygrad.fixes.finding import Expression, Tree, assigned, last_name, statement
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused

_PLAIN: Mapping[type[cst.BaseAugOp], Callable[[], cst.BaseBinaryOp]] = {
    cst.AddAssign: cst.Add,
    cst.SubtractAssign: cst.Subtract,
    cst.MultiplyAssign: cst.Multiply,
    cst.DivideAssign: cst.Divide,
    cst.MatrixMultiplyAssign: cst.MatrixMultiply,
    cst.PowerAssign: cst.Power,
}
_COUNTER = ("i", "at", "position")
"""Names for a counter; the first that the function does not use."""
PAIR = 2


def not_in_place(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`a += b` becomes `a = a + b`."""
    found = statement(tree, edit.site)
    kept = found.body[0] if isinstance(found, cst.SimpleStatementLine) else None
    operator = _PLAIN.get(type(kept.operator)) if isinstance(kept, cst.AugAssign) else None
    if not isinstance(kept, cst.AugAssign) or operator is None:
        raise Refused("nothing is changed in place on its line")
    changed = cst.BinaryOperation(kept.target.deep_clone(), operator(), _behind(operator(), kept.value))
    changes.new[kept] = cst.Assign([cst.AssignTarget(kept.target)], changed)


def _behind(operator: cst.BaseBinaryOp, value: Expression) -> Expression:
    """What stands on the right of an operator: a product behind a sum needs no parentheses, all else that is no single piece does."""
    product = isinstance(value, cst.BinaryOperation) and isinstance(
        value.operator, cst.Multiply | cst.Divide | cst.MatrixMultiply | cst.Power
    )
    return value if product and isinstance(operator, cst.Add | cst.Subtract) else fitted(value)


def inward(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`P(a) * b` becomes `P(a * b)`, for the only call of `calls` in what the statement assigns."""
    whole = assigned(tree, edit)
    found = [part for part in tree.within(whole, cst.Call) if last_name(part) in edit.calls]
    if len(found) != 1 or found[0] is whole or not found[0].args or found[0].args[0].star:
        raise Refused(f"nothing is made of one `{edit.calls[0]}` on its line")
    call = found[0]
    inside = whole.deep_replace(call, fitted(call.args[0].value))
    if not isinstance(inside, cst.BaseExpression):
        raise Refused("nothing would be left of it")
    changes.new[whole] = call.with_changes(args=[call.args[0].with_changes(value=inside), *call.args[1:]])


def by_method(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`v = v - b` and `v -= b` become `v.assign_sub(b)`."""
    found = statement(tree, edit.site)
    kept = found.body[0] if isinstance(found, cst.SimpleStatementLine) else None
    operator: cst.CSTNode
    if isinstance(kept, cst.AugAssign):
        name, operator, value = kept.target, kept.operator, kept.value
    elif isinstance(kept, cst.Assign) and len(kept.targets) == 1 and isinstance(kept.value, cst.BinaryOperation):
        name, operator, value = kept.targets[0].target, kept.value.operator, kept.value.right
        if not dotted(name) or dotted(kept.value.left) != dotted(name):
            raise Refused("what is assigned does not begin with the name that it is assigned to")
    else:
        raise Refused("it is no sum or difference that is assigned")
    method = "assign_sub" if isinstance(operator, cst.Subtract | cst.SubtractAssign) else "assign_add"
    if not isinstance(operator, cst.Subtract | cst.SubtractAssign | cst.Add | cst.AddAssign):
        raise Refused("it is no sum or difference that is assigned")
    changes.new[kept] = cst.Expr(cst.Call(cst.Attribute(cst.ensure_type(name, cst.Name), cst.Name(method)), [cst.Arg(value)]))


def into_element(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """What is assigned to the variable of a loop goes into what the loop goes through."""
    found = statement(tree, edit.site)
    kept = found.body[0] if isinstance(found, cst.SimpleStatementLine) and len(found.body) == 1 else None
    loop = tree.enclosing(found, cst.For)
    name = (
        kept.target
        if isinstance(kept, cst.AugAssign)
        else kept.targets[0].target
        if isinstance(kept, cst.Assign) and len(kept.targets) == 1
        else None
    )
    if kept is None or loop is None or not isinstance(name, cst.Name):
        raise Refused("it assigns to no variable of a loop")
    held = _held(tree, loop, name.value, changes)
    if isinstance(kept, cst.AugAssign):
        operator = _PLAIN.get(type(kept.operator))
        if operator is None:
            raise Refused("the operator is an unusual one")
        changes.new[kept] = cst.Assign([cst.AssignTarget(held)], cst.BinaryOperation(name, operator(), _behind(operator(), kept.value)))
    else:
        changes.new[name] = held


def _held(tree: Tree, loop: cst.For, name: str, changes: Changes) -> cst.Subscript:
    """The entry that the variable was taken from; the loop counts where it did not."""
    through, variables = loop.iter, loop.target
    row = [part.value for part in variables.elements] if isinstance(variables, cst.Tuple) else [variables]
    own = _names(row)
    if isinstance(through, cst.Call) and last_name(through) == "enumerate" and len(row) == PAIR:
        source = _source(through.args[0].value, _row_of(row[1]), name)
        return _entry(source, own[0])
    if isinstance(through, cst.Call) and last_name(through) == "items" and isinstance(through.func, cst.Attribute) and own[1:] == [name]:
        return _entry(dotted(through.func.value), own[0])
    source = _source(through, row, name)
    used = {part.value for part in tree.within(tree.enclosing(loop, cst.FunctionDef) or tree.module, cst.Name)}
    counter = next((word for word in _COUNTER if word not in used), "")
    if not counter:
        raise Refused("there is no free name for a counter")
    changes.new[through] = cst.Call(cst.Name("enumerate"), [cst.Arg(through.deep_clone())])
    inner = (
        variables.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        if isinstance(variables, cst.Tuple) and not variables.lpar
        else variables
    )
    changes.new[variables] = cst.Tuple([cst.Element(cst.Name(counter)), cst.Element(inner)], lpar=[], rpar=[])
    return _entry(source, counter)


def _row_of(item: Expression) -> list[Expression]:
    return [part.value for part in item.elements] if isinstance(item, cst.Tuple) else [item]


def _names(row: Sequence[cst.CSTNode]) -> list[str]:
    return [dotted(part) for part in row]


def _source(through: Expression, row: Sequence[cst.CSTNode], name: str) -> str:
    """The list whose entries the variable is; one of several that go side by side."""
    lists: list[Expression] = (
        [arg.value for arg in through.args] if isinstance(through, cst.Call) and last_name(through) == "zip" else [through]
    )
    found = [dotted(each) for each, variable in zip(lists, row, strict=False) if dotted(variable) == name]
    if len(found) != 1 or not found[0] or len(lists) != len(row):
        raise Refused("the loop does not go through the entries of something that has a name")
    return found[0]


def _entry(source: str, at: str) -> cst.Subscript:
    return cst.ensure_type(cst.parse_expression(f"{source}[{at}]"), cst.Subscript)
