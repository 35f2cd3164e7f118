"""From a place in a report to the node of the source that is meant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

from whygrad.diagnosis import Edit
from whygrad.fixes.names import dotted
from whygrad.fixes.refusals import Refused
from whygrad.ir import Site

Node = TypeVar("Node", bound=cst.CSTNode)
Expression = cst.BaseExpression


@dataclass(frozen=True)
class Tree:
    """A parsed file, with the place and the parent of every node."""

    module: cst.Module
    ranges: Mapping[cst.CSTNode, CodeRange]
    parents: Mapping[cst.CSTNode, cst.CSTNode]

    @classmethod
    def of(cls, text: str, file: str) -> "Tree":
        """The tree of a file's text; raises `Refused` where it can't be parsed."""
        try:
            wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        except (cst.ParserSyntaxError, RecursionError):
            raise Refused(f"`{file}` can't be parsed") from None
        return cls(wrapper.module, wrapper.resolve(PositionProvider), wrapper.resolve(ParentNodeProvider))

    @cached_property
    def nodes(self) -> tuple[cst.CSTNode, ...]:
        """All nodes, outer ones before those inside them."""
        return tuple(sorted(self.ranges, key=lambda node: (_start(self.ranges[node]), *(-part for part in _end(self.ranges[node])))))

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node."""
        return self.module.code_for_node(node)

    def above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """What encloses a node, innermost first."""
        at: cst.CSTNode | None = self.parents.get(node)
        while at is not None:
            yield at
            at = self.parents.get(at)

    def enclosing(self, node: cst.CSTNode, *kinds: type[Node]) -> Node | None:
        """The innermost node of these kinds around another."""
        return next((above for above in self.above(node) if isinstance(above, kinds)), None)

    def expressions(self, node: cst.CSTNode) -> Iterator[Expression]:
        """Expressions below another, itself included."""
        return (part for part in self.nodes if isinstance(part, cst.BaseExpression) and self._below(part, node))

    def within(self, node: cst.CSTNode, kind: type[Node]) -> Iterator[Node]:
        """Nodes of a kind below another, itself included."""
        return (part for part in self.nodes if isinstance(part, kind) and self._below(part, node))

    def _below(self, part: cst.CSTNode, node: cst.CSTNode) -> bool:
        return part is node or any(above is node for above in self.above(part))


def _start(place: CodeRange) -> tuple[int, int]:
    return place.start.line, place.start.column


def _end(place: CodeRange) -> tuple[int, int]:
    return place.end.line, place.end.column


def last_name(node: cst.CSTNode) -> str:
    """The last part of the name of what is called: `Softmax` for `nn.Softmax(dim=1)`."""
    func = node.func if isinstance(node, cst.Call) else node
    return func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""


def named_by(node: Expression) -> Expression:
    """The name that Keras' layer for any activation is told; any other expression itself."""
    told = node.args[0].value if isinstance(node, cst.Call) and last_name(node) == "Activation" and node.args else None
    return told if isinstance(told, cst.SimpleString) else node


def expression(tree: Tree, edit: Edit) -> Expression:
    """The expression that an edit is about: at its place, or made where the name that stands there was assigned."""
    found = _at(tree, edit.site)
    if found is None and not edit.calls and edit.keyword:
        found = _only(_with_keyword(tree, edit))
    if not edit.calls:
        if found is None:
            raise Refused("the expression can't be told from others on its line")
        return found
    if found is not None and is_entry(tree, found, edit.calls):
        return found
    near = [found] if found is not None else list(_on_line(tree, edit.site))
    named = list({id(part): part for outer in near for part in tree.expressions(outer) if last_name_in(part, edit.calls)}.values())
    if len(named) > 1 and found in named:
        return found
    if not named and near:
        named = list(_assigned(tree, near, edit.calls))
    if not named:
        named = list(_strings(tree, edit.calls)) or list(_made(tree, edit.calls))
    if len(named) != 1:
        raise Refused(f"`{edit.calls[0]}` can't be told from others of its line" if named else f"no `{edit.calls[0]}` stands on its line")
    return named[0]


