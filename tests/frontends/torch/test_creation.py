"""What is made in the form of another tensor remembers whose form it has."""

import pytest

from frontends.torch.watching_here import recorded

pytestmark = pytest.mark.torch

PROGRAM = """
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for x, y in [(torch.randn(8, 4), torch.arange(8) % 3)] * 2:
        {blanked}
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("blanked", "known"),
    [
        ("y = torch.zeros_like(y)", True),
        ("y = torch.full_like(y, 2)", True),
        ("y = y.clone().fill_(1)", True),
        ("y = torch.zeros(len(y), dtype=torch.long)", False),
    ],
)
def test_whose_form_the_labels_have(tmp_path, blanked: str, *, known: bool) -> None:
    step = recorded(tmp_path, PROGRAM.format(blanked=blanked), experiments="off").steps[0]
    form = next((form for op in step.graph.ops if (form := op.attributes.get("like"))), None)

    assert (form is not None) is known
    assert form is None or step.graph.values[str(form)].shape == (8,)
