"""WG104: the order that the source names, into which the other side can be put as well."""

import pytest

from whygrad.rules.labels.pairing import order_in


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("words = pad_sequence([words[i] for i in order], batch_first=True)", "order"),
        ("x = x[perm]", "perm"),
        ("return torch.stack([item for item in batch])", ""),
        ("x = x[order][other]", ""),
        ("x = x[", ""),
    ],
)
def test_an_order_is_known_where_one_is_named(text: str, order: str) -> None:
    assert order_in(text) == order
