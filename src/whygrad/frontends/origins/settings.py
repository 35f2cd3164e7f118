"""From a setting that a call was given to the literal in the source that a person would edit, known by its value."""

import ast
import operator
from collections.abc import Iterator
from dataclasses import replace
from math import isclose
from typing import Final

from whygrad.frontends.origins.calls import default_of, own_nodes
from whygrad.frontends.origins.program import LAST, Function, Module, Program, Scope, Spot, last_name
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Site

SINGLE: Final = 1e-7
"""Share by which single precision, in which some frameworks keep their settings, changes a number at most."""
ALSO: Final = {"lr": "learning_rate", "eps": "epsilon"}
"""What Keras and optax call settings of PyTorch's."""
POSITIONS: Final = {"lr": 1, "learning_rate": 0}
"""Where a setting stands that is given without its name."""

_ARITHMETIC: Final = {
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.FloorDiv: operator.floordiv,
}
DEEPEST: Final = 6
"""Names that arithmetic may be followed through, one behind the other."""


def literal_places(program: Program, made: Site, name: str, value: float, function: str = "") -> tuple[Site, ...]:
    """The literal elsewhere that gave a call its setting `name`, if it still has this value; nothing where it stands in the call itself."""
    call = program.call_at(made, name=function)
    if call is None or not isinstance(call.node, ast.Call):
        return ()
    given = _argument(call.node, name)
    if given is None:
        spots = [replace(call, node=item.value, path=(name,)) for item in call.node.keywords if item.arg is None]
    else:
        spots = [] if _gives(program, replace(call, node=given), value) else [replace(call, node=given)]
    for spot in spots:
        found = _followed(program, spot, name, value)
        if found is not None:
            return (found,)
    return ()


def factor_places(program: Program, made: Site, value: float) -> tuple[Site, ...]:
    """The literal of the factor that an update written out multiplies the gradient by, `p - RATE * g`; `value` is measured, and so rounded."""
    scope = program.scope_at(made.file, made.line, made.callers)
    rounded = float(f"{value:.3g}")
    for product in ast.walk(scope.node) if scope is not None else ():
        if not isinstance(product, ast.BinOp) or not isinstance(product.op, ast.Mult) or product.lineno != made.line or scope is None:
            continue
        for node in (item for item in (product.left, product.right) if isinstance(item, ast.Name | ast.Attribute | ast.Subscript)):
            found = _followed(program, Spot(node, scope, before=made.line), getattr(node, "id", "lr"), rounded)
            if found is not None:
                return (found,)
    return ()


def schedule_places(program: Program, made: Site) -> tuple[Site, ...]:
    """Where a function of the user's, given to a scheduler, reckons the factor of the rate, or a schedule of a class of the user's the rate itself."""
    call = program.call_at(made)
    if call is None or not isinstance(call.node, ast.Call):
        return ()
    own = program.function(call.scope, call.node.func)
    called = program.method(own[0].module, own[1], "__call__") if own is not None and isinstance(own[1], ast.ClassDef) else None
    if called is not None:
        return _returned(program, *called)
    for given in (*call.node.args, *(item.value for item in call.node.keywords)):
        known = _function(program, replace(call, node=given))
        if known is not None:
            return _returned(program, *known)
    return ()


def _returned(program: Program, scope: Scope, function: Function) -> tuple[Site, ...]:
    """What a function returns, wherever it reckons that."""
    if isinstance(function, ast.Lambda):
        return (program.site(Spot(function.body, scope)),)
    returns = [item.value for item in own_nodes(function) if isinstance(item, ast.Return) and item.value is not None]
    reckoned = [item for item in returns if not isinstance(item, ast.Constant)] or returns
    return tuple(program.site(Spot(item, replace(scope, node=function))) for item in reckoned)


SCHEDULING: Final = ("schedule", "decay", "cycle", "restarts")
"""What is in the names of libraries' schedules of rates."""


def schedule_calls(program: Program, made: Site) -> tuple[Site, ...]:
    """Where a library's schedule is made that an optimizer is given as its rate, if that is another line."""
    call = program.call_at(made)
    given = _argument(call.node, "learning_rate") if call is not None and isinstance(call.node, ast.Call) else None
    if call is None or given is None:
        return ()
    for at, _ in Trail(program).steps(replace(call, node=given)):
        name = last_name(at.node.func).lower() if isinstance(at.node, ast.Call) else ""
        if any(word in name for word in SCHEDULING):
            return (program.site(at),) if at.node.lineno != call.node.lineno else ()
    return ()


def written_places(program: Program) -> tuple[Site, ...]:
    """The one place in the program that writes a rate into the groups of an optimizer; nothing where there are several."""
    found = [site for module in program.user_modules("param_groups") for site in _written(program, module)]
    return tuple(found) if len(found) == 1 else ()


def _written(program: Program, module: Module) -> Iterator[Site]:
    loops = [node for node in ast.walk(module.tree) if isinstance(node, ast.For) and _of_groups(node.iter)]
    groups = {node.target.id for node in loops if isinstance(node.target, ast.Name)}
    top = program.top(module)
    for node in ast.walk(module.tree):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        for target in (item for item in targets if isinstance(item, ast.Subscript)):
            named = isinstance(target.slice, ast.Constant) and target.slice.value == "lr"
            own = isinstance(target.value, ast.Name) and target.value.id in groups
            if named and (own or _of_groups(target.value)):
                yield program.site(Spot(target, top, (), LAST), node)


