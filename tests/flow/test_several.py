"""Two networks that one step trains are adversaries, or may be: their losses need not fall."""

from dataclasses import replace

from whygrad.flow import Index
from whygrad.flow.courses import one_training, several
from whygrad.ir import Event, Graph, Op, Parameter, Record, Site, Step, Value


def trained(*lines: int, updates: int) -> Index:
    """A step that asks for gradients at these lines and makes so many updates."""
    graph = Graph((Op("mean", ("x",), ("loss",)),), {"x": Value("x"), "loss": Value("loss", "loss")})
    asked = tuple(Event("backward", 1, ("loss",), Site("train.py", line)) for line in lines)
    return Index(Record(steps=(Step(0, graph=graph, events=(*asked, *[Event("optimizer_step", 1, ("tx",))] * updates)),)))


def test_gradients_at_two_places_with_an_update_for_each():
    assert several(trained(3, 8, updates=2).steps[0])
    assert not one_training(trained(3, 8, updates=2))


def test_gradients_of_two_losses_that_are_added_up_are_one_training():
    assert one_training(trained(3, 8, updates=1))


def test_an_update_by_hand_that_was_not_made_out_in_one_step_moves_the_same_parameters():
    (step,) = (index.step for index in trained(3, updates=1).steps)
    weights = (Parameter("w", "x", optimizer="tx"), Parameter("b", "x", optimizer="tx"))
    backward = next(event for event in step.events if event.kind == "backward")

    def run(*moved: str) -> Index:
        other = replace(step, index=1, kind=1, parameters=weights, events=(backward, Event("update", 1, moved)))
        return Index(Record(steps=(replace(step, parameters=weights), other)))

    assert one_training(run("w", "b"))
    assert not one_training(run("w"))


def test_two_updates_for_one_loss_are_one_training():
    assert one_training(trained(3, updates=2))
