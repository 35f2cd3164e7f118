"""The few ways in which an edit changes a tree: each gives the nodes to replace and what comes in their place."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import libcst as cst

from whygrad.diagnosis import Action, Edit
from whygrad.fixes.changes import ATOMS, Changes, fitted, keyword, nothing_left, separated, with_arguments, without
from whygrad.fixes.decorators import decorated, redecorated, uncached
from whygrad.fixes.deriving import derived
from whygrad.fixes.enlisting import enlisted, led
from whygrad.fixes.finding import (
    Expression,
    Line,
    Tree,
    assigned,
    block,
    body_start,
    called_once,
    calling,
    container,
    expression,
    having,
    is_entry,
    is_there,
    last_name,
    named_by,
    outermost_loop,
    repeated_loop,
    statement,
    target,
    turn_start,
)
from whygrad.fixes.grouping import grouped
from whygrad.fixes.hoisting import hoisted
from whygrad.fixes.keeping import carried, kept
from whygrad.fixes.lasting import handed_on, lasting
from whygrad.fixes.mistaking import mistaken
from whygrad.fixes.moving import may_move
from whygrad.fixes.names import Names, dotted, is_module
from whygrad.fixes.postponing import postponed, taken_in
from whygrad.fixes.reaching import always, reached
from whygrad.fixes.rebinding import by_method, into_element, inward, not_in_place
from whygrad.fixes.refusals import Refused
from whygrad.fixes.repeating import beside, everywhere, repeated
from whygrad.fixes.returning import put_back, returned
from whygrad.fixes.scoping import in_scope, own_argument
from whygrad.fixes.swapping import by_size, divided, exchanged, named_like, narrowed
from whygrad.fixes.thawing import thawed
from whygrad.fixes.translating import translated

PLACEHOLDER = "__x__"
PAIR = 2
"""Arguments up to which a position tells which one is meant: a loss has a prediction and a target, and a call of more may be another function."""
GIVEN = -2
"""The position that means what a call was given: the tensor of a method, else the first argument."""
OF_METHODS = frozenset(("view", "reshape", "to", "astype", "shuffle"))
"""Methods whose arguments are settings, also where these are variables: `scores.view(n, c)`, `net.to(kind)`."""
_TIGHT = (cst.BinaryOperation, cst.UnaryOperation, cst.Attribute, cst.Comparison, cst.Subscript, cst.Await)
_SETTINGS = (cst.Integer, cst.UnaryOperation, cst.SimpleString, cst.Tuple)
"""What sets an axis or a type, and is no tensor."""


def apply(tree: Tree, edits: tuple[Edit, ...], names: Names) -> cst.Module:
    """The file with all edits; raises `Refused` where one of them can't be made."""
    changes = Changes()
    for edit in edits:
        if edit.around == "once":
            called_once(tree, edit.site)
        _ACTIONS[edit.action](tree, edit, names, changes)
    module = tree.module.visit(_Changing(changes))
    return module if isinstance(module, cst.Module) else tree.module


class _Changing(cst.CSTTransformer):
    """Makes the changes; what is put in a node's place may hold nodes that change as well."""

    def __init__(self, changes: Changes) -> None:
        super().__init__()
        self.changes = changes

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self.changes.new

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        changes = self.changes
        updated = updated_node
        if original_node in changes.new:
            new = changes.new[original_node]
            updated = cst.RemoveFromParent() if new is None else new.visit(self)
        if original_node in changes.spread:
            updated = cst.FlattenSentinel(_dissolved(updated_node))
        before, after = changes.before.get(original_node, []), changes.after.get(original_node, [])
        if not before and not after:
            return updated
        kept = [] if isinstance(updated, cst.RemovalSentinel) else list(updated) if isinstance(updated, cst.FlattenSentinel) else [updated]
        return cst.FlattenSentinel([*_with_leading(before, kept), *after])


