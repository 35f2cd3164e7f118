"""From an expression back to the lines that decide its numbers: a comparison, a column that is picked, a conversion of text."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from whygrad.frontends.origins.calls import RECEIVERS, constructed, field_of, given_to, part_of_call
from whygrad.frontends.origins.program import ITEM, LAST, Binding, Path, Program, Scope, Spot, last_name
from whygrad.ir import Site

LONGEST = 60
"""Steps that a trail is followed: assignments, arguments, returns."""
MOST = 3
"""Places of a trail that are kept."""
CONVERSIONS: Final = frozenset(("int", "float", "bool", "round", "int64", "float32", "float64"))
"""Make a number of what they are given, text among it."""
DRAWING: Final = frozenset(("permutation", "randperm", "argsort", "permuted", "shuffle", "sample"))
"""Calls that give an order of rows."""
PICKING: Final = frozenset(("choice", "integers", "randint"))
"""Calls that give numbers of rows, where they are asked for several."""
REORDERING: Final = frozenset(("shuffle", "permutation", "sort_values", "sample", "sort"))
"""Calls that give the rows of what they are given, in another order."""
TAKING: Final = frozenset(("gather", "take"))
"""Functions that give the rows of the first array that the second one numbers."""
TEXT: Final = frozenset(
    ("split", "rsplit", "strip", "lstrip", "rstrip", "readline", "readlines", "read", "group", "groups", "partition", "splitlines", "next",
     "reader", "DictReader", "open", "getline", "lower", "upper", "replace", "basename", "stem")
)  # fmt: skip
"""Calls that handle text: the number is made of it by the conversion around them."""
DECIDING = (ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Constant, ast.JoinedStr, ast.Dict, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trail: whether the expression decides the numbers, and what to follow next."""

    onward: Spot | None = None
    decides: ast.AST | None = None
    order: ast.AST | None = None
    """What put the rows into another order here."""


def places_of(program: Program, spot: Spot, most: int = MOST) -> tuple[Site, ...]:
    """The places that decide what an expression is, the nearest first; one of each line."""
    found: dict[tuple[str, int], Site] = {}
    for at, node in Trail(program).deciders(spot):
        site = program.site(at, node)
        found.setdefault(site.line_of_code, site)
        if len(found) >= most:
            break
    return tuple(found.values())


