"""Steps that become others later on: what is recorded of them, and what is not."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.profiler import ProfilerActivity, profile

from frontends.torch.watching_here import recorded
from whygrad.flow import Index
from whygrad.frontends.torch.terms import terms
from whygrad.rules.graph.constant_loss import diagnose as constant_loss
from whygrad.rules.graph.unregistered_parameter import diagnose as unregistered
from whygrad.rules.labels.constant_labels import diagnose as constant_labels
from whygrad.rules.labels.label_independent_gradient import diagnose as independent

pytestmark = pytest.mark.torch

START = """
    torch.manual_seed(0)
    inputs = torch.randn(512, 6)
    classes = (inputs @ torch.randn(6, 3)).argmax(1)
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range({steps}):
        picked = torch.randint(0, 512, (32,))
        x, y = inputs[picked], classes[picked]
"""
END = """
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def training(body: str, steps: int = 120) -> str:
    return START.format(steps=steps) + "".join(f"        {line}\n" for line in body.splitlines()) + END


def indices(record):
    return [step.index for step in record.steps]


def codes(record, *rules):
    return [diagnosis.rule for rule in rules for diagnosis in rule.check(Index(record))]


def test_terms_are_read_with_their_factors():
    model, x, y = nn.Linear(3, 2), torch.randn(4, 3), torch.tensor([0, 1, 1, 0])
    loss = 0.5 * cross_entropy(model(x), y) + torch.tensor(0.25) * 2 * model(x).square().sum() - mse_loss(model(x)[:, 0], torch.ones(4)) / 4

    found = {term.name: (term.factor, term.constant) for term in terms(loss)}

    assert found == {"NllLossBackward0": (0.5, False), "SumBackward0": (0.5, None), "MseLossBackward0": (0.25, True)}


def test_a_graph_that_is_gone_has_no_terms_that_matter():
    weight = torch.ones(3, requires_grad=True)
    loss = 0.5 * mse_loss(weight, torch.zeros(3))
    loss.backward()

    assert [term.factor for term in terms(loss)] == [1.0]
    assert list(terms(torch.zeros(()))) == []


FADING = """out = model(x)
loss = max(0.0, 1 - step / 40) * F.cross_entropy(out, y) + 0.01 * out.square().mean()"""
SWITCHED = """probabilities = model(x).softmax(1)
loss = F.mse_loss(probabilities if step < 40 else (probabilities > 0.5) + 0 * probabilities, F.one_hot(y, 3).float())"""
EMPTIED = """y = classes[picked] if step < 40 else classes[picked] // 3 + step // 1000
loss = F.cross_entropy(model(x), y)"""


@pytest.mark.parametrize(
    ("body", "rule", "code"),
    [(FADING, independent, "WG102"), (SWITCHED, constant_loss, "WG311"), (EMPTIED, constant_labels, "WG103")],
    ids=["a factor that reaches zero", "a branch that is switched", "labels that become constant"],
)
def test_faults_that_begin_late(tmp_path, body, rule, code):
    record = recorded(tmp_path, training(body))

    assert indices(record)[:2] == [0, 1]
    assert indices(record)[2] > 40
    assert record.steps[-1].kind != record.steps[0].kind
    assert codes(record, rule) == [code]


STEADY = "loss = F.cross_entropy(model(x), y)"
WARMING = "loss = F.cross_entropy(model(x), y) + min(1.0, 0.3 + step / 100) * 1e-3 * model[0].weight.square().sum()"
NOW_AND_THEN = """loss = F.cross_entropy(model(x), y)
if step % 4 == 0:
    loss = loss + 1e-3 * model[0].weight.abs().sum()"""
SECOND_TASK = """out = model(x)
loss = F.cross_entropy(out, y)
if step > 40:
    loss = loss + 0.1 * F.mse_loss(out, x[:, :3])"""
RARE = """y = classes[picked] if step % 16 else classes[picked] * 0 + classes[0]
loss = F.cross_entropy(model(x), y)"""
SATISFIED = (
    """loss = 1 + F.relu(0.1 - model(x)[:, 0] * (1 if 40 < step < 60 else -1)).mean() if step > 5 else F.cross_entropy(model(x), y)"""
)


@pytest.mark.parametrize("body", [STEADY, WARMING, NOW_AND_THEN, SECOND_TASK, RARE, SATISFIED])
def test_programs_without_a_late_fault(tmp_path, body):
    assert codes(recorded(tmp_path, training(body)), independent, constant_loss, constant_labels) == []


@pytest.mark.parametrize("body", [STEADY, WARMING], ids=["the same loss", "a factor that warms up"])
def test_what_does_not_change_is_not_recorded_again(tmp_path, body):
    assert indices(recorded(tmp_path, training(body, 200))) == [0, 1]


def test_a_loss_that_changes_in_each_step_does_not_keep_the_recorder_on(tmp_path):
    body = "loss = sum(F.cross_entropy(model(x), y) for _ in range(1 + step // 8))"

    assert len(recorded(tmp_path, training(body, 200)).steps) <= 6


def test_members_of_an_ensemble_that_is_stacked_are_not_forgotten(tmp_path):
    program = """
    from torch.func import functional_call, stack_module_state, vmap
    members = [nn.Linear(4, 3) for _ in range(3)]
    parameters, buffers = stack_module_state(members)
    optimizer = torch.optim.SGD(parameters.values(), lr=0.1)
    for _ in range(3):
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
        out = vmap(lambda p, b: functional_call(members[0], (p, b), (x,)))(parameters, buffers)
        loss = sum(F.cross_entropy(one, y) for one in out)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
    assert codes(recorded(tmp_path, program), unregistered) == []


def test_optimizers_that_begin_with_weights_redrawn_past_the_version(tmp_path):
    program = """
    model = nn.Linear(4, 3)
    for _ in range(6):
        {redrawn}
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(3):
            x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""
    for redrawn, made in (("model.weight.data = torch.randn(3, 4)", 1), ("model.weight.data.normal_()", 1), ("pass", 6)):
        record = recorded(tmp_path, program.format(redrawn=redrawn))
        assert record.optimizers[-1].made == made


def test_a_profiler_of_the_program_s_counts_its_own_calls_alone(tmp_path):
    program = training(STEADY, 3)
    with profile(activities=[ProfilerActivity.CPU]) as watched:
        recorded(tmp_path, program)

    counts = {event.key: event.count for event in watched.key_averages()}
    assert counts["aten::cross_entropy_loss"] == 3
    assert counts["aten::addmm"] == 6
