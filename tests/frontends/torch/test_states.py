"""New weights in the dictionary that `state_dict()` returned: never loaded, or made use of."""

import pytest

from frontends.torch.watching_here import line_of, recorded
from whygrad.flow import Index
from whygrad.rules.update.updated_copy import diagnose

pytestmark = pytest.mark.torch

ROUNDS = """
    import copy

    slow = nn.Linear(3, 1)
    kept = {{}}

    def adapt():
        fast = copy.deepcopy(slow)
        optimizer = torch.optim.SGD(fast.parameters(), lr=0.1)
        for _ in range(3):
            x = torch.randn(8, 3)
            loss = F.mse_loss(fast(x), x.sum(1, keepdim=True))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return fast

    def outer(fast):
        state = slow.state_dict()
        for name, value in fast.state_dict().items():
            {write}
        {after}

    for _ in range({rounds}):
        outer(adapt())
"""
WRITE = "state[name] = state[name] + 0.5 * (value - state[name])"


def rounds(write: str = WRITE, after: str = "pass", times: int = 4) -> str:
    return ROUNDS.format(write=write, after=after, rounds=times)


def told(folder, text: str):
    return list(diagnose.check(Index(recorded(folder, text))))


def test_weights_that_are_never_loaded(tmp_path) -> None:
    (diagnosis,) = told(tmp_path, rounds())

    assert diagnosis.site is not None
    assert diagnosis.site.line == line_of(rounds(), WRITE)
    assert "`slow` stays as it was" in diagnosis.message


@pytest.mark.parametrize(
    "text",
    [
        rounds(after="slow.load_state_dict(state)"),
        rounds(write="state[name].add_(0.5 * (value - state[name]))"),
        rounds(after="kept.update(state)"),
        rounds(times=1),
        rounds(after="slow.weight.data.mul_(0.9)"),
        rounds(write="state[name] = state[name].add_(0.5 * (value - state[name]))"),
    ],
    ids=["loaded", "changed in place", "kept elsewhere", "once", "the model changes by another way", "in place and put back"],
)
def test_silence(tmp_path, text: str) -> None:
    assert told(tmp_path, text) == []