class Trail:
    """Follows one expression; every spot at most once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._seen: set[tuple[int, Path, int]] = set()
        self._steps: dict[type[ast.expr], Callable[[Spot], Step]] = {
            ast.Name: self._name, ast.Attribute: self._attribute, ast.Subscript: self._subscript, ast.Call: self._call,
            ast.Tuple: self._sequence, ast.List: self._sequence, ast.ListComp: self._comprehension, ast.GeneratorExp: self._comprehension,
            ast.SetComp: self._comprehension, ast.Starred: lambda s: Step(replace(s, node=s.node.value)),  # type: ignore[attr-defined]  # a starred one
            ast.NamedExpr: lambda s: Step(replace(s, node=s.node.value)), ast.Dict: self._dictionary,  # type: ignore[attr-defined]  # has a value
        }  # fmt: skip

    def deciders(self, spot: Spot) -> Iterator[tuple[Spot, ast.AST]]:
        """Expressions that decide, with where they stand. A conversion speaks only where it is given text, or nothing known."""
        waiting: tuple[Spot, ast.AST] | None = None
        for at, step in self.steps(spot):
            if step.decides is None:
                continue
            if _converts(step.decides):
                waiting = waiting or (at, step.decides)
                continue
            if waiting is not None and _textual(step.decides):
                yield waiting
            waiting = None
            yield at, step.decides
        if waiting is not None:
            yield waiting

    def steps(self, spot: Spot) -> Iterator[tuple[Spot, Step]]:
        """Every expression on the way back."""
        at: Spot | None = spot
        for _ in range(LONGEST):
            if at is None or (key := (id(at.node), at.path, id(at.scope.node))) in self._seen:
                return
            self._seen.add(key)
            step = self.step(at)
            yield at, step
            at = step.onward

    def step(self, spot: Spot) -> Step:
        """One step back."""
        handler = self._steps.get(type(spot.node))
        if handler is not None:
            return handler(spot)
        return Step(self._operand(spot), spot.node if isinstance(spot.node, DECIDING) else None)

    @staticmethod
    def _operand(spot: Spot) -> Spot | None:
        """What a deciding expression was reckoned from."""
        node = spot.node
        if isinstance(node, ast.BinOp | ast.Compare):
            return replace(spot, node=node.left, path=())
        if isinstance(node, ast.UnaryOp):
            return replace(spot, node=node.operand)
        if isinstance(node, ast.IfExp):
            return replace(spot, node=node.test, path=())
        if isinstance(node, ast.Await | ast.YieldFrom):
            return replace(spot, node=node.value)
        return None

    # --- names --------------------------------------------------------------------------------------------------

    def _name(self, spot: Spot) -> Step:
        assert isinstance(spot.node, ast.Name)
        return self._looked_up(spot, spot.node.id)

    def _looked_up(self, spot: Spot, name: str) -> Step:
        level: Scope | None = spot.scope
        before = spot.before
        while level is not None:
            found = self.program.bindings(level.node).get(name, [])
            parameter = name in _parameters(level.node)
            again = parameter and any(item.line < before for item in found)
            if name in level.given and not again:
                known = level.given[name]
                return Step(replace(known, path=(*known.path, *spot.path)))
            bound = last_binding(found, before) if again or not parameter else None
            if bound is not None:
                step = self._bound(spot, bound, level)
                return replace(step, decides=_excluding(found, bound)) if step.decides is step.order is None else step
            if parameter:
                passed = given_to(self.program, level, name)
                return Step(replace(passed, path=(*passed.path, *spot.path)) if passed is not None else None)
            if level.node is level.module.tree:
                break
            level, before = level.outer or self.program.top(level.module), LAST
        return self._imported(spot, name)

    def _imported(self, spot: Spot, name: str) -> Step:
        """A name of another module of the user's."""
        found = self.program.imported(spot.scope.module, name)
        if isinstance(found, tuple) and found[0] is not spot.scope.module:
            return Step(Spot(ast.Name(found[1], ast.Load()), self.program.top(found[0]), spot.path))
        return Step()

    @staticmethod
    def _bound(spot: Spot, bound: Binding, level: Scope) -> Step:
        if bound.condition is not None and isinstance(bound.value, ast.Constant):
            return Step(Spot(bound.condition, level, (), bound.line), bound.condition)
        if isinstance(bound.changes, ast.Expr) and _shuffles(bound.changes):
            return Step(Spot(bound.value, level, spot.path, bound.line), order=bound.changes)
        if bound.changes is not None:
            appended = isinstance(bound.changes, ast.Expr)
            path = spot.path[1:] if spot.path and spot.path[0] is ITEM else spot.path
            onward = Spot(bound.value, level, path if appended else (), bound.line)
            return Step(onward, None if appended else bound.changes)
        return Step(Spot(bound.value, level, (*bound.path, *spot.path), bound.line))

    def _attribute(self, spot: Spot) -> Step:
        node = spot.node
        assert isinstance(node, ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id == "self" and spot.scope.owner is not None:
            return self._of_self(spot, spot.scope, node.attr)
        if node.attr in RECEIVERS:
            return Step(replace(spot, node=node.value))
        if isinstance(node.value, ast.Name):
            module = self.program.imported(spot.scope.module, node.value.id)
            if module is not None and not isinstance(module, tuple):
                return Step(Spot(ast.Name(node.attr, ast.Load()), self.program.top(module), spot.path))
        made = self._object(replace(spot, node=node.value, path=()))
        return self._of_self(spot, made, node.attr) if made is not None else Step(None, node)

    def _of_self(self, spot: Spot, scope: Scope, attribute: str) -> Step:
        """An attribute of the object that a method belongs to: its assignment in the same method, or in another one, the constructor first."""
        found, shuffled = self._assigned_to_self(spot, scope, attribute), self._shuffled(scope, attribute)
        return replace(found, order=shuffled) if shuffled is not None and found.order is None else found

    def _shuffled(self, scope: Scope, attribute: str) -> ast.AST | None:
        """The statement of any method by which an attribute's rows are shuffled in place: a loader does so after each epoch."""
        methods = [item for item in scope.owner.body if isinstance(item, ast.FunctionDef)] if scope.owner is not None else []
        found = (item.changes for method in methods for item in self.program.bindings(method).get(f"self.{attribute}", []))
        return next((item for item in found if isinstance(item, ast.Expr) and _shuffles(item)), None)

    def _assigned_to_self(self, spot: Spot, scope: Scope, attribute: str) -> Step:
        assert scope.owner is not None
        own = last_binding(self.program.bindings(scope.node).get(f"self.{attribute}", []), spot.before) if scope is spot.scope else None
        if own is not None:
            return self._bound(spot, own, scope)
        methods = [item for item in scope.owner.body if isinstance(item, ast.FunctionDef)]
        for method in sorted(methods, key=lambda item: item.name != "__init__"):
            found = self.program.bindings(method).get(f"self.{attribute}", [])
            if found:
                given = _constructors_own(scope.given) if method.name == "__init__" else {}
                inner = Scope(scope.module, method, scope.owner, given, self.program.top(scope.module))
                return self._bound(replace(spot, scope=inner), found[-1], inner)
        field = field_of(self.program, scope, attribute)
        if field is not None:
            return Step(replace(field, path=spot.path))
        for base in scope.owner.bases:
            known = self.program.function(self.program.top(scope.module), base)
            if known is not None and isinstance(known[1], ast.ClassDef) and known[1] is not scope.owner:
                return self._of_self(spot, replace(scope, module=known[0].module, owner=known[1], node=known[1]), attribute)  # type: ignore[arg-type]  # its body has no assignments to `self`
        return Step()

    def _object(self, spot: Spot) -> Scope | None:
        """The scope of the constructor of the object that an expression is, if it is of a class of the user's."""
        for at, _ in Trail(self.program).steps(spot):
            if isinstance(at.node, ast.Call):
                known = self.program.function(at.scope, at.node.func)
                if known is not None and isinstance(known[1], ast.ClassDef):
                    return constructed(self.program, at, known[0], known[1])
        return None

    # --- parts --------------------------------------------------------------------------------------------------

    def _subscript(self, spot: Spot) -> Step:
        node = spot.node
        assert isinstance(node, ast.Subscript)
        key = _key(node.slice)
        if key is not None:
            onward = replace(spot, node=node.value, path=(key, *spot.path))
            return Step(onward, node if _negative(node.slice) or (isinstance(key, str) and not self._is_entry(onward)) else None)
        if _picks_column(node.slice):
            return Step(replace(spot, node=node.value, path=()), node)
        rows = (ITEM, *spot.path) if not isinstance(node.slice, ast.Slice) else spot.path
        order = None if isinstance(node.slice, ast.Slice) else self._order(replace(spot, node=node.slice, path=()))
        return Step(replace(spot, node=node.value, path=spot.path if order is not None else rows), order=order)

    def _order(self, spot: Spot) -> ast.AST | None:
        """The call that drew or sorted the order that an index is."""
        for at, step in Trail(self.program).steps(spot):
            if step.order is not None or (isinstance(at.node, ast.Call) and _draws_rows(at.node)):
                return step.order or at.node
        return None

    def _is_entry(self, spot: Spot) -> bool:
        """The key is one of a dictionary that the program itself wrote down."""
        return any(isinstance(at.node, ast.Dict) and at.path[:1] == spot.path[:1] for at, _ in Trail(self.program).steps(spot))

    @staticmethod
    def _sequence(spot: Spot) -> Step:
        node = spot.node
        assert isinstance(node, ast.Tuple | ast.List)
        key = spot.path[0] if spot.path else None
        if isinstance(key, int) and -len(node.elts) <= key < len(node.elts):
            return Step(replace(spot, node=node.elts[key], path=spot.path[1:]))
        if len(node.elts) == 1:
            return Step(replace(spot, node=node.elts[0], path=spot.path[1:] if spot.path else ()))
        return Step(None, node if node.elts else None)

    @staticmethod
    def _dictionary(spot: Spot) -> Step:
        node = spot.node
        assert isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True):
            if spot.path and isinstance(key, ast.Constant) and key.value == spot.path[0]:
                return Step(replace(spot, node=value, path=spot.path[1:]))
        return Step(None, node)

    @staticmethod
    def _comprehension(spot: Spot) -> Step:
        node = spot.node
        assert isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp)
        scope = spot.scope
        for clause in node.generators:
            scope = replace(scope, given={**scope.given, **_loop_names(clause.target, Spot(clause.iter, scope, (ITEM,), spot.before))})
        path = spot.path[1:] if spot.path and (spot.path[0] is ITEM or isinstance(spot.path[0], int)) else spot.path
        return Step(Spot(node.elt, scope, path, spot.before))

    # --- calls --------------------------------------------------------------------------------------------------

    def _call(self, spot: Spot) -> Step:
        node = spot.node
        assert isinstance(node, ast.Call)
        if last_name(node.func) in CONVERSIONS and node.args:
            return Step(replace(spot, node=node.args[0], path=()), node)
        picked = node.args[:2] if last_name(node.func) in TAKING and isinstance(node.func, ast.Attribute) else []
        order = self._order(replace(spot, node=picked[1], path=())) if len(picked) > 1 else None
        if order is not None:
            return Step(replace(spot, node=picked[0]), order=order)
        passed = part_of_call(self.program, spot)
        if passed is not None and isinstance(node.func, ast.Attribute) and passed.node is node.func.value and node.func.attr == "shuffle":
            return Step(passed, order=node)  # a data set that is asked for its rows in another order
        if passed is None and last_name(node.func) in REORDERING:
            return Step(_reordered(spot, node), None, node)
        return Step(passed) if passed is not None else Step(None, node)


