"""Everything private of TensorFlow and Keras that this front end uses. Seen in TensorFlow 2.21 and Keras 3.15."""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from types import CodeType, FrameType, ModuleType
from typing import Any

import tensorflow as _tensorflow  # noqa: ICN001 - `tf` is the name without types, below
from tensorflow.python import pywrap_tfe
from tensorflow.python.eager import backprop, context, execute, record
from tensorflow.python.framework import constant_op, op_callbacks, ops
from tensorflow.python.ops import gen_resource_variable_ops, resource_variable_ops

TESTED = ("2.17", "2.22")
"""From this version of TensorFlow on, up to but not including this one."""

tf: Any = _tensorflow
"""TensorFlow itself, which has no types."""
EagerTensor: type = ops.EagerTensor
EagerBase: Any = ops._EagerTensorBase
Variable: type = resource_variable_ops.BaseResourceVariable
Tape: type = backprop.GradientTape
constants: Any = constant_op


def put_on(callback: Callable[..., Any]) -> None:
    """Be told of every op that runs eagerly."""
    op_callbacks.add_op_callback(callback)


def take_off(callback: Callable[..., Any]) -> None:
    """Be told no longer."""
    with suppress(KeyError):
        op_callbacks.remove_op_callback(callback)


def eager() -> bool:
    """Python runs eagerly here, and builds no graph."""
    return bool(context.executing_eagerly())


def tracking() -> bool:
    """Some tape records what runs now."""
    return not pywrap_tfe.TFE_Py_TapeSetIsEmpty() and not pywrap_tfe.TFE_Py_TapeSetIsStopped()


def watched(tensor: Any) -> bool:
    """Some tape follows this tensor."""
    return bool(record.should_record_backprop([tensor]))


def untracked() -> AbstractContextManager[None]:
    """What runs in here is on no tape."""
    quiet: AbstractContextManager[None] = record.stop_recording()
    return quiet


def run_op(name: str, outputs: int, inputs: Sequence[Any], attributes: tuple[Any, ...]) -> list[Any]:
    """Run one op by its name, and record it on the tapes that are on."""
    pairs = [(attributes[at], attributes[at + 1]) for at in range(0, len(attributes) - 1, 2)]
    given = tuple(part for pair in pairs if pair[1] is not None for part in pair)
    found = list(execute.quick_execute(name, outputs, list(inputs), given, context.context()))
    if not pywrap_tfe.TFE_Py_TapeSetIsEmpty():
        execute.record_gradient(name, tuple(inputs), attributes, found)
    return found


def arguments_of_op(frame: FrameType) -> list[Any]:
    """What the function of an op's own was given, in the order of the op's inputs; nothing where this is no such function's frame."""
    if "/ops/gen_" not in frame.f_code.co_filename.replace("\\", "/"):
        return []
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    return [item for name in names if name != "name" for item in _listed(frame.f_locals.get(name))]


def _listed(given: Any) -> Sequence[Any]:
    return given if isinstance(given, list | tuple) else (given,)


@contextmanager
def as_written(function: Any) -> Iterator[None]:
    """In here a method that autograph has rewritten in place, when it was compiled, runs as the program wrote it."""
    wrapper = getattr(function, "_python_function", None)
    original = getattr(wrapper, "__original_wrapped__", None)
    if wrapper is None or original is None:
        yield
        return
    rewritten = wrapper.__wrapped__
    wrapper.__wrapped__ = original
    try:
        yield
    finally:
        wrapper.__wrapped__ = rewritten


def generated(file: str) -> bool:
    """A source that autograph wrote, and nobody's to read."""
    return "__autograph_generated_file" in file


def finite_length(data: Any) -> int | None:
    """Batches of a data set in one pass; of one that is repeated without end, of what it repeats. None where it can't be told."""
    found = int(data.cardinality().numpy())
    while found == tf.data.INFINITE_CARDINALITY and len(data._inputs()) == 1:
        data = data._inputs()[0]
        found = int(data.cardinality().numpy())
    return found if found >= 0 else None


def forward_of_function(name: str) -> bool:
    """A compiled function that a tape follows: while it runs the tape is stopped, since the function is recorded as a whole afterwards."""
    return name.startswith("__forward_")


def has_gradient(name: str) -> bool:
    """Whether TensorFlow knows a derivative for ops of this name, or none is registered either way."""
    if forward_of_function(name):
        return True
    with suppress(LookupError):
        return ops.gradient_registry.lookup(name) is not None
    return False


PARTS = ("_call_flat", "_initialize", "_initialize_uninitialized_variables")
"""What computes a traced function, what traces one at its first call, and what gives its variables their first values."""


def tracing_parts() -> tuple[Any, Any] | None:
    """The class that computes a traced function, and the one that traces it at its first call; None where this TensorFlow does so otherwise."""
    with suppress(ImportError, AttributeError):
        from tensorflow.python.eager.polymorphic_function import concrete_function, polymorphic_function

        computing, beginning = concrete_function.ConcreteFunction, polymorphic_function.Function
        if all(map(hasattr, (computing, beginning, beginning), PARTS)):
            return computing, beginning
    return None


