"""Saved weights that a model takes, in part or not at all."""

import pytest
import torch
from torch import nn

from frontends.torch.watching_here import line_of, recorded
from whygrad.frontends.torch.loadings import Loadings, renaming

pytestmark = pytest.mark.torch


def loaded(*states: dict[str, torch.Tensor]) -> tuple[Loadings, nn.Module]:
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    seen = Loadings()
    for state in states:
        seen.add(model, "model", state, model.load_state_dict(state, strict=False), None)
    return seen, model


def state(prefix: str = "", *, only: str = "") -> dict[str, torch.Tensor]:
    whole = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)).state_dict()
    return {prefix + name: value for name, value in whole.items() if name.startswith(only)}


def test_a_beginning_too_many_is_found_by_names_and_shapes() -> None:
    seen, _ = loaded(state("module."))

    ((found, _),) = seen.seen.values()
    assert (found.given, found.own, found.strip, found.put, found.fitting) == (4, 4, "module.", "", 4)
    assert not seen.taken


def test_weights_that_fit_in_part_are_no_loss_and_only_they_count_as_loaded() -> None:
    seen, model = loaded(state(only="0."))

    assert not seen.seen
    assert seen.taken == {id(parameter) for parameter in next(model.children()).parameters()}


def test_a_second_loading_that_fits_makes_up_for_the_first() -> None:
    assert not loaded(state("module."), state())[0].seen


def test_an_empty_dictionary_is_no_attempt() -> None:
    assert not loaded({})[0].seen


@pytest.mark.parametrize(
    ("given", "own", "found"),
    [
        ({"module.a.w": (2,)}, {"a.w": (2,)}, ("module.", "", 1)),
        ({"a.w": (2,)}, {"net.a.w": (2,)}, ("", "net.", 1)),
        ({"old.a.w": (2,)}, {"new.a.w": (2,)}, ("old.", "new.", 1)),
        ({"module.a.w": (2,)}, {"a.w": (3,)}, ("", "", 0)),
    ],
    ids=["too many", "too few", "another", "another shape"],
)
def test_the_renaming_by_which_names_and_shapes_fit(
    given: dict[str, tuple[int, ...]], own: dict[str, tuple[int, ...]], found: tuple[str, str, int]
) -> None:
    assert renaming(given, own) == found


REDRAWN = """
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(4):
        {before}
        for _ in range(3):
            inputs, labels = torch.randn(8, 4), torch.randint(0, 3, (8,))
            loss = F.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""


def test_parameters_that_are_initialised_between_the_updates_of_one_optimizer(tmp_path) -> None:
    program = REDRAWN.format(before="model[2].reset_parameters()")
    (found,) = recorded(tmp_path, program).redraws

    assert (found.names, found.optimizer, found.times, found.first, found.last) == (("2.weight", "2.bias"), "optimizer", 3, 3, 9)
    assert found.site is not None
    assert found.site.line == line_of(program, "model[2].reset_parameters()")


@pytest.mark.parametrize(
    "before",
    [
        "model[2].weight.data.normal_(0, 0.1)",
        "with torch.no_grad(): model[2].weight.uniform_(-0.1, 0.1)",
        "model[2].weight.detach().normal_()",
    ],
)
def test_a_draw_in_place_is_one_too(before: str, tmp_path) -> None:
    (found,) = recorded(tmp_path, REDRAWN.format(before=before)).redraws

    assert (found.names, found.times, found.first, found.last) == (("2.weight",), 3, 3, 9)


@pytest.mark.parametrize(
    "before",
    [
        "pass",
        "torch.empty(8, 3).normal_(); model[2].weight.clone().normal_(); model[2].weight.data[0].normal_()",
        "nn.init.normal_(model[2].weight) if epoch == 2 else None",
        "nn.init.normal_(torch.empty(3))",
        "nn.init.zeros_(model[2].bias)",
        "model[2].reset_parameters(); optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
    ],
    ids=["never", "copies and rows", "once", "another tensor", "a bias set to zero", "with an optimizer of its own: folds"],
)
def test_what_is_no_repeated_initialisation(before: str, tmp_path) -> None:
    assert not recorded(tmp_path, REDRAWN.format(before=before)).redraws


BEGUN = REDRAWN.replace(
    "    optimizer =",
    "    begun = {{name: value.clone() for name, value in model.state_dict().items()}}\n    best = begun\n    optimizer =",
    1,
)


def test_a_model_that_is_given_the_weights_that_it_began_with_again_and_again(tmp_path) -> None:
    program = BEGUN.format(before="model.load_state_dict(begun)")
    (found,) = recorded(tmp_path, program).redraws

    assert (found.names, found.optimizer, found.times, found.first, found.last, found.loaded) == (("model",), "optimizer", 3, 3, 9, True)
    assert found.site is not None
    assert found.site.line == line_of(program, "model.load_state_dict(begun)")


@pytest.mark.parametrize(
    "before",
    [
        "model.load_state_dict(begun) if epoch == 2 else None",
        "model.load_state_dict(begun); optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
        "best = {name: value.clone() for name, value in model.state_dict().items()} if epoch == 1 else best; model.load_state_dict(best)",
    ],
    ids=["once: after a search for a rate", "with an optimizer of its own: folds", "back to better ones"],
)
def test_what_is_no_return_to_the_start(before: str, tmp_path) -> None:
    assert not recorded(tmp_path, BEGUN.format(before=before)).redraws
