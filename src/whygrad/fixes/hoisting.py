"""What a function makes anew at each call, made once: by the object whose method it is, or before the loop that calls the function."""

from collections.abc import Iterator, Mapping

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.changes import Changes, arguments, keyword, nothing_left, separated
from whygrad.fixes.finding import Expression, Line, Tree, expression, outermost_loop, statement, target
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused
from whygrad.fixes.scoping import bound, read

_FIXED = (cst.Name, cst.Attribute, cst.Integer, cst.Float, cst.SimpleString)
"""Arguments that are the same at each turn of a loop as long as no name in them is bound anew."""


def hoisted(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """Raises `Refused` where what it is made of is not known at the place where it is to be made once."""
    if edit.text:
        _read_from_object(tree, edit, names, changes)
        return
    found = statement(tree, edit.site)
    kept, function = target(found), tree.enclosing(found, cst.FunctionDef)
    if not isinstance(function, cst.FunctionDef) or not isinstance(kept, cst.Name) or tree.parents.get(found) is not function.body:
        raise Refused("it is not made in a function of its own right")
    owner = tree.enclosing(function, cst.FunctionDef, cst.ClassDef)
    if isinstance(owner, cst.ClassDef):
        _kept_by_object(tree, found, function, owner, changes)
    elif owner is None:
        _handed_in(tree, found, function, changes)
    else:
        raise Refused("it is made in a function within a function")


def _made(found: Line) -> Expression:
    return cst.ensure_type(cst.ensure_type(found, cst.SimpleStatementLine).body[0], cst.Assign).value


def _names(tree: Tree, node: cst.CSTNode) -> frozenset[str]:
    return frozenset(part.value for part in read(tree, node))


def _parameters(function: cst.FunctionDef) -> list[cst.Param]:
    given = function.params
    if given.posonly_params or given.kwonly_params or given.star_kwarg or isinstance(given.star_arg, cst.Param):
        raise Refused("the function takes its arguments in another way than by position")
    return list(given.params)


def _kept_by_object(tree: Tree, found: Line, function: cst.FunctionDef, owner: cst.ClassDef, changes: Changes) -> None:
    """Made at the end of `__init__`, and kept under the same name."""
    made, name = _made(found), cst.ensure_type(target(found), cst.Name).value
    own = dotted(function.params.params[0].name) if function.params.params else ""
    local = {param.name.value for param in _parameters(function)} | set(bound(tree, function))
    if (_names(tree, made) - {own}) & local:
        raise Refused("it is made of what the method is given")
    begun = _beginning(tree, owner, function, own)
    kept = f"{own}.{name}"
    if _has_it(tree, begun, kept, made, own):
        changes.new[made] = cst.Attribute(cst.Name(own), cst.Name(name))
        return
    needed = {dotted(part) for part in tree.within(made, cst.Attribute) if dotted(part).startswith(f"{own}.")}
    if not {".".join(part.split(".")[:2]) for part in needed} <= set(bound(tree, begun)) or kept in set(bound(tree, owner)):
        raise Refused("what it is made of is not there when the object is made")
    changes.after.setdefault(begun.body.body[-1], []).append(_keeping(own, name, made))
    changes.new[made] = cst.Attribute(cst.Name(own), cst.Name(name))


def _beginning(tree: Tree, owner: cst.ClassDef, function: cst.FunctionDef, own: str) -> cst.FunctionDef:
    """The `__init__` of the class, which calls the object as the method does."""
    begun = next((part for part in tree.within(owner, cst.FunctionDef) if part.name.value == "__init__" and part is not function), None)
    if begun is None or not isinstance(begun.body, cst.IndentedBlock) or dotted(begun.params.params[0].name) != own:
        raise Refused("its class has no `__init__`")
    return begun


def _keeping(own: str, name: str, value: Expression) -> cst.SimpleStatementLine:
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Attribute(cst.Name(own), cst.Name(name)))], value)])


def _read_from_object(tree: Tree, edit: Edit, names: Names, changes: Changes) -> None:
    """What the text makes of the object's own is kept at the end of `__init__` under the name that is `written`, and given to the call."""
    call = expression(tree, edit)
    function = tree.enclosing(call, cst.FunctionDef)
    owner = tree.enclosing(function, cst.FunctionDef, cst.ClassDef) if function is not None else None
    own = dotted(function.params.params[0].name) if function is not None and function.params.params else ""
    if function is None or not isinstance(owner, cst.ClassDef) or not isinstance(call, cst.Call) or len(call.args) != 1:
        raise Refused("it is no method of a class that makes it")
    begun, kept, value = _beginning(tree, owner, function, own), f"{own}.{edit.written}", cst.parse_expression(names.spell(edit.text))
    parts = [node for node in _parts(value) if dotted(node).startswith(f"{own}.")]
    if not parts or not {dotted(part) for part in parts} <= set(bound(tree, begun)) or kept in set(bound(tree, owner)):
        raise Refused("what it is made of is not there when the object is made")
    changes.after.setdefault(begun.body.body[-1], []).append(_keeping(own, edit.written, value))
    changes.new[call] = call.with_changes(args=[cst.Arg(cst.Attribute(cst.Name(own), cst.Name(edit.written)))])


