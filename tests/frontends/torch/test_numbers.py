"""Numbers that are not finite, and faults that begin later: what the front end says of them."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from frontends.torch.watching_here import line_of, ops, parameters, play, recorded, watch
from whygrad.flow import Index
from whygrad.frontends import Recording
from whygrad.frontends.courses import CourseWatch
from whygrad.frontends.torch.cut_out import CutOut, again
from whygrad.frontends.torch.descent import Moving, standardised
from whygrad.ir import Birth, Outcome, Raised, Record
from whygrad.rules.magnitude.non_finite_forward import diagnose as forward
from whygrad.rules.magnitude.non_finite_input import diagnose as whole

pytestmark = pytest.mark.torch

LOOP = """
    net = nn.Linear(4, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    X = torch.rand(300, 8, 4) + 0.5
    Y = torch.rand(300, 8, 1)
    SPOIL
    for step in range(STEPS):
        x, y = X[step], Y[step]
        loss = LOSS
        opt.zero_grad()
        loss.backward()
        opt.step()
"""


def program(loss: str, *, spoil: str = "pass", steps: int = 3) -> str:
    return LOOP.replace("LOSS", loss).replace("SPOIL", spoil).replace("STEPS", str(steps))


def births(record: Record) -> list[Birth]:
    return [birth for step in record.steps for birth in step.births]


FORWARD = {
    "log": ("(net(x).exp() * 0).log().mean() - y.mean()", "log"),
    "overflow": ("(net(x).abs() * 1e30).exp().mean() - y.mean()", "exp"),
    "zero by zero": ("((net(x) - net(x)) / (net(x) - net(x))).mean()", "div"),
    "nothing to average": ("net(x)[:0].mean()", "mean"),
    "a row that is masked whole": ("net(x).flatten().masked_fill(torch.ones(8).bool(), float('-inf')).softmax(0).mean()", "softmax"),
}


@pytest.mark.parametrize(("loss", "kind"), FORWARD.values(), ids=FORWARD)
def test_the_op_that_makes_them_is_found(tmp_path: Path, loss: str, kind: str):
    record = recorded(tmp_path, program(loss))
    first = births(record)[0]

    assert (first.stage, first.step) == ("forward", 0)
    assert [op.kind for op in record.steps[0].graph.ops if first.op in op.outputs] == [kind]


BACKWARD = {
    "the root of zero": ("((net(x) * 0).square().sum(1)).sqrt().mean()", "sqrt"),
    "the branch not taken": ("torch.where(net(x) > 9, (net(x) - 99).sqrt(), y).mean() + net(x).mean()", "sqrt"),
}


@pytest.mark.parametrize(("loss", "kind"), BACKWARD.values(), ids=BACKWARD)
def test_the_derivative_that_makes_them_is_found(tmp_path: Path, loss: str, kind: str):
    record = recorded(tmp_path, program(loss))
    first = births(record)[0]

    assert (first.stage, first.step) == ("backward", 0)
    assert [op.kind for op in record.steps[0].graph.ops if first.op in op.outputs] == [kind]


def test_what_was_given_is_told_from_what_was_made(tmp_path: Path):
    record = recorded(tmp_path, program("F.mse_loss(net(x), y)", spoil="X[0, 3, 1] = float('nan')"))
    first = births(record)[0]

    assert (first.stage, first.count) == ("given", 1)
    assert first.value in record.steps[0].graph.values


def test_offending_entries_are_three_numbers_at_most(tmp_path: Path):
    record = recorded(tmp_path, program("(net(x) * 0).log().mean()"))
    entries = births(record)[0].entries

    assert sum(len(numbers) for numbers in entries.values()) == 3
    assert set(entries.values()) == {(0.0,)}


def test_a_finite_step_is_not_looked_into(tmp_path: Path):
    assert not births(recorded(tmp_path, program("F.mse_loss(net(x), y)")))


def test_infinities_in_a_mask_are_meant(tmp_path: Path):
    loss = "(net(x).flatten() + torch.tensor([0.0, -torch.inf] * 4)).softmax(0)[0].log()"

    assert not births(recorded(tmp_path, program(loss)))


@pytest.mark.parametrize(
    ("loss", "spoil", "stage", "kind"),
    [
        ("F.mse_loss((net(x) * 1e-30 + x[:, :1]).log(), y)", "X[200, 3, 0] = 0", "forward", "log"),
        ("F.mse_loss((net(x) * 1e-30 + x).square().sum(1, keepdim=True).sqrt(), y)", "X[200, 3] = 0", "backward", "sqrt"),
        ("F.mse_loss(net(x), y)", "Y[200, 3] = float('nan')", "given", ""),
    ],
)
def test_a_step_that_was_not_recorded_is_explained(tmp_path: Path, loss: str, spoil: str, stage: str, kind: str):
    record = recorded(tmp_path, program(loss, spoil=spoil, steps=210))
    (birth,) = births(record)

    assert len(record.steps) == 2
    assert (birth.stage, birth.step) == (stage, 200)
    assert [op.kind for op in ops(record.steps[-1], kind) if birth.op in op.outputs] == [kind] * bool(kind)


CUTS = {
    "a slice where it is used": ("net(X[step * 8:step * 8 + 8])", "Y[step * 8:step * 8 + 8]"),
    "positions": ("net(X[order[step]])", "Y[order[step]]"),
    "names that only a function has": ("forward(X[step * 8:step * 8 + 8])", "Y[step * 8:step * 8 + 8]"),
    "a part that is cast": ("net(D[step * 8:step * 8 + 8].float())", "Y[step * 8:step * 8 + 8]"),
    "a part of an array": ("net(torch.from_numpy(A[step * 8:step * 8 + 8]))", "torch.tensor(B[step * 8:step * 8 + 8])"),
    "beside one that is drawn": ("net(X[step * 8:step * 8 + 8]) + 0 * net(X[torch.randperm(1600)[:8]])", "Y[step * 8:step * 8 + 8]"),
}
CUT_LOOP = """
    net = nn.Linear(4, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    X = torch.rand(1600, 4) + 0.5
    Y = torch.rand(1600, 1) + 1
    Y[1203] = -1
    D, A, B = X.double(), X.numpy().copy(), Y.numpy().copy()
    order = torch.arange(1600).view(200, 8)
    def forward(batch):
        return net(batch)
    for step in range(170):
        loss = F.mse_loss(PREDICTION, TARGET.log())
        opt.zero_grad()
        loss.backward()
        opt.step()
"""


@pytest.mark.parametrize(("prediction", "target"), CUTS.values(), ids=CUTS)
def test_a_later_step_is_explained_on_what_it_cut_out_of_the_data(tmp_path: Path, prediction: str, target: str):
    loss = "F.mse_loss((PREDICTION * 1e-30 + TARGET).log(), torch.zeros(8, 1))"
    text = CUT_LOOP.replace("F.mse_loss(PREDICTION, TARGET.log())", loss).replace("PREDICTION", prediction).replace("TARGET", target)
    (birth,) = births(recorded(tmp_path, text))

    assert (birth.stage, birth.step) == ("forward", 150)
    assert [index.replace(" ", "").strip("[]") for index in birth.entries] == ["3,0"]


@pytest.mark.parametrize(
    "words", ["held[0]", "X[count()]", "rows.first[0]", "X[:, missing]", "held.pop()", "torch.load(X)", "X[0] + X[1]", "X[1 // 0]"]
)
def test_only_parts_of_tensors_are_looked_up_again(words: str):
    class Held:
        def __getitem__(self, part: object) -> torch.Tensor:
            raise AssertionError

    names = {"held": Held(), "X": torch.rand(3, 2), "count": lambda: 1, "rows": Held()}

    assert again(CutOut(ast.parse(words, mode="eval").body, torch.float32, (2,)), names) is None


@pytest.mark.parametrize("words", ["X[1]", "X[i - 1:i][0]", "X[rows][1]", "A[i - 1]", "torch.from_numpy(A[1])", "X[-2, :]"])
def test_parts_are_looked_up_as_they_are_written(words: str):
    data = torch.arange(6.0).view(3, 2)
    names = {"X": data, "A": data.numpy(), "i": 2, "rows": torch.tensor([0, 1])}
    found = again(CutOut(ast.parse(words, mode="eval").body, torch.float32, (2,)), names)

    assert found is not None
    assert found.tolist() == [2.0, 3.0]


EPISODES = """
    policy = nn.Linear(4, 2)
    opt = torch.optim.SGD(policy.parameters(), lr=0.01)
    for episode in range(9):
        count = LAST if episode == 7 else 5
        gains = torch.arange(count) % 3 + GIVEN
        advantage = ADVANTAGE
        loss = -(torch.log_softmax(policy(torch.randn(count, 4)), -1)[:, 0] * advantage).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
"""
DEGREES = "ignore:.*degrees of freedom is <= 0:UserWarning"
SPREADS = {
    "one entry": ("(gains - gains.mean()) / (gains.std() + 1e-8)", "1", "0.5", "WG502"),
    "one entry, by the variance": ("(gains - gains.mean()) / (gains.var() + 1e-8).sqrt()", "1", "0.5", "WG502"),
    "one entry that is NaN": (
        "(gains - gains.mean()) / (gains.std(correction=0) + 1e-8)",
        "1",
        "float('nan' if episode == 7 else 1)",
        "WG501",
    ),
    "one entry, of the deviation by position": ("(gains - gains.mean()) / gains.std(False)", "1", "0.5", "WG501"),
    "several": ("(gains - gains.mean()) / (gains.std() + 1e-8)", "3", "float('nan' if episode == 7 else 1)", "WG501"),
}
"""How an advantage is made, how many entries it has in one episode, what they hold, and what that is."""


@pytest.mark.filterwarnings(DEGREES)
@pytest.mark.parametrize(("advantage", "last", "given", "code"), SPREADS.values(), ids=SPREADS)
def test_the_deviation_of_one_number_is_told_from_numbers_that_were_none(tmp_path: Path, advantage: str, last: str, given: str, code: str):
    record = recorded(tmp_path, EPISODES.replace("ADVANTAGE", advantage).replace("LAST", last).replace("GIVEN", given))
    index = Index(record)

    told = [*forward.check(index), *whole.check(index)]
    assert [(diagnosis.rule, diagnosis.step) for diagnosis in told] == [(code, 7)]
    assert told[0].site is not None
    assert "advantage = " in told[0].site.text


def test_watching_changes_nothing_when_a_step_is_explained(tmp_path: Path):
    text = program("F.mse_loss((net(x) * 0 + x[:, :1]).log() + F.dropout(net(x)), y)", spoil="X[50, 3, 0] = 0", steps=50)
    plain = play(tmp_path, text)["net"].weight.detach().clone()
    kept: list[torch.Tensor] = []
    recorded(tmp_path, text + "    keep(net.weight)\n", names={"keep": lambda weight: kept.append(weight.detach().clone())})

    assert torch.equal(plain, kept[-1])


def test_the_course_of_the_loss_is_noted(tmp_path: Path):
    text = program("F.mse_loss(net(x), y)", steps=64)
    (course,) = recorded(tmp_path, text).courses

    assert course.steps == 64
    assert course.non_finite is None
    assert course.site is not None
    assert course.site.line == line_of(text, "loss.backward()")
    assert course.start is not None
    assert course.lowest is not None
    assert course.highest is not None
    assert course.lowest <= course.highest


def test_a_course_in_figures():
    course = CourseWatch(None)
    found = [course.add(value, step) for step, value in enumerate([4.0, 4.0, 4.0, 2.0, float("nan"), 1.0])]

    assert found == [False, False, False, False, True, False]
    assert (course.non_finite, course.frozen, course.head[0]) == (4, 2, 4.0)


@pytest.mark.parametrize(
    ("native", "settings"),
    [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("Adam", {"lr": 0.1, "betas": (0.9, 0.99), "weight_decay": 0.1}),
        ("AdamW", {"lr": 0.1, "weight_decay": 0.1}),
        ("RMSprop", {"lr": 0.1, "alpha": 0.9}),
    ],
)
def test_a_descent_moves_as_the_optimizer_does(native: str, settings: dict[str, object]):
    own = torch.randn(5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    moving = Moving(own.detach().clone(), settings, native)
    optimizer = getattr(torch.optim, native)([own], **settings)
    for _ in range(4):
        own.grad = own.detach().sin() + 0.1
        moving.update(moving.tensor.sin() + 0.1, None)
        optimizer.step()

    torch.testing.assert_close(moving.tensor, own.detach())


def test_standardising_goes_column_by_column():
    found = standardised(torch.tensor([[1.0, 5.0, 1e9], [3.0, 5.0, 3e9]]))

    torch.testing.assert_close(found, torch.tensor([[-1.0, 0.0, -1.0], [1.0, 0.0, 1.0]]))


def test_units_that_are_zero_for_every_example_are_counted(tmp_path: Path):
    text = """
        net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
        with torch.no_grad():
            net[0].bias[:6] = -1000.0
        opt = torch.optim.SGD(net.parameters(), lr=0.01)
        for step in range(3):
            loss = net(torch.rand(32, 4)).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    """
    step = recorded(tmp_path, text).steps[0]
    (relu,) = ops(step, "relu")
    figures = step.graph.values[relu.output].statistics

    assert figures is not None
    assert figures.dead is not None
    assert figures.dead >= 0.75


def test_rows_that_are_equal_and_memory_that_was_never_written_are_told(tmp_path: Path):
    text = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.same = nn.Parameter(torch.full((4, 4), 0.5))
                self.columns = nn.Parameter(torch.full((4, 3), 0.5))
                self.apart = nn.Parameter(torch.full((4, 3), 0.5))
                self.raw = nn.Parameter(torch.empty(4))
                self.filled = nn.Parameter(torch.empty(4))
                nn.init.zeros_(self.filled)
            def forward(self, x):
                told = (x @ self.columns).mean() + (x @ self.apart)[:, 0].mean()
                return told + (x @ self.same.T).mean() + self.filled.mean() + 0 * self.raw.nan_to_num().clamp(-1, 1).mean()
        net = Net()
        opt = torch.optim.SGD(net.parameters(), lr=0.01)
        for step in range(3):
            loss = net(torch.arange(32.0).reshape(8, 4))
            opt.zero_grad()
            loss.backward()
            opt.step()
    """
    found = parameters(recorded(tmp_path, text).steps[0])

    assert {name for name, p in found.items() if p.unwritten} == {"raw"}
    assert {name for name, p in found.items() if p.symmetric} == {"same", "columns"}
    assert found["same"].moved == 1.0


def test_a_schedule_that_reaches_zero_is_counted(tmp_path: Path):
    text = """
        net = nn.Linear(4, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: max(0.0, 1 - k / 5))
        for step in range(20):
            loss = net(torch.rand(8, 4)).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
    """
    (optimizer,) = recorded(tmp_path, text).optimizers

    assert (optimizer.steps, optimizer.idle_steps, optimizer.idle_from) == (20, 15, 5)
    assert optimizer.schedule_site is not None
    assert optimizer.schedule_site.line == line_of(text, "LambdaLR")


def test_what_a_schedule_was_given_that_waits_for_higher_values_is_counted(tmp_path: Path):
    text = """
        net = nn.Linear(4, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max", factor=0.1, patience=1)
        for step in range(20):
            loss = (net(torch.ones(8, 4)) - 3).square().mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step(1.0 / (step + 1))
    """
    (optimizer,) = recorded(tmp_path, text).optimizers
    seen = optimizer.plateau

    assert seen is not None
    assert (seen.mode, seen.calls, seen.better, seen.first, seen.at_cut, seen.low_from) == ("max", 20, 0, 1.0, 1 / 3, 5)
    assert seen.cuts >= 2
    assert seen.losses is not None
    assert seen.losses[1] < seen.losses[0]
    assert optimizer.schedule_site is not None
    assert optimizer.schedule_site.line == line_of(text, "ReduceLROnPlateau")


def test_what_is_thawed_later_is_recorded_again(tmp_path: Path):
    text = """
        net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
        net[0].requires_grad_(False)
        opt = torch.optim.SGD(net[1].parameters(), lr=0.1)
        for step in range(60):
            if step == 20:
                net[0].requires_grad_(True)
            loss = net(torch.rand(8, 4)).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    """
    steps = recorded(tmp_path, text).steps

    assert len(steps) == 3
    assert steps[-1].index > 20
    assert parameters(replace(steps[-1]))["0.weight"].trainable


def test_a_refused_backward_of_a_later_step_names_the_switch(tmp_path: Path):
    text = """
        net = nn.Linear(4, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for step in range(20):
            if step == 10:
                torch.set_grad_enabled(False)
            loss = net(torch.rand(8, 4)).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    """
    observing, _ = watch(Recording(2, None, "default"))
    try:
        with pytest.raises(RuntimeError) as problem:
            play(tmp_path, text)
    finally:
        torch.set_grad_enabled(True)
        record = observing.finish(Outcome(1, Raised("RuntimeError", str(problem.value))))
    last = record.steps[-1]

    assert last.index == 10
    assert [event.kind for event in last.events] == ["tracking", "exception"]
    assert last.events[0].site is not None
    assert last.events[0].site.line == line_of(text, "set_grad_enabled")


COMPLEX = """
class Filter(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(9, dtype=torch.cfloat))

    def forward(self, x):
        return torch.fft.irfft(torch.fft.rfft(x) * self.weight, n=16)

model = Filter()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(32, 16)
y = x.cumsum(-1) / 4
for _ in range(4):
    optimizer.zero_grad()
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.filterwarnings("error:Casting complex values")
def test_complex_parameters_are_measured_as_the_pairs_that_they_are(tmp_path):
    record = recorded(tmp_path, COMPLEX)
    (weight,) = record.steps[0].parameters

    assert weight.norm == pytest.approx(3)
    assert weight.update_norm == pytest.approx(0.03 * 2**0.5, rel=0.2)  # Adam moves each part by its rate
    assert (record.steps[0].measures.label_sensitivity or 0) > 0.1