def _only(found: Iterator[Expression]) -> Expression | None:
    several = list(found)
    return several[0] if len(several) == 1 else None


def _with_keyword(tree: Tree, edit: Edit) -> Iterator[Expression]:
    """Calls that begin on the line and have the argument: all that is known where no column is."""
    for part in tree.within(tree.module, cst.Call):
        named = any(arg.keyword is not None and arg.keyword.value == edit.keyword for arg in part.args)
        if named and tree.ranges[part].start.line == edit.site.line:
            yield part


def called_once(tree: Tree, site: Site) -> None:
    """Raises `Refused` where the function around a place is called at several places, of which one may be meant otherwise."""
    function = tree.enclosing(statement(tree, site), cst.FunctionDef)
    name = function.name.value if function is not None else ""
    if name and sum(last_name(part) == name for part in tree.within(tree.module, cst.Call)) > 1:
        raise Refused(f"`{name}` is called elsewhere as well, where it may be meant so")


def having(tree: Tree, edit: Edit) -> Expression:
    """The only call of the file that has the argument."""
    calls = (part for part in tree.within(tree.module, cst.Call))
    found = [part for part in calls if any(arg.keyword is not None and arg.keyword.value == edit.keyword for arg in part.args)]
    if len(found) != 1:
        raise Refused(f"{'several calls' if found else 'no call'} of the file {'have' if found else 'has'} `{edit.keyword}`")
    return found[0]


def last_name_in(node: Expression, calls: tuple[str, ...]) -> bool:
    """A call of one of these names, or an attribute of that name that is not called."""
    if isinstance(node, cst.Call):
        return last_name(node) in calls
    return isinstance(node, cst.Attribute) and node.attr.value in calls and node.attr.value in ("data", "T")


def is_entry(tree: Tree, node: Expression, calls: tuple[str, ...]) -> bool:
    """A function of one of these names that is not called, but listed or handed on."""
    return (
        isinstance(node, cst.Name | cst.Attribute)
        and dotted(node).rpartition(".")[2] in calls
        and isinstance(tree.parents.get(node), cst.Arg | cst.Element)
    )


def _at(tree: Tree, site: Site) -> Expression | None:
    """The expression whose place is exactly that of the site."""
    if not site.column or not site.end_column:
        return None
    wanted = ((site.line, site.column - 1), (site.end_line or site.line, site.end_column - 1))
    for node, place in tree.ranges.items():
        if isinstance(node, cst.BaseExpression) and (_start(place), _end(place)) == wanted:
            return node
    return None


def _on_line(tree: Tree, site: Site) -> Iterator[Expression]:
    """The outermost expressions of a line."""
    for node in tree.nodes:
        if isinstance(node, cst.BaseExpression) and tree.ranges[node].start.line == site.line:
            parent = tree.parents.get(node)
            if not (isinstance(parent, cst.BaseExpression | cst.Arg) and tree.ranges[parent].start.line == site.line):
                yield node


def _assigned(tree: Tree, near: list[Expression], calls: tuple[str, ...]) -> Iterator[cst.Call]:
    """Calls of these names whose result is kept under a name that is called at the place, as `criterion = nn.BCELoss()`, or given there to a keyword."""
    used = {dotted(part.func) for outer in near for part in tree.within(outer, cst.Call)} - {""}
    given = {dotted(part.value) for outer in near for part in tree.within(outer, cst.Arg) if part.keyword is not None} - {""}
    here = {None, *(tree.enclosing(outer, cst.FunctionDef) for outer in near)}
    for kept in tree.within(tree.module, cst.Assign):
        names = {dotted(target.target) for target in kept.targets}
        meant = not used.isdisjoint(names) or (not given.isdisjoint(names) and tree.enclosing(kept, cst.FunctionDef) in here)
        if isinstance(kept.value, cst.Call) and last_name(kept.value) in calls and meant:
            yield kept.value


