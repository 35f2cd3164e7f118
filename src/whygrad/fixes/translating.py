"""What a function reckons with NumPy, said with the framework's own functions: the way out and the way back go, and what lies between is translated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from whygrad.diagnosis import Edit
from whygrad.fixes.finding import Expression, Line, Tree, last_name, statement
from whygrad.fixes.names import Names, dotted
from whygrad.fixes.refusals import Refused

LEAVING = frozenset(("detach", "cpu", "numpy", "item"))
"""Methods by which a tensor becomes an array or a number."""
ENTERING = frozenset(
    ("torch.tensor", "torch.as_tensor", "torch.from_numpy", "torch.FloatTensor", "torch.Tensor", "tensorflow.constant", "tensorflow.convert_to_tensor")
)  # fmt: skip
"""Functions that make a tensor of an array or a number."""
ESCAPES = frozenset(("tensorflow.numpy_function", "tensorflow.py_function"))
"""Functions that hand a list of tensors to a function of the program's own, as arrays."""
COPYING = frozenset(("asarray", "array", "float32", "float64"))
"""NumPy's functions that give what they were given."""
ALIKE = frozenset(
    (
        "mean", "sum", "abs", "absolute", "sqrt", "exp", "log", "log1p", "maximum", "minimum", "where", "square", "sin", "cos", "tan", "tanh", "sign",
        "prod", "stack", "concatenate", "matmul", "clip", "reshape", "transpose", "linalg.norm", "isnan", "zeros_like", "ones_like",
    )
)  # fmt: skip
"""NumPy's functions that go by the same name, with the same arguments, in the other libraries."""
OTHERWISE: Mapping[str, Mapping[str, str]] = {
    "torch": {"max": "amax", "amax": "amax", "min": "amin", "amin": "amin", "power": "pow", "quantile": "quantile"},
    "keras.ops": {
        "max": "max", "amax": "max", "min": "min", "amin": "min", "power": "power", "var": "var", "std": "std", "linalg.norm": "norm",
        "quantile": "quantile", "median": "median",
    },
    "jax.numpy": {
        name: name
        for name in (
            "asarray", "array", "float32", "max", "min", "amax", "amin", "power", "var", "std", "percentile", "quantile", "median", "dot", "cumsum", "sort",
            "linspace", "arange", "einsum", "outer", "expand_dims", "squeeze", "zeros", "ones", "corrcoef", "cov", "average",
        )
    },
}  # fmt: skip
"""What others are called there, by library."""
RENAMED = {
    "torch": {"axis": "dim", "keepdims": "keepdim", "a_min": "min", "a_max": "max"},
    "keras.ops": {"a_min": "x_min", "a_max": "x_max"},
}
"""Names of arguments."""


@dataclass(frozen=True)
class Region:
    """The statements to be translated, and the names that the function was given."""

    tree: Tree
    names: Names
    library: str
    statements: tuple[Line, ...] = ()
    given: frozenset[str] = frozenset()

    def full(self, node: cst.CSTNode) -> str:
        """What a name stands for, by the file's imports: `numpy.mean` for `np.mean`."""
        written = dotted(node)
        for full, own in sorted(self.names.known.items(), key=lambda pair: -len(pair[1])):
            if own and (written == own or written.startswith(f"{own}.")):
                return full + written[len(own) :]
        return written


def translated(tree: Tree, edit: Edit, names: Names) -> dict[cst.CSTNode, cst.CSTNode | None]:
    """New nodes, or None, for old ones; raises `Refused` where a function has no counterpart, or the two ends lie in different functions."""
    region = _region(tree, edit, names)
    new: dict[cst.CSTNode, cst.CSTNode | None] = {}
    for line in region.statements:
        if _is_trip_alone(region, line):
            new[line] = None
            continue
        for call in tree.within(line, cst.Call):
            new.update(_call(region, call))
        if region.library == "torch":
            new.update((name, _as_tensor(region, name)) for name in _arrays(region, line))
    if not new:
        raise Refused("nothing of NumPy stands in the function")
    return new


