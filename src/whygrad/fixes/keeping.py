"""What a call hands out, kept under the names of what it was given: values that are never changed in place have to be carried on."""

from collections.abc import Iterator, Mapping

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes, arguments
from whygrad.fixes.finding import Expression, Tree, statement
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused

DROPPED = "_"


def kept(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """The statement with names for what it drops; raises `Refused` where they can't be told."""
    found = statement(tree, edit.site)
    line = found.body[0] if isinstance(found, cst.SimpleStatementLine) and len(found.body) == 1 else None
    call = line.value if isinstance(line, cst.Expr | cst.Assign) else None
    if not isinstance(call, cst.Call) or line is None or _is_part(edit, call):
        raise Refused("no call stands alone on its line")
    function = _defined(tree, call)
    if function is None:
        changes.new[line] = _assigned(cst.parse_expression(_changed(line, call, names)), call)
        return
    given = arguments(list(function.params.params), call)
    targets = [_name(tree, part, given) for part in _returned(tree, function)]
    old = _targets(line, len(targets))
    row = [new if dotted(one) in ("", DROPPED) and new else dotted(one) or DROPPED for one, new in zip(old, targets, strict=True)]
    if all(name == DROPPED for name in row) or row == [dotted(one) for one in old]:
        raise Refused("what it hands out goes by no name that it was given")
    changes.new[line] = _assigned(cst.parse_expression(", ".join(row)), call)


def _is_part(edit: Edit, call: cst.Call) -> bool:
    """What hands something out is written within this call: `losses.append(step(params))`."""
    marked = edit.site.text[edit.site.column - 1 : edit.site.end_column - 1] if edit.site.column and edit.site.end_column else ""
    return bool(marked) and cst.Module([]).code_for_node(call).find(marked) > 0


def _assigned(target: Expression, call: cst.Call) -> cst.Assign:
    if isinstance(target, cst.Name | cst.Attribute | cst.Tuple):
        return cst.Assign([cst.AssignTarget(target)], call)
    raise Refused("nothing can be assigned to it")


def _defined(tree: Tree, call: cst.Call) -> cst.FunctionDef | None:
    """The function of the file that is called, where there is one of that name."""
    found = [part for part in tree.within(tree.module, cst.FunctionDef) if part.name.value == dotted(call.func)]
    return found[0] if len(found) == 1 else None


def _changed(line: cst.CSTNode, call: cst.Call, names: Names) -> str:
    """What a library's function makes anew: the object whose method it is, or its first argument."""
    receiver = dotted(call.func.value) if isinstance(call.func, cst.Attribute) else ""
    if not isinstance(line, cst.Expr):
        raise Refused("its result has a name")
    if receiver and receiver.split(".")[0] not in names.known.values():
        return receiver
    first = dotted(call.args[0].value) if call.args and not call.args[0].star else ""
    if not first:
        raise Refused("what it was given has no name")
    return first


def _returned(tree: Tree, function: cst.FunctionDef) -> list[Expression]:
    """What the only `return` of a function hands out, one by one."""
    lines = [part for part in tree.within(function, cst.Return) if tree.enclosing(part, cst.FunctionDef) is function]
    value = lines[0].value if len(lines) == 1 else None
    if value is None:
        raise Refused("what it hands out is not written in one place")
    return [part.value for part in value.elements] if isinstance(value, cst.Tuple) else [value]


def _name(tree: Tree, part: Expression, given: Mapping[str, Expression]) -> str:
    """The caller's name for what a returned expression is a new form of: of the parameters that it is made of, the only one."""
    read = set(_read(tree, part)) & given.keys()
    return dotted(given[read.pop()]) if len(read) == 1 else ""


def _read(tree: Tree, part: Expression) -> Iterator[str]:
    """The names that are handed on: a name itself, or the arguments of a call."""
    if isinstance(part, cst.Name):
        yield part.value
    for arg in part.args if isinstance(part, cst.Call) else ():
        yield from _read(tree, arg.value)


def _targets(line: cst.CSTNode, count: int) -> list[cst.CSTNode]:
    """What is on the left now, one for each thing that comes out."""
    if isinstance(line, cst.Expr):
        return [cst.Name(DROPPED)] * count
    target = line.targets[0].target if isinstance(line, cst.Assign) and len(line.targets) == 1 else None
    row: list[cst.CSTNode] = [part.value for part in target.elements] if isinstance(target, cst.Tuple) else [target] if target else []
    if len(row) != count or not all(dotted(one) for one in row):
        raise Refused("the line takes something else than what comes out")
    return row


def carried(tree: Tree, edit: Edit, _: Names, changes: Changes) -> None:
    """The state that an update makes anew goes out of its function as well, and in again at the next call: `updates, state = tx.update(grads, state)`."""
    found = statement(tree, edit.site)
    line = found.body[0] if isinstance(found, cst.SimpleStatementLine) and len(found.body) == 1 else None
    target = line.targets[0].target if isinstance(line, cst.Assign) and len(line.targets) == 1 else None
    call = line.value if isinstance(line, cst.Assign) else None
    if not isinstance(target, cst.Tuple) or len(target.elements) != PAIR or not isinstance(call, cst.Call) or len(call.args) < PAIR:
        raise Refused("the update and the state are not taken apart on its line")
    state, new = dotted(call.args[1].value), dotted(target.elements[1].value)
    if not state.isidentifier() or new not in (DROPPED, state):
        raise Refused("the state goes by other names")
    if new == DROPPED:
        changes.new[target.elements[1].value] = cst.Name(state)
    function = tree.enclosing(found, cst.FunctionDef)
    if isinstance(function, cst.FunctionDef) and state not in [dotted(part) for part in _returned(tree, function)]:
        _handed_out(tree, function, state, changes)
    elif new != DROPPED:
        raise Refused("the state is carried over already")


PAIR = 2


def _handed_out(tree: Tree, function: cst.FunctionDef, state: str, changes: Changes) -> None:
    """One more thing that the function returns, and that its only call takes."""
    calls = [part for part in tree.within(tree.module, cst.Call) if dotted(part.func) == function.name.value]
    line = tree.parents.get(calls[0]) if len(calls) == 1 else None
    target = line.targets[0].target if isinstance(line, cst.Assign) and len(line.targets) == 1 else None
    if target is None or len([name for name in tree.within(tree.module, cst.Name) if name.value == function.name.value]) != PAIR:
        raise Refused(f"`{function.name.value}` is called elsewhere as well, or its result is not kept")
    outside = dotted(arguments(list(function.params.params), calls[0]).get(state, cst.Name(DROPPED)))
    if outside in ("", DROPPED):
        raise Refused("the state has no name where the function is called")
    back = next(part for part in tree.within(function, cst.Return) if tree.enclosing(part, cst.FunctionDef) is function)
    value = back.value
    assert value is not None  # `_returned` has looked
    changes.new[value] = _with(value, state)
    changes.new[target] = _with(target, outside)


def _with(row: cst.CSTNode, name: str) -> cst.Tuple:
    """One more at the end of a row."""
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = cst.Element(cst.ensure_type(cst.parse_expression(name), cst.Name) if name.isidentifier() else cst.parse_expression(name))
    if isinstance(row, cst.Tuple):
        kept = [one if isinstance(one.comma, cst.Comma) else one.with_changes(comma=comma) for one in row.elements]
        return row.with_changes(elements=[*kept, last])
    return cst.Tuple([cst.Element(row.deep_clone(), comma=comma), last], lpar=[], rpar=[])  # type: ignore[arg-type]  # what is returned or assigned to is an expression
