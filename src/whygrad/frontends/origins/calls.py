"""What a call gives of what it was given: rows and casts of libraries are seen through, functions and data sets of the user's are entered."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from whygrad.frontends.origins.program import ITEM, Function, Module, Path, Program, Scope, Spot, functions, last_name, spans
from whygrad.ir import Site

RECEIVERS: Final = frozenset(
    ("T", "data", "values", "astype", "long", "float", "double", "half", "int", "bool", "to", "type", "type_as", "reshape", "view",
     "unsqueeze", "squeeze", "flatten", "ravel", "numpy", "tolist", "to_numpy", "detach", "cpu", "cuda", "clone", "copy", "contiguous",
     "transpose", "permute", "expand", "requires_grad_", "pin_memory", "items", "batch", "shuffle", "prefetch", "cache", "repeat", "split",
     "chunk", "unbind", "bfloat16", "as_numpy_iterator", "expand_dims", "index_select", "flip", "fliplr", "flipud", "rot90", "roll", "swapaxes",
     "moveaxis")
)  # fmt: skip
"""Methods and attributes whose numbers are those of their object."""
WRAPPERS: Final = frozenset(
    ("tensor", "as_tensor", "from_numpy", "array", "asarray", "list", "tuple", "Tensor", "LongTensor", "FloatTensor", "BoolTensor",
     "IntTensor", "stack", "cat", "concat", "concatenate", "vstack", "hstack", "copy", "deepcopy", "constant", "convert_to_tensor",
     "Subset", "iter", "reversed", "sorted", "dict", "cycle", "squeeze", "reshape", "ravel", "expand_dims", "unsqueeze", "atleast_2d",
     "device_put", "pad_sequence", "cast", "prefetch_to_device", "ascontiguousarray",
     "BatchSampler", "tqdm", "prepare", "Parameter", "Variable", "islice", "batched", "transpose", "flip", "fliplr", "flipud", "rot90", "roll",
     "swapaxes", "moveaxis", "flip_left_right", "flip_up_down", "hflip", "vflip", "central_crop", "crop_to_bounding_box", "pad_to_bounding_box",
     "resize_with_crop_or_pad")
)  # fmt: skip
"""Functions whose numbers are those of what they are given first."""


def part_of_call(program: Program, spot: Spot) -> Spot | None:
    """The expression that a part of a call's result comes from; None where nothing is known of what is called."""
    node = spot.node
    assert isinstance(node, ast.Call)
    found = program.function(spot.scope, node.func)
    if found is not None:
        return _entered(program, spot, *found)
    if isinstance(node.func, ast.Attribute):
        method = _method_of_object(program, spot, node.func)
        if method is not None:
            return method
    return _library(program, spot, node)


