"""A function that hands on what it has made."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, statement, target
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused


def returned(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """A `return` of what the statement at the place assigns, at the end of its function; raises `Refused` where that returns something already."""
    at = statement(tree, edit.site)
    name, function = target(at), tree.enclosing(at, cst.FunctionDef)
    if function is None or tree.parents.get(at) is not function.body:
        raise Refused("it is made in a part of its function alone")
    own = [node for node in tree.within(function, cst.Return) if tree.enclosing(node, cst.FunctionDef) is function]
    last = function.body.body[-1]
    if any(node.value is not None for node in own) or not isinstance(last, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        raise Refused("the function returns something already")
    new = cst.SimpleStatementLine([cst.Return(name)])
    bare = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return)
    if bare:
        changes.new[last] = new
    else:
        changes.after.setdefault(last, []).append(new)
