"""What each kind of loss expects of its input and its target: one table, which rules, documentation and fixes read.

Moving code from one framework to another is a common origin of faults, because functions of like names expect unlike things:
PyTorch's `CrossEntropyLoss` wants raw scores, Keras' `CategoricalCrossentropy` wants probabilities unless it is told otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from whygrad.ir import Op, family

InputForm = Literal["logits", "log-probabilities", "probabilities", "real", "embedding"]
TargetForm = Literal["ids", "one-hot", "probabilities", "real", "counts", "±1", "none"]


@dataclass(frozen=True, slots=True)
class Contract:
    """One row: what a loss of this kind is defined for."""

    input: InputForm
    targets: tuple[TargetForm, ...]
    """The forms of target that it takes, the usual one first."""
    applies: str = ""
    """The activation that it applies itself, as an op kind."""
    wants: str = ""
    """The op kind that makes an input of the right form from raw scores."""
    class_axis: int | None = None
    batch_axis: int = 0
    elementwise: bool = False
    """Input and target are meant to have one shape."""
    broadcasts: bool = False
    """Where the shapes differ, PyTorch broadcasts (with a warning at most) instead of refusing."""
    range: tuple[float, float] | None = None
    """What the input's entries must lie between."""
    target_range: tuple[float, float] | None = None
    reductions: tuple[str, ...] = ("mean", "sum", "none")
    torch: tuple[str, ...] = ()
    """Functional and module forms in PyTorch."""
    keras: tuple[str, ...] = ()
    """Classes in Keras, and functions of `tf.nn`."""


REGRESSIONS = frozenset(("mse_loss", "l1_loss", "huber_loss"))
"""Kinds that compare numbers entry by entry, whatever these stand for."""
_INFINITE = float("inf")

CONTRACTS: Mapping[str, Contract] = {
    "cross_entropy": Contract(
        "logits", ("ids", "probabilities"), applies="softmax", class_axis=1, torch=("F.cross_entropy", "nn.CrossEntropyLoss"),
        keras=("CategoricalCrossentropy(from_logits=True)", "SparseCategoricalCrossentropy(from_logits=True)", "tf.nn.softmax_cross_entropy_with_logits"),
    ),
    "nll_loss": Contract(
        "log-probabilities", ("ids",), wants="log_softmax", class_axis=1, range=(-_INFINITE, 0.0), torch=("F.nll_loss", "nn.NLLLoss")
    ),
    "binary_cross_entropy": Contract(
        "probabilities", ("probabilities",), wants="sigmoid", elementwise=True, range=(0.0, 1.0), target_range=(0.0, 1.0),
        torch=("F.binary_cross_entropy", "nn.BCELoss"), keras=("BinaryCrossentropy()",),
    ),
    "bce_with_logits": Contract(
        "logits", ("probabilities",), applies="sigmoid", elementwise=True, target_range=(0.0, 1.0),
        torch=("F.binary_cross_entropy_with_logits", "nn.BCEWithLogitsLoss"), keras=("BinaryCrossentropy(from_logits=True)", "tf.nn.sigmoid_cross_entropy_with_logits"),
    ),
    "categorical_cross_entropy": Contract(
        "probabilities", ("one-hot", "ids"), wants="softmax", class_axis=-1, range=(0.0, 1.0), target_range=(0.0, 1.0),
        keras=("CategoricalCrossentropy()", "SparseCategoricalCrossentropy()"),
    ),
    "mse_loss": Contract("real", ("real",), elementwise=True, broadcasts=True, torch=("F.mse_loss", "nn.MSELoss"), keras=("MeanSquaredError()",)),
    "l1_loss": Contract("real", ("real",), elementwise=True, broadcasts=True, torch=("F.l1_loss", "nn.L1Loss"), keras=("MeanAbsoluteError()",)),
    "huber_loss": Contract(
        "real", ("real",), elementwise=True, broadcasts=True, torch=("F.huber_loss", "nn.HuberLoss", "F.smooth_l1_loss", "nn.SmoothL1Loss")
    ),
    "kl_div": Contract(
        "log-probabilities", ("probabilities",), wants="log_softmax", elementwise=True, broadcasts=True, range=(-_INFINITE, 0.0),
        target_range=(0.0, 1.0), reductions=("mean", "batchmean", "sum", "none"), torch=("F.kl_div", "nn.KLDivLoss"),
    ),
    "poisson_nll": Contract(
        "real", ("counts",), elementwise=True, broadcasts=True, target_range=(0.0, _INFINITE), torch=("F.poisson_nll_loss", "nn.PoissonNLLLoss")
    ),
    "gaussian_nll": Contract("real", ("real",), elementwise=True, torch=("F.gaussian_nll_loss", "nn.GaussianNLLLoss")),
    "hinge_loss": Contract(
        "real", ("±1", "ids"),
        torch=("F.hinge_embedding_loss", "nn.HingeEmbeddingLoss", "F.soft_margin_loss", "nn.SoftMarginLoss", "F.multi_margin_loss", "nn.MultiMarginLoss"),
    ),
    "cosine_loss": Contract("embedding", ("±1",), target_range=(-1.0, 1.0), torch=("F.cosine_embedding_loss", "nn.CosineEmbeddingLoss")),
    "triplet_loss": Contract("embedding", ("none",), torch=("F.triplet_margin_loss", "nn.TripletMarginLoss")),
    "ctc_loss": Contract(
        "log-probabilities", ("ids",), wants="log_softmax", class_axis=2, batch_axis=1, range=(-_INFINITE, 0.0),
        reductions=("mean", "sum", "none"), torch=("F.ctc_loss", "nn.CTCLoss"),
    ),
    "ranking_loss": Contract("real", ("±1",), target_range=(-1.0, 1.0), torch=("F.margin_ranking_loss", "nn.MarginRankingLoss")),
}  # fmt: skip


