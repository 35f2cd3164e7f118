"""A fault of whygrad's own ends the recording, is told, and changes nothing for the program: every method is made to fail in turn."""

import inspect
from pathlib import Path

import pytest
import torch

from frontends.torch.watching_here import attached, play, watch
from whygrad.frontends import Recording, source
from whygrad.frontends.kinds import Kinds
from whygrad.frontends.torch import statistics
from whygrad.frontends.torch.activations import Activations
from whygrad.frontends.torch.assembly import Assembly
from whygrad.frontends.torch.batches import Loaders
from whygrad.frontends.torch.hooks import Hooks
from whygrad.frontends.torch.identity import Identity
from whygrad.frontends.torch.ledger import Ledger
from whygrad.frontends.torch.modules import Modules
from whygrad.frontends.torch.optimizers import Optimizers
from whygrad.frontends.torch.recorder import TorchRecorder
from whygrad.frontends.torch.replay import TorchReplay
from whygrad.frontends.torch.steps import Builder
from whygrad.frontends.torch.symptoms import Symptoms
from whygrad.frontends.torch.watching import ParameterWatch
from whygrad.frontends.travel import Travel
from whygrad.ir import Outcome

pytestmark = [pytest.mark.torch, pytest.mark.slow]

PROGRAM = """
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, inputs):
            return inputs * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm, self.last = nn.Linear(4, 6), nn.BatchNorm1d(6), [nn.Linear(6, 3)]
            self.gain = torch.ones(6, requires_grad=True)

        def forward(self, x):
            h = self.norm(self.first(x)).relu_() * self.gain
            return self.last[0](F.dropout(Double.apply(h), 0.2))

    def objective(scores, labels):
        return F.cross_entropy(scores, labels) + 0 * torch.tensor(scores.detach().numpy()).mean()

    model, losses, failures = Net(), [], []
    model.load_state_dict(model.state_dict())
    model.first.bias.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    data = torch.utils.data.TensorDataset(torch.randn(32, 4), torch.randint(0, 3, (32,)))
    for inputs, labels in torch.utils.data.DataLoader(data, 8):
        model.train()
        optimizer.zero_grad()
        with torch.autocast("cpu", enabled=False):
            loss = objective(model(inputs), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            model(inputs)
        slope, = torch.autograd.grad(model(inputs).sum(), [model.norm.weight])
        with torch.no_grad():
            model.norm.weight -= 0.01 * slope
        try:
            model(torch.randn(3, 5))
        except RuntimeError as problem:
            failures.append(str(problem))
    state = torch.cat([*(v.flatten().double() for v in model.state_dict().values()), torch.tensor(losses), torch.randn(3)])
"""

DOORS = {
    # what PyTorch itself calls, in the place of its own functions: each calls what it stands for
    Hooks: {"backward", "grad", "opaque", "batch", "overheard", "aside_layer", "aside_forward", "loading"},
    # what the guards are made of
    TorchRecorder: {"broken", "stop", "switch_off", "withdraw", "aside", "set_stance", "listening", "draft"},
    Modules: {"release"},
}  # fmt: skip
CLASSES = (Activations, Assembly, Builder, Hooks, Identity, Kinds, Ledger, Loaders, Modules, Optimizers, ParameterWatch, Symptoms, TorchRecorder,
           TorchReplay, Travel)  # fmt: skip
INSIDE_THE_GUARD = ("before", "after", "failed")
"""Of the recorder: guarded by themselves, so that their insides fail instead."""


def methods(owner: type) -> list[str]:
    found = [name for name, _ in inspect.getmembers(owner, inspect.isfunction) if not name.startswith("__")]
    guards = [name for name in found if hasattr(getattr(owner, name), "__wrapped__")]
    own = [*DOORS.get(owner, ()), *(INSIDE_THE_GUARD if owner is TorchRecorder else ())]
    return [name for name in found if name not in guards and name not in own]


CASES = [(owner, name) for owner in CLASSES for name in methods(owner)]
FUNCTIONS = [(source, "trace"), (source, "user_frame"), (source, "unread_parameters"), (statistics, "start")]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    names = play(tmp_path_factory.mktemp("plain"), PROGRAM)
    return names["state"], names["failures"]


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    """The methods that the program leads to; the others need no trial."""
    found = set()
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in CASES:
            held = inspect.getattr_static(owner, name)
            original = held.__func__ if isinstance(held, staticmethod) else held

            def noting(*args, original=original, key=(owner, name), **kwargs):
                found.add(key)
                return original(*args, **kwargs)

            patch.setattr(owner, name, staticmethod(noting) if isinstance(held, staticmethod) else noting)
        observing, _ = watch(Recording())
        play(tmp_path_factory.mktemp("called"), PROGRAM)
        observing.finish(Outcome(0))
    return found


def failing(*_: object, **__: object) -> None:
    failing.called = True  # type: ignore[attr-defined]
    raise ArithmeticError("made to fail")


@pytest.mark.parametrize(("owner", "name"), [*CASES, *FUNCTIONS], ids=lambda item: getattr(item, "__name__", item))
def test_a_fault_of_ours_changes_nothing_for_the_program(owner, name, plain, called, tmp_path: Path, monkeypatch):
    if (owner, name) in CASES and (owner, name) not in called:
        return
    failing.called = False  # type: ignore[attr-defined]
    monkeypatch.setattr(owner, name, failing)
    observing = attached(Recording())
    try:
        names = play(tmp_path, PROGRAM)
    finally:
        record = observing.finish(Outcome(0))
    monkeypatch.undo()

    assert torch.equal(names["state"], plain[0])
    assert names["failures"] == plain[1]
    assert torch._C._len_torch_function_stack() == 0
    assert bool(record.faults) == failing.called, name  # type: ignore[attr-defined]
    assert torch.is_grad_enabled()


def test_most_methods_are_called_by_that_program(called):
    assert len(called) > 0.6 * len(CASES)
