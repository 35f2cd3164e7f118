"""The call that raised, where it raised before any primitive ran: read off the traceback."""

import ast
import inspect
import linecache
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any

import jax
import jax.numpy as jnp

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.derivations import Argument, Derivation, tidy
from whygrad.frontends.jax.library import KIND_OF, known
from whygrad.frontends.jax.tape import Bound, Constant, Numbers
from whygrad.ir import Attribute, Raised

_OPERATORS = {"__matmul__": "matmul", "__add__": "add", "__sub__": "sub", "__mul__": "mul", "__truediv__": "div", "__pow__": "pow"}


def failed_call(problem: BaseException, derivation: Derivation, scope: int | None) -> list[Bound]:
    """The call of the user's that raised, with what it was given; none where that can't be told."""
    numbers, weight = derivation.numbers, refused(problem, derivation.arguments)
    found = left_in(problem, numbers, scope) or raised_in(problem, numbers, scope)
    if found is not None and weight is not None:
        found = replace(found, inputs=(*found.inputs, weight))
    return [found] if found is not None else []


def raised(problem: BaseException, derivation: Derivation) -> None:
    """Write down what raised, where no primitive did."""
    if derivation.loss is None and not any(bound.failed for bound in derivation.bounds):
        scope = derivation.bounds[-1].scope if derivation.bounds else None
        derivation.bounds += failed_call(problem, derivation, scope)


def about(raised: Raised, bounds: Sequence[Bound]) -> dict[str, Attribute]:
    """What is told of the exception that ended a derivative; where it speaks of None, with the function of the user's that computed last, if it hands nothing back."""
    told: dict[str, Attribute] = {"type": raised.type, "message": raised.message}
    last = next((bound.trace for bound in reversed(bounds) if bound.trace is not None and not bound.failed), None)
    if "NoneType" in raised.message and last is not None and source.returns_nothing(last.user[0][0]):
        told["about"] = last.user[0][0].co_qualname
    return told


_LEFT = ("TracerArrayConversionError", "ConcretizationTypeError", "TracerIntegerConversionError")
"""JAX's errors where a value that is only traced was to become a plain number or an array of NumPy's."""


def left_in(problem: BaseException, numbers: Numbers, scope: int | None) -> Bound | None:
    """The call of the user's through which a traced value was to leave JAX, as a call that failed."""
    levels = list(_levels(problem.__traceback__)) if type(problem).__name__ in _LEFT else []
    last = max((at for at, level in enumerate(levels) if source.is_user(level.tb_frame.f_code)), default=None)
    trace = source.trace(levels[last].tb_frame) if last is not None else None
    if last is None or trace is None:
        return None
    user = levels[last]
    trace = source.Trace(((user.tb_frame.f_code, user.tb_lasti), *trace.user[1:]), ())
    name, read = _called(user)
    below = [item for level in levels[last + 1 :] for item in level.tb_frame.f_locals.values()]
    given = next((item for item in (*read, *below) if _compat.is_tracer(item)), None)
    inputs = (numbers.of(given),) if given is not None else ()
    return Bound(None, {}, inputs, (), trace, scope=scope, failed=True, leaves=True, native=name)


