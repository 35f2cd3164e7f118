"""Trainings by `torch.func`: what is recorded of a derivative of a function, and that it is the same derivative."""

import pytest
import torch

from frontends.torch.watching_here import parameters, play, recorded, watch
from whygrad.frontends import Recording
from whygrad.ir import Outcome

pytestmark = pytest.mark.torch

TRAINING = """
    from torch.func import functional_call, grad, grad_and_value
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Dropout(0.2), nn.Linear(5, 3))
    held = {name: p.detach().clone() for name, p in model.named_parameters()}
    def loss_of(held, x, y):
        return F.cross_entropy(functional_call(model, held, (x,)), y)
    for _ in range(5):
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
        gradients, loss = grad_and_value(loss_of)(held, x, y)
        held = {name: held[name] - 0.1 * gradients[name] for name in held}
"""


def test_a_training_by_a_transform_is_judged(tmp_path):
    (step, *_) = recorded(tmp_path, TRAINING).steps

    names = {"0.weight", "0.bias", "3.weight", "3.bias"}
    assert {p.name for p in parameters(step).values() if p.gradient == "finite"} == names
    assert step.measures.label_sensitivity is not None
    assert step.measures.label_sensitivity > 0.1


def test_it_is_the_same_to_the_last_bit(tmp_path):
    plain = play(tmp_path, TRAINING)
    observing, _ = watch(Recording(2, None, "default"))
    under = play(tmp_path, TRAINING)
    observing.finish(Outcome(0))

    assert all(torch.equal(plain["held"][name], under["held"][name]) for name in plain["held"])
    assert not any(value.requires_grad for value in (under["loss"], *under["held"].values()))


FORMS = """
    from torch.func import grad, grad_and_value, vmap
    weight, other, x = torch.arange(3.0), torch.ones(3), torch.ones(2, 3)
    found = [
        grad(lambda w, o: (w * w).sum(), argnums=(0, 1))(weight, other),
        grad(lambda w, o: (w * o).sum(), argnums=-1)(weight, other),
        grad(lambda w: ((w * w).sum(), w * 2), has_aux=True)(weight),
        grad_and_value(lambda w: ((w["a"] * w["b"][0]).sum(), {"more": w["a"] * 2}), has_aux=True)({"a": weight, "b": [other]}),
        vmap(grad(lambda w, row: (w * row).square().sum()), in_dims=(None, 0))(weight, x),
        grad(lambda w: grad(lambda v: (v**3).sum())(w).sum())(weight),
    ]
    tracked = torch.ones(3, requires_grad=True)
    second = grad(lambda w: (w**3).sum())(tracked).sum()
    closure = grad(lambda w: (w * w * tracked).sum())(weight)
    found += [torch.autograd.grad(second, tracked)[0], torch.autograd.grad(closure.sum(), tracked)[0]]
"""


def test_all_forms_of_the_call_give_what_they_give_without_us(tmp_path):
    plain = play(tmp_path, FORMS)["found"]
    observing, _ = watch(Recording(2, None, "off"))
    under = play(tmp_path, FORMS)["found"]
    record = observing.finish(Outcome(0))

    assert not record.faults
    assert str(under) == str(plain)


@pytest.mark.parametrize("body", ["w * 2", "1.0", "w.sum().item()", "(w.sum(), w)"])
def test_what_can_not_be_differentiated_is_refused_in_the_words_of_pytorch(tmp_path, body):
    program = f"""
    from torch.func import grad
    said = ""
    try:
        grad(lambda w: {body})(torch.ones(3))
    except Exception as problem:
        said = type(problem).__name__ + str(problem)
"""
    plain = play(tmp_path, program)["said"]
    observing, _ = watch(Recording(2, None, "off"))
    under = play(tmp_path, program)["said"]
    observing.finish(Outcome(0))

    assert under == plain != ""


FORCES = """
    from torch.func import grad
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(3):
        at = torch.randn(32, 4)
        force = grad(lambda q: model(q).sum())(at)
        optimizer.zero_grad()
        (force + at).square().mean().backward()
        optimizer.step()
"""


def test_a_derivative_by_data_makes_no_parameter_of_them_where_an_optimizer_trains_the_model(tmp_path):
    (step, *_) = recorded(tmp_path, FORCES).steps

    assert set(parameters(step)) == {"0.weight", "0.bias", "2.weight", "2.bias"}