@contextmanager
def functions_eager() -> Iterator[None]:
    """Compiled functions run eagerly in here."""
    from tensorflow.python.eager import def_function

    before = def_function.functions_run_eagerly()
    def_function.run_functions_eagerly(True)
    try:
        yield
    finally:
        def_function.run_functions_eagerly(before)


Seeds = tuple[int | None, random.Random | None]
"""The global seed, and what the seeds of single ops are drawn from."""


def with_seeds(seeds: Seeds) -> Seeds | None:
    """Ops get their seeds from these; gives those that they had. None where there is no such thing."""
    held = context.context()
    if not hasattr(held, "_seed"):
        return None
    before = held._seed, getattr(held, "_rng", None)
    held._seed, held._rng = seeds
    return before


def module(name: str) -> ModuleType | None:
    """A module that is imported already."""
    return sys.modules.get(name)


def unwatched() -> tuple[str, ...]:
    """Sentences about ways of training in TensorFlow that this front end does not see, as far as the program uses them."""
    found = []
    if module("tf_keras") is not None:
        found.append(
            "Keras 2 (`tf_keras`) is not watched: of its `fit` nothing is recorded, of loops with `GradientTape` all; Keras 3 is watched whole"
        )
    if context.default_execution_mode != context.EAGER_MODE:
        found.append("the program runs in the graph mode of TensorFlow 1 (`disable_eager_execution`): what a session runs is not recorded")
    return tuple(found)


def code_of(function: Any) -> CodeType | None:
    """The code of a function below its decorators."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def backend() -> str:
    """What Keras computes with; "" where Keras is not imported."""
    config = sys.modules.get("keras.src.backend.config")
    with suppress(Exception):
        return str(config.backend()) if config is not None else ""
    return ""


def number(tensor: Any) -> float | None:
    """The one floating number that an eager tensor holds; our own ears do not hear it leave."""
    held: Any = tensor if isinstance(tensor, EagerTensor) else None
    return float(held._numpy()) if held is not None and held.dtype.is_floating and held.shape.rank == 0 else None


def read(variable: Any) -> Any:
    """The value of a variable, on no tape."""
    with record.stop_recording():
        handle = getattr(variable, "_handle", None)
        if handle is None:  # of several devices: what they hold together
            return tf.convert_to_tensor(variable)
        return gen_resource_variable_ops.read_variable_op(handle, variable.dtype)


def write(variable: Any, value: Any) -> None:
    """Set a variable, on no tape."""
    with record.stop_recording():
        gen_resource_variable_ops.assign_variable_op(variable._handle, value)


def iterator_over(elements: Sequence[Any], like: Any) -> Any:
    """An iterator over some elements that a compiled function takes for the one that gave them."""
    from tensorflow.python.data.ops import dataset_ops

    made = dataset_ops.DatasetV2
    stacked = _stacked(elements)
    found = made.from_tensors(elements[0]) if stacked is None else made.from_tensor_slices(stacked)
    for element in elements[1:] if stacked is None else ():
        found = found.concatenate(made.from_tensors(element))
    return iter(dataset_ops._VariantDataset(found._variant_tensor, like.element_spec))


def _stacked(elements: Sequence[Any]) -> Any:
    """Elements of the same shapes as one with an axis in front: of 24 batches one data set takes an eighth of the time of one put together of 24 (13 and 112 ms). None where that can't be."""
    columns: list[tuple[Any, ...]] = list(zip(*map(tf.nest.flatten, elements), strict=False)) if len(elements) > 1 else []
    if not columns or not all(isinstance(item, EagerTensor) for column in columns for item in column):
        return None
    forms = [{(item.dtype, tuple(item.shape)) for item in column} for column in columns]
    if any(len(form) > 1 or next(iter(form))[0] in (tf.variant, tf.resource) for form in forms):
        return None
    return tf.nest.pack_sequence_as(elements[0], [tf.stack(column) for column in columns])


def giver(symbol: Any) -> Any:
    """The layer whose result a tensor of a model under construction stands for; None for a tensor that holds numbers."""
    return getattr(getattr(symbol, "_keras_history", None), "operation", None)


def global_names() -> dict[str, int]:
    """How many layers of each class Keras has named so far."""
    state = sys.modules.get("keras.src.backend.common.global_state")
    found = state.get_global_attribute("object_name_uids") if state is not None else None
    return found if isinstance(found, dict) else {}


def is_compiled(item: Any) -> bool:
    """A function of TensorFlow's that can be asked for all its traced forms."""
    return hasattr(item, "_list_all_concrete_functions")


def operations_of(compiled: Sequence[Any]) -> Iterator[Any]:
    """Every op of every traced form of compiled functions, those within loops and branches as well."""
    todo = [concrete.graph for one in compiled if is_compiled(one) for concrete in one._list_all_concrete_functions()]
    seen = set[int]()
    while todo:
        graph = todo.pop()
        if id(graph) not in seen:
            seen.add(id(graph))
            yield from graph.get_operations()
            todo += [
                inner
                for name in getattr(graph, "_functions", ())
                if (inner := getattr(graph._get_function(name), "graph", None)) is not None
            ]
