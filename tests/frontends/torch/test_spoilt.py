"""A loss that is not finite at a step of a shape of its own: which variable held NaN by then."""

import pytest

from frontends.torch.watching_here import line_of, recorded
from whygrad.flow import Index
from whygrad.rules.magnitude.non_finite_forward import diagnose

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:std")]

EPISODES = """
    torch.manual_seed(0)
    policy = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(policy.parameters(), lr=0.01)

    def finish(log_probs, rewards):
        returns = torch.tensor(rewards).flip(0).cumsum(0).flip(0)
        {centred}
        loss = -(torch.stack(log_probs) * returns).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for length in (5, 6, 4, 7, 3, 5, {last}):
        states = torch.randn(length, 4)
        log_probs = [policy(state).log_softmax(-1)[0] for state in states]
        {before}
        finish(log_probs, [float(number) for number in range(length)])
"""


def episodes(centred: str = "returns = (returns - returns.mean()) / (returns.std() + 1e-8)", last: int = 1, before: str = "pass") -> str:
    return EPISODES.format(centred=centred, last=last, before=before)


def told(folder, text: str):
    record = recorded(folder, text)
    events = [event for step in record.steps for event in step.events if event.kind == "spoilt"]
    return events, list(diagnose.check(Index(record)))


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        (episodes(), "returns", "returns.mean())"),
        (episodes("weight = returns / returns.std()\n        returns = returns * weight"), "weight", "returns.std()"),
        (episodes("returns = returns / returns[1:].mean()"), "returns", "[1:].mean()"),
    ],
    ids=["the deviation of one return", "the first of two variables", "the mean of nothing"],
)
def test_the_variable_that_holds_nan_is_named(tmp_path, text: str, name: str, line: str) -> None:
    events, (diagnosis,) = told(tmp_path, text)

    assert [event.attributes["name"] for event in events] == [name]
    assert diagnosis.site is not None
    assert diagnosis.site.line == line_of(text, line)
    assert f"`{name}` holds NaN at step 6" in diagnosis.message


def test_the_help_speaks_of_one_entry_only_where_there_is_one(tmp_path) -> None:
    help_of_one, help_of_none = (
        told(tmp_path, text)[1][0].help for text in (episodes(), episodes("returns = returns / returns[1:].mean()"))
    )

    assert "the deviation of one number is 0/0" in help_of_one
    assert "deviation" not in help_of_none


SILENT = {
    "the loss stays finite": episodes(last=4),
    "only infinity, which may be meant": episodes("returns = returns + torch.tensor(float('inf') if len(returns) == 1 else 0.0)"),
    "a parameter is spoilt already": episodes(before="if length == 1: policy.weight.data.fill_(float('nan'))", centred="pass"),
    "no variable holds it": episodes("log_probs = [one * torch.tensor(0.0 if len(returns) > 1 else float('nan')) for one in log_probs]"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_no_variable_is_named(tmp_path, text: str) -> None:
    events, _ = told(tmp_path, text)

    assert events == []
