"""What each kind of loss expects of its input and its target: one table, which rules, documentation and fixes read.

Moving code from one framework to another is a common origin of faults, because functions of like names expect unlike things:
PyTorch's `CrossEntropyLoss` wants raw scores, Keras' `CategoricalCrossentropy` wants probabilities unless it is told otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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


_INFINITE = float("inf")

CONTRACTS: Mapping[str, Contract] = {
    "cross_entropy": Contract(
        "logits", ("ids", "probabilities"), applies="softmax", class_axis=1, torch=("F.cross_entropy", "nn.CrossEntropyLoss")
    ),
    "nll_loss": Contract(
        "log-probabilities", ("ids",), wants="log_softmax", class_axis=1, range=(-_INFINITE, 0.0), torch=("F.nll_loss", "nn.NLLLoss")
    ),
    "binary_cross_entropy": Contract(
        "probabilities", ("probabilities",), wants="sigmoid", elementwise=True, range=(0.0, 1.0), target_range=(0.0, 1.0),
        torch=("F.binary_cross_entropy", "nn.BCELoss"),
    ),
    "bce_with_logits": Contract(
        "logits", ("probabilities",), applies="sigmoid", elementwise=True, target_range=(0.0, 1.0),
        torch=("F.binary_cross_entropy_with_logits", "nn.BCEWithLogitsLoss"),
    ),
    "categorical_cross_entropy": Contract(
        "probabilities", ("one-hot", "ids"), wants="softmax", class_axis=-1, range=(0.0, 1.0), target_range=(0.0, 1.0)
    ),
    "mse_loss": Contract("real", ("real",), elementwise=True, broadcasts=True, torch=("F.mse_loss", "nn.MSELoss")),
    "l1_loss": Contract("real", ("real",), elementwise=True, broadcasts=True, torch=("F.l1_loss", "nn.L1Loss")),
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
    return _RATES if op.kind == "poisson_nll" and op.attributes.get("log_input") is False else CONTRACTS[op.kind]


_RATES = Contract(
    "real", ("counts",), wants="softplus", elementwise=True, broadcasts=True, range=(0.0, _INFINITE), target_range=(0.0, _INFINITE),
    torch=("F.poisson_nll_loss", "nn.PoissonNLLLoss"),
)  # fmt: skip
"""Poisson likelihood on rates instead of their logarithms."""


def target_of(op: Op) -> str | None:
    """The value that a loss op compares with; None where it has none."""
    position = op.attributes.get("target")
    return op.inputs[position] if isinstance(position, int) and 0 <= position < len(op.inputs) else None


def input_of(op: Op) -> str | None:
    """The value that a loss op judges: its first input that is not the target."""
    position = op.attributes.get("target")
    return next((name for at, name in enumerate(op.inputs) if at != position), None)
