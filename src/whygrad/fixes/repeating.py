"""A statement that has to be made once more, after what has changed since, and an expression that has to change wherever a function has it."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, calling, statement
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused


def repeated(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """The only statement of the file that is such a call, once more behind the place."""
    at, found = statement(tree, edit.site), calling(tree, edit)
    if tree.enclosing(at, cst.FunctionDef) is not tree.enclosing(found, cst.FunctionDef):
        raise Refused(f"`{edit.calls[0]}` is called in another function")
    if tree.ranges[found].start.line > tree.ranges[at].start.line:
        raise Refused(f"`{edit.calls[0]}` is called further down")
    changes.after.setdefault(at, []).append(found.deep_clone().with_changes(leading_lines=[]))


def everywhere(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """Every expression of the function that is written so, inside what `text` puts around it."""
    around = tree.enclosing(statement(tree, edit.site), cst.FunctionDef) or tree.module
    found = [part for part in tree.expressions(around) if tree.code(part).strip() == edit.written]
    if not found:
        raise Refused(f"`{edit.written}` is not written there")
    for part in found:
        new = cst.parse_expression(names.spell(edit.text.replace("{x}", edit.written)))
        changes.new[part] = new
