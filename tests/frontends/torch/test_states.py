"""What is recorded of modes, ties, scalers, hooks, checkpoints and custom functions, and what the probes measure on them."""

from pathlib import Path

import pytest
import torch

from frontends.torch.watching_here import events, line_of, ops, parameters, recorded
from whygrad.ir import Differentiate, Record, Trial, Unhook

pytestmark = pytest.mark.torch

LOOP = """
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range({steps}):
        inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
        loss = F.cross_entropy(model(inputs), labels)
        optimizer.zero_grad(set_to_none={none})
        loss.backward()
        optimizer.step()
"""


def loop(steps: int = 2, *, none: bool = True) -> str:
    return LOOP.format(steps=steps, none=none)


def trials(record: Record, kind: type) -> list[Trial]:
    return [trial for step in record.steps for trial in step.trials if isinstance(trial.intervention, kind)]


def test_a_switch_of_a_whole_model_is_one_event(tmp_path):
    program = "    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))\n    model.eval()\n" + loop()
    record = recorded(tmp_path, program)

    (event,) = events(record.steps[0], "eval")
    assert event.targets == ("model",)
    assert event.attributes["class"] == "Sequential"
    assert event.site is not None
    assert event.site.line == line_of(program, "model.eval()")


def test_the_last_switch_between_recorded_steps_is_kept(tmp_path):
    program = "    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))\n" + loop(30) + "        model.eval() if _ == 9 else None\n"
    steps = recorded(tmp_path, program).steps

    assert [(step.index, event.targets) for step in steps for event in events(step, "eval")] == [(steps[-1].index, ("model",))]
    assert steps[-1].index > 9


def test_a_parameter_that_is_made_of_a_computed_value_is_cut_off_where_it_is_made(tmp_path):
    program = """
    class Made(nn.Module):
        def __init__(self, weight):
            super().__init__()
            self.weight = nn.Parameter(weight)
    maker = nn.Linear(4, 12)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
        weight = Made(maker(inputs.mean(0)).view(3, 4)).weight
        loss = F.cross_entropy(model(inputs) + F.linear(inputs, weight), labels)
        loss.backward()
        optimizer.step()
    """
    step = recorded(tmp_path, program).steps[0]
    (wrap,) = ops(step, "detach")

    assert wrap.native == "torch.nn.Parameter"
    assert wrap.site is not None
    assert wrap.site.line == line_of(program, "nn.Parameter(weight)")
    assert {p.value for p in step.parameters} >= set(wrap.outputs)


def test_a_parameter_that_is_made_of_another_one_or_of_data_has_no_maker(tmp_path):
    program = """
    first, model = nn.Linear(4, 3), nn.Linear(4, 3)
    model.weight = nn.Parameter(first.weight)
    model.bias = nn.Parameter(torch.randn(8, 3).mean(0))
""" + loop()
    step = recorded(tmp_path, program).steps[0]

    assert not [op for op in step.graph.ops if op.native == "torch.nn.Parameter"]


HANDED = """
    maker, model = nn.Linear(4, 12), nn.Linear(4, 3)
    optimizer = torch.optim.SGD(maker.parameters(), lr=0.1)
    for _ in range(2):
        inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
        WRITE
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
"""
MADE = "maker(inputs.mean(0)).view(3, 4)"


@pytest.mark.parametrize(
    "write",
    [
        f"model.weight.data = {MADE}",
        f"model.weight.data.copy_({MADE})",
        f"model.weight.data[:] = {MADE}",
        f"model.load_state_dict({{'weight': {MADE}}}, strict=False)",
    ],
)
def test_a_parameter_that_takes_what_was_computed_is_cut_off_there(tmp_path, write: str):
    program = HANDED.replace("WRITE", write)
    step = recorded(tmp_path, program).steps[0]
    (cut,) = [op for op in ops(step, "detach") if "handed" in op.attributes]

    assert cut.site is not None
    assert cut.site.line == line_of(program, write)
    assert set(cut.outputs) == {p.value for p in step.parameters if p.name == "model.weight"}


@pytest.mark.parametrize(
    "write",
    [
        "model.weight.data = torch.randn(3, 4)",
        "model.weight.data = maker.weight.data[:3, :4]",
        "model.load_state_dict(nn.Linear(4, 3).state_dict())",
        "model.weight.data.mul_(0.9).add_(maker.weight.data[:3], alpha=0.1)",
    ],
)
def test_numbers_without_a_history_are_handed_on_silently(tmp_path, write: str):
    step = recorded(tmp_path, HANDED.replace("WRITE", write)).steps[0]

    assert not [op for op in step.graph.ops if "handed" in op.attributes]


