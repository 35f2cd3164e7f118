"""Where parameters that are all one number get it, when their first numbers come from a function of the program's."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from whygrad.frontends.origins.calls import own_nodes
from whygrad.frontends.origins.program import Program, Scope, Spot, last_name
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Site

FILLING: Final = frozenset(("zeros", "ones", "full", "fill", "constant", "zeros_like", "ones_like", "full_like"))
"""Calls that make a tensor or an array of one number."""


def filled_places(program: Program, made: Spot, name: str) -> Iterator[Site]:
    """The call that fills a parameter, in the function that gives it its first numbers; none where that function has several."""
    own = _assigned(program, made, name)
    if own is not None and any(isinstance(node, ast.Call) and _is_fill(node) for node in ast.walk(own.node)):
        yield program.site(own)
        return
    call = own or made
    given = call.node.args[:1] if isinstance(call.node, ast.Call) else []
    for first in given:
        for at, _ in Trail(program).steps(replace(call, node=first)):
            found = tuple(_fills(program, at))
            if len(found) == 1:
                yield program.site(*found[0])
                return


def _assigned(program: Program, made: Spot, name: str) -> Spot | None:
    """What a module's constructor makes a parameter of; the record knows no more than where modules begin."""
    if not isinstance(made.node, ast.Call) or last_name(made.node.func) != "__init__":
        return None
    bound = program.bindings(made.scope.node).get(f"self.{name.rpartition('.')[2]}", [])
    return Spot(bound[0].value, made.scope, before=bound[0].line) if len(bound) == 1 else None


def _fills(program: Program, at: Spot) -> Iterator[tuple[Spot, ast.AST]]:
    """What fills, among all that a called function may return: which of them it was, the numbers themselves have said."""
    known = program.function(at.scope, at.node.func) if isinstance(at.node, ast.Call) else None
    if known is None or isinstance(known[1], ast.ClassDef):
        return
    for item in own_nodes(known[1]):
        if isinstance(item, ast.Return) and item.value is not None:
            fill = next((node for node in ast.walk(item.value) if isinstance(node, ast.Call) and _is_fill(node)), None)
            if fill is not None:
                yield Spot(fill, replace(known[0], node=known[1])), fill


def _is_fill(node: ast.Call) -> bool:
    """A call that fills; `constant` may also be given numbers that were drawn."""
    return last_name(node.func) in FILLING and not (node.args and last_name(node.func) == "constant" and isinstance(node.args[0], ast.Call))


IN_PLACE: Final = frozenset(("zeros_", "zero_", "ones_", "fill_", "constant_"))
"""Calls that fill a tensor that is there already with one number."""


def filled_in_class(program: Program, scope: Scope, attribute: str) -> Iterator[Site]:
    """The call that fills an attribute of a module with one number, anywhere in the class of the method; none where there are several."""
    owner = scope.owner
    if owner is None:
        return
    methods = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
    found = [(method, call) for method in methods for call in _filling(method, attribute)]
    if len(found) == 1:
        method, call = found[0]
        yield program.site(Spot(call, replace(scope, node=method)))


def _filling(method: ast.FunctionDef, attribute: str) -> Iterator[ast.Call]:
    """`nn.init.zeros_(self.a)`, `self.a.data.zero_()`, the same of the variable of a loop over `(self.a, self.b)`, and `self.a = nn.Parameter(torch.zeros(2))`."""
    named = {
        node.target.id
        for node in own_nodes(method)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and isinstance(node.iter, ast.Tuple | ast.List)
        if any(_is_attribute(item, attribute) for item in node.iter.elts)
    }
    for node in own_nodes(method):
        if isinstance(node, ast.Call) and last_name(node.func) in IN_PLACE:
            own = node.func.value if isinstance(node.func, ast.Attribute) else None
            if any(_is_attribute(item, attribute) or (isinstance(item, ast.Name) and item.id in named) for item in (*node.args[:1], own)):
                yield node
        elif isinstance(node, ast.Assign) and any(_is_attribute(target, attribute) for target in node.targets):
            yield from [item for item in ast.walk(node.value) if isinstance(item, ast.Call) and _is_fill(item)][:1]


_MEMBERS: Final = frozenset(("parameters", "named_parameters", "modules", "named_modules", "children", "named_children"))
"""What gives a model's parameters or layers one by one."""


def filled_outside(program: Program, name: str) -> Iterator[Site]:
    """The one call of the program that fills parameters of this name with one number where it goes through a model's, or names them; none where there are several."""
    modules = {module.file: module for word in sorted(IN_PLACE) for module in program.user_modules(word)}
    found = [(module, call) for module in modules.values() for call in _filling_members(module.tree, name)]
    if len(found) == 1:
        module, call = found[0]
        yield program.site(Spot(call, program.top(module)))


def _filling_members(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    """`nn.init.zeros_(p)` and `p.data.fill_(0)` of a variable of such a loop, `m.weight` of a layer that a function or a loop is given, `model.fc.weight`."""
    given = {node.arg for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for node in function.args.args}
    members = {
        item.id
        for loop in ast.walk(tree)
        if isinstance(loop, ast.For) and any(isinstance(part, ast.Attribute) and part.attr in _MEMBERS for part in ast.walk(loop.iter))
        for item in ast.walk(loop.target)
        if isinstance(item, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) in IN_PLACE and isinstance(node.func, ast.Attribute):
            at = (
                node.args[0]
                if node.args and isinstance(node.func.value, ast.Name | ast.Attribute) and _of_library(node.func)
                else node.func.value
            )
            at = at.value if isinstance(at, ast.Attribute) and at.attr == "data" else at
            if _is_member(at, name, members, given):
                yield node


def _of_library(function: ast.Attribute) -> bool:
    """`nn.init.zeros_`, whose first argument is filled; a method fills its own tensor."""
    return last_name(function.value) == "init"


def _is_member(at: ast.expr, name: str, members: set[str], given: set[str]) -> bool:
    if isinstance(at, ast.Name):
        return at.id in members
    own = name.rpartition(".")[2]
    if not isinstance(at, ast.Attribute) or at.attr != own:
        return False
    layer = at.value
    return (isinstance(layer, ast.Name) and layer.id in members | given) or f".{name}".endswith(f".{last_name(layer)}.{own}")


def _is_attribute(node: ast.AST | None, name: str) -> bool:
    """`self.name`, or its `data`."""
    if isinstance(node, ast.Attribute) and node.attr == "data":
        node = node.value
    return isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.value, ast.Name) and node.value.id == "self"


def told_where_made(program: Program, call: Spot, words: Collection[str]) -> Iterator[Site]:
    """Of a layer that a method makes and another one calls, as flax' `setup` has it: the call that is told how its weights begin, be it by way of a dictionary."""
    function = call.node.func if isinstance(call.node, ast.Call) else None
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name) or function.value.id != "self":
        return
    for at, _ in Trail(program).steps(replace(call, node=function, path=())):
        if isinstance(at.node, ast.Call):
            yield from list(_told(program, at, words))[:1]
            return


def _told(program: Program, at: Spot, words: Collection[str]) -> Iterator[Site]:
    for item in at.node.keywords if isinstance(at.node, ast.Call) else ():
        if item.arg in words:
            yield program.site(at)
        elif item.arg is None:
            for other, _ in Trail(program).steps(replace(at, node=item.value, path=())):
                if isinstance(other.node, ast.Call) and any(one.arg in words for one in other.node.keywords):
                    yield program.site(other)