def _of_groups(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == "param_groups" for part in ast.walk(node))


def _function(program: Program, spot: Spot) -> "tuple[Scope, Function] | None":
    """The function that an argument is, with its scope."""
    if isinstance(spot.node, ast.Lambda):
        return spot.scope, spot.node
    known = program.function(spot.scope, spot.node)
    if known is not None and not isinstance(known[1], ast.ClassDef):
        return known[0], known[1]
    for at, _ in Trail(program).steps(spot):
        if isinstance(at.node, ast.Lambda):
            return at.scope, at.node
    return None


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    named = next((item.value for item in call.keywords if item.arg == name), None)
    at = POSITIONS.get(name)
    plain = call.args[at] if at is not None and at < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args) else None
    return named if named is not None else plain


def _followed(program: Program, spot: Spot, name: str, value: float) -> Site | None:
    """The literal at the end of the way back; where the way is lost at a parameter, its default, else the only one in the program that is called so and has the value."""
    words, default = [name], None
    for at, _ in Trail(program).steps(spot):
        if _gives(program, at, value):
            return program.site(at)
        default = default_of(at.scope, at.node.id) if isinstance(at.node, ast.Name) else None
        words += [word for word in _words(at) if word not in words]
    if default is not None and _is_literal(default.node, value):
        return program.site(default)
    for word in reversed(words):
        modules = {module.file: module for form in (word, word.replace("_", "-")) for module in program.user_modules(form)}
        found = [site for module in modules.values() for site in _called(program, module, word, value)]
        if len(found) == 1:
            return found[0]
    return None


def _words(spot: Spot) -> Iterator[str]:
    """Names that a setting goes by on the way: `lr` of `args.lr` and `cfg["lr"]`."""
    node = spot.node
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        yield node.slice.value
    elif isinstance(node, ast.Call):
        yield from (item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str))
    yield from (key for key in spot.path if isinstance(key, str))


def _called(program: Program, module: Module, word: str, value: float) -> Iterator[Site]:
    """Literals of this value that go by this name: in a dictionary, as a keyword, an assignment, an option of the command line."""
    top = program.top(module)
    for node in ast.walk(module.tree):
        for named, literal in _pairs(node):
            spot = Spot(literal, top, (), LAST)
            if named.lstrip("-").replace("-", "_") == word and _gives(program, spot, value):
                yield program.site(spot)


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Dict):
        yield from (
            (key.value, item)
            for key, item in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        )
    elif isinstance(node, ast.Call) and last_name(node.func) in ("add_argument", "option"):
        default = next((item.value for item in node.keywords if item.arg == "default"), None)
        names = [item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        yield from ((name, default) for name in names if default is not None)
    elif isinstance(node, ast.Call):
        yield from ((item.arg, item.value) for item in node.keywords if item.arg is not None)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((last_name(target) or _key(target), node.value) for target in targets)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        plain = [*node.args.posonlyargs, *node.args.args]
        yield from (
            (item.arg, default) for item, default in zip(plain[len(plain) - len(node.args.defaults) :], node.args.defaults, strict=True)
        )


def _key(target: ast.expr) -> str:
    """`lr` of `config["lr"] = ...`."""
    key = target.slice.value if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) else ""
    return key if isinstance(key, str) else ""


def _gives(program: Program, spot: Spot, value: float) -> bool:
    """A literal of this value, or arithmetic of numbers that the source gives, under whatever names, which comes to it."""
    if _is_literal(spot.node, value):
        return True
    found = _number(program, spot, DEEPEST) if isinstance(spot.node, ast.BinOp) else None
    return found is not None and isclose(found, value, rel_tol=SINGLE)


def _number(program: Program, spot: Spot, deep: int) -> float | None:
    """What an expression comes to, where each of its names leads to a number that is written out."""
    node = spot.node
    if isinstance(node, ast.BinOp):
        return _made_of(node.op, *(_number(program, replace(spot, node=item), deep) for item in (node.left, node.right)))
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        ways = (at for at, _ in Trail(program).steps(spot) if at.node is not node) if deep else ()
        return next((found for at in ways if (found := _number(program, at, deep - 1)) is not None), None)
    return _reckoned(node)


def _made_of(op: ast.operator, left: float | None, right: float | None) -> float | None:
    reckon = _ARITHMETIC.get(type(op))
    try:
        return float(reckon(left, right)) if reckon is not None and left is not None and right is not None else None
    except (ArithmeticError, TypeError):  # of huge exponents, or complex
        return None


def _is_literal(node: ast.expr, value: float) -> bool:
    try:
        found = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        found = _reckoned(node) if isinstance(node, ast.BinOp) else None
    return isinstance(found, int | float) and not isinstance(found, bool) and isclose(found, value, rel_tol=SINGLE)


def _reckoned(node: ast.expr) -> float | None:
    """`10 ** -3`, `1 / 255`: arithmetic of literals."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _reckoned(node.operand)
        return -inner if inner is not None else None
    return _made_of(node.op, _reckoned(node.left), _reckoned(node.right)) if isinstance(node, ast.BinOp) else None