def _library(program: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """A call of a library's function, by its usual name."""
    name = last_name(node.func)
    handler = _HANDLERS.get(name)
    if handler is not None:
        return handler(program, spot, node)
    given = _first(node)
    is_method = isinstance(node.func, ast.Attribute) and name in RECEIVERS and not _module_like(node.func)
    if name in WRAPPERS and given is not None and not is_method:
        return replace(spot, node=given)
    return replace(spot, node=node.func.value) if isinstance(node.func, ast.Attribute) and name in RECEIVERS else None


def _plain(node: ast.Call) -> list[ast.expr]:
    return [item for item in node.args if not isinstance(item, ast.Starred)]


def _first(node: ast.Call) -> ast.expr | None:
    named = (item.value for item in node.keywords if item.arg in ("data", "object", "dataset", "tensors"))
    return next(iter(_plain(node)), None) or next(named, None)


def _split(_: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """`train_test_split(x, y)`: two parts of each."""
    arguments, path = _plain(node), spot.path
    known = path and isinstance(path[0], int) and path[0] // 2 < len(arguments)
    return replace(spot, node=arguments[path[0] // 2], path=path[1:]) if known else None  # type: ignore[operator]  # a number, as asked for


def _drawn_apart(_: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """`random_split(data, sizes)`."""
    return replace(spot, node=node.args[0], path=spot.path[1:]) if node.args else None


def _columns(_: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """A data set of several arrays."""
    arguments = _plain(node)
    at = next((key for key in spot.path if isinstance(key, int)), None)
    if len(arguments) == 1 and isinstance(arguments[0], ast.Tuple):
        arguments = arguments[0].elts
    return replace(spot, node=arguments[at], path=()) if at is not None and at < len(arguments) else None


def _numbered(_: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """`enumerate(rows)`."""
    inside = spot.path[:2] == (ITEM, 1) and node.args
    return replace(spot, node=node.args[0], path=(ITEM, *spot.path[2:])) if inside else None


def _mapped(program: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """A part of `map(f, rows)`, or of `rows.map(f)`: what the function gives for that part of the rows."""
    asked = next((item.value for item in node.keywords if item.arg == "map_func"), None) or next(iter(_plain(node)), None)
    found = (spot.scope, asked) if isinstance(asked, ast.Lambda) else program.function(spot.scope, asked) if asked is not None else None
    if found is None or isinstance(found[1], ast.ClassDef) or not spot.path:
        return None
    names = [name for name in _names(found[1]) if name not in ("self", "cls")]
    given = dict(zip(names, _rows(spot, node, len(names)), strict=False))
    outer = found[0] if found[0].node is not found[1] else found[0].outer
    return returned(Scope(found[0].module, found[1], found[0].owner, given, outer), spot.path[1:])


def _rows(spot: Spot, node: ast.Call, count: int) -> Iterator[Spot]:
    """What a mapped function is given: an element of each of the rows; of a data set's own elements the parts, where it takes several."""
    others = [item for item in _plain(node)[1:] if not isinstance(item, ast.Constant) and last_name(item) != "AUTOTUNE"]
    if others:
        yield from (replace(spot, node=item, path=spot.path[:1]) for item in others)
    elif isinstance(node.func, ast.Attribute):
        for at in range(count):
            yield replace(spot, node=node.func.value, path=(*spot.path[:1], *((at,) if count > 1 else ())))


def _next(_: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """`next(iter(loader))`."""
    return replace(spot, node=node.args[0], path=(ITEM, *spot.path)) if node.args else None


def _module_like(node: ast.Attribute) -> bool:
    """`np.squeeze(x)` and not `x.squeeze()`: the object is a library by its usual name."""
    return isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy", "torch", "tf", "jnp", "jax", "ops", "keras", "F")


def _zipped(_: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """An item of `zip(a, b)` or `Dataset.zip((a, b))`; of `zip(*rows)`, all rows' part."""
    path, given = spot.path, node.args[0].elts if len(node.args) == 1 and isinstance(node.args[0], ast.Tuple) else node.args
    if len(node.args) == 1 and isinstance(node.args[0], ast.Starred):
        return replace(spot, node=node.args[0].value, path=(ITEM, *path)) if path and isinstance(path[0], int) else None
    if len(path) > 1 and path[0] is ITEM and isinstance(path[1], int) and path[1] < len(given):
        return replace(spot, node=given[path[1]], path=(ITEM, *path[2:]))
    return None


def _loaded(program: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """A batch of a loader: what its collate function returns, or the items of its data set."""
    return _collated(program, spot, node) or _items(spot, node)


def _items(spot: Spot, node: ast.Call) -> Spot | None:
    data = _first(node)
    return replace(spot, node=data) if data is not None else None


def _collated(program: Program, spot: Spot, node: ast.Call) -> Spot | None:
    """For a loader with a collate function of the user's: what that returns, for items of the data set."""
    collate = next((item.value for item in node.keywords if item.arg == "collate_fn"), None)
    data = _items(spot, node)
    found = program.function(spot.scope, collate) if collate is not None else None
    if found is None or data is None or isinstance(found[1], ast.ClassDef):
        return None
    names = _names(found[1])
    given = {names[0]: replace(data, path=())} if names else {}
    inner = Scope(found[0].module, found[1], found[0].owner, given, found[0] if found[0].node is not found[1] else found[0].outer)
    return returned(inner, spot.path[1:])


_HANDLERS: Final[Mapping[str, Callable[[Program, Spot, ast.Call], Spot | None]]] = {
    "zip": _zipped,
    "train_test_split": _split,
    "random_split": _drawn_apart,
    "TensorDataset": _columns,
    "from_tensor_slices": _columns,
    "enumerate": _numbered,
    "map": _mapped,
    "next": _next,
    "DataLoader": _loaded,
}
"""Functions whose parts are parts of what they are given."""


def _entered(program: Program, spot: Spot, scope: Scope, known: "Function | ast.ClassDef") -> Spot | None:
    """What a function of the user's returns, or what an object of a class of the user's gives for an item."""
    if isinstance(known, ast.ClassDef):
        built = constructed(program, spot, scope, known)
        for name in ("__getitem__", "__iter__", "__call__"):
            method = program.method(scope.module, known, name)
            if method is not None and spot.path and spot.path[0] is ITEM:
                inner = Scope(method[0].module, method[1], method[0].owner, {}, method[0].outer)
                return returned(_with_constructor(inner, built), spot.path[1:])
        return None
    inner = Scope(
        scope.module,
        known,
        scope.owner if scope.node is known else None,
        bound(known, spot, scope if scope.node is not known else around(scope)),
        scope if scope.node is not known else scope.outer,
    )
    return returned(inner, spot.path[1:] if _yields(known) and spot.path and spot.path[0] is ITEM else spot.path)


def constructed(program: Program, spot: Spot, scope: Scope, known: ast.ClassDef) -> Scope:
    """The scope of the constructor, with what the call gives it."""
    method = program.method(scope.module, known, "__init__")
    if method is None:
        return Scope(scope.module, known, known, _fields(known, spot), scope)  # type: ignore[arg-type]  # a class without a constructor has no assignments to look up
    return Scope(method[0].module, method[1], known, bound(method[1], spot, around(method[0]), method=True), method[0].outer)


def _fields(owner: ast.ClassDef, spot: Spot) -> dict[str, Spot]:
    """What a call gives the fields that a class declares by their types, as data classes do."""
    assert isinstance(spot.node, ast.Call)
    names = [item.target.id for item in owner.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)]
    given = [*zip(names, spot.node.args, strict=False), *((item.arg, item.value) for item in spot.node.keywords)]
    return {name: Spot(value, spot.scope, (), spot.before) for name, value in given if name in names}


def field_of(program: Program, scope: Scope, name: str) -> Spot | None:
    """What a field of an object is, by the only call that makes one: with the name of the class, or as `cls` in its own methods."""
    owner = scope.owner
    if owner is None:
        return None
    if id(scope.node) == id(owner):  # as `constructed` has it
        return scope.given.get(name)
    found = list(fields_of(program, owner, name))
    return found[0] if len(found) == 1 else None


def fields_of(program: Program, owner: ast.ClassDef, name: str) -> Iterator[Spot | None]:
    """What each call that makes an object gives for a field of it."""
    for module in program.user_modules(owner.name):
        for called in (owner.name, "cls"):
            for level, node in _calls_of(program, module, called):
                if called != "cls" or level.owner is owner:
                    yield _fields(owner, Spot(node, level)).get(name)


def _with_constructor(inner: Scope, built: Scope) -> Scope:
    return replace(inner, given={f"self.{name}": spot for name, spot in built.given.items()})


def _method_of_object(program: Program, spot: Spot, function: ast.Attribute) -> Spot | None:
    """A method of the user's on an object that was made in sight, if only one class of the program has one of that name."""
    if function.attr in RECEIVERS:
        return None
    found = [
        (module, owner)
        for module in program.user_modules(f"def {function.attr}(")
        for owner in ast.walk(module.tree)
        if isinstance(owner, ast.ClassDef) and any(isinstance(item, ast.FunctionDef) and item.name == function.attr for item in owner.body)
    ]
    if len(found) != 1:
        return None
    method = program.method(*found[0], function.attr)
    if method is None:
        return None
    inner = Scope(method[0].module, method[1], found[0][1], bound(method[1], spot, around(method[0]), method=True), method[0].outer)
    return returned(inner, spot.path[1:] if _yields(method[1]) and spot.path and spot.path[0] is ITEM else spot.path)


def returned(scope: Scope, path: Path) -> Spot | None:
    """The last expression that a function returns or yields."""
    if isinstance(scope.node, ast.Lambda):
        return Spot(scope.node.body, scope, path)
    found = [item for item in own_nodes(scope.node) if isinstance(item, ast.Return | ast.Yield) and item.value is not None]
    kept = [item for item in found if not isinstance(item.value, ast.Constant)] or found
    if not kept:
        return None
    last = max(kept, key=lambda item: item.lineno)
    return Spot(last.value, scope, path, last.lineno)  # type: ignore[arg-type]  # asked for above


def around(scope: Scope) -> Scope:
    """The scope that a function's own definition stands in, where its defaults are looked up."""
    return scope.outer or scope


def bound(function: Function, spot: Spot, home: Scope, *, method: bool = False) -> dict[str, Spot]:
    """What a call gives the parameters of a function that is defined in `home`."""
    node = spot.node
    assert isinstance(node, ast.Call)
    names = _names(function)
    names = names[1:] if names and names[0] in ("self", "cls") and (method or isinstance(node.func, ast.Attribute | ast.Name)) else names
    found: dict[str, Spot] = {}
    for at, (name, value) in enumerate(zip(names, node.args, strict=False)):
        if isinstance(value, ast.Starred):
            found.update((rest, Spot(value.value, spot.scope, (part,), spot.before)) for part, rest in enumerate(names[at:]))
            break
        found[name] = Spot(value, spot.scope, (), spot.before)
    for keyword in node.keywords:
        if keyword.arg is not None:
            found[keyword.arg] = Spot(keyword.value, spot.scope, (), spot.before)
    return {**_defaults(function, home), **found}


def _defaults(function: Function, scope: Scope) -> dict[str, Spot]:
    """What parameters are where a call gives nothing for them."""
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    values = zip(plain[len(plain) - len(arguments.defaults) :], arguments.defaults, strict=True)
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {item.arg: Spot(value, scope) for item, value in (*values, *named) if value is not None}


def given_to(program: Program, scope: Scope, name: str) -> Spot | None:
    """What a parameter was given: by the running frame that called the function, else by the only call in the program."""
    if isinstance(scope.node, ast.Module):
        return None
    function = scope.node
    own = getattr(function, "name", "")
    wanted = scope.owner.name if own == "__init__" and scope.owner is not None else own
    for at, caller in enumerate(scope.callers):
        calls = program.call_at(Site(caller.file, caller.line, callers=scope.callers[at + 1 :]), name=wanted)
        if calls is not None:
            return bound(function, calls, around(scope), method=scope.owner is not None).get(name)
        # a function that is called within another one is asked for what that was given: its own frame is no caller of it
        if caller.file != scope.module.file or not spans(function, caller.line):
            break
    found = [
        Spot(node, level)
        for module in program.user_modules(wanted)
        for level, node in _calls_of(program, module, wanted)
    ]  # fmt: skip
    return bound(function, found[0], around(scope), method=scope.owner is not None).get(name) if len(found) == 1 else None


def default_of(scope: Scope, name: str) -> Spot | None:
    """What a parameter of the function is where a call gives nothing for it."""
    return None if isinstance(scope.node, ast.Module) else _defaults(scope.node, around(scope)).get(name)


def _calls_of(program: Program, module: Module, name: str) -> Iterator[tuple[Scope, ast.Call]]:
    for level in (*functions(module), program.top(module)):
        for node in own_nodes(level.node):
            if isinstance(node, ast.Call) and last_name(node.func) == name:
                yield level, node


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function, without those of functions inside."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from own_nodes(child)


def _yields(function: Function) -> bool:
    return any(isinstance(node, ast.Yield) for node in own_nodes(function))


def _names(function: Function) -> list[str]:
    arguments = function.args
    return [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
