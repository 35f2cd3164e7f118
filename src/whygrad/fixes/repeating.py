"""A statement that has to be made once more, after what has changed since, and an expression that has to change wherever a function has it."""

from collections.abc import Iterator

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Line, Node, Tree, calling, statement, target
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused


def repeated(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """The only statement of the file that is such a call, once more behind the place."""
    at, found = statement(tree, edit.site), calling(tree, edit)
    if tree.enclosing(at, cst.FunctionDef) is not tree.enclosing(found, cst.FunctionDef):
        raise Refused(f"`{edit.calls[0]}` is called in another function")
    if tree.ranges[found].start.line > tree.ranges[at].start.line:
        raise Refused(f"`{edit.calls[0]}` is called further down")
    changes.after.setdefault(at, []).append(found.deep_clone().with_changes(leading_lines=[]))


def beside(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`x = x[order]`, once more for what the function goes on to cut in the same places as `x`, or to hand back with it."""
    at = statement(tree, edit.site)
    kept = at.body[0] if isinstance(at, cst.SimpleStatementLine) else None
    picked = kept.value if isinstance(kept, cst.Assign) and len(kept.targets) == 1 else None
    name = target(at)
    if not isinstance(picked, cst.Subscript) or not isinstance(name, cst.Name) or dotted(picked.value) != name.value:
        raise Refused("it is no `x = x[order]`")
    others = _cut_alike(tree, at, name.value) or _handed_back(tree, at, name.value)
    if len(others) != 1:
        raise Refused(f"what belongs to `{name.value}` can't be told from what else the function has")
    other = cst.Name(others.pop())
    new = cst.Assign([cst.AssignTarget(other)], picked.with_changes(value=other))
    line = cst.SimpleStatementLine([new])
    if any(tree.code(node).strip() == tree.module.code_for_node(line).strip() for node in _below(tree, at, cst.SimpleStatementLine)):
        raise Refused("it stands there already")
    changes.after.setdefault(at, []).append(line)


def _below(tree: Tree, at: Line, kind: type[Node]) -> Iterator[Node]:
    """Nodes of the same function further down."""
    around = tree.enclosing(at, cst.FunctionDef) or tree.module
    return (node for node in tree.within(around, kind) if tree.ranges[node].start.line > tree.ranges[at].end.line)


def _cut_alike(tree: Tree, at: Line, name: str) -> set[str]:
    """Names that are cut in a place where this one is, too: `x[:cut], y[:cut]`."""
    cuts = [
        (node.value.value, tree.code(node)[len(node.value.value) :])
        for node in _below(tree, at, cst.Subscript)
        if isinstance(node.value, cst.Name)
    ]
    own = {cut for called, cut in cuts if called == name}
    return {called for called, cut in cuts if cut in own} - {name}


def _handed_back(tree: Tree, at: Line, name: str) -> set[str]:
    """The other name of a pair that is returned."""
    pairs = [node.value for node in _below(tree, at, cst.Return) if isinstance(node.value, cst.Tuple)]
    names = [[dotted(element.value) for element in pair.elements] for pair in pairs]
    return {each for pair in names if len(pair) == 2 and name in pair for each in pair} - {name, ""}  # noqa: PLR2004 - inputs and labels


def everywhere(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """Every expression of the function that is written so, inside what `text` puts around it."""
    around = tree.enclosing(statement(tree, edit.site), cst.FunctionDef) or tree.module
    found = [part for part in tree.expressions(around) if tree.code(part).strip() == edit.written]
    if not found:
        raise Refused(f"`{edit.written}` is not written there")
    for part in found:
        new = cst.parse_expression(names.spell(edit.text.replace("{x}", edit.written)))
        changes.new[part] = new
