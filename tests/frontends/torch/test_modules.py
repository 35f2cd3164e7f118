"""Names of modules: the numbers by which Python tells things apart are used again once a model is gone."""

import sys
from weakref import ref

from torch import nn

from whygrad.frontends.torch.modules import Modules


def ran(modules: Modules, *stack: nn.Module) -> None:
    for module in stack:
        modules.enter(module, sys._getframe())


def test_a_module_in_the_place_of_one_that_is_gone_is_named_anew():
    modules = Modules()
    gone, parent = nn.Linear(1, 1), nn.ModuleDict({"head": nn.Linear(2, 2)})
    modules._names[id(parent["head"])] = ref(gone), "encoder.0"  # as where the head lies where another model's layer lay
    del gone

    ran(modules, parent, parent["head"])

    assert modules.path() == "head"


def test_a_parameter_in_the_place_of_one_that_is_gone_is_kept_account_of():
    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(1, 1)
            self.kept = [nn.Parameter(self.inner.weight.detach().clone())]

    modules, holder = Modules(), Holder()
    ran(modules, holder)
    gone = nn.Parameter(holder.kept[0].detach().clone())
    modules._registered[id(holder.kept[0])] = ref(gone)
    del gone

    modules.note_leaf(holder.kept[0])

    (stray,) = modules._strays.values()
    assert stray[0]() is holder.kept[0]
