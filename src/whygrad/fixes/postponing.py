"""Statements that come too early: behind another one of their block, or inside the function that was to make what they make."""

from collections.abc import Sequence

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes, nothing_left
from whygrad.fixes.finding import Line, Tree, body_start, statement, target
from whygrad.fixes.moving import made, read
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused


def postponed(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """The statement, and what reads it in between unless it goes alone, behind the one at `to`; raises `Refused` where a whole block reads it."""
    if edit.to is None:
        raise Refused("where it should stand is not known")
    found = _with_its_loop(tree, statement(tree, edit.site))
    block = _block(tree, found)
    to = _among(tree, block, statement(tree, edit.to))
    between = block[block.index(found) + 1 : block.index(to)]
    if block.index(to) <= block.index(found):
        raise Refused("it stands there already")
    group = [found] if edit.around == "alone" else [found, *_readers(tree, found, between)]
    for line in group:
        changes.new[line] = None
        lines = [one for one in line.leading_lines if one.comment is not None]
        changes.after.setdefault(to, []).append(line.with_changes(leading_lines=lines))


def _with_its_loop(tree: Tree, found: Line) -> Line:
    """The loop around a statement that is all that it does to each of its things: `for total in sums: total.assign(…)`."""
    parent = tree.parents.get(found)
    loop = tree.parents.get(parent) if isinstance(parent, cst.IndentedBlock) and len(parent.body) == 1 else None
    return loop if isinstance(loop, cst.For) and not set(read(tree, [found])).isdisjoint(_named(loop.target)) else found


def _named(node: cst.CSTNode) -> set[str]:
    return {dotted(part) for part in getattr(node, "elements", ())} | {dotted(node)}


def _block(tree: Tree, found: Line) -> list[Line]:
    """The statements among which one stands."""
    return [one for one in getattr(tree.parents[found], "body", ()) if isinstance(one, cst.SimpleStatementLine | cst.BaseCompoundStatement)]


def _among(tree: Tree, block: Sequence[Line], to: Line) -> Line:
    """The statement of a block that another one is, or stands in."""
    known = {id(one): one for one in block}
    around = next((known[id(one)] for one in (to, *tree.above(to)) if id(one) in known), None)
    if around is None:
        raise Refused("it would have to leave its block")
    return around


def _readers(tree: Tree, found: Line, between: Sequence[Line]) -> list[Line]:
    """The statements on the way that read what the first one makes, and what reads those."""
    names, group = made(tree, [found]), list[Line]()
    for line in between:
        if isinstance(line, cst.FunctionDef | cst.ClassDef) or _apart(tree, line, names):
            continue
        if not isinstance(line, cst.SimpleStatementLine):
            raise Refused("what it makes is used before its new place")
        group.append(line)
        names = names | made(tree, [line])
    return group


def _apart(tree: Tree, line: Line, names: set[str]) -> bool:
    """A statement speaks of none of these names, nor of a part of what they mean."""
    return not any(one == name or one.startswith(f"{name}.") for one in read(tree, [line]) for name in names)


def taken_in(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """What is made before a function that is given what it is made of goes to the start of that function."""
    if edit.to is None:
        raise Refused("where it should stand is not known")
    found, to = statement(tree, edit.site), statement(tree, edit.to)
    function = tree.enclosing(to, cst.FunctionDef)
    name = dotted(target(found))
    if function is None or function in tuple(tree.above(found)) or not isinstance(found, cst.SimpleStatementLine):
        raise Refused("it stands in that function already")
    given = {param.name.value for param in function.params.params}
    if given.isdisjoint(one.split(".")[0] for one in read(tree, [found])):
        raise Refused("the function is not given what it is made of")
    if _read_elsewhere(tree, function, found, name):
        raise Refused(f"`{name}` is read outside of the function as well")
    changes.new[found] = nothing_left(tree, found)
    changes.before.setdefault(body_start(tree, function.body.body[0]), []).append(found.with_changes(leading_lines=()))  # type: ignore[arg-type]  # the first statement of a function


def _read_elsewhere(tree: Tree, function: cst.FunctionDef, found: Line, name: str) -> bool:
    """Another function or the file itself reads or changes the name."""
    own = {id(part) for line in (function, found) for part in tree.within(line, cst.Name)}
    return any(part.value == name and id(part) not in own for part in tree.within(tree.module, cst.Name))
