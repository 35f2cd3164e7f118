"""Saved weights that a model takes, in part or not at all."""

import pytest
import torch
from torch import nn

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
