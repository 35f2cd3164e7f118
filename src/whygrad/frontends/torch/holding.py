"""What a module holds, asked in a way that changes nothing in it.

A layer of Keras makes its list of parameters when it is first asked for it and keeps that list: asked while its variables are
placeholders, it would have placeholders for ever. So Keras' layers are never asked; PyTorch's own walk and Keras' variables say the same.
"""

from collections.abc import Iterator

from torch import nn

from whygrad.frontends.torch import keras


def named_in(module: nn.Module, *, remove_duplicate: bool = True) -> Iterator[tuple[str, nn.Parameter]]:
    """As `module.named_parameters()`: of a layer of Keras' what PyTorch finds there by itself, and then its variables."""
    if not keras.is_keras(module):
        yield from module.named_parameters(remove_duplicate=remove_duplicate)
        return
    seen = set()
    for name, parameter in nn.Module.named_parameters(module, remove_duplicate=remove_duplicate):
        seen.add(id(parameter))
        yield name, parameter
    yield from (
        (name, tensor) for tensor, _, name in keras.held_by_layers(module) if isinstance(tensor, nn.Parameter) and id(tensor) not in seen
    )


def held_in(module: nn.Module) -> Iterator[nn.Parameter]:
    """As `module.parameters()`."""
    return (parameter for _, parameter in named_in(module))


def parts_of(module: nn.Module) -> Iterator[nn.Module]:
    """As `module.modules()`; a model of Keras' keeps its layers where PyTorch does not look."""
    known = list(module.modules())
    yield from known
    seen = set(map(id, known))
    yield from (
        (layer for layer in keras.layers_of(module) if isinstance(layer, nn.Module) and id(layer) not in seen)
        if keras.is_keras(module)
        else ()
    )


def holds(module: nn.Module) -> bool:
    """There is a parameter in it."""
    return next(held_in(module), None) is not None