def _parts(node: cst.CSTNode) -> Iterator[cst.Attribute]:
    """The outermost attributes in an expression."""
    if isinstance(node, cst.Attribute):
        yield node
        return
    for child in node.children:
        yield from _parts(child)


def _has_it(tree: Tree, begun: cst.FunctionDef, kept: str, made: Expression, own: str) -> bool:
    """The object begins with the same thing under that name: `self.gen = make(seed)` beside `make(self.seed)`."""
    values = [line.value for line in tree.within(begun, cst.Assign) if [dotted(each.target) for each in line.targets] == [kept]]
    return len(values) == 1 and tree.code(values[0]).replace(f"{own}.", "") == tree.code(made).replace(f"{own}.", "")


def _handed_in(tree: Tree, found: Line, function: cst.FunctionDef, changes: Changes) -> None:
    """Made before the outermost loop around the only call of the function, and handed over as one more argument."""
    made, name = _made(found), cst.ensure_type(target(found), cst.Name).value
    call, loop = _called(tree, function)
    caller = tree.enclosing(call, cst.FunctionDef)
    parameters = _parameters(function)
    given = arguments(parameters, call)
    _known_before(tree, made, function, given, loop)
    if any(part.value == name and tree.enclosing(part, cst.FunctionDef) is caller for part in tree.within(tree.module, cst.Name)):
        raise Refused(f"`{name}` has another meaning where the function is called")
    value = made.visit(_Substituted(given))
    if not isinstance(value, cst.BaseExpression):
        raise Refused("what is made is no expression")
    new = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], value)])
    changes.before.setdefault(loop, []).append(new)
    changes.new[found] = nothing_left(tree, found)
    changes.new[function.params] = _with_parameter(function.params, name)
    changes.new[call] = call.with_changes(args=[*separated(call.args), _argument(parameters, call, name)])


def _called(tree: Tree, function: cst.FunctionDef) -> tuple[cst.Call, Line]:
    """The only call of a function, and the outermost loop around that."""
    calls = [part for part in tree.within(tree.module, cst.Call) if dotted(part.func) == function.name.value]
    if len(calls) != 1 or len([part for part in tree.within(tree.module, cst.Name) if part.value == function.name.value]) != 2:  # noqa: PLR2004 - its definition and the call
        raise Refused(f"`{function.name.value}` is called from more than one place, or from another file")
    line = tree.enclosing(calls[0], cst.SimpleStatementLine)
    loop = outermost_loop(tree, line) if line is not None else line
    if line is None or loop is None or loop is line:
        raise Refused(f"`{function.name.value}` is called from no loop")
    return calls[0], loop


def _known_before(tree: Tree, made: Expression, function: cst.FunctionDef, given: Mapping[str, Expression], loop: Line) -> None:
    """All that it is made of is what the loop leaves as it is."""
    names = _names(tree, made)
    changed = set(bound(tree, loop))
    for name in names & given.keys():
        value = given[name]
        if not isinstance(value, _FIXED) or any(dotted(part) in changed for part in tree.expressions(value)):
            raise Refused(f"`{name}` is another one at each turn of the loop")
    if (names - given.keys()) & set(bound(tree, function)):
        raise Refused("it is made of what the function reckons")


class _Substituted(cst.CSTTransformer):
    """Parameters of a function, as its call has them."""

    def __init__(self, given: Mapping[str, Expression]) -> None:
        super().__init__()
        self.given = given

    def visit_Attribute_attr(self, _: cst.Attribute) -> None:  # noqa: N802 - libcst's name
        return None

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:  # noqa: N802
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:  # noqa: N802
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:  # noqa: N802
        found = self.given.get(original_node.value)
        return updated_node if found is None else found.deep_clone()


def _with_parameter(params: cst.Parameters, name: str) -> cst.Parameters:
    """One more parameter, behind those without a default."""
    plain = [param for param in params.params if param.default is None]
    others = [param for param in params.params if param.default is not None]
    row = [*plain, cst.Param(cst.Name(name)), *others]
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    spaced = [param if isinstance(param.comma, cst.Comma) else param.with_changes(comma=comma) for param in row[:-1]]
    return params.with_changes(params=[*spaced, row[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)])


def _argument(parameters: list[cst.Param], call: cst.Call, name: str) -> cst.Arg:
    """By position where all that come before it are, else by name."""
    plain = [arg for arg in call.args if arg.keyword is None]
    defaults = any(param.default is not None for param in parameters)
    if len(plain) > sum(1 for param in parameters if param.default is None):
        raise Refused("an argument with a default is given by position")
    return cst.Arg(cst.Name(name)) if not defaults and len(plain) == len(call.args) else keyword(name, cst.Name(name))
