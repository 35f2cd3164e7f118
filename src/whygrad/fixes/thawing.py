"""A layer made trainable again behind the loop that freezes by names."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, is_there, last_name, statement
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused

PARTS = frozenset(("parameters", "named_parameters", "modules", "named_modules", "children", "named_children"))
"""Methods of PyTorch's modules that such loops go through; others have a list of `layers`."""


def thawed(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`text` with the model for `{x}` behind the loop around the place; raises `Refused` where no loop goes through a model."""
    node: cst.CSTNode | None = statement(tree, edit.site)
    while node is not None and not (isinstance(node, cst.For) and _model(tree, node.iter)):
        node = tree.enclosing(node, cst.For)
    if not isinstance(node, cst.For):
        raise Refused("no loop goes through a model there")
    new = cst.parse_statement(edit.text.replace("{x}", _model(tree, node.iter)), config=tree.module.config_for_parsing)
    if not is_there(tree, node, new, after=True):
        changes.after.setdefault(node, []).append(new)


def _model(tree: Tree, through: cst.BaseExpression) -> str:
    """Whose parameters or layers a loop goes through; "" for anything else."""
    if isinstance(through, cst.Call) and last_name(through) in PARTS and isinstance(through.func, cst.Attribute):
        return tree.code(through.func.value).strip()
    listed = through.value if isinstance(through, cst.Subscript) else through
    return tree.code(listed.value).strip() if isinstance(listed, cst.Attribute) and listed.attr.value == "layers" else ""
