"""The user's modules as syntax trees, and what their names stand for."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Final

from whygrad.frontends.source import LIBRARIES, Sources
from whygrad.ir import Frame, Site

ITEM: Final = None
"""The step of a path that stands for one item of what is iterated over."""
Key = str | int | None
Path = tuple[Key, ...]
"""Which part of a value is meant: `(ITEM, 1)` is the second part of each item."""
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
LAST: Final = sys.maxsize
"""Beyond the last line: every assignment counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """One file of the user's."""

    file: str
    tree: ast.Module


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A function, or the top of a module, in which names are looked up."""

    module: Module
    node: "Function | ast.Module"
    owner: ast.ClassDef | None = None
    given: Mapping[str, "Spot"] = field(default_factory=dict)
    """What parameters and variables of comprehensions stand for, where that is known."""
    outer: "Scope | None" = None
    callers: tuple[Frame, ...] = ()
    """The user's frames that called the function, innermost first."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An expression in its scope, and the part of its value that is meant."""

    node: ast.expr
    scope: Scope
    path: Path = ()
    before: int = LAST
    """Only assignments above this line count."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A place that gives a name its value, or changes it."""

    line: int
    value: ast.expr
    path: Path = ()
    changes: ast.stmt | None = None
    """The statement, where it changes what the name stands for instead of replacing it."""
    condition: ast.expr | None = None
    """Of the innermost `if` around it."""