def _region(tree: Tree, edit: Edit, names: Names) -> Region:
    first, last = statement(tree, edit.site), statement(tree, edit.to or edit.site)
    scope = tree.enclosing(last, cst.FunctionDef)
    outer = next((call for call in tree.within(last, cst.Call) if Region(tree, names, edit.text).full(call.func) in ESCAPES), None)
    if outer is not None:
        return _escaped(tree, edit, names, last, outer)
    if tree.enclosing(first, cst.FunctionDef) is not scope:
        raise Refused("the value leaves in one function and comes back in another")
    if scope is None:
        raise Refused("the value leaves at the top of the file, where nothing tells what else reads the arrays")
    lines = tuple(tree.within(scope, cst.SimpleStatementLine))
    kept = lines if edit.text == "jax.numpy" else tuple(_behind(tree, lines, last))
    if first not in kept:
        raise Refused("the way from where the value leaves to where it comes back can't be followed")
    return Region(tree, names, edit.text, kept, frozenset(param.name.value for param in scope.params.params))


def _escaped(tree: Tree, edit: Edit, names: Names, line: Line, call: cst.Call) -> Region:
    """The line that hands tensors out, and the whole function that gets them as arrays."""
    called = dotted(call.args[0].value) if call.args else ""
    defined = [node for node in tree.within(tree.module, cst.FunctionDef) if node.name.value == called]
    if len(defined) != 1:
        raise Refused(f"`{called or 'the function'}` that gets the arrays is not defined once in the file")
    return Region(tree, names, edit.text, (line, *tree.within(defined[0], cst.SimpleStatementLine)))


def _behind(tree: Tree, lines: tuple[Line, ...], last: Line) -> Iterator[Line]:
    """The statements that what is made at the last one comes from, in the same function."""
    wanted: set[str] = set()
    for line in reversed(lines):
        if line is last or (
            wanted and not wanted.isdisjoint(_assigned(tree, line)) and tree.ranges[line].end.line <= tree.ranges[last].end.line
        ):
            wanted.update(name.value for name in tree.within(line, cst.Name))
            yield line


def _assigned(tree: Tree, line: Line) -> set[str]:
    targets = [target.target for target in tree.within(line, cst.AssignTarget)] + [part.target for part in tree.within(line, cst.AugAssign)]
    return {name.value for target in targets for name in tree.within(target, cst.Name)}


def _is_trip_alone(region: Region, line: Line) -> bool:
    """`x = x.numpy()` or `x = torch.from_numpy(x)`: nothing is left of it."""
    kept = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    if not isinstance(kept, cst.Assign) or len(kept.targets) != 1 or region.library == "jax.numpy":
        return False
    value: Expression = kept.value
    while isinstance(value, cst.Call):
        full, is_method = region.full(value.func), isinstance(value.func, cst.Attribute)
        if full in ENTERING or (full.startswith("numpy.") and full.removeprefix("numpy.") in COPYING):
            value = value.args[0].value if value.args else cst.Name("_")
        elif is_method and last_name(value) in (*LEAVING, "astype"):
            value = cst.ensure_type(value.func, cst.Attribute).value
        else:
            return False
    return bool(dotted(value)) and dotted(value) == dotted(kept.targets[0].target)


