"""Interventions on the replay of a recorded step give what the repaired program gives, and change nothing where there is nothing to change."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
import torch

from frontends.idle import assert_nothing_changed, idle_trials, kept_and_followed
from frontends.torch.watching_here import FRONT_ENDS, play
from whygrad.frontends import Recording
from whygrad.frontends.torch.descent import BORROWED
from whygrad.ir import Bypass, Descend, Intervention, Lift, Outcome, Permute, Record, Reshape, Step, Trial
from whygrad.observing import Observing
from whygrad.program import Target
from whygrad.replay import Replay

pytestmark = pytest.mark.torch

Choose = Callable[[Step], Intervention]

LOOP = """
    model = nn.ModuleDict({{"encoder": nn.Linear(4, 6), "drop": nn.Dropout(0.3), "head": nn.Linear(6, {outputs})}})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs, targets, labels = torch.randn(8, 4), torch.randn(8), torch.randint(0, 3, (8,))
{body}
    gradients = {{name: p.grad.double().norm().item() for name, p in model.named_parameters() if p.grad is not None}}
    optimizer.step()
"""


def program(body: str, outputs: int = 3) -> str:
    return LOOP.format(body="\n".join(f"    {line}" for line in dedent(body).strip().splitlines()), outputs=outputs)


class Asking(Observing):
    """Performs interventions of a test's choice."""

    def __init__(self, *choices: Choose) -> None:
        super().__init__(Target("train.py"), Recording(), tuple, FRONT_ENDS, None)
        self.choices = choices
        self.trials: list[Trial] = []
        self.before: dict[str, float] = {}

    def examine(self, step: Step, replay: Replay) -> Step:
        assert replay.baseline().reproduced is not False
        self.trials += [replay.run(choose(step)) for choose in self.choices]
        return step


def asked(folder, text: str, *choices: Choose) -> list[Trial]:
    """What came of interventions on the one step of a program."""
    observing = Asking(*choices)
    observing.attach("torch")
    try:
        play(folder, text)
    finally:
        record = observing.finish(Outcome(0))
    assert not record.faults, record.faults
    return observing.trials


def lift(kind: str) -> Choose:
    return lambda step: Lift(tuple(op.output for op in step.graph.ops if op.kind == kind)[:1])


def lift_untracked(step: Step) -> Intervention:
    parameters = {parameter.value for parameter in step.parameters}
    return Lift(tuple(op.output for op in step.graph.ops if not op.tracking and parameters.intersection(op.inputs))[:1])


def bypass(kind: str) -> Choose:
    return lambda step: Bypass(tuple(op.output for op in step.graph.ops if op.kind == kind)[:1])


def reshape(name: str, *shape: int) -> Choose:
    return lambda step: Reshape(next(value.name for value in step.graph.values.values() if value.called == name), shape)


REPAIRS: dict[str, tuple[str, str, int, Choose]] = {
    "detach": (
        "hidden = model['drop'](model['encoder'](inputs)).detach()\nF.cross_entropy(model['head'](hidden), labels).backward()",
        "hidden = model['drop'](model['encoder'](inputs))\nF.cross_entropy(model['head'](hidden), labels).backward()",
        3,
        lift("detach"),
    ),
    "data": (
        "hidden = model['encoder'](inputs).data\nF.cross_entropy(model['head'](hidden), labels).backward()",
        "hidden = model['encoder'](inputs)\nF.cross_entropy(model['head'](hidden), labels).backward()",
        3,
        lift("detach"),
    ),
    "no_grad": (
        (
            "with torch.no_grad():\n    hidden = model['drop'](model['encoder'](inputs).tanh())\n"
            "F.cross_entropy(model['head'](hidden), labels).backward()"
        ),
        "hidden = model['drop'](model['encoder'](inputs).tanh())\nF.cross_entropy(model['head'](hidden), labels).backward()",
        3,
        lift_untracked,
    ),
    "numpy": (
        "hidden = torch.from_numpy(model['encoder'](inputs).detach().numpy())\nF.cross_entropy(model['head'](hidden), labels).backward()",
        "hidden = model['encoder'](inputs)\nF.cross_entropy(model['head'](hidden), labels).backward()",
        3,
        lift("leave"),
    ),
    "tensor of numpy": (
        "hidden = torch.tensor(model['encoder'](inputs).detach().cpu().numpy())\nF.cross_entropy(model['head'](hidden), labels).backward()",
        "hidden = model['encoder'](inputs)\nF.cross_entropy(model['head'](hidden), labels).backward()",
        3,
        lift("enter"),
    ),
    "item": (
        (
            "share = model['encoder'](inputs).exp().mean().item()\n"
            "(F.cross_entropy(model['head'](torch.ones(8, 6)), labels) + torch.tensor(share)).backward()"
        ),
        "share = model['encoder'](inputs).exp().mean()\n(F.cross_entropy(model['head'](torch.ones(8, 6)), labels) + share).backward()",
        3,
        lift("leave"),
    ),
    "the whole loss": (
        "loss = torch.tensor(F.cross_entropy(model['head'](model['encoder'](inputs)), labels).item(), requires_grad=True)\nloss.backward()",
        "loss = F.cross_entropy(model['head'](model['encoder'](inputs)), labels)\nloss.backward()",
        3,
        lift("enter"),
    ),
    "second softmax": (
        "scores = model['head'](model['encoder'](inputs))\nF.cross_entropy(scores.softmax(1), labels).backward()",
        "scores = model['head'](model['encoder'](inputs))\nF.cross_entropy(scores, labels).backward()",
        3,
        bypass("softmax"),
    ),
    "broadcast loss": (
        "found = model['head'](model['encoder'](inputs))\n((found - targets) ** 2).mean().backward()",
        "found = model['head'](model['encoder'](inputs))\n((found - targets[:, None]) ** 2).mean().backward()",
        1,
        reshape("targets", 8, 1),
    ),
}


