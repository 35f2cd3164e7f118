"""Steps that train nothing since tracking is off, or since all that their optimizer holds is frozen."""

import os
import sys
from pathlib import Path

import pytest
import torch

from frontends.torch.watching_here import play, recorded, watch
from whygrad.diagnosis import Fact
from whygrad.flow import Index
from whygrad.frontends import Recording
from whygrad.ir import Outcome, Raised
from whygrad.rules.graph.frozen_parameters import diagnose as frozen_parameters

MARKED = """
    net = nn.Linear(4, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(20):
        if step == 10:
            torch.set_grad_enabled(False)
        loss = net(torch.rand(8, 4)).mean()
        opt.zero_grad()
        if not loss.requires_grad:
            loss.requires_grad_()
        loss.backward()
        opt.step()
        {after}
    torch.set_grad_enabled({left})
"""
SECOND_ROUND = """
    def train(net):
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for step in range(4):
            loss = net(torch.rand(8, 4)).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()

    train(nn.Linear(4, 1))
    train(nn.Linear(4, 1).requires_grad_({trainable}))
"""


def test_a_loss_that_is_told_to_want_a_gradient_has_no_history(tmp_path: Path) -> None:
    try:
        record = recorded(tmp_path, MARKED.format(after="", left="False"))
    finally:
        torch.set_grad_enabled(True)

    assert record.outcome.untracked == 10
    assert record.outcome.steps_seen == 20


def test_tracking_that_comes_back_each_time_is_no_loss(tmp_path: Path) -> None:
    record = recorded(tmp_path, MARKED.format(after="torch.set_grad_enabled(True)", left="True"))

    assert record.outcome.untracked == 0


def test_a_second_model_that_is_frozen_is_known_though_it_never_ran_in_a_recorded_step(tmp_path: Path) -> None:
    observing, _ = watch(Recording(2, None, "default"))
    with pytest.raises(RuntimeError) as problem:
        play(tmp_path, SECOND_ROUND.format(trainable=False))
    record = observing.finish(Outcome(1, Raised("RuntimeError", str(problem.value))))
    (said,) = frozen_parameters.check(Index(record))

    assert [(p.name, p.trainable) for p in record.steps[-1].parameters] == [("weight", False), ("bias", False)]
    assert "all 2 parameters are frozen" in said.message
    assert Fact("exception", "RuntimeError") in said.explains


ASKING = """
    class Holder:
        @property
        def model(self):
            raise AssertionError("whygrad has run a property of the program's")

    holder = Holder()
"""


def test_nothing_of_the_programs_runs_while_a_refused_model_is_looked_for(tmp_path: Path) -> None:
    observing, _ = watch(Recording(2, None, "default"))
    with pytest.raises(RuntimeError) as problem:
        play(
            tmp_path,
            ASKING + SECOND_ROUND.format(trainable=False).replace("train(net", "train(holder, net").replace("train(nn", "train(holder, nn"),
        )
    record = observing.finish(Outcome(1, Raised("RuntimeError", str(problem.value))))

    assert not record.faults
    assert [(p.name, p.trainable) for p in record.steps[-1].parameters] == [("weight", False), ("bias", False)]


def test_a_second_model_that_trains_is_left_to_its_steps(tmp_path: Path) -> None:
    record = recorded(tmp_path, SECOND_ROUND.format(trainable=True))

    assert not list(frozen_parameters.check(Index(record)))
    assert all(p.trainable for step in record.steps for p in step.parameters)


ENGINE = """
def epoch(net, loader, optimizer, every):
    for at, x in enumerate(loader):
        (net(x).mean() / every).backward()
        if (at + 1) % every == 0:
            OPTIMIZER.step()
            optimizer.zero_grad()
"""
NEVER = """
    from engine_of_ours import epoch

    net = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        epoch(net, torch.rand(2, 8, 4), optimizer, {every})
"""


@pytest.mark.parametrize(("every", "line"), [(4, 6), (2, None)], ids=["never reached", "reached"])
def test_a_step_that_is_never_reached_is_found_in_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int, line: int | None
) -> None:
    engine = tmp_path / "engine_of_ours.py"
    engine.write_text(ENGINE.replace("OPTIMIZER", "optimizer"))  # a line of its own in this file would be a second one
    os.utime(engine, (0, 0))  # or it would count as changed since the recording began
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "engine_of_ours", raising=False)
    (optimizer,) = recorded(tmp_path, NEVER.format(every=every)).optimizers

    assert (optimizer.step_site and optimizer.step_site.line) == line
