"""The page on moving a loss between frameworks, from the table that rules and fixes read."""

from whygrad.loss_contracts import CONTRACTS, Contract

HEAD = """# Moving a loss between frameworks

Functions of like names expect unlike things. PyTorch's `CrossEntropyLoss` wants raw scores; Keras' `CategoricalCrossentropy` wants probabilities unless it
is told `from_logits=True`. This is the one table that whygrad's rules judge by.

| loss | reads as prediction | reads as target | applies itself | class axis | shapes | PyTorch | Keras and TensorFlow |
|---|---|---|---|---|---|---|---|
"""
WORDS = {"logits": "raw scores", "ids": "class ids", "one-hot": "one-hot rows", "real": "real numbers"}


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(row(kind, contract) for kind, contract in CONTRACTS.items()) + "\n"


def row(kind: str, contract: Contract) -> str:
    """One loss."""
    targets = " or ".join(WORDS.get(form, form) for form in contract.targets)
    axis = "" if contract.class_axis is None else str(contract.class_axis)
    cells = (
        f"`{kind}`", WORDS.get(contract.input, contract.input), targets, contract.applies or "nothing", axis, shapes(contract),
        spelled(contract.torch), spelled(contract.keras),
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def shapes(contract: Contract) -> str:
    """What the loss asks of the two shapes, and what it does where they differ."""
    if not contract.elementwise:
        return "one target an example"
    return "one shape; broadcasts where they differ" if contract.broadcasts else "one shape"


def spelled(names: tuple[str, ...]) -> str:
    """Names of functions, as code."""
    return ", ".join(f"`{name}`" for name in names)
