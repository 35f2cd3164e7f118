"""Another group of parameters for an optimizer, out of the model whose parameters the function goes through."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, is_there, last_name, statement, target
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused

LISTS = frozenset(("parameters", "named_parameters"))


def grouped(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """`add_param_group` behind the statement that makes the optimizer, for names that begin as `text` says, with a `keyword` at the highest rate that it has; raises `Refused` where the model is not known."""
    at = statement(tree, edit.site)
    own, model = tree.code(target(at)).strip(), _model(tree, at)
    rate = f', "lr": max(group["lr"] for group in {own}.param_groups)' if edit.keyword else ""
    group = f'{{"params": [p for name, p in {model}.named_parameters() if name.startswith({edit.text})]{rate}}}'
    new = cst.parse_statement(f"{own}.add_param_group({group})", config=tree.module.config_for_parsing)
    if not is_there(tree, at, new, after=True):
        changes.after.setdefault(at, []).append(new)


def _model(tree: Tree, at: cst.CSTNode) -> str:
    """The only object whose parameters are gone through in front of the statement, in its function."""
    function = tree.enclosing(at, cst.FunctionDef) or tree.module
    end = tree.ranges[at].end.line
    receivers = {
        tree.code(call.func.value).strip()
        for call in tree.within(function, cst.Call)
        if isinstance(call.func, cst.Attribute) and last_name(call) in LISTS and tree.ranges[call].start.line <= end
    }
    if len(receivers) != 1:
        raise Refused(
            "which model's parameters are meant can't be told from the function" if receivers else "no model stands in the function"
        )
    return receivers.pop()
