"""Every use of PyTorch that is not public API, with its fallback. Nothing outside this file knows a private name of torch."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

TESTED = ("2.13",)


def untested_version() -> str:
    """A sentence for versions that this front end was not tried on, "" for the others."""
    version = str(torch.__version__)
    known = version.startswith(TESTED)
    return "" if known else f"whygrad was tested with torch {', '.join(TESTED)}, this is {version}: some facts may be missing"


def storage_of(tensor: Tensor) -> Any:
    """The storage of a tensor, or None for tensors that have none (functorch wrappers, sparse, meta in some versions, a lazy module's before its first call)."""
    if is_lazy(tensor) or is_wrapped(tensor) or tensor.layout is not torch.strided:
        return None
    try:
        return tensor.untyped_storage()
    except (RuntimeError, NotImplementedError):
        return None


def is_wrapped(tensor: Tensor) -> bool:
    """Whether a tensor is a batch or gradient wrapper of `torch.func`, which must not be looked into."""
    try:
        return bool(torch._C._functorch.is_functorch_wrapped_tensor(tensor))
    except AttributeError:
        return False


def is_leaf(tensor: Tensor) -> bool:
    """Whether no graph is behind a tensor. Asking a view that was made under `no_grad`, and whose base was written to since, raises: it has none."""
    try:
        return tensor.is_leaf
    except RuntimeError:
        return True


def _modes_off() -> list[Any]:
    """Take every torch function mode off; the innermost comes first."""
    return [torch._C._pop_torch_function_stack() for _ in range(torch._C._len_torch_function_stack())]


def _modes_on(modes: Iterable[Any]) -> None:
    for mode in modes:
        torch._C._push_on_torch_function_stack(mode)


def put_on(mode: TorchFunctionMode) -> None:
    """Put `mode` below every other one: leaving a mode takes the innermost off whichever it is, so that a user's `with` would take ours."""
    others = _modes_off()
    _modes_on([mode, *reversed(others)])


def take_off(mode: TorchFunctionMode) -> bool:
    """Take `mode` off wherever it lies; False where it is not there: PyTorch sets a mode aside while its own handler runs."""
    modes = _modes_off()
    _modes_on(other for other in reversed(modes) if other is not mode)
    return any(other is mode for other in modes)


@contextmanager
def without(mode: TorchFunctionMode) -> Iterator[None]:
    """Run with `mode` off: some kernels are chosen only where no mode is on."""
    was_on = take_off(mode)
    try:
        yield
    finally:
        if was_on:
            put_on(mode)


@contextmanager
def unprofiled() -> Iterator[None]:
    """Run without being counted by a profiler of the program's."""
    switch = getattr(torch._C._autograd, "_enable_record_function", None)
    if switch is None or not torch._C._autograd._profiler_enabled():
        yield
        return
    switch(False)
    try:
        yield
    finally:
        switch(True)


def random_states() -> tuple[Tensor, ...]:
    """The state of the CPU generator and of each GPU generator in use; no GPU is started or waited for."""
    states = [torch.default_generator.get_state()]
    if torch.cuda.is_available() and bool(torch.cuda.is_initialized()):  # type: ignore[no-untyped-call]  # torch leaves it without types
        states += [generator.get_state() for generator in torch.cuda.default_generators]
    return tuple(states)


def set_random_states(states: tuple[Tensor, ...]) -> None:
    """Put the generators back to `states`."""
    torch.default_generator.set_state(states[0])
    for generator, state in zip(torch.cuda.default_generators, states[1:], strict=False):
        generator.set_state(state)


def seed_anew(seed: int) -> None:
    """Seed the generators of `random_states`, which are to be put back afterwards; `torch.manual_seed` would seed a GPU that is not in use yet."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available() and bool(torch.cuda.is_initialized()):  # type: ignore[no-untyped-call]  # torch leaves it without types
        for generator in torch.cuda.default_generators:
            generator.manual_seed(seed)


def autocast_state(device: str) -> tuple[str, bool, torch.dtype]:
    """Whether autocast is on for a kind of device, and to what dtype."""
    return device, torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)


def is_first_of_schedule(scheduler: Any) -> bool:
    """Whether this is the step that a scheduler takes by itself while it is made, to set the first rate."""
    return bool(getattr(scheduler, "_is_initial", False)) or getattr(scheduler, "_step_count", 2) <= 1


def loader_iterator() -> Any:
    """The class whose `__next__` hands out a data loader's batches, or None if this version has none."""
    return getattr(torch.utils.data.dataloader, "_BaseDataLoaderIter", None)


def fetcher_of(iterator: Any) -> Any:
    """What a data loader's iterator gets its items from, in this process; None where there is none, or this version hides it."""
    return getattr(iterator, "_dataset_fetcher", None)


def functorch_entries() -> tuple[tuple[Any, str], ...]:
    """Functions under which tensors are wrapped: (module, name)."""
    names = (("torch._functorch.vmap", "vmap_impl"), ("torch._functorch.apis", "vmap_impl"), ("torch._functorch.apis", "grad_impl"),
             ("torch._functorch.eager_transforms", "_vjp_with_argnums"), ("torch._functorch.eager_transforms", "_jvp_with_argnums"))  # fmt: skip
    import sys

    modules = ((sys.modules.get(module), name) for module, name in names)
    return tuple((module, name) for module, name in modules if module is not None and hasattr(module, name))


def gradient_transform() -> Any:
    """The module whose `grad_and_value_impl` stands behind `torch.func.grad` and `grad_and_value`, or None."""
    import sys

    module = sys.modules.get("torch._functorch.eager_transforms")
    return module if module is not None and hasattr(module, "grad_and_value_impl") else None


def in_transform() -> bool:
    """Whether a transform of `torch.func` is at work."""
    peek = getattr(torch._C._functorch, "peek_interpreter_stack", None)
    return peek is None or peek() is not None


def owner_of_grad_switch() -> Callable[..., Any]:
    """The function that `no_grad`, `enable_grad` and `set_grad_enabled` all call."""
    return torch._C._set_grad_enabled


TRAIN = getattr(torch.nn.Module.train, "__wrapped__", torch.nn.Module.train).__code__
"""The code of `Module.train`, which calls itself for each part of a module."""


def excuse_eager_call() -> None:
    """A compiled call under way has run eagerly so far, and may end without a compiled frame: `fullgraph=True` would raise."""
    try:
        from torch._C._dynamo.eval_frame import set_fullgraph_compiled_frame_count
    except ImportError:  # before 2.13 such a call was not counted
        return
    count = set_fullgraph_compiled_frame_count(-1)  # -1 outside of such calls
    if count >= 0:
        set_fullgraph_compiled_frame_count(max(count, 1))
