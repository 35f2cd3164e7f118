"""What an edit changes in a tree, and the small pieces that several kinds of edit put together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import libcst as cst

from whygrad.fixes.finding import Expression, Line, Tree
from whygrad.fixes.refusals import Refused

ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float, cst.Tuple, cst.List, cst.Dict, cst.SimpleString)
"""What stands anywhere without parentheses."""


@dataclass(slots=True)
class Changes:
    """Nodes and what comes in their place; an empty tuple where they go."""

    new: dict[cst.CSTNode, cst.CSTNode | None] = field(default_factory=dict)
    before: dict[cst.CSTNode, list[cst.CSTNode]] = field(default_factory=dict)
    after: dict[cst.CSTNode, list[cst.CSTNode]] = field(default_factory=dict)
    spread: set[cst.CSTNode] = field(default_factory=set)
    """Blocks that give way to their statements."""


def nothing_left(tree: Tree, found: Line) -> cst.CSTNode | None:
    """`pass` where the block would be left empty."""
    parent = tree.parents.get(found)
    alone = isinstance(parent, cst.IndentedBlock) and len(parent.body) == 1
    return cst.SimpleStatementLine([cst.Pass()]) if alone else None


def keyword(name: str, value: Expression) -> cst.Arg:
    """An argument by name."""
    tight = cst.AssignEqual(whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace(""))
    return cst.Arg(value, keyword=cst.Name(name), equal=tight)


def separated(given: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Arguments behind which another one can stand."""
    args = list(given)
    if args and not isinstance(args[-1].comma, cst.Comma):
        args[-1] = args[-1].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return args


def with_arguments(tree: Tree, node: cst.Call, text: str) -> str:
    """The text with `{0}`, `{1}`, … as the call's positional arguments are written."""
    plain = [arg.value for arg in node.args if arg.keyword is None and not arg.star]
    for number in map(int, re.findall(r"\{(\d)\}", text)):
        if number >= len(plain):
            raise Refused("the argument that is meant is not written out in the call")
        written = tree.code(plain[number]).strip()
        text = text.replace(f"{{{number}}}", written if isinstance(plain[number], ATOMS) else f"({written})")
    return text


def arguments(parameters: list[cst.Param], call: cst.Call) -> Mapping[str, Expression]:
    """What each parameter of a function is in a call."""
    if any(arg.star for arg in call.args):
        raise Refused("the arguments of the call are not written out")
    found = {param.name.value: param.default for param in parameters if param.default is not None}
    plain = [arg for arg in call.args if arg.keyword is None]
    found |= {param.name.value: arg.value for param, arg in zip(parameters, plain, strict=False)}
    return found | {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}


def fitted(node: Expression) -> Expression:
    """An operand of a difference, in parentheses where it needs them."""
    return node if isinstance(node, ATOMS) or node.lpar else node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


Listed = TypeVar("Listed", cst.Arg, cst.BaseElement)
"""One of several: an argument of a call, an entry of a list."""


def without(items: Sequence[Listed], gone: cst.CSTNode) -> list[Listed]:
    """The list without one of its items; where that was the last one, the item before it ends as that did, and keeps its comment."""
    kept = [item for item in items if item is not gone]
    if kept and items[-1] is gone:
        kept[-1] = kept[-1].with_changes(comma=_ending(kept[-1].comma, items[-1].comma))
    return kept


def _ending(before: cst.Comma | cst.MaybeSentinel, last: cst.Comma | cst.MaybeSentinel) -> cst.Comma | cst.MaybeSentinel:
    old = before.whitespace_after if isinstance(before, cst.Comma) else None
    new = last.whitespace_after if isinstance(last, cst.Comma) else None
    if isinstance(last, cst.Comma) and isinstance(old, cst.ParenthesizedWhitespace) and isinstance(new, cst.ParenthesizedWhitespace):
        return last.with_changes(whitespace_after=new.with_changes(first_line=old.first_line))
    return last