def _shuffles(statement: ast.Expr) -> bool:
    return isinstance(statement.value, ast.Call) and last_name(statement.value.func) == "shuffle"


def _draws_rows(call: ast.Call) -> bool:
    """It gives an order of rows, or the numbers of several that are drawn."""
    name = last_name(call.func)
    several = len(call.args) > 1 or any(item.arg in ("size", "shape") for item in call.keywords)
    return name in DRAWING or (name in PICKING and several)


def _reordered(spot: Spot, node: ast.Call) -> Spot | None:
    """What a call puts into another order: its object, or the argument that the part stands for."""
    if isinstance(node.func, ast.Attribute) and last_name(node.func) in ("sample", "sort_values"):
        return replace(spot, node=node.func.value)
    at = spot.path[0] if len(node.args) > 1 and spot.path and isinstance(spot.path[0], int) else None
    if at is not None and at < len(node.args):
        return replace(spot, node=node.args[at], path=spot.path[1:])
    return replace(spot, node=node.args[0]) if node.args else None


def _constructors_own(given: Mapping[str, Spot]) -> Mapping[str, Spot]:
    """What the constructor was given, as its own parameters are called; a method knows it as of the object."""
    of_object = {name.removeprefix("self."): spot for name, spot in given.items() if name.startswith("self.")}
    return of_object or given


