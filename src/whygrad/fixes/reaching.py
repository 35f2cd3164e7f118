"""A condition around a statement: one on the count of a loop's turns that also holds at the last turn, and one that goes."""

from collections.abc import Callable

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import ATOMS, Changes
from whygrad.fixes.finding import Expression, Tree, last_name, statement
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused

_FROM_ONE: tuple[Callable[[str], tuple[str, ...]], ...] = (lambda name: (f"{name} + 1", f"{name}+1"), lambda name: (name,))
"""How a turn is written that counts from 1, where the loop counts from 0, and from 1."""


def reached(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`if step % n == 0:` around the statement becomes `if step % n == 0 or step == len(loader):`, for a loop over `enumerate(loader, start=1)`."""
    condition = tree.enclosing(statement(tree, edit.site), cst.If)
    loop = tree.enclosing(condition, cst.For) if condition is not None else None
    if condition is None or loop is None or tree.enclosing(loop, cst.FunctionDef) is not tree.enclosing(condition, cst.FunctionDef):
        raise Refused("no condition in a loop stands around it")
    counter, source, start = _counted(loop)
    turn = _divided(tree, condition.test, counter)
    at_last = f"{turn} == len({source})" if turn in _FROM_ONE[start](counter) else f"{counter} == len({source}){' - 1' * (not start)}"
    changes.new[condition.test] = cst.parse_expression(f"{tree.code(condition.test)} or {at_last}")


def always(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """The statement is made whatever the `if` around it says, which goes."""
    found = tree.enclosing(statement(tree, edit.site), cst.If)
    if found is None or found.orelse is not None or not isinstance(found.body, cst.IndentedBlock):
        raise Refused("no condition without an `else` stands around it")
    if isinstance(tree.parents.get(found), cst.If):
        raise Refused("the condition is one of several")
    changes.spread.add(found)


def _counted(loop: cst.For) -> tuple[str, str, int]:
    """What counts the turns, what is gone through, and where the count begins; raises `Refused` for any other loop."""
    call, pair = loop.iter, loop.target
    if not isinstance(call, cst.Call) or last_name(call) != "enumerate" or not isinstance(pair, cst.Tuple) or not call.args:
        raise Refused("its loop does not count its turns")
    source, counter, started = dotted(call.args[0].value), dotted(pair.elements[0].value), call.args[1:]
    value = started[0].value if started else cst.Integer("0")
    if not source or not counter or not isinstance(value, cst.Integer) or value.value not in ("0", "1"):
        raise Refused("what its loop goes through has no name, or its count begins elsewhere")
    return counter, source, int(value.value)


def _divided(tree: Tree, test: Expression, counter: str) -> str:
    """What is divided by the number of turns: `step` or `(step + 1)`."""
    parts = [part for part in tree.within(test, cst.BinaryOperation) if isinstance(part.operator, cst.Modulo)]
    if not isinstance(test, cst.Comparison) or len(parts) != 1 or parts[0] is not test.left:
        raise Refused("the condition is not on every so many turns")
    left = parts[0].left
    if counter not in {dotted(node) for node in tree.expressions(left)} or not isinstance(left, (*ATOMS, cst.BinaryOperation)):
        raise Refused("the condition is on another number than that of the turns")
    return tree.code(left).strip().removeprefix("(").removesuffix(")")
