"""Whether a statement can stand elsewhere: what it makes must not be needed on the way, nor be made of what comes only then."""

from collections.abc import Iterator

import libcst as cst

from whygrad.fixes.finding import Line, Tree, last_name
from whygrad.fixes.names import dotted
from whygrad.fixes.refusals import Refused


def may_move(tree: Tree, found: cst.SimpleStatementLine, to: Line, *, after: bool) -> None:
    """Raises `Refused` where the program would not be the same but for the order."""
    if isinstance(found.body[0], cst.Return) or _function(tree, found) is not _function(tree, to):
        raise Refused("it would have to move to another function")
    loop = tree.enclosing(found, cst.For)
    if isinstance(loop, cst.For) and not _within(tree, to, loop) and not set(read(tree, [found])).isdisjoint(names_in(loop.target)):
        raise Refused("it reads what its loop goes through")
    passed = list(_passed(tree, found, to, after=after))
    down = tree.ranges[to].start.line > tree.ranges[found].start.line
    if down and not set(read(tree, passed)).isdisjoint(made(tree, [found])):
        raise Refused("what it makes is used before its new place")
    if not down and not set(read(tree, [found])).isdisjoint(made(tree, passed)):
        raise Refused("what it reads is made after its new place")


def _within(tree: Tree, line: Line, loop: cst.For) -> bool:
    """The line stands in the loop."""
    return tree.ranges[loop].start.line <= tree.ranges[line].start.line <= tree.ranges[loop].end.line


def _function(tree: Tree, node: cst.CSTNode) -> cst.CSTNode | None:
    """The function or class that a statement stands in."""
    return tree.enclosing(node, cst.FunctionDef, cst.ClassDef)


def _passed(tree: Tree, found: Line, to: Line, *, after: bool) -> Iterator[cst.CSTNode]:
    """The simple statements between the two places that run on the way: those of a function that is only defined there do not, unless it is called there too."""
    between = list(_between(tree, found, to, after=after))
    outside = {node: tuple(_defined(tree, node, found)) for node in between}
    called = {last_name(call) for node in between if not outside[node] for call in tree.within(node, cst.Call)}
    return (node for node in between if not outside[node] or not called.isdisjoint(outside[node]))


def _defined(tree: Tree, node: cst.CSTNode, found: Line) -> Iterator[str]:
    """Names of the functions around a statement that are not around the moved one, and of the classes that these are methods of."""
    if (function := tree.enclosing(node, cst.FunctionDef)) is None or function in set(tree.above(found)):
        return
    for above in tree.above(node):
        if isinstance(above, cst.FunctionDef | cst.ClassDef) and above not in set(tree.above(found)):
            yield above.name.value


def _between(tree: Tree, found: Line, to: Line, *, after: bool) -> Iterator[cst.CSTNode]:
    """The simple statements between the two places; the one that it is moved to is passed where it comes to stand on its far side."""
    here, there = tree.ranges[found], tree.ranges[to]
    if there.start.line > here.start.line:
        first, last = here.end.line + 1, there.end.line if after else there.start.line - 1
    else:
        first, last = there.end.line + 1 if after else there.start.line, here.start.line - 1
    for node in tree.nodes:
        if isinstance(node, cst.SimpleStatementLine) and first <= tree.ranges[node].start.line <= last:
            yield node


def made(tree: Tree, nodes: list[cst.CSTNode]) -> set[str]:
    """Names and attributes that statements assign."""
    kept = (part for node in nodes for part in tree.within(node, cst.Assign))
    return {name for part in kept for each in part.targets for name in names_in(each.target)}


def names_in(target: cst.BaseExpression) -> Iterator[str]:
    """The names and attributes that are bound by assigning to this."""
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from names_in(element.value)
    elif dotted(target):
        yield dotted(target)


def read(tree: Tree, nodes: list[cst.CSTNode]) -> Iterator[str]:
    """Names and attributes that statements mention elsewhere than as what they assign to."""
    for node in nodes:
        targets = [each for kept in tree.within(node, cst.Assign) for each in kept.targets]
        own = {id(part) for each in targets for part in tree.expressions(each)}
        for part in tree.expressions(node):
            if id(part) not in own and isinstance(part, cst.Name | cst.Attribute) and dotted(part):
                yield dotted(part)