@pytest.mark.parametrize(("backward", "cleared"), [("", 6), ("loss.backward()", 0)], ids=["none", "one in each step"])
def test_gradients_that_are_cleared_and_never_asked_for_are_counted(tmp_path, backward: str, cleared: int):
    text = f"""
    net = nn.Linear(4, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(6):
        opt.zero_grad()
        with torch.set_grad_enabled({bool(backward)}):
            loss = F.mse_loss(net(torch.rand(8, 4)), torch.rand(8, 1))
            {backward}
    """
    record = recorded(tmp_path, text)

    assert record.outcome.cleared == cleared
    assert any(op.kind == "mse_loss" for step in record.steps for op in step.graph.ops)


def test_gradients_that_the_program_writes_itself(tmp_path):
    program = """
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        inputs, copies = torch.randn(8, 4), [p.detach().clone() for p in model.parameters()]
        guess = model(inputs).mean(0).detach()
        model.weight.grad = guess * inputs.mean(0, keepdim=True)
        model.bias.grad = guess
        copies[0].grad = torch.ones(1, 4)
        optimizer.step()
    """
    step = recorded(tmp_path, program).steps[0]
    written = events(step, "assign")

    assert [event.targets for event in written] == [("weight",), ("bias",), ()]
    assert {p.gradient for p in step.parameters} == {"finite"}
    assert written[0].site is not None
    assert written[0].site.line == line_of(program, "model.weight.grad")


def test_weights_that_loading_unties(tmp_path):
    program = """
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(4, 4), nn.Linear(4, 4, bias=False)
            self.head.weight = self.embed.weight
        def forward(self, ids):
            return self.head(self.embed(ids))
    model = Tied()
    model.load_state_dict({name: value.clone() for name, value in model.state_dict().items()}, assign={assign})
    for p in model.parameters():
        p.requires_grad_(True)
    ids = torch.arange(4)
    F.cross_entropy(model(ids), ids).backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    """
    apart = recorded(tmp_path, program.replace("{assign}", "True")).steps[0]
    together = recorded(tmp_path, program.replace("{assign}", "False")).steps[0]

    assert [event.targets for event in events(apart, "untie")] == [("embed.weight", "head.weight")]
    assert not events(together, "untie")


def test_steps_that_a_scaler_declines_are_counted(tmp_path):
    program = """
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    for step in range(5):
        loss = (model(torch.randn(8, 4)) * (float("inf") if step < 3 else 1.0)).mean()
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    """
    (optimizer,) = recorded(tmp_path, program).optimizers

    assert (optimizer.skipped, optimizer.steps) == (3, 2)
    assert optimizer.step_site is not None
    assert optimizer.step_site.line == line_of(program, "scaler.step(optimizer)")


def test_optimizers_made_again_for_the_same_parameters_are_counted(tmp_path):
    again = """
    model = {model}
    for _ in range(6):
        {anew}
        optimizer = torch.optim.Adam(model.parameters(), lr={rate})
        model(torch.randn(8, 4)).mean().backward()
        optimizer.step()
    """
    same = recorded(tmp_path, again.format(model="nn.Linear(4, 3)", anew="pass", rate="0.1"))
    fresh = recorded(tmp_path, again.format(model="None", anew="model = nn.Linear(4, 3)", rate="0.1"))
    phases = recorded(tmp_path, again.format(model="nn.Linear(4, 3)", anew="pass", rate="0.1 / (1 + _)"))
    folds = recorded(tmp_path, again.format(model="nn.Linear(4, 3)", anew="model.reset_parameters()", rate="0.1"))

    assert max(optimizer.made for optimizer in same.optimizers) == 6
    assert max(optimizer.made for optimizer in fresh.optimizers) == 1
    assert max(optimizer.made for optimizer in phases.optimizers) == 1
    assert max(optimizer.made for optimizer in folds.optimizers) == 1


def test_what_a_checkpoint_runs(tmp_path):
    program = """
    from torch.utils.checkpoint import checkpoint
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.head = nn.Linear(4, 4), nn.Linear(4, 3)
        def forward(self, x):
            return self.head(checkpoint(self.stem, x, use_reentrant=True))
    model = Net()
    """
    step = recorded(tmp_path, program + loop()).steps[0]
    (call,) = ops(step, "custom")

    assert call.native == "CheckpointFunction"
    assert call.attributes["runs"] == "stem"
    assert not step.graph.values[call.output].differentiable