def _strings(tree: Tree, calls: tuple[str, ...]) -> Iterator[Expression]:
    """Strings that name a loss or an activation where a library takes the name for the function: `loss="mse"`, or `loss={"age": "mse"}`."""
    for node in tree.within(tree.module, cst.SimpleString):
        parent = tree.parents.get(node)
        holds = (isinstance(parent, cst.Arg) and parent.keyword is not None) or (
            isinstance(parent, cst.DictElement) and parent.value is node
        )
        if holds and node.evaluated_value in calls:
            yield node


def _made(tree: Tree, calls: tuple[str, ...]) -> Iterator[Expression]:
    """Objects of these classes made anywhere in the file: a library calls them where the program does not."""
    return (part for part in tree.within(tree.module, cst.Call) if last_name(part) in calls and last_name(part)[:1].isupper())


Line = cst.SimpleStatementLine | cst.BaseCompoundStatement


def statement(tree: Tree, site: Site) -> Line:
    """The innermost statement at a line."""
    found: Line | None = None
    for node in tree.nodes:
        if isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            place = tree.ranges[node]
            if place.start.line <= site.line <= place.end.line and (
                isinstance(node, cst.SimpleStatementLine) or place.start.line == site.line
            ):
                found = node
    if found is None:
        raise Refused("no statement stands on its line")
    if isinstance(found, cst.SimpleStatementLine) and len(found.body) != 1:
        raise Refused("several statements share its line")
    return found


