"""A layer put in front of another one, or behind it, where a model is a list of layers; one of several arguments that comes first."""

from collections.abc import Sequence

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes, Listed
from whygrad.fixes.finding import Expression, Tree, expression, is_there, last_name, statement_of
from whygrad.fixes.names import Names
from whygrad.fixes.refusals import Refused


def enlisted(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """A new element beside the layer that is made at the place, or a new call of `add`; raises `Refused` where the layer stands in no list."""
    node, text = expression(tree, edit), names.spell(edit.text)
    new = cst.parse_expression(text)
    parent = tree.parents[node]
    above = tree.parents.get(parent)
    if isinstance(parent, cst.Element) and isinstance(above, cst.List | cst.Tuple):
        changes.new[above] = above.with_changes(elements=_beside(above.elements, parent, new, edit.after))
    elif isinstance(parent, cst.Arg) and isinstance(above, cst.Call) and last_name(above) == "Sequential" and parent.keyword is None:
        changes.new[above] = above.with_changes(args=_beside(above.args, parent, new, edit.after))
    elif isinstance(parent, cst.Arg) and isinstance(above, cst.Call) and last_name(above) == "add":
        line = cst.parse_statement(f"{tree.code(above.func).strip()}({text})", config=tree.module.config_for_parsing)
        if edit.after and is_there(tree, statement_of(tree, node), line, after=True):
            return
        (changes.after if edit.after else changes.before).setdefault(statement_of(tree, node), []).append(line)
    else:
        raise Refused("the layer stands in no list of layers")


def _beside(items: Sequence[Listed], found: Listed, new: Expression, after: bool) -> list[Listed]:  # noqa: FBT001 - the edit's own field
    """The list with one item more, set off as the others are."""
    kept = list(items)
    at = kept.index(found)
    like = kept[at - 1].comma if at else found.comma
    comma = like if isinstance(like, cst.Comma) else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if not after:
        kept.insert(at, found.with_changes(value=new, comma=comma))
        return kept
    ends = at == len(kept) - 1
    if not ends and kept[at + 1].value.deep_equals(new):
        raise Refused("it is as the fix would have it")
    kept[at : at + 1] = [found.with_changes(comma=comma if ends else found.comma), found.with_changes(value=new)]
    return kept


def led(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """The argument in front of all others of its call; raises `Refused` where it is none, or the first already."""
    parent = tree.parents[expression(tree, edit)]
    above = tree.parents.get(parent)
    if (
        not isinstance(parent, cst.Arg)
        or not isinstance(above, cst.Call)
        or parent.keyword is not None
        or any(arg.star for arg in above.args)
    ):
        raise Refused("it is not one of several arguments")
    at = list(above.args).index(parent)
    row = [parent, *above.args[:at], *above.args[at + 1 :]]
    if at == 0:
        raise Refused("it comes first already")
    changes.new[above] = above.with_changes(args=[arg.with_changes(comma=old.comma) for arg, old in zip(row, above.args, strict=True)])
