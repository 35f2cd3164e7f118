"""What a function does with a dictionary that it took: whether all its own writes to it are lost, by the source."""

import ast


def written_alone(text: str, line: int, method: str) -> tuple[int, str] | None:
    """The line of the first write to what `name = owner.method()` of a line returned, and the owner, if its function does nothing else with it."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    around = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)]
    scope = max(around, key=lambda node: node.lineno, default=tree)
    name, owner = next((found for node in ast.walk(scope) if (found := _taken(node, line, method))), ("", ""))
    writes = [node for node in ast.walk(scope) if name and isinstance(node, ast.Assign) and any(_entry(to, name) for to in node.targets)]
    allowed = {id(named) for write in writes for node in ast.walk(write) if (named := _entry(node, name))}
    allowed |= {id(node.iter) for node in ast.walk(scope) if isinstance(node, ast.For)}
    used = [node for node in ast.walk(scope) if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)]
    return (min(write.lineno for write in writes), owner) if writes and all(id(node) in allowed for node in used) else None


def _taken(node: ast.AST, line: int, method: str) -> tuple[str, str] | None:
    """The name that is given what the method returned, and what it was called on."""
    if not isinstance(node, ast.Assign) or node.lineno != line or len(node.targets) != 1:
        return None
    target, call = node.targets[0], node.value
    named = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == method
    return (target.id, ast.unparse(call.func.value)) if named and isinstance(target, ast.Name) else None  # type: ignore[attr-defined]  # `named`


def _entry(node: ast.AST, name: str) -> ast.Name | None:
    """The name in `name[…]`."""
    inner = node.value if isinstance(node, ast.Subscript) else None
    return inner if isinstance(inner, ast.Name) and inner.id == name else None