@pytest.mark.parametrize("name", REPAIRS)
def test_an_intervention_gives_the_gradients_of_the_repaired_program(name, tmp_path):
    faulty, repaired, outputs, choose = REPAIRS[name]
    (trial,) = asked(tmp_path, program(faulty, outputs), choose)
    right = play(tmp_path, program(repaired, outputs))["gradients"]

    assert not trial.reason
    assert trial.gradients == pytest.approx(right, rel=1e-12)
    assert "encoder.weight" in trial.gradients
    assert trial.change is None or trial.change > 1e-3


HEALTHY = {
    "dropout and batch norm": """
        hidden = F.dropout(F.batch_norm(model['encoder'](inputs), torch.zeros(6), torch.ones(6), training=True), 0.5).contiguous().clone()
        F.cross_entropy(model['head'](hidden), labels).backward()
    """,
    "writes in place": """
        hidden = model['encoder'](inputs).clone()
        hidden[:, 1:3] *= 2
        hidden.view(-1)[::3].relu_()
        F.cross_entropy(model['head'](hidden).contiguous(), labels).backward()
    """,
    "a view of a view": """
        hidden = model['encoder'](inputs).t().t()[:, :].clone()
        first, rest = hidden.split([2, 6])
        F.cross_entropy(model['head'](torch.cat([rest, first])), labels).backward()
    """,
    "autocast": """
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(model['head'](model['head'].weight.T[:, :1].T + model['encoder'](inputs).clone()), labels)
        loss.backward()
    """,
    "random numbers of its own": """
        hidden = (model['encoder'](inputs) + torch.randn(8, 6)).clone() * torch.rand(())
        F.cross_entropy(model['head'](hidden), labels).backward()
    """,
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTHY)
def test_an_intervention_with_nothing_to_change_changes_nothing(name, tmp_path):
    choices = [lift("copy"), bypass("copy"), reshape("labels", 8), lambda step: Lift((step.graph.ops[-1].output,))]
    trials = asked(tmp_path, program(HEALTHY[name]), *choices[:3])
    plain = play(tmp_path, program(HEALTHY[name]))["gradients"]

    for trial in trials:
        if not trial.reason:
            assert trial.change == 0.0
            assert trial.gradients == pytest.approx(plain, rel=1e-12)
    assert any(not trial.reason for trial in trials)


def test_what_a_replay_was_not_meant_to_touch_is_as_it_was(tmp_path):
    text = program(
        "norm = nn.BatchNorm1d(6)\nbank = torch.zeros(8, 6)\nhidden = norm(model['encoder'](inputs))\nbank.add_(hidden.detach())\n"
        "state = torch.get_rng_state()\nF.cross_entropy(model['head'](F.dropout(hidden + bank, 0.5)), labels).backward()"
    )
    trials = asked(tmp_path, text, lift("detach"), lambda step: Permute(step.labels.values), bypass("dropout"))
    names = play(tmp_path, text)
    once = torch.cat([names["norm"].running_mean, names["norm"].running_var, names["bank"].flatten(), torch.randn(2)])
    observing = Asking(lift("detach"), lambda step: Permute(step.labels.values))
    observing.attach("torch")
    names = play(tmp_path, text)
    again = torch.cat([names["norm"].running_mean, names["norm"].running_var, names["bank"].flatten(), torch.randn(2)])
    observing.finish(Outcome(0))

    assert torch.equal(once, again)
    assert [bool(trial.reason) for trial in trials] == [False, False, False]


def test_a_generator_of_the_programs_own_goes_on_from_where_the_program_left_it(tmp_path):
    text = program(
        "own = torch.Generator().manual_seed(5)\nhidden = model['encoder'](inputs + torch.rand(8, 4, generator=own))\n"
        "F.cross_entropy(model['head'](torch.bernoulli(hidden.sigmoid(), generator=own).detach() * hidden), labels).backward()"
    )
    alone = play(tmp_path, text)
    observing = Asking(reshape("labels", 8))
    observing.attach("torch")
    watched = play(tmp_path, text)
    observing.finish(Outcome(0))
    (trial,) = asked(tmp_path, text, reshape("labels", 8))

    assert torch.equal(*(torch.rand(3, generator=found["own"]) for found in (alone, watched)))
    assert trial.gradients == pytest.approx(alone["gradients"], rel=1e-12)