def last_binding(bindings: list[Binding], before: int) -> Binding | None:
    """The last one above a line; where there is none, as in a loop, the last of all. An empty start is what is put in afterwards."""
    above = [item for item in bindings if item.line < before]
    found = (above or bindings)[-1:]
    return found[0] if found else None


def _excluding(bindings: list[Binding], bound: Binding) -> ast.expr | None:
    """The condition under which a number is put into a list that otherwise gets something else: labels that are not to count."""
    if not isinstance(bound.changes, ast.Expr) or _is_number(bound.value):
        return None
    return next((item.condition for item in bindings if isinstance(item.changes, ast.Expr) and _is_number(item.value)), None)


def _is_number(node: ast.expr) -> bool:
    """A literal, with its sign."""
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant) and isinstance(inner.value, int | float)


def _key(index: ast.expr) -> str | int | None:
    """A constant index."""
    if isinstance(index, ast.Constant) and isinstance(index.value, str | int):
        return index.value
    return -index.operand.value if _negative(index) else None  # type: ignore[attr-defined]  # its form was asked for


def _negative(index: ast.expr) -> bool:
    return isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub) and isinstance(index.operand, ast.Constant)


def _picks_column(index: ast.expr) -> bool:
    """`[:, -1]`, `[:, 3:]`, `[…, 0]`."""
    parts = index.elts if isinstance(index, ast.Tuple) else []
    return len(parts) > 1 and any(_key(part) is not None or isinstance(part, ast.Slice) for part in parts[1:])


def _loop_names(target: ast.expr, spot: Spot) -> dict[str, Spot]:
    if isinstance(target, ast.Name):
        return {target.id: spot}
    found: dict[str, Spot] = {}
    for at, part in enumerate(target.elts if isinstance(target, ast.Tuple | ast.List) else ()):
        found |= _loop_names(part, replace(spot, path=(*spot.path, at)))
    return found


def _parameters(node: ast.AST) -> list[str]:
    arguments = getattr(node, "args", None)
    if not isinstance(arguments, ast.arguments):
        return []
    return [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _converts(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in CONVERSIONS


def _textual(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return True
    return isinstance(node, ast.Call) and last_name(node.func) in TEXT