def statement_of(tree: Tree, node: cst.CSTNode) -> Line:
    """The innermost statement that an expression stands in."""
    for above in tree.above(node):
        if isinstance(above, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            return above
    raise Refused("it stands in no statement")


def calling(tree: Tree, edit: Edit) -> Line:
    """The only statement of the file that is a call of one of these names and speaks of what is `written`."""
    found = [
        node
        for node in tree.nodes
        if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 and isinstance(node.body[0], cst.Expr)
        if isinstance(node.body[0].value, cst.Call) and last_name(node.body[0].value) in edit.calls
        if edit.written in tree.code(node)
    ]
    if len(found) != 1:
        raise Refused(f"{'several statements' if found else 'no statement'} of the file call{'' if found else 's'} `{edit.calls[0]}`")
    return found[0]


def outermost_loop(tree: Tree, node: Line) -> Line:
    """The outermost loop of the same function around a statement; itself where there is none."""
    found = node
    for above in tree.above(node):
        if isinstance(above, cst.FunctionDef | cst.ClassDef):
            break
        if isinstance(above, cst.For | cst.While):
            found = above
    return found


def repeated_loop(tree: Tree, node: Line) -> Line:
    """The innermost loop around a statement, where another loop runs it again and again, in its function or by calling that; raises `Refused` elsewhere."""
    function = tree.enclosing(node, cst.FunctionDef)
    loops = [
        above for above in tree.above(node) if isinstance(above, cst.For | cst.While) and tree.enclosing(above, cst.FunctionDef) is function
    ]
    if len(loops) > 1:
        return loops[0]
    name = function.name.value if isinstance(function, cst.FunctionDef) else ""
    calls = [part for part in tree.within(tree.module, cst.Call) if name and last_name(part) == name]
    if not loops or not any(tree.enclosing(call, cst.For, cst.While) for call in calls):
        raise Refused("the loop around it runs once")
    return loops[0]


def turn_start(tree: Tree, node: Line) -> Line:
    """The first statement of the outermost loop's body around a statement; itself where there is no loop."""
    loop = outermost_loop(tree, node)
    body = loop.body if loop is not node and isinstance(loop, cst.For | cst.While) else None
    first = body.body[0] if isinstance(body, cst.IndentedBlock) else node
    return first if isinstance(first, cst.SimpleStatementLine | cst.BaseCompoundStatement) else node


def body_start(tree: Tree, node: Line) -> Line:
    """The first statement of the innermost loop's or function's body around a statement; itself at the top of the file."""
    for above in tree.above(node):
        if isinstance(above, cst.FunctionDef | cst.For | cst.While) and isinstance(above.body, cst.IndentedBlock):
            first = above.body.body[0]
            return first if isinstance(first, cst.SimpleStatementLine | cst.BaseCompoundStatement) else node
    return node


def target(found: Line) -> Expression:
    """What a statement assigns to; raises `Refused` unless that is one name."""
    kept = found.body[0] if isinstance(found, cst.SimpleStatementLine) else None
    if isinstance(kept, cst.Assign) and len(kept.targets) == 1 and isinstance(kept.targets[0].target, cst.Name | cst.Attribute):
        return kept.targets[0].target
    raise Refused("what is made there is not kept under one name")


def assigned(tree: Tree, edit: Edit) -> Expression:
    """The whole value that the statement at a place assigns."""
    found = statement(tree, edit.site)
    kept = found.body[0] if isinstance(found, cst.SimpleStatementLine) else None
    if not isinstance(kept, cst.Assign):
        raise Refused("nothing is assigned on its line")
    return kept.value


_FILLING = ("append", "extend", "insert", "setdefault", "update")
"""Methods that put something into a list or a dictionary."""


def container(tree: Tree, edit: Edit) -> Expression:
    """What the statement at a place assigns; where it puts something into a list or a dictionary, that as it is made, in the same class or function."""
    found = statement(tree, edit.site)
    kept = found.body[0] if isinstance(found, cst.SimpleStatementLine) else None
    filled = _filled(kept) if kept is not None else None
    if filled is None:
        return assigned(tree, edit)
    around = tree.enclosing(found, cst.ClassDef if filled.startswith("self.") else cst.FunctionDef) or tree.module
    made = [node.value for node in tree.within(around, cst.Assign) if filled in {dotted(one.target) for one in node.targets}]
    if len(made) != 1:
        raise Refused(f"`{filled}` is made at {'several places' if made else 'another place'}")
    return made[0]


def _filled(kept: cst.BaseSmallStatement) -> str | None:
    """The name of what a statement puts something into: by an entry that is assigned, or by a method."""
    if isinstance(kept, cst.Assign) and len(kept.targets) == 1 and isinstance(kept.targets[0].target, cst.Subscript):
        return dotted(kept.targets[0].target.value) or None
    method = kept.value.func if isinstance(kept, cst.Expr) and isinstance(kept.value, cst.Call) else None
    filling = isinstance(method, cst.Attribute) and method.attr.value in _FILLING
    return (dotted(method.value) or None) if filling and isinstance(method, cst.Attribute) else None


def block(tree: Tree, site: Site, calls: tuple[str, ...]) -> cst.With | cst.Decorator:
    """The `with` or the decorator at a line; else the innermost `with` around it that makes one of these calls."""
    for node in tree.nodes:
        at = tree.ranges[node].start.line
        if isinstance(node, cst.With) and at == site.line and any(_calls(item.item, calls) for item in node.items):
            return node
        if isinstance(node, cst.Decorator) and at == site.line and _calls(node.decorator, calls):
            return node
    around = [node for node in tree.nodes if isinstance(node, cst.With) and _holds(tree, node, site.line)]
    meant = [node for node in around if calls and any(_calls(item.item, calls) for item in node.items)]
    if meant:
        return meant[-1]
    raise Refused("no block or decorator begins on its line")


def _holds(tree: Tree, node: cst.CSTNode, line: int) -> bool:
    return tree.ranges[node].start.line < line <= tree.ranges[node].end.line


def _calls(node: Expression, calls: tuple[str, ...]) -> bool:
    return not calls or last_name(node) in calls


def is_there(tree: Tree, at: Line, new: cst.CSTNode, *, after: bool) -> bool:
    """The statement stands there already, behind another one or in front of it."""
    siblings = list(getattr(tree.parents.get(at), "body", ()))
    place = siblings.index(at) + (1 if after else -1) if at in siblings else -1
    return 0 <= place < len(siblings) and tree.code(siblings[place]).strip() == tree.module.code_for_node(new).strip()