def _called(level: TracebackType) -> tuple[str, list[Any]]:
    """The expression that raised: the name of what it calls, and the variables that it reads."""
    positions = list(level.tb_frame.f_code.co_positions())
    line, end, column, end_column = positions[level.tb_lasti // 2]
    written = linecache.getline(level.tb_frame.f_code.co_filename, line or 0)
    try:
        tree = ast.parse(written.encode()[column:end_column].decode().strip(), mode="eval").body if line == end else None
    except (SyntaxError, UnicodeDecodeError):
        tree = None
    if tree is None:
        return "__array__", []
    function = tree.func if isinstance(tree, ast.Call) else None
    name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else "__array__"
    held = {**level.tb_frame.f_globals, **level.tb_frame.f_locals}
    return name, [held[node.id] for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in held]


def raised_in(problem: BaseException, numbers: Numbers, scope: int | None) -> Bound | None:
    """The library function that the user's code called when it raised, as a call that failed."""
    levels = list(_levels(problem.__traceback__))
    last = max((at for at, level in enumerate(levels) if source.is_user(level.tb_frame.f_code)), default=None)
    if last is None:
        return None
    user = levels[last]
    trace = source.trace(user.tb_frame)
    if trace is None:
        return None
    trace = source.Trace(((user.tb_frame.f_code, user.tb_lasti), *trace.user[1:]), ())
    for level in levels[last + 1 :]:
        frame = level.tb_frame
        name = _name(frame)
        if known(frame.f_code) is not None or name in KIND_OF:
            return _bound(frame, name, trace, numbers, scope, _handed(levels[last + 1 :], frame))
    return None


_REFUSED = re.compile(r'^For parameter "(?P<name>[^"]+)" in "/(?P<path>[^"]*)", the given initializer is expected to generate shape')
"""What flax.linen says of a parameter of another shape than its layer would make for the data that it is given."""


def refused(problem: BaseException, arguments: Iterable[Argument]) -> int | None:
    """The number of the parameter that a layer of flax.linen refused: such layers hold none, and ask for them by name."""
    found = _REFUSED.match(str(problem))
    keys = [part for part in found["path"].split("/") if part] + [found["name"]] if found is not None else []
    ending = "".join(f"[{key!r}]" for key in keys)
    return next((argument.number for argument in arguments if ending and argument.path.endswith(ending)), None)


def given_to(derivation: Derivation, given: Any) -> dict[int, Any]:
    """Parameters of a derivative that raised, among what the traced function around it was given: by their place in the tree, else the only array of a type."""
    leaves = [(path, leaf) for path, leaf in jax.tree_util.tree_flatten_with_path(given)[0] if _compat.is_array(leaf)]
    found: dict[int, Any] = {}
    for argument in derivation.parameters:
        item = derivation.numbers.objects[argument.number]
        ending = argument.path.removeprefix(argument.root)
        alike = [(tidy("", path), leaf) for path, leaf in leaves if (leaf.shape, leaf.dtype) == (_of(item, "shape"), _of(item, "dtype"))]
        placed = [leaf for path, leaf in alike if ending and path.endswith(ending)]
        alone = [leaf for _, leaf in alike] if len(alike) == 1 else []
        found.update((argument.number, leaf) for leaf in (placed or alone)[:1])
    return found


def whole(given: Mapping[int, Any], derivation: Derivation) -> dict[int, Any]:
    """The whole numbers among them that a derivative was asked by, which JAX refuses."""
    asked = {argument.number for argument in derivation.parameters}
    return {number: item for number, item in given.items() if number in asked and jnp.issubdtype(item.dtype, jnp.integer)}


def _of(item: Any, name: str) -> Any:
    return getattr(item, name, None)


def _arrays(frame: FrameType) -> dict[str, Any]:
    """What a function was given that is an array."""
    given = {key: frame.f_locals.get(key) for key in source.parameters_of(frame.f_code)}
    return {key: item for key, item in given.items() if _compat.is_array(item)}


def _handed(levels: list[TracebackType], frame: FrameType) -> dict[str, Any]:
    """The arrays of a library function as the user's code handed them over: a function that JAX compiles by itself, as a subtraction, gets others of the same shapes."""
    own = _arrays(frame)
    shapes = [item.shape for item in own.values()]
    for level in levels:
        given = inspect.getargvalues(level.tb_frame)
        several = given.locals.get(given.varargs, ()) if given.varargs else ()
        outer = [item for item in (*(given.locals.get(key) for key in given.args), *several) if _compat.is_array(item)]
        for order in (outer, outer[::-1]):  # the operator of an array on the right is asked where NumPy's own stands on the left
            if [item.shape for item in order] == shapes:
                return dict(zip(own, order, strict=True))
    return own


def _levels(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(source.OURS):
            yield traceback
        traceback = traceback.tb_next


def _name(frame: FrameType) -> str:
    name = frame.f_code.co_name
    return _OPERATORS.get(name, name)


_WEIGHTS = ("embedding", "kernel", "weight", "bias")
"""Attributes under which the layers of flax and equinox hold what they learn."""


def _weights(layer: Any) -> dict[str, Any]:
    """The weights that a layer holds when it is called, without asking it to make them."""
    held = getattr(layer, "__dict__", {})
    found = {key: getattr(held[key], "get_value", lambda item=held[key]: item)() for key in _WEIGHTS if key in held}
    return {key: item for key, item in found.items() if _compat.is_array(item)}


def _bound(frame: FrameType, name: str, trace: source.Trace, numbers: Numbers, scope: int | None, handed: Mapping[str, Any]) -> Bound:
    given = {key: frame.f_locals.get(key) for key in source.parameters_of(frame.f_code)}
    arrays = {key: numbers.of(item) for key, item in handed.items()}
    arrays |= {key: numbers.of(item) for key, item in _weights(frame.f_locals.get("self")).items()}
    settings = {key: Constant(item) for key, item in given.items() if isinstance(item, bool | int | float | str)}
    stack = ((frame.f_code, frame.f_lasti),) if known(frame.f_code) is not None else ()
    group = id(frame) if stack else None
    return Bound(None, {}, tuple(arrays.values()), (), trace, stack, group, {**arrays, **settings}, scope=scope, failed=True, native=name)
