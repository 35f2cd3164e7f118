"""Decorators of a function: one exchanged for another, one in the place of a call, one left out that keeps what the function gave."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes, nothing_left
from whygrad.fixes.finding import Expression, Tree, last_name, statement
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused


def redecorated(tree: Tree, edit: Edit, names: Names) -> dict[cst.CSTNode, cst.CSTNode | None]:
    """The name of the decorator, new for old; raises `Refused` where no function around the place is decorated by one of these."""
    for above in tree.above(statement(tree, edit.site)):
        for decorator in above.decorators if isinstance(above, cst.FunctionDef) else ():
            written = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
            if last_name(written) in edit.calls:
                return {written: cst.parse_expression(names.spell(edit.text))}
    raise Refused(f"no function around it is decorated by `{edit.calls[0]}`")


def decorated(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """A decorator of the function around the place, for the statement that stands there; raises `Refused` outside a function."""
    found = statement(tree, edit.site)
    function = tree.enclosing(found, cst.FunctionDef)
    if not isinstance(function, cst.FunctionDef) or tree.parents.get(found) is not function.body:
        raise Refused("it stands in no function, or in a part of one")
    new = cst.Decorator(_called(names, edit.text))
    changes.new[function] = function.with_changes(decorators=[new, *function.decorators])
    changes.new[found] = nothing_left(tree, found)


def _called(names: Names, text: str) -> Expression:
    return cst.parse_expression(names.spell(text))


KEEPING = ("lru_cache", "cache", "cached_property")


def uncached(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """What is made once and kept, made at each call: out of the `if` that asks whether it is there, or without the decorator that keeps it."""
    found = statement(tree, edit.site)
    asked = tree.enclosing(found, cst.If)
    if asked is not None and tree.enclosing(found, cst.FunctionDef) is tree.enclosing(asked, cst.FunctionDef):
        _unasked(tree, asked, changes)
        return
    function = tree.enclosing(found, cst.FunctionDef)
    for decorator in function.decorators if function is not None else ():
        if last_name(decorator.decorator) in KEEPING:
            is_property = last_name(decorator.decorator) == "cached_property"
            changes.new[decorator] = cst.Decorator(cst.Name("property")) if is_property else None
            return
    raise Refused("it is kept by something else than the function that makes it")


def _unasked(tree: Tree, asked: cst.If, changes: Changes) -> None:
    """The statements of the `if` in its place, where it asks for what they make."""
    made = {tree.code(target.target).strip() for target in tree.within(asked.body, cst.AssignTarget)}
    test = asked.test
    about = test.left if isinstance(test, cst.Comparison) else test.expression if isinstance(test, cst.UnaryOperation) else test
    if asked.orelse is not None or not isinstance(asked.body, cst.IndentedBlock) or tree.code(about).strip() not in made:
        raise Refused("it depends on something else than whether it is there")
    changes.spread.add(asked)