class Program:
    """What can be known of the source of the program; files are read once."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._modules: dict[str, Module | None] = {}
        self._bindings: dict[int, dict[str, list[Binding]]] = {}

    # --- modules ------------------------------------------------------------------------------------------------

    def module(self, file: str) -> Module | None:
        """The tree of a file; None where it can't be read or parsed."""
        if file not in self._modules:
            self._modules[file] = self._parsed(file)
        return self._modules[file]

    def _parsed(self, file: str) -> Module | None:
        text = self.sources.text(file)
        try:
            tree = ast.parse(text) if text else None
        except (SyntaxError, ValueError, RecursionError):
            tree = None
        return Module(file, tree) if tree is not None else None

    def top(self, module: Module) -> Scope:
        """The scope of a module's own names."""
        return Scope(module, module.tree)

    def user_modules(self, word: str) -> Iterator[Module]:
        """Every module of the program that is the user's own, is loaded and holds a word, once each; the others of a large program need no parsing."""
        files = dict.fromkeys(getattr(loaded, "__file__", None) for loaded in tuple(sys.modules.values()))
        for file in files:
            if isinstance(file, str) and file.endswith(".py") and not file.startswith(LIBRARIES) and word in self.sources.text(file):
                found = self.module(file)
                if found is not None:
                    yield found

    def imported(self, module: Module, name: str) -> "Module | tuple[Module, str] | None":
        """What a name that a module imports is: a module of the user's, or a name in one."""
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if (alias.asname or alias.name.partition(".")[0]) == name:
                        return self._loaded(alias.name if alias.asname else name)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return self._imported_from(module, node, alias.name)
        return None

    def _imported_from(self, module: Module, node: ast.ImportFrom, name: str) -> "Module | tuple[Module, str] | None":
        base = node.module or ""
        if node.level:
            package = getattr(_loaded_from(module.file), "__package__", "") or ""
            parts = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join((*parts, base)).strip(".")
        inside = self._loaded(f"{base}.{name}")
        whole = self._loaded(base)
        return inside or ((whole, name) if whole is not None else None)

    def _loaded(self, name: str) -> Module | None:
        file = getattr(sys.modules.get(name), "__file__", None)
        return self.module(file) if isinstance(file, str) and file.endswith(".py") and not file.startswith(LIBRARIES) else None

    # --- places -------------------------------------------------------------------------------------------------

    def scope_at(self, file: str, line: int, callers: tuple[Frame, ...] = ()) -> Scope | None:
        """The innermost function at a line, or the top of the module."""
        module = self.module(file)
        if module is None:
            return None
        around = [found for found in functions(module, callers) if spans(found.node, line) and not isinstance(found.node, ast.Lambda)]
        return max(around, key=lambda found: getattr(found.node, "lineno", 0)) if around else Scope(module, module.tree, callers=callers)

    def expression_at(self, site: Site) -> Spot | None:
        """The expression whose line and columns a place gives."""
        scope = self.scope_at(site.file, site.line, site.callers)
        for node in ast.walk(scope.node) if scope is not None and site.column else ():
            if isinstance(node, ast.expr) and node.lineno == site.line and node.end_lineno == (site.end_line or site.line):
                at = Spot(node, scope, before=site.line)  # type: ignore[arg-type]  # there is a scope, or nothing to walk over
                here = self.site(at)
                if (here.column, here.end_column) == (site.column, site.end_column):
                    return at
        return None

    def call_at(self, site: Site, *, name: str = "") -> Spot | None:
        """The call at a place, or that an assignment there holds; with a name, the call of something called so on that line, else the only call there."""
        exact = self.expression_at(site) or self._assigned_at(site)
        if exact is not None and isinstance(exact.node, ast.Call) and name in ("", last_name(exact.node.func)):
            return exact
        scope = self.scope_at(site.file, site.line, site.callers)
        if scope is None:
            return None
        calls = [node for node in ast.walk(scope.node) if isinstance(node, ast.Call) and spans(node, site.line)]
        found = [node for node in calls if not name or last_name(node.func) == name]
        return Spot(found[0], scope, before=site.line) if len(found) == 1 else None

    def _assigned_at(self, site: Site) -> Spot | None:
        """What the assignment holds whose line and columns a place gives."""
        scope = self.scope_at(site.file, site.line, site.callers)
        for node in ast.walk(scope.node) if scope is not None else ():
            if isinstance(node, ast.Assign) and (node.lineno, node.col_offset + 1) == (site.line, site.column):
                return Spot(node.value, scope, before=site.line)  # type: ignore[arg-type]  # there is a scope, or nothing to walk over
        return None

    def site(self, spot: Spot, node: ast.AST | None = None) -> Site:
        """The place of an expression."""
        at = node if node is not None else spot.node
        line, end_line = getattr(at, "lineno", 1), getattr(at, "end_lineno", 0) or 0
        text = self.sources.line(spot.scope.module.file, line)
        start = len(text.encode()[: getattr(at, "col_offset", 0)].decode(errors="ignore")) + 1
        end = len(text.encode()[: getattr(at, "end_col_offset", 0) or 0].decode(errors="ignore")) + 1
        named = getattr(spot.scope.node, "name", "")
        function = f"{spot.scope.owner.name}.{named}" if spot.scope.owner is not None and named else named
        return Site(spot.scope.module.file, line, end_line, start, end if end_line == line else 0, function, text)

    # --- names --------------------------------------------------------------------------------------------------

    def bindings(self, node: ast.AST) -> dict[str, list[Binding]]:
        """The assignments of a function or module, by name, in the order of the source; those of inner functions are not among them."""
        if id(node) not in self._bindings:
            found: dict[str, list[Binding]] = {}
            conditions = _conditions(node)
            for statement in _own_statements(node):
                for name, binding in _bound(statement):
                    found.setdefault(name, []).append(replace(binding, condition=conditions.get(id(statement))))
            self._bindings[id(node)] = {name: sorted(items, key=lambda item: item.line) for name, items in found.items()}
        return self._bindings[id(node)]

    def function(self, scope: Scope, node: ast.expr) -> "tuple[Scope, Function | ast.ClassDef] | None":
        """The user's function or class that an expression names, with the scope that it stands in."""
        if isinstance(node, ast.Name):
            return self._defined(scope, node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in ("self", "cls") and scope.owner is not None:
                return self.method(scope.module, scope.owner, node.attr)
            found = self.imported(scope.module, node.value.id)
            if isinstance(found, Module):
                return self._defined(self.top(found), node.attr)
            known = self._defined(scope, node.value.id)
            if known is not None and isinstance(known[1], ast.ClassDef):
                return self.method(known[0].module, known[1], node.attr)
        return None

    def _defined(self, scope: Scope, name: str) -> "tuple[Scope, Function | ast.ClassDef] | None":
        level: Scope | None = scope
        while level is not None:
            for statement in _own_statements(level.node):
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and statement.name == name:
                    return level, statement
            level = level.outer or (self.top(level.module) if level.node is not level.module.tree else None)
        found = self.imported(scope.module, name)
        return self._defined(self.top(found[0]), found[1]) if isinstance(found, tuple) and found[0] is not scope.module else None

    def method(self, module: Module, owner: ast.ClassDef, name: str) -> tuple[Scope, Function] | None:
        """A method of a class of the user's, or of one that it is derived from."""
        for statement in owner.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name:
                return Scope(module, statement, owner, outer=self.top(module)), statement
        for base in owner.bases:
            known = self.function(self.top(module), base)
            if known is not None and isinstance(known[1], ast.ClassDef) and known[1] is not owner:
                return self.method(known[0].module, known[1], name)
        return None


def last_name(node: ast.expr) -> str:
    """`tensor` of `torch.tensor`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _loaded_from(file: str) -> ModuleType | None:
    return next((module for module in tuple(sys.modules.values()) if getattr(module, "__file__", None) == file), None)


def functions(module: Module, callers: tuple[Frame, ...] = ()) -> Iterator[Scope]:
    """Every function of a module, with its class."""

    def below(node: ast.AST, owner: ast.ClassDef | None, outer: Scope) -> Iterator[Scope]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                scope = Scope(module, child, owner, outer=outer, callers=callers)
                yield scope
                yield from below(child, None, scope)
            elif isinstance(child, ast.ClassDef):
                yield from below(child, child, outer)
            else:
                yield from below(child, owner, outer)

    return below(module.tree, None, Scope(module, module.tree))


def spans(node: ast.AST, line: int) -> bool:
    """A line lies within the expression or function."""
    return getattr(node, "lineno", 0) <= line <= (getattr(node, "end_lineno", 0) or 0)


def _own_statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Statements of a function or module, without those of functions and classes inside."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _own_statements(child)


def _conditions(node: ast.AST) -> dict[int, ast.expr]:
    """Statement to the condition of the innermost `if` around it; of a chain of `elif`, the first one."""
    found: dict[int, ast.expr] = {}
    for statement in _own_statements(node):
        if isinstance(statement, ast.If):
            test = found.get(id(statement), statement.test) if _continues(statement, found) else statement.test
            for inner in (*statement.body, *statement.orelse):
                found[id(inner)] = test
    return found


def _continues(statement: ast.If, found: Mapping[int, ast.expr]) -> bool:
    """It is the `elif` of the one before: it stands at the same column."""
    before = found.get(id(statement))
    return before is not None and before.col_offset - len("if ") == statement.col_offset


def _bound(statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    """Names that a statement binds or changes."""
    line = statement.lineno
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets if statement.value is not None else ():
            yield from _targets(target, statement.value, (), line, statement)  # type: ignore[arg-type]  # asked for just above
    elif isinstance(statement, ast.AugAssign):
        yield dotted(statement.target), Binding(line, statement.value, changes=statement)
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield from _targets(statement.target, statement.iter, (ITEM,), line, statement)
    elif isinstance(statement, ast.With | ast.AsyncWith):
        for item in statement.items:
            if item.optional_vars is not None:
                yield from _targets(item.optional_vars, item.context_expr, (), line, statement)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and isinstance(statement.value.func, ast.Attribute):
        yield from _changed(statement, statement.value, statement.value.func)


def _changed(statement: ast.Expr, call: ast.Call, function: ast.Attribute) -> Iterator[tuple[str, Binding]]:
    """What a call changes in place: a list that is added to, rows that are shuffled."""
    if function.attr == "shuffle" and call.args:
        yield dotted(call.args[0]), Binding(statement.lineno, call.args[0], changes=statement)
    elif function.attr in ("append", "extend", "add", "insert") and call.args:
        yield dotted(function.value), Binding(statement.lineno, call.args[-1], changes=statement)


def _targets(target: ast.expr, value: ast.expr, path: Path, line: int, statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
    if isinstance(target, ast.Tuple | ast.List):
        for at, part in enumerate(target.elts):
            if isinstance(part, ast.Starred):
                return
            yield from _targets(part, value, (*path, at), line, statement)
    elif isinstance(target, ast.Subscript):
        yield dotted(target.value), Binding(line, value, path, changes=statement)
    elif name := dotted(target):
        yield name, Binding(line, value, path)


def dotted(node: ast.expr) -> str:
    """`self.labels`, `y`; of a part, what it is a part of; "" for anything but a name."""
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""
