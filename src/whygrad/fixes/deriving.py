"""A function without the derivative that was written for it by hand: the framework differentiates what it computes."""

from collections.abc import Iterator

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, last_name
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused

BY_HAND = ("custom_gradient", "custom_vjp", "custom_jvp")
"""Decorators of a function that brings its own derivative."""
TOLD = ("defvjp", "defjvp")
"""Methods that tell a function of JAX's its derivative."""
OF_CLASS = ("forward", "backward", "setup_context", "vjp", "jvp", "vmap")
"""What a custom function of PyTorch's is made of."""


def derived(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """The function whose derivative stands at the place, without it; raises `Refused` where it can't be told, or reads what only a custom function has."""
    around = [node for node in tree.within(tree.module, cst.FunctionDef) if _holds(tree, node, edit.site.line)]
    if not around:
        raise Refused("the derivative is no function of its own")
    owner = tree.enclosing(around[-1], cst.ClassDef)
    if owner is not None and any(last_name(base.value) == "Function" for base in owner.bases):
        _as_method(tree, owner, changes)
        return
    given = next((node for node in around if any(_by_hand(decorator) for decorator in node.decorators)), None)
    if given is not None:
        _returned_alone(tree, given, changes)
        return
    _untold(tree, around[0], changes)


def _holds(tree: Tree, node: cst.CSTNode, line: int) -> bool:
    place = tree.ranges[node]
    return place.start.line <= line <= place.end.line


def _by_hand(decorator: cst.Decorator) -> bool:
    """`@jax.custom_vjp`, or `@partial(jax.custom_vjp, nondiff_argnums=(1,))`."""
    node = decorator.decorator
    first = node.args[0].value if isinstance(node, cst.Call) and node.args else node
    return last_name(node) in BY_HAND or last_name(first) in BY_HAND


def _undecorated(node: cst.FunctionDef) -> cst.FunctionDef:
    """Comments and empty lines above the decorators stay."""
    kept = [decorator for decorator in node.decorators if not _by_hand(decorator)]
    if len(kept) == len(node.decorators):
        raise Refused("its decorator is not written out")
    return node.with_changes(decorators=kept, lines_after_decorators=())


def _returned_alone(tree: Tree, node: cst.FunctionDef, changes: Changes) -> None:
    """`return y, grad` becomes `return y`, and `grad` goes."""
    inside = [inner for inner in tree.within(node.body, cst.FunctionDef) if tree.enclosing(inner, cst.FunctionDef) is node]
    returns = [back for back in tree.within(node, cst.Return) if tree.enclosing(back, cst.FunctionDef) is node]
    names = {inner.name.value for inner in inside}
    pairs = [back.value for back in returns if isinstance(back.value, cst.Tuple) and len(back.value.elements) == 2]  # noqa: PLR2004 - the value and its derivative
    if not pairs or len(pairs) != len(returns):
        raise Refused("what the function returns is not written out")
    for pair in pairs:
        kept, derivative = (element.value for element in pair.elements)
        if not isinstance(derivative, cst.Name) or derivative.value not in names:
            raise Refused("the derivative is no function inside it")
        changes.new[pair] = kept
    gone = {pair.elements[1].value.value for pair in pairs}  # type: ignore[attr-defined]  # names, as asked for above
    changes.new.update(dict.fromkeys((inner for inner in inside if inner.name.value in gone), None))
    for decorator in node.decorators:
        if _by_hand(decorator):
            changes.new[decorator] = None


def _untold(tree: Tree, rule: cst.FunctionDef, changes: Changes) -> None:
    """JAX: the decorator goes, the line that tells the derivative, and the functions that only it speaks of."""
    name = rule.name.value
    for call in tree.within(tree.module, cst.Call):
        told = call.func if isinstance(call.func, cst.Attribute) and last_name(call) in TOLD else None
        given = [last_name(arg.value) for arg in call.args]
        line = tree.enclosing(call, cst.SimpleStatementLine)
        if told is None or name not in given or line is None:
            continue
        functions = {node.name.value: node for node in tree.within(tree.module, cst.FunctionDef)}
        primal = functions.get(dotted(told.value))
        if primal is None:
            break
        for decorator in primal.decorators:
            if _by_hand(decorator):
                changes.new[decorator] = None
        changes.new[line] = None
        _apart(tree, line, changes)
        changes.new.update({functions[one]: None for one in given if one in functions and _spoken_of(tree, functions[one]) == 1})
        return
    raise Refused("it is not told where the derivative belongs")


def _apart(tree: Tree, gone: cst.SimpleStatementLine, changes: Changes) -> None:
    """What follows stands as far from what is above as the line that goes did from the functions that go with it."""
    siblings = list(getattr(tree.parents.get(gone), "body", ()))
    after = siblings[siblings.index(gone) + 1 :] if gone in siblings else []
    if after and isinstance(after[0], cst.SimpleStatementLine) and not after[0].leading_lines:
        changes.new[after[0]] = after[0].with_changes(leading_lines=[row for row in gone.leading_lines if row.comment is None])


def _spoken_of(tree: Tree, function: cst.FunctionDef) -> int:
    """How often the function's name is read."""
    return sum(name.value == function.name.value and name is not function.name for name in tree.within(tree.module, cst.Name))


def _as_method(tree: Tree, owner: cst.ClassDef, changes: Changes) -> None:
    """PyTorch: a class whose `apply` computes what `forward` did, without the context."""
    parts = {node.name.value: node for node in owner.body.body if isinstance(node, cst.FunctionDef)}
    forward = parts.get("forward")
    if forward is None or len(parts) < len(owner.body.body) - _documented(owner) or not set(parts) <= set(OF_CLASS):
        raise Refused("the class holds more than a forward and its derivative")
    parameters = list(forward.params.params)
    context = "" if "setup_context" in parts else parameters[0].name.value
    body = [line for line in forward.body.body if not _keeps(tree, line, context)]
    plain = forward.with_changes(
        name=cst.Name("apply"),
        params=forward.params.with_changes(params=parameters[1:] if context else parameters),
        body=forward.body.with_changes(body=body),
    )
    if any(name.value == context for line in body for name in _names(line)) or any(base.keyword for base in owner.bases):
        raise Refused("the forward reads its context")
    kept = [plain if node is forward else node for node in owner.body.body if node is forward or not isinstance(node, cst.FunctionDef)]
    bare = {"bases": (), "lpar": cst.MaybeSentinel.DEFAULT, "rpar": cst.MaybeSentinel.DEFAULT}
    changes.new[owner] = owner.with_changes(body=owner.body.with_changes(body=kept), **bare)


def _documented(owner: cst.ClassDef) -> int:
    return int(owner.get_docstring() is not None)


def _keeps(tree: Tree, line: cst.CSTNode, context: str) -> bool:
    """`ctx.save_for_backward(x)`, `ctx.q = q`."""
    return bool(context) and isinstance(line, cst.SimpleStatementLine) and tree.code(line).strip().startswith(f"{context}.")


def _names(node: cst.CSTNode) -> Iterator[cst.Name]:
    """All names below a node."""
    if isinstance(node, cst.Name):
        yield node
    for child in node.children:
        yield from _names(child)
