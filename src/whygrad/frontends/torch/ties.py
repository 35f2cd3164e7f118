"""Parameters that several modules share, and what becomes of it when a checkpoint is loaded."""

from torch import nn

from whygrad.frontends.torch.holding import named_in


def tied(module: nn.Module) -> dict[str, tuple[str, ...]]:
    """For each shared parameter its first name to all of them."""
    names: dict[int, list[str]] = {}
    for name, parameter in named_in(module, remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return {group[0]: tuple(group) for group in names.values() if len(group) > 1}


def broken(before: dict[str, tuple[str, ...]], module: nn.Module) -> tuple[str, ...]:
    """Names that were one parameter before, and are several now."""
    now = dict(named_in(module, remove_duplicate=False)) if before else {}
    apart = [group for group in before.values() if len({id(now[name]) for name in group if name in now}) > 1]
    return tuple(name for group in apart for name in group)