def contract_of(op: Op) -> Contract | None:
    """What `op` expects, its settings considered; None where it is no loss."""
    if family(op.kind) != "loss":
        return None
    if op.attributes.get("log_input") is False and op.kind in _WITHOUT_LOGARITHM:
        return _WITHOUT_LOGARITHM[op.kind]
    if op.attributes.get("vectors"):
        return _VECTORS
    return _set(CONTRACTS[op.kind], op)


def _set(contract: Contract, op: Op) -> Contract:
    """The axis and the form of target that Keras' losses are told, in place of what PyTorch's always expect."""
    axis, ids = op.attributes.get("axis"), op.attributes.get("ids")
    if contract.class_axis is None or not isinstance(ids, bool):
        return contract
    targets: tuple[TargetForm, ...] = ("ids",) if ids else ("one-hot", "probabilities")
    return replace(contract, class_axis=axis if isinstance(axis, int) else contract.class_axis, targets=targets)


_WITHOUT_LOGARITHM: Mapping[str, Contract] = {
    "poisson_nll": Contract(
        "real", ("counts",), wants="softplus", elementwise=True, broadcasts=True, range=(0.0, _INFINITE), target_range=(0.0, _INFINITE),
        torch=("F.poisson_nll_loss", "nn.PoissonNLLLoss"), keras=("keras.losses.Poisson",),
    ),
    "kl_div": Contract(
        "probabilities", ("probabilities",), wants="softmax", elementwise=True, broadcasts=True, range=(0.0, 1.0), target_range=(0.0, 1.0),
        keras=("keras.losses.KLDivergence",),
    ),
}  # fmt: skip
"""Poisson likelihood on rates and divergence on probabilities, instead of their logarithms."""
_VECTORS = Contract("embedding", ("real",), elementwise=True, broadcasts=True, keras=("keras.losses.CosineSimilarity",))
"""The cosine between two vectors; PyTorch's loss of that name has a sign as its target."""


def target_of(op: Op) -> str | None:
    """The value that a loss op compares with; None where it has none."""
    position = op.attributes.get("target")
    return op.inputs[position] if isinstance(position, int) and 0 <= position < len(op.inputs) else None


def input_of(op: Op) -> str | None:
    """The value that a loss op judges: its first input that is not the target."""
    position = op.attributes.get("target")
    return next((name for at, name in enumerate(op.inputs) if at != position), None)
