"""Parameters made by `torch.Tensor(rows, columns)`: written to afterwards, or not."""

from pathlib import Path

import pytest

from frontends.torch.watching_here import recorded

pytestmark = pytest.mark.torch

PROGRAM = """
    class Layer(nn.Module):
        def __init__(self, rows, columns):
            super().__init__()
            self.rows = rows
            sizes = (rows, columns)
            self.weight = MADE
            AFTER
        def forward(self, inputs):
            return inputs @ self.weight.view(4, 3)
    model = Layer(4, 3)
    LATER
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        loss = F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
PLAIN = "nn.Parameter(torch.Tensor(rows, columns))"


def unwritten(folder: Path, made: str = PLAIN, after: str = "pass", later: str = "pass") -> bool:
    """Whether the weight is told to be memory that nothing was written to."""
    program = PROGRAM.replace("MADE", made).replace("AFTER", after).replace("LATER", later)
    (parameter,) = recorded(folder, program).steps[0].parameters
    return parameter.unwritten


@pytest.mark.parametrize(
    "made",
    [
        PLAIN,
        "nn.Parameter(torch.FloatTensor(self.rows, 3))",
        "nn.Parameter(torch.Tensor(*sizes), requires_grad=True)",
        "torch.nn.Parameter(\n                torch.Tensor(rows * columns)\n            )",
    ],
)
def test_memory_that_nothing_was_written_to(tmp_path: Path, made: str) -> None:
    assert unwritten(tmp_path, made)


@pytest.mark.parametrize(
    "after",
    [
        "nn.init.xavier_uniform_(self.weight)",
        "self.weight.data.uniform_(-0.1, 0.1)",
        "self.weight.data = torch.randn(4, 3)",
        "self.weight.data[:] = 0.5",
        "self.weight.data.copy_(torch.randn(4, 3))",
        "self.weight = nn.Parameter(torch.randn(4, 3))",
    ],
)
def test_memory_that_is_written_to_afterwards(tmp_path: Path, after: str) -> None:
    assert not unwritten(tmp_path, after=after)


@pytest.mark.parametrize("made", ["nn.Parameter(torch.Tensor(rows, columns).fill_(0.1))", "nn.Parameter(torch.Tensor([[0.1] * 3] * 4))"])
def test_a_tensor_that_is_made_of_numbers(tmp_path: Path, made: str) -> None:
    assert not unwritten(tmp_path, made)


@pytest.mark.parametrize(
    "later",
    [
        "[nn.init.normal_(p) for p in model.parameters()]",
        "model.load_state_dict({'weight': torch.randn(4, 3)})",
        "nn.utils.vector_to_parameters(torch.randn(12), model.parameters())",
    ],
)
def test_memory_that_is_written_to_from_outside(tmp_path: Path, later: str) -> None:
    assert not unwritten(tmp_path, later=later)
