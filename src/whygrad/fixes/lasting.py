"""One object through the functions that hand it on: up to the loop that goes on reading it, or to the call that gave it its name."""

from collections.abc import Mapping

import libcst as cst

from whygrad.fixes.changes import arguments
from whygrad.fixes.finding import Expression, Line, Tree, last_name, outermost_loop, statement_of
from whygrad.fixes.moving import made, names_in
from whygrad.fixes.refusals import Refused

DEEPEST = 4
"""Functions that hand it on to one another."""


def lasting(tree: Tree, at: Line, name: str) -> tuple[Line, str]:
    """The loop, and what the object is called there; raises `Refused` where no loop reads it again and again, or makes it anew."""
    for _ in range(DEEPEST):
        loop = outermost_loop(tree, at)
        if loop is not at:
            through = {each for inner in tree.within(loop, cst.For) for each in names_in(inner.target)}
            if name in through | made(tree, [loop]):
                raise Refused(f"`{name}` is made anew in the loop")
            return loop, name
        at, name = _handed_in(tree, at, name)
    raise Refused("it is handed through too many functions")


def _handed_in(tree: Tree, at: Line, name: str) -> tuple[Line, str]:
    """The only call of the function that has it as a parameter, and what it is called there."""
    function = next((above for above in tree.above(at) if isinstance(above, cst.FunctionDef) and name in _parameters(above)), None)
    if function is None or name in made(tree, [function]):
        raise Refused("no loop reads it again and again")
    calls = [call for call in tree.within(tree.module, cst.Call) if last_name(call) == function.name.value]
    if len(calls) != 1:
        raise Refused(f"`{function.name.value}` is called in {'several places' if calls else 'no place of the file'}")
    given = _given(function, calls[0]).get(name)
    given = given.value if isinstance(given, cst.Subscript) else given
    if not isinstance(given, cst.Name):
        raise Refused(f"what `{function.name.value}` is given for `{name}` has no name")
    return statement_of(tree, calls[0]), given.value


def handed_on(tree: Tree, at: Line, name: str) -> str:
    """What the calls of a line hand to a function of the file as its parameter `name`, or call by that name themselves; raises `Refused` where that is not one name."""
    functions = {made.name.value: made for made in tree.nodes if isinstance(made, cst.FunctionDef) and name in _parameters(made)}
    found = set()
    for call in tree.within(at, cst.Call):
        function = functions.get(last_name(call))
        if isinstance(call.func, cst.Name) and call.func.value == name:
            found.add(name)
        elif function is not None:
            given = _given(function, call).get(name)
            found.add(given.value if isinstance(given, cst.Name) else "")
    if len(found) != 1 or "" in found:
        raise Refused(f"what is called `{name}` has no name there")
    return found.pop()


def _given(function: cst.FunctionDef, call: cst.Call) -> Mapping[str, Expression]:
    own = list(function.params.params)
    return arguments(own[1:] if own and own[0].name.value in ("self", "cls") else own, call)


def _parameters(function: cst.FunctionDef) -> set[str]:
    return {param.name.value for param in (*function.params.params, *function.params.kwonly_params)}
