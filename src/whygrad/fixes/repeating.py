"""A statement that has to be made once more, after what has changed since."""

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
