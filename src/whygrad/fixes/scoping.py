"""Which names a function is given, makes itself, or takes from around it."""

import builtins
from collections.abc import Iterator

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes
from whygrad.fixes.finding import Tree, statement
from whygrad.fixes.names import ROOTS, Names, dotted
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


def in_scope(tree: Tree, at: cst.CSTNode, code: str, names: Names) -> str:
    """An expression of names as the function at a place can write it: by the name that it has given to it, else as it is; raises `Refused` where it knows no such name."""
    function = tree.enclosing(at, cst.FunctionDef)
    around = function if isinstance(function, cst.FunctionDef) else tree.module
    plain = code.replace("'", '"')
    for name, value in _pairs(tree, around):
        if tree.code(value).replace("'", '"') == plain and tree.ranges[value].end.line < tree.ranges[at].start.line:
            return name
    other = Tree.of(code, "the change")
    params = [param.name.value for outer in tree.above(at) if isinstance(outer, cst.FunctionDef) for param in outer.params.params]
    known = {*params, *bound(tree, tree.module), *_defined(tree), *_imported(names), *ROOTS, *dir(builtins)}
    unknown = [name.value for name in read(other, other.module) if name.value not in known]
    if unknown:
        raise Refused(f"`{unknown[0]}` is not known on its line")
    return plain if tree.module.code.count('"') > tree.module.code.count("'") else code


def _pairs(tree: Tree, around: cst.CSTNode) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Names and what is assigned to each, of a row of them too."""
    for part in tree.within(around, cst.Assign):
        for target in part.targets:
            one, value = target.target, part.value
            rows = isinstance(one, cst.Tuple) and isinstance(value, cst.Tuple) and len(one.elements) == len(value.elements)
            both = zip(one.elements, value.elements, strict=True) if rows else ()  # type: ignore[attr-defined]  # asked for above
            for name, item in [(one, value)] if not rows else [(left.value, right.value) for left, right in both]:
                if isinstance(name, cst.Name):
                    yield name.value, item


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