IN_PLACE = {
    "initialised through a view and scaled in place": """
        nn.init.orthogonal_(model["encoder"].weight, 1.5)
        F.cross_entropy(model["head"](model["encoder"](inputs)), labels).backward()
    """,
    "an input that is written to through a view": """
        first = inputs[:, :2]
        first.copy_(model["encoder"](torch.ones(8, 4))[:, :2].detach() * labels[:, None])
        F.cross_entropy(model["head"](model["encoder"](inputs)), labels).backward()
    """,
    "targets that are filled row by row": """
        rows = torch.zeros(8, 3)
        for at in range(8):
            rows[at].copy_(F.one_hot(labels[at], 3))
        F.cross_entropy(model["head"](model["encoder"](inputs)), rows).backward()
    """,
    "an activation that overwrites the input": """
        F.cross_entropy(model["head"](model["encoder"](F.relu(inputs, inplace=True))), labels).backward()
    """,
    "an average that a part of the scores is written to": """
        held, scores = torch.zeros(8, 3), model["head"](model["encoder"](inputs))
        held[:, 0].copy_(scores[:, 0].detach())
        F.cross_entropy(scores + held.detach(), labels).backward()
    """,
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_what_the_program_wrote_in_place_is_never_written_again(name, tmp_path):
    def state(found):
        held = [*found["model"].parameters(), *(found[key] for key in ("inputs", "labels", "rows", "held") if key in found)]
        return [tensor.detach().clone() for tensor in held]

    text = program(IN_PLACE[name]).replace("    optimizer.step()\n", "")
    alone = state(play(tmp_path, text))
    observing = Asking(lambda step: Permute(step.labels.values), lift("detach"), lambda step: Permute(step.labels.values))
    observing.attach("torch")
    watched = state(play(tmp_path, text))
    record = observing.finish(Outcome(0))

    assert not record.faults, record.faults
    assert all(torch.equal(one, other) for one, other in zip(alone, watched, strict=True))


def test_labels_that_reach_the_loss_through_a_view_of_what_it_reads_are_permuted_there(tmp_path):
    (trial,) = asked(tmp_path, program(IN_PLACE["targets that are filled row by row"]), lambda step: Permute(step.labels.values))

    assert trial.change is not None
    assert trial.change > 0.1


def test_an_input_that_is_made_from_the_labels_is_held_while_they_are_permuted(tmp_path):
    text = """
    labels, table = torch.tensor([0, 1, 2, 0]), torch.randn(3, 5)
    weights = torch.randn(5, 3, requires_grad=True)
    F.cross_entropy(table[labels] @ weights, labels).backward()
    """
    names = {}

    def both(step: Step) -> Intervention:
        names["labels"], names["inputs"] = step.labels.values, tuple(op.output for op in step.graph.ops if op.kind == "index")
        return Permute(names["labels"])

    moved, held = asked(tmp_path, text, both, lambda step: Permute(names["labels"], names["inputs"]))

    assert moved.change == pytest.approx(0.0, abs=1e-6)
    assert held.change is not None
    assert held.change > 0.1


def test_an_intervention_on_what_is_not_there_says_so(tmp_path):
    text = program("F.cross_entropy(model['head'](model['encoder'](inputs)), labels).backward()")
    trials = asked(tmp_path, text, lambda _: Lift(("t999999",)), lambda _: Permute(("t999999",)))

    assert all(trial.reason and trial.change is None for trial in trials)


TRAINING = """
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
    for _ in range(9):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
"""


def recorded_as(folder: Path, program: str, recording: Recording) -> Record:
    """The record of a program, as it was asked for."""
    observing = Observing(Target("train.py"), recording, tuple, FRONT_ENDS, None)
    observing.attach("torch")
    try:
        play(folder, program)
    finally:
        record = observing.finish(Outcome(0))
    assert not record.faults, record.faults
    return record


def test_a_step_with_the_parameters_of_a_later_one_has_its_loss(tmp_path: Path):
    curve = kept_and_followed(tmp_path, recorded_as, TRAINING)

    assert len(curve) > 1
    assert all(followed == pytest.approx(seen, rel=1e-5) for followed, seen in curve)


def test_a_descent_with_nothing_to_change_goes_where_the_program_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert_nothing_changed(idle_trials(monkeypatch, lambda: recorded_as(tmp_path, TRAINING, Recording()), tmp_path / "empty"))


@pytest.mark.parametrize("made", [*sorted(f"{name}(" for name in BORROWED if name != "Adam"), "Adam(amsgrad=True, params=", "RMSprop("])
def test_a_descent_has_the_losses_of_the_programs_own_updates(made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found: list[Trial] = []

    def ask(_: Observing, step: Step, replay: Replay) -> Step:
        found.append(replay.run(Descend()))
        return step

    monkeypatch.setattr(Observing, "examine", ask)
    record = recorded_as(tmp_path, TRAINING.replace("SGD(", made).replace("lr=0.5", "lr=0.05"), Recording())

    assert found[0].losses == pytest.approx(record.courses[0].curve[: len(found[0].losses)], rel=1e-5)
