"""`torch.func.grad` in a recorded step, done by plain autograd: the same derivative by the same kernels, of tensors that can be looked into."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as trees

from whygrad.frontends.torch import _compat


@dataclass(slots=True)
class Call:
    """One call of a function whose derivative is asked for."""

    args: tuple[Any, ...]
    """What the function is called with: the tensors of the derivative stand for themselves, tracked."""
    leaves: list[Tensor]
    names: list[str]
    """The last key of each in the structure that holds it."""
    form: Any
    single: bool


def tracked(argnums: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """The call with tracked arguments; None where it lies within another transform, or where the derivative is part of an outer one."""
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if _compat.in_transform() or not all(isinstance(at, int) and -len(args) <= at < len(args) for at in places):
        return None
    found, form = trees.tree_flatten_with_path(tuple(args[at] for at in places))
    given = [item for item in trees.tree_leaves((args, kwargs)) if isinstance(item, Tensor)]
    plain = all(type(item) in (Tensor, torch.nn.Parameter) and not item.requires_grad for item in given)
    if not plain or not found or not all(isinstance(item, Tensor) and item.is_floating_point() for _, item in found):
        return None
    leaves = [item.detach().requires_grad_() for _, item in found]
    replaced = dict(zip(places, trees.tree_unflatten(leaves, form), strict=True))
    whole = tuple(replaced.get(at, replaced.get(at - len(args), item)) for at, item in enumerate(args))
    return Call(whole, leaves, [_key(path) for path, _ in found], form, isinstance(argnums, int))


def _key(path: Any) -> str:
    last = path[-1] if path else None
    key = getattr(last, "key", getattr(last, "name", None))
    return key if isinstance(key, str) else ""


def fits(output: Any, rest: list[Any]) -> bool:
    """What the function returned is what PyTorch asks for: one tracked number; the rest is tensors."""
    number = isinstance(output, Tensor) and output.dim() == 0 and output.requires_grad
    return number and all(isinstance(item, Tensor) for item in trees.tree_leaves(rest))


def goes_on(output: Tensor, call: Call) -> bool:
    """The output also depends on tracked tensors that the function found by itself, so that what comes out can be differentiated by these."""
    own = {id(leaf) for leaf in call.leaves}
    return any(id(leaf) not in own for leaf in _leaves(output))


def _leaves(output: Tensor) -> Iterator[Tensor]:
    waiting, seen = [output.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            yield node.variable
        waiting += [further for further, _ in node.next_functions]


def gradients(grad: Callable[..., Any], output: Tensor, call: Call, *, again: bool) -> Any:
    """The derivative in the form of the arguments; zeros for what the output does not depend on. `again`: it can be differentiated itself."""
    found = grad(output, call.leaves, allow_unused=True, create_graph=again)
    filled = [torch.zeros_like(leaf) if item is None else item for item, leaf in zip(found, call.leaves, strict=True)]
    whole = trees.tree_unflatten(filled if again else [item.detach() for item in filled], call.form)
    return whole[0] if call.single else whole


def without_history(result: Any) -> Any:
    """The same, as a transform hands it out: without the graph that it has used up."""
    return trees.tree_map(lambda item: item.detach() if isinstance(item, Tensor) and item.requires_grad else item, result)
