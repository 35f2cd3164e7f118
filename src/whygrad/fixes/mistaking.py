"""A layer that is never called, in the place of another one that its class calls twice."""

from collections.abc import Iterator

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, last_name, statement
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused


def mistaken(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """The second call of the only layer that one function calls twice; of two calls with the same argument, that one is exchanged for the parameter that nobody reads."""
    owner = tree.enclosing(statement(tree, edit.site), cst.ClassDef)
    own = f"self.{edit.written}"
    if not isinstance(owner, cst.ClassDef):
        raise Refused("it is made in no class")
    if sum(dotted(node) == own for node in tree.within(owner, cst.Attribute)) != 1:
        _other_method(tree, owner, edit.written, changes)
        return
    made = _made(tree, owner)
    pairs = [pair for function in tree.within(owner, cst.FunctionDef) for pair in _twice(tree, function)]
    found = [pair for pair in pairs if made.get(last_name(pair[1])) == made.get(edit.written)] or pairs
    if len(found) != 1:
        raise Refused(f"no other layer is called twice{' in one place alone' if found else ''}")
    function, first, second = found[0]
    alike = [tree.code(arg.value) for arg in first.args] == [tree.code(arg.value) for arg in second.args]
    args = _with_unread(tree, function, second) if alike and not _rebound(tree, function, first, second) else second.args
    called = cst.ensure_type(second.func, cst.Attribute).with_changes(attr=cst.Name(edit.written))
    changes.new[second] = second.with_changes(func=called, args=args)


def _other_method(tree: Tree, owner: cst.ClassDef, layer: str, changes: Changes) -> None:
    """The method that reads the layer and is never called, in the place of the only other one that is called with as many arguments."""
    methods = {part.name.value: part for part in owner.body.body if isinstance(part, cst.FunctionDef)}
    named = [node for node in tree.within(tree.module, cst.Attribute) if node.attr.value in methods]
    reading = [
        name
        for name, one in methods.items()
        if name != "__init__" and any(dotted(n) == f"self.{layer}" for n in tree.within(one, cst.Attribute))
    ]
    if len(reading) != 1 or any(node.attr.value == reading[0] for node in named) or reading[0] in ENTERED:
        raise Refused(f"`{layer}` is read somewhere in its class")
    count = len(methods[reading[0]].params.params)
    calls = [
        call
        for call in tree.within(owner, cst.Call)
        if dotted(call.func).removeprefix("self.") in methods and dotted(call.func) != last_name(call)
    ]
    alike = [call for call in calls if len(methods[last_name(call)].params.params) == count == len(call.args) + 1]
    if len(alike) != 1:
        raise Refused(f"`{reading[0]}`, which reads `{layer}`, is never called, and no other method alone could be meant")
    called = cst.ensure_type(alike[0].func, cst.Attribute).with_changes(attr=cst.Name(reading[0]))
    changes.new[alike[0]] = alike[0].with_changes(func=called)


ENTERED = ("forward", "call", "__call__")
"""Methods that the framework calls."""


def _made(tree: Tree, owner: cst.ClassDef) -> dict[str, str]:
    """Layers of the object, by name, to the class that each is made of: a dropout that is called twice takes nobody's place."""
    return {
        target.target.attr.value: tree.code(node.value.func)
        for node in tree.within(owner, cst.Assign)
        for target in node.targets
        if isinstance(node.value, cst.Call) and isinstance(target.target, cst.Attribute) and dotted(target.target).startswith("self.")
    }


def _twice(tree: Tree, function: cst.FunctionDef) -> Iterator[tuple[cst.FunctionDef, cst.Call, cst.Call]]:
    """Layers of the object that a function calls exactly twice, with the calls."""
    calls: dict[str, list[cst.Call]] = {}
    for call in tree.within(function, cst.Call):
        if isinstance(call.func, cst.Attribute) and dotted(call.func) == f"self.{last_name(call)}" and len(call.args) == 1:
            calls.setdefault(last_name(call), []).append(call)
    for pair in calls.values():
        if len(pair) == 2:  # noqa: PLR2004 - the layer's own place, and the other one's
            first, second = sorted(pair, key=lambda call: (tree.ranges[call].end.line, tree.ranges[call].end.column))
            yield function, first, second


def _rebound(tree: Tree, function: cst.FunctionDef, first: cst.Call, second: cst.Call) -> bool:
    """What both calls are given under one name is bound anew by the statement of the first, or after it."""
    names = {name.value for arg in second.args for name in tree.within(arg, cst.Name)}
    begin, end = (tree.ranges[call].start.line for call in (first, second))
    between = (node for node in tree.within(function, cst.AssignTarget) if begin <= tree.ranges[node].start.line < end)
    return any(isinstance(node.target, cst.Name) and node.target.value in names for node in between)


def _with_unread(tree: Tree, function: cst.FunctionDef, call: cst.Call) -> list[cst.Arg]:
    """The only parameter that the function never reads, as the argument of the call."""
    read = {name.value for name in tree.within(function.body, cst.Name)}
    unread = [param.name.value for param in function.params.params if param.name.value not in ("self", *read)]
    if len(unread) != 1:
        raise Refused("both calls are given the same, and no parameter is left for one of them")
    return [call.args[0].with_changes(value=cst.Name(unread[0]))]