def _with_leading(before: list[cst.CSTNode], kept: list[cst.CSTNode]) -> list[cst.CSTNode]:
    """New statements in front of kept ones stand below the empty lines that led to these."""
    if not before or not kept:
        return [*before, *kept]
    lines = getattr(kept[0], "leading_lines", ())
    gap = [line for line in lines if line.comment is None] if all(line.comment is None for line in lines) else []
    if not gap:
        return [*before, *kept]
    return [before[0].with_changes(leading_lines=gap), *before[1:], kept[0].with_changes(leading_lines=()), *kept[1:]]


def _dissolved(updated: cst.CSTNode) -> list[cst.CSTNode]:
    """The statements of a block, in its place; comments in front of it stay."""
    body = list(updated.body.body)  # type: ignore[attr-defined]  # a With
    first = body[0].with_changes(leading_lines=(*updated.leading_lines, *body[0].leading_lines))  # type: ignore[attr-defined]  # both are statements
    return [first, *body[1:]]


def _filled(tree: Tree, names: Names, text: str, node: cst.CSTNode | None = None) -> Expression:
    """The template as an expression, around what stands there."""
    code = names.spell(text.replace("{x}", PLACEHOLDER))
    if node is not None and PLACEHOLDER in code:
        inner = tree.code(node).strip()
        bare = isinstance(node, ATOMS) or bool(getattr(node, "lpar", ())) or f"({PLACEHOLDER}" in code
        code = code.replace(PLACEHOLDER, inner if bare else f"({inner})")
    try:
        return cst.parse_expression(code, config=tree.module.config_for_parsing)
    except cst.ParserSyntaxError:
        raise Refused(f"`{code}` does not fit in its place") from None


def _fitting(tree: Tree, old: cst.CSTNode, new: Expression) -> Expression:
    """In parentheses where what stands around would take it apart, or where the old one stood in them and it is more than one piece; alone it needs none."""
    if isinstance(tree.parents.get(old), cst.Assign | cst.Return) and isinstance(new, cst.BinaryOperation) and "\n" not in tree.code(new):
        return new.with_changes(lpar=(), rpar=())
    if getattr(old, "lpar", ()) and not new.lpar and not isinstance(new, cst.Name | cst.Attribute | cst.Call | cst.Subscript):
        return new.with_changes(lpar=old.lpar, rpar=old.rpar)  # type: ignore[attr-defined]  # asked for above
    if not isinstance(new, ATOMS) and isinstance(tree.parents.get(old), _TIGHT) and not new.lpar:
        return new.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return new