CUSTOM = """
    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            ctx.save_for_backward(x, weight)
            return (x * weight).sin()
        @staticmethod
        def backward(ctx, grad):
            x, weight = ctx.saved_tensors
            return {returned}
    weight = nn.Parameter(torch.randn(4))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    for _ in range(2):
        loss = Scaled.apply(torch.randn(8, 4), weight).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
RIGHT = "None, (grad * (x * weight).cos() * x).sum(0)"


@pytest.mark.parametrize(
    ("returned", "wrong", "opposed"),
    [
        (RIGHT, 0, 0),
        (RIGHT.replace("(grad", "-(grad"), 6, 6),
        (RIGHT.replace("grad * ", ""), 6, None),
        (RIGHT.replace("(x * weight).cos() * ", ""), 6, None),
    ],
    ids=["right", "sign", "incoming gradient left out", "factor left out"],
)
def test_custom_backwards_are_compared_with_finite_differences(tmp_path, returned, wrong, opposed):
    program = CUSTOM.replace("{returned}", returned)
    record = recorded(tmp_path, program)
    trial, *_ = trials(record, Differentiate)
    (call,) = ops(record.steps[0], "custom")

    assert not trial.reason
    assert trial.figures["checked"] >= 3
    assert trial.figures["wrong"] >= min(wrong, trial.figures["checked"]) - 1
    assert wrong or trial.figures["wrong"] == 0
    assert opposed is None or trial.figures["opposed"] == (trial.figures["checked"] if opposed else 0)
    assert call.attributes["backward"] == (
        str(tmp_path / "train.py"), line_of(program, "return None"), "Scaled.backward", "        return " + returned
    )  # fmt: skip


def test_flat_and_reversing_functions_are_not_contradicted(tmp_path):
    program = """
    class Sign(torch.autograd.Function):
        forward = staticmethod(lambda ctx, x: x.sign())
        backward = staticmethod(lambda ctx, grad: grad)
    class Reverse(torch.autograd.Function):
        forward = staticmethod(lambda ctx, x: x.clone())
        backward = staticmethod(lambda ctx, grad: -grad)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        loss = Reverse.apply(Sign.apply(model(torch.randn(8, 4)))).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    """
    found = trials(recorded(tmp_path, program), Differentiate)

    assert found
    assert all(trial.figures.get("wrong", 0.0) == 0 for trial in found)


def test_a_gradient_without_its_hook(tmp_path):
    program = """
    model = nn.Linear(4, 3)
    mask = torch.tensor([0.0, 1.0, 1.0]).unsqueeze(1)
    model.weight.register_hook(lambda grad: grad * mask)
    """
    record = recorded(tmp_path, program + loop())
    trial, *_ = trials(record, Unhook)
    (event,) = events(record.steps[0], "hook")

    assert event.targets == ("weight",)
    assert trial.figures["zeroed"] == pytest.approx(1 / 3)
    assert trial.figures["hooked"] == pytest.approx(parameters(record.steps[0])["weight"].gradient_norm, rel=1e-5)
    assert trial.figures["bare"] > trial.figures["hooked"]


def test_what_reads_a_gradient_reads_a_gradient(tmp_path):
    program = """
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        kept = []
        for _ in range(2):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).pow(2).mean().backward()
            kept.append(model.weight.grad.clone())
        model.weight.grad = kept[0] + kept[1]
        optimizer.step()
    """
    step = recorded(tmp_path, program).steps[0]
    read = [op for op in ops(step, "copy") if op.native.endswith("clone")]

    assert [step.graph.values[op.inputs[0]].role for op in read] == ["gradient", "gradient"]


EVALUATED = """
    net = nn.Linear(4, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(9):
        opt.zero_grad()
        loss = net(torch.rand(8, 4)).mean()
        if loss.requires_grad:
            loss.backward()
            opt.step()
        if step == 4:
            AFTER
"""
BLOCK = """with torch.set_grad_enabled(False):
                opt.zero_grad(), opt.zero_grad(), net(torch.rand(8, 4))"""


@pytest.mark.parametrize(
    ("after", "steps"),
    [("torch.set_grad_enabled(False)", 4), ("torch.set_grad_enabled(False), torch.set_grad_enabled(True)", 0), (BLOCK, 0)],
    ids=["for good", "and on again", "in a block"],
)
def test_steps_that_go_on_with_tracking_switched_off_are_counted(tmp_path: Path, after: str, steps: int):
    text = EVALUATED.replace("AFTER", after)
    try:
        record = recorded(tmp_path, text)
    finally:
        torch.set_grad_enabled(True)

    assert record.outcome.untracked == steps
    assert [o.site.line for o in record.origins if o.setting == "untracked" and o.site] == [line_of(text, "(False)")] * bool(steps)


def test_the_length_that_a_schedule_was_told_is_kept_with_how_far_it_came(tmp_path: Path) -> None:
    program = """
        model = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=4)
        for number in range(4):
            optimizer.zero_grad()
            model(torch.ones(2, 4)).sum().backward()
            optimizer.step()
            if number == 3:
                schedule.step()
        del schedule
    """
    (optimizer,) = recorded(tmp_path, program).optimizers

    assert optimizer.laid_out == (4, 1)


def test_updates_of_optimizers_that_are_gone_are_counted(tmp_path):
    fold = "    def fold():\n        model = nn.Linear(4, 3)\n" + "\n".join("    " + line for line in loop(5).splitlines())
    record = recorded(tmp_path, fold + "\n    for _ in range(4):\n        fold()\n")

    assert (record.outcome.steps_seen, record.outcome.updates_seen) == (20, 20)
