"""Which names a function is given, makes itself, or takes from around it."""

import builtins
from collections.abc import Iterator

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, statement
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused


def read(tree: Tree, node: cst.CSTNode) -> Iterator[cst.Name]:
    """Names that are read below a node, without those of attributes and of arguments."""
    for part in tree.within(node, cst.Name):
        above = tree.parents.get(part)
        is_part = isinstance(above, cst.Attribute) and above.attr is part
        if not is_part and not (isinstance(above, cst.Arg) and above.keyword is part):
            yield part


def bound(tree: Tree, node: cst.CSTNode) -> Iterator[str]:
    """Names and attributes that statements and loops below a node bind."""
    kinds = (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For, cst.NamedExpr)
    for part in tree.nodes:
        if isinstance(part, kinds) and (part is node or any(above is node for above in tree.above(part))):
            yield from (dotted(name) for name in tree.expressions(part.target) if dotted(name))


def own_argument(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """The first argument of the function, which it never reads, for what its line takes from around it; raises `Refused` where that is not clear."""
    found = statement(tree, edit.site)
    function = tree.enclosing(found, cst.FunctionDef)
    given = [param.name.value for param in function.params.params] if isinstance(function, cst.FunctionDef) else []
    if function is None or not given:
        raise Refused("it stands in no function with arguments")
    if any(part.value == given[0] for part in read(tree, function.body)):
        raise Refused(f"`{given[0]}` is read already")
    known = {*given, *bound(tree, function), *_defined(tree), *_imported(names), *dir(builtins)}
    outer = {dotted(part) for part in _chains(tree, found)}
    outer = {name for name in outer if name.split(".")[0] not in known}
    if len(outer) != 1:
        raise Refused(f"it reads {'several names' if outer else 'nothing'} of around the function")
    for part in _chains(tree, function.body, receivers=True):
        if dotted(part) in outer:
            changes.new[part] = cst.Name(given[0])


def _chains(tree: Tree, node: cst.CSTNode, *, receivers: bool = False) -> Iterator[cst.CSTNode]:
    """What is read below a node, as far as it is named: `state.params`; not what is called, nor, unless that is asked for, whose method is called."""
    for name in read(tree, node):
        part: cst.CSTNode = name
        while isinstance(above := tree.parents.get(part), cst.Attribute) and above.value is part:
            part = above
        if not (isinstance(above, cst.Call) and above.func is part):
            yield part
        elif receivers and isinstance(part, cst.Attribute):
            yield part.value


def _defined(tree: Tree) -> set[str]:
    """Functions and classes of the file."""
    return {part.name.value for part in tree.nodes if isinstance(part, cst.FunctionDef | cst.ClassDef)}


def _imported(names: Names) -> set[str]:
    return {own.split(".")[0] for own in names.known.values()}
