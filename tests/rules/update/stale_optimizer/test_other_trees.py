"""WG402 where an optax update is handed another tree."""

import pytest

from whygrad.flow import Index
from whygrad.ir import Frame, Optimizer, Outcome, Raised, Record, Site
from whygrad.rules.update.stale_optimizer import diagnose

TREE = "pytree structure error: different numbers of pytree children at key path\n    tree_map tree"
OPTAX = (
    Frame("site-packages/optax/_src/transform.py", 283, "scale_by_adam.update_fn"),
    Frame("site-packages/jax/_src/tree.py", 156, "map"),
)


def said(message, library):
    """What is said of a program that ended so."""
    raised = Raised("ValueError", message, Site("train.py", 14, library=library))
    made = Optimizer("tx", native="Adam", site=Site("train.py", 8))
    return list(diagnose.check(Index(Record(outcome=Outcome(1, exception=raised), optimizers=(made,)))))


@pytest.mark.parametrize("message", [TREE, "Dict key mismatch; expected keys: ['a'], got: ['b']"])
def test_another_tree(message):
    (diagnosis,) = said(message, OPTAX)

    assert "`tx` is handed a tree of another structure" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 14


@pytest.mark.parametrize(("message", "library"), [(TREE, OPTAX[1:]), (TREE, ()), ("shapes do not fit", OPTAX)])
def test_other_mismatches_are_left_alone(message, library):
    assert not said(message, library)
