"""What is made and lost: returned by its function, or put back where it was copied from."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, is_there, last_name, statement, target
from whygrad.fixes.names import Names, dotted
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


SETTERS = {"get_weights": "set_weights", "numpy": "assign"}
"""What copies parameters out of a Keras model or a variable, and what takes them back."""


def put_back(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`model.set_weights(copies)` behind the last statement of the block that reads the copies; raises `Refused` where the line makes none under a name."""
    at = statement(tree, edit.site)
    kept = at.body[0] if isinstance(at, cst.SimpleStatementLine) else None
    call, name = kept.value if isinstance(kept, cst.Assign) else None, target(at)
    if not isinstance(call, cst.Call) or last_name(call) not in SETTERS or not isinstance(call.func, cst.Attribute) or not dotted(name):
        raise Refused("nothing is copied out under a name there")
    siblings = list(getattr(tree.parents.get(at), "body", ()))
    readers = [one for one in siblings[siblings.index(at) + 1 :] if any(dotted(part) == dotted(name) for part in tree.expressions(one))]
    if not readers:
        raise Refused(f"`{dotted(name)}` is not changed in the same block")
    text = f"{tree.code(call.func.value).strip()}.{SETTERS[last_name(call)]}({dotted(name)})"
    new = cst.parse_statement(text, config=tree.module.config_for_parsing)
    if tree.code(readers[-1]).strip() != text and not is_there(tree, readers[-1], new, after=True):
        changes.after.setdefault(readers[-1], []).append(new)