def _call(region: Region, call: cst.Call) -> Iterator[tuple[cst.CSTNode, Expression]]:
    """The call as it is written with the other library, where it is one to be translated."""
    full, plain = region.full(call.func), [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    if region.library == "jax.numpy":
        if full.startswith("numpy.") and not full.startswith("numpy.random."):
            yield call.func, _function(region, full.removeprefix("numpy."))
    elif full in ENTERING and len(plain) == 1:
        several = isinstance(plain[0], cst.List | cst.Tuple)
        yield call, cst.Call(_function(region, "stack"), [cst.Arg(plain[0])]) if several else plain[0]
    elif full in ESCAPES and isinstance(plain[1], cst.List | cst.Tuple):
        yield call, cst.Call(plain[0], _listed(plain[1]))
    elif full.startswith("numpy."):
        yield call, _other(region, call, full.removeprefix("numpy."), plain)
    elif isinstance(call.func, cst.Attribute):
        yield from _method(region, call, call.func)


def _other(region: Region, call: cst.Call, name: str, plain: list[Expression]) -> Expression:
    if name in COPYING and plain:
        return plain[0]
    args = [_renamed(region, arg) for arg in call.args if _is_kept(arg)]
    if name == "quantile" and region.library == "torch" and len(plain) > 1:
        args[1] = args[1].with_changes(value=_as_tensor(region, args[1].value))
    return call.with_changes(func=_function(region, name), args=args)


def _listed(several: cst.List | cst.Tuple) -> list[cst.Arg]:
    """The entries of a list as arguments."""
    last = len(several.elements) - 1
    return [cst.Arg(entry.value, comma=_comma() if at < last else cst.MaybeSentinel.DEFAULT) for at, entry in enumerate(several.elements)]


def _function(region: Region, name: str) -> Expression:
    known = OTHERWISE[region.library].get(name) or (name if name in ALIKE else "")
    if not known:
        raise Refused(f"`numpy.{name}` has no counterpart that is known to give the same")
    return cst.parse_expression(region.names.own(f"{region.library}.{known}"))


def _is_kept(arg: cst.Arg) -> bool:
    return arg.keyword is None or arg.keyword.value != "dtype"


def _renamed(region: Region, arg: cst.Arg) -> cst.Arg:
    other = RENAMED.get(region.library, {}).get(arg.keyword.value) if arg.keyword is not None else None
    return arg.with_changes(keyword=cst.Name(other)) if other else arg


def _method(region: Region, call: cst.Call, func: cst.Attribute) -> Iterator[tuple[cst.CSTNode, Expression]]:
    name = last_name(call)
    if (name in LEAVING and not call.args) or name == "astype":
        yield call, func.value
    elif name == "reshape" and region.library == "keras.ops":
        one = len(call.args) == 1 and isinstance(call.args[0].value, cst.Tuple)
        shape = call.args[0].value if one else cst.Tuple([cst.Element(arg.value) for arg in call.args])
        yield call, cst.Call(_function(region, "reshape"), [cst.Arg(func.value, comma=_comma()), cst.Arg(shape)])
    elif region.library == "keras.ops" and name in ("mean", "sum", "max", "min", "prod"):
        first = cst.Arg(func.value, comma=_comma() if call.args else cst.MaybeSentinel.DEFAULT)
        yield call, cst.Call(_function(region, name), [first, *call.args])


def _comma() -> cst.Comma:
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def _arrays(region: Region, line: Line) -> Iterator[cst.Name]:
    """Arguments of the function that are reckoned with as they came: PyTorch takes no array beside a tensor."""
    for name in region.tree.within(line, cst.Name):
        parent = region.tree.parents.get(name)
        if name.value in region.given and isinstance(parent, cst.BinaryOperation) and not _left(region, name.value):
            yield name


def _left(region: Region, name: str) -> bool:
    """The argument is a tensor: somewhere it is asked for its array."""
    calls = (call for line in region.statements for call in region.tree.within(line, cst.Call) if last_name(call) in LEAVING)
    return any(name in {part.value for part in region.tree.within(call.func, cst.Name)} for call in calls)


def _as_tensor(region: Region, node: Expression) -> Expression:
    """A copy of the node within: a node that stands for itself would be replaced again."""
    return cst.Call(cst.parse_expression(region.names.own("torch.as_tensor")), [cst.Arg(node.deep_clone())])