def _wrap(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    node = _WHOLE[edit.around](tree, edit) if edit.around in _WHOLE else expression(tree, edit)
    if edit.keyword or edit.position is not None:
        node = given(node, names) if edit.position == GIVEN and isinstance(node, cst.Call) else _part(node, edit)
    if tree.ranges[node].start.line != edit.site.line and _is_wrapped(tree, names, edit.text, node):
        raise Refused("it is as the fix would have it")
    if edit.text == "-{x}" and isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        changes.new[node] = _fitting(tree, node, node.expression)
        return
    text = edit.text if "{x}" in edit.text else in_scope(tree, node, edit.text, names)
    changes.new[node] = _fitting(tree, node, _filled(tree, names, text, node))


_WHOLE: Mapping[str, Callable[[Tree, Edit], Expression]] = {"value": assigned, "container": container}


def _is_wrapped(tree: Tree, names: Names, text: str, node: Expression) -> bool:
    """What was found elsewhere looks like what the edit makes: that its line is unchanged does not tell."""
    template = re.escape(names.spell(text.replace("{x}", PLACEHOLDER)))
    return re.fullmatch(template.replace(PLACEHOLDER, ".+"), tree.code(node).strip()) is not None


def _part(node: Expression, edit: Edit) -> Expression:
    """The argument of a call, or the operand, that is meant."""
    if edit.written:
        parts = [node.left, node.right] if isinstance(node, cst.BinaryOperation) else [arg.value for arg in getattr(node, "args", ())]
        parts = [node.expression] if isinstance(node, cst.UnaryOperation) else parts
        alike = [part for part in parts if cst.Module([]).code_for_node(part).strip() == edit.written]
        if len(alike) == 1:
            return alike[0]
        if isinstance(node, cst.Call) and len(parts) > PAIR:
            raise Refused(f"`{edit.written}` is not written out in the call")
    if isinstance(node, cst.BinaryOperation) and edit.position is not None:
        return node.right if edit.position else node.left
    argument = _argument_of(node, edit)
    if argument is None:
        raise Refused("the argument that is meant is not written out in the call")
    return argument.value


def _swap(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    node = expression(tree, edit)
    if isinstance(node, cst.Comparison):
        larger, smaller = by_size(node)
        difference = cst.BinaryOperation(fitted(larger), cst.Subtract(), fitted(smaller))
        changes.new[node] = _fitting(tree, node, _filled(tree, names, edit.text, difference))
        return
    if not isinstance(node, cst.Call):
        raise Refused("it is no call")
    function, _, made = edit.text.partition("|")
    if last_name(node) == "Activation" and node.args:
        changes.new[node.args[0].value] = named_like(node.args[0].value, function.partition("(")[0])
        return
    of_class = made and last_name(node)[:1].isupper()
    function = function.replace("{args}", _arguments(tree, node, names)) if "{args}" in function else function
    changes.new[node] = _fitting(tree, node, _filled(tree, names, made) if of_class else _filled(tree, names, function, given(node, names)))


def _arguments(tree: Tree, node: cst.Call, names: Names) -> str:
    """All arguments of a call, as those of a function: the tensor of a method comes first."""
    written = [tree.code(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip() for arg in node.args]
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    of_method = receiver is not None and receiver is given(node, names)
    return ", ".join([tree.code(receiver).strip(), *written] if of_method and receiver is not None else written)


def _replace(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    node = expression(tree, edit)
    changes.new[node] = _fitting(tree, node, _filled(tree, names, edit.text))


def _argument_of(node: Expression, edit: Edit) -> cst.Arg | None:
    if not isinstance(node, cst.Call) or any(arg.star for arg in node.args):
        return None
    named = next((arg for arg in node.args if arg.keyword is not None and arg.keyword.value == edit.keyword), None)
    if named is not None or edit.position is None:
        return named
    plain = [arg for arg in node.args if arg.keyword is None]
    if edit.position < 0:
        whole = [arg for arg in plain if isinstance(arg.value, cst.Integer) or _is_negative(arg.value)]
        return whole[0] if len(whole) == 1 else None
    return plain[edit.position] if edit.position < len(plain) else None


def _is_negative(node: Expression) -> bool:
    return isinstance(node, cst.UnaryOperation) and isinstance(node.expression, cst.Integer)


def _argument(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    node = having(tree, edit) if edit.around == "file" else expression(tree, edit)
    if isinstance(node, cst.SimpleString) and edit.text:
        changes.new[node] = _filled(tree, names, f"keras.losses.{_class_name(node)}({edit.keyword}={edit.text})")
        return
    if not isinstance(node, cst.Call) or any(arg.star == "*" or (arg.star and not edit.text) for arg in node.args):
        raise Refused("the arguments of the call are not written out")
    old = _argument_of(node, edit)
    if not edit.text:
        if old is None:
            raise Refused(f"`{edit.keyword}` is not among the arguments of the call")
        changes.new[node] = node.with_changes(args=without(node.args, old))
        return
    here = edit.text.replace("{name}", handed_on(tree, statement(tree, edit.to), edit.written)) if edit.to is not None else edit.text
    if old is not None:
        changes.new[old.value] = _filled(tree, names, here, old.value)
    else:
        text = with_arguments(tree, node, here)
        changes.new[node] = node.with_changes(args=[*separated(node.args), keyword(edit.keyword, _filled(tree, names, text))])


def _class_name(node: cst.SimpleString) -> str:
    """The class behind the name of a loss of Keras': `BinaryCrossentropy` for `binary_crossentropy`."""
    return "".join(part.capitalize() for part in str(node.evaluated_value).split("_"))


def _callee(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    node = named_by(expression(tree, edit))
    function, _, made = edit.text.partition("|")
    if isinstance(node, cst.SimpleString):
        changes.new[node] = node.with_changes(value=f"{node.quote}{function.rpartition('.')[2]}{node.quote}")
        return
    if not isinstance(node, cst.Call):
        raise Refused("it is no call")
    if _is_method(node, names):
        changes.new[node.func] = cst.ensure_type(node.func, cst.Attribute).with_changes(attr=cst.Name(function.rpartition(".")[2]))
        return
    changes.new[node.func] = cst.parse_expression(names.spell(made if made and last_name(node)[:1].isupper() else function))


def _is_method(node: cst.Call, names: Names) -> bool:
    """`scores.softmax(1)`: a method of what it works on, and neither a function of a module nor something that an object holds."""
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    if receiver is None or last_name(node)[:1].isupper():
        return False
    return not is_module(dotted(receiver), names) and dotted(receiver) != "self"


def _unwrap(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    node = expression(tree, edit)
    if is_entry(tree, node, edit.calls):
        _unlist(tree, node, edit, names, changes)
    elif isinstance(node, cst.Attribute):
        changes.new[node] = node.value
    elif isinstance(node, cst.Comparison):
        changes.new[node] = _fitting(tree, node, by_size(node)[0])
    elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide | cst.Multiply):
        changes.new[node] = _fitting(tree, node, node.right if edit.position == 1 else node.left)
    elif not isinstance(node, cst.Call):
        raise Refused("it is no call")
    elif last_name(node)[:1].isupper() or (isinstance(node.func, cst.Subscript) and not node.args):
        _unlist(tree, node, edit, names, changes)
    else:
        changes.new[node] = _fitting(tree, node, given(node, names))


def given(node: cst.Call, names: Names) -> Expression:
    """What a call was given: the tensor of a method, else the first argument."""
    plain = [arg.value for arg in node.args if arg.keyword is None and not arg.star]
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    on_itself = last_name(node) in OF_METHODS or not plain or isinstance(plain[0], _SETTINGS)
    if receiver is not None and on_itself and not is_module(dotted(receiver), names):
        return receiver
    if not plain:
        raise Refused("what the call was given is not written out in it")
    return plain[0]


def _unlist(tree: Tree, node: Expression, edit: Edit, names: Names, changes: Changes) -> None:
    """A layer that is made: out of the list of layers, or an identity in its place where it has a name."""
    parent = tree.parents[node]
    above = tree.parents.get(parent)
    if isinstance(parent, cst.Call) and parent.func is node and len(parent.args) == 1:
        changes.new[parent] = _fitting(tree, parent, parent.args[0].value)
        return
    if isinstance(parent, cst.Arg) and isinstance(above, cst.Call) and parent.keyword is None:
        if last_name(above) == "add":
            changes.new[statement(tree, replace(edit.site, line=tree.ranges[node].start.line))] = None
            return
        if last_name(above) in ("Sequential", "ModuleList", "Serial", "chain"):
            changes.new[above] = above.with_changes(args=without(above.args, parent))
            return
    if isinstance(parent, cst.Element) and isinstance(above, cst.List | cst.Tuple):
        changes.new[above] = above.with_changes(elements=without(above.elements, parent))
        return
    if not edit.text:
        raise Refused("the layer has a name, which other lines may use")
    changes.new[node] = _filled(tree, names, edit.text)


def _drop(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    found = calling(tree, edit) if edit.calls else statement(tree, edit.site)
    if not isinstance(found, cst.SimpleStatementLine):
        raise Refused("a whole block stands there")
    changes.new[found] = nothing_left(tree, found)


def _insert(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    at = statement(tree, edit.site)
    if edit.around == "loop" and edit.written:
        at, name = lasting(tree, at, edit.written)
        text = edit.text.replace("{name}", name)
    else:
        text = edit.text.replace("{name}", tree.code(target(at))) if "{name}" in edit.text else edit.text
    new = cst.parse_statement(names.spell(text), config=tree.module.config_for_parsing)
    loop = outermost_loop(tree, at)
    if edit.around == "loop" and not edit.written and loop is at:
        raise Refused("no loop stands around it")
    at = loop if edit.around == "loop" else body_start(tree, at) if edit.around == "body" else at
    if is_there(tree, at, new, after=edit.after):
        return
    (changes.after if edit.after else changes.before).setdefault(at, []).append(new)


def _move(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    found = statement(tree, edit.site)
    if edit.to is None or not isinstance(found, cst.SimpleStatementLine):
        raise Refused("a whole block would have to move")
    to = statement(tree, edit.to)
    to = _AROUND[edit.around](tree, to) if edit.around in _AROUND else to
    if to is found:
        raise Refused("it stands there already")
    may_move(tree, found, to, after=edit.after)
    changes.new[found] = nothing_left(tree, found)
    moved = found.with_changes(leading_lines=[line for line in found.leading_lines if line.comment is not None])
    (changes.after if edit.after else changes.before).setdefault(to, []).append(moved)


_AROUND: Mapping[str, Callable[[Tree, Line], Line]] = {"loop": outermost_loop, "body": turn_start, "epoch": repeated_loop}


def _dissolve(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    found = block(tree, edit.site, edit.calls)
    if isinstance(found, cst.Decorator):
        changes.new[found] = None
        return
    kept = [item for item in found.items if edit.calls and last_name(item.item) not in edit.calls]
    if kept:
        changes.new[found] = found.with_changes(items=[*kept[:-1], kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)])
    elif any(item.asname for item in found.items) or not isinstance(found.body, cst.IndentedBlock):
        raise Refused("the block has a name, or stands on one line")
    else:
        changes.spread.add(found)


def _augment(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    found = statement(tree, edit.site)
    kept = found.body[0] if isinstance(found, cst.SimpleStatementLine) else None
    value = kept.value if isinstance(kept, cst.Assign) and len(kept.targets) == 1 else None
    if not isinstance(value, cst.BinaryOperation) or not isinstance(value.operator, cst.Subtract | cst.Add):
        raise Refused("it is no sum or difference that is assigned")
    own = target(found)
    if tree.code(value.left).strip() != tree.code(own).strip() or not isinstance(own, cst.Name | cst.Attribute | cst.Subscript):
        raise Refused("what is assigned does not begin with the name that it is assigned to")
    operator = cst.SubtractAssign() if isinstance(value.operator, cst.Subtract) else cst.AddAssign()
    changes.new[kept] = cst.AugAssign(own, operator, value.right)  # type: ignore[index]  # an Assign, as its value shows


def _anew(made: Callable[[Tree, Edit, Names], dict[cst.CSTNode, cst.CSTNode | None]]) -> Callable[[Tree, Edit, Names, Changes], None]:
    """An action that gives its new nodes itself."""
    return lambda tree, edit, names, changes: changes.new.update(made(tree, edit, names))


_ACTIONS: Mapping[Action, Callable[[Tree, Edit, Names, Changes], None]] = {
    "unwrap": _unwrap,
    "wrap": _wrap,
    "argument": _argument,
    "callee": _callee,
    "replace": _replace,
    "drop": _drop,
    "insert": _insert,
    "move": _move,
    "dissolve": _dissolve,
    "augment": _augment,
    "swap": _swap,
    "translate": _anew(translated),
    "redecorate": _anew(redecorated),
    "divide": divided,
    "narrow": narrowed,
    "reach": reached,
    "always": always,
    "hoist": hoisted,
    "element": into_element,
    "part": not_in_place,
    "assign": by_method,
    "keep": kept,
    "repeat": repeated,
    "alike": everywhere,
    "own": own_argument,
    "carry": carried,
    "inward": inward,
    "decorate": decorated,
    "uncache": uncached,
    "enlist": enlisted,
    "return": returned,
    "derive": derived,
    "beside": beside,
    "mistake": mistaken,
    "group": grouped,
    "put back": put_back,
    "postpone": postponed,
    "take in": taken_in,
    "thaw": thawed,
    "lead": led,
    "exchange": exchanged,
}
