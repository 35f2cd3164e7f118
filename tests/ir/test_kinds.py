"""The table of op kinds is closed, complete and says the same in every row."""

from typing import get_args

import pytest

from whygrad.ir import KINDS, Op, family, passing
from whygrad.ir.kinds import Passing
from whygrad.ir.text_scan import NAME

CUTS = ("create", "leave", "detach", "decision")


@pytest.mark.parametrize("name", KINDS)
def test_every_row_is_whole(name):
    kind = KINDS[name]

    assert kind.name == name
    assert NAME.fullmatch(name)
    assert kind.meaning
    assert kind.family
    assert kind.passing in get_args(Passing)


@pytest.mark.parametrize("name", [name for name in KINDS if family(name) in CUTS])
def test_cut_families_let_no_gradient_through(name):
    assert passing(name) == "cut"


@pytest.mark.parametrize("name", [name for name in KINDS if family(name) in ("loss", "layout", "reduction", "layer", "activation")])
def test_families_that_networks_are_made_of_let_gradients_through(name):
    assert passing(name) in ("smooth", "selective")


@pytest.mark.parametrize("ask", [family, passing])
def test_an_unknown_kind_is_an_error(ask):
    with pytest.raises(KeyError):
        ask("melt")


@pytest.mark.parametrize(
    ("op", "carried"),
    [
        (Op("add", ("a", "b")), (True, True)),
        (Op("add", ("a", "b"), tracking=False), (False, False)),
        (Op("add", ("a", "b"), carries=(True, False)), (True, False)),
        (Op("add", ("a", "b"), carries=(True, False), tracking=False), (True, False)),
        (Op("detach", ("a",)), (False,)),
        (Op("detach", ("a",), carries=(True,)), (False,)),
        (Op("round", ("a",), carries=(True,)), (False,)),
        (Op("opaque", ("a",)), (True,)),
        (Op("opaque", ("a",), carries=(False,)), (False,)),
    ],
)
def test_what_an_op_carries_back_is_observed_unless_its_kind_forbids_it(op, carried):
    assert tuple(op.carried(position) for position in range(len(op.inputs))) == carried
