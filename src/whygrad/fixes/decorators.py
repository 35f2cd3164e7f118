"""The decorator of a function, exchanged for another one."""

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.finding import Tree, last_name, statement
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused


def redecorated(tree: Tree, edit: Edit, names: Names) -> dict[cst.CSTNode, cst.CSTNode | None]:
    """The name of the decorator, new for old; raises `Refused` where no function around the place is decorated by one of these."""
    for above in tree.above(statement(tree, edit.site)):
        for decorator in above.decorators if isinstance(above, cst.FunctionDef) else ():
            written = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
            if last_name(written) in edit.calls:
                return {written: cst.parse_expression(names.spell(edit.text))}
    raise Refused(f"no function around it is decorated by `{edit.calls[0]}`")
