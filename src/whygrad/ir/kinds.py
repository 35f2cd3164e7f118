"""The closed table of op kinds: what each means, and how a gradient passes through it."""

from dataclasses import dataclass
from typing import Literal

Passing = Literal["smooth", "zero", "cut", "selective", "unknown"]
"""How a gradient passes: everywhere; as exact zeros; not at all; through some entries only; unknown."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    name: str
    meaning: str
    passing: Passing
    family: str
    """`loss`, `activation`, `layout`, `create`, `leave`, … as rules ask for them."""


def _rows(family: str, passing: Passing, **meanings: str) -> dict[str, Kind]:
    return {name.rstrip("_"): Kind(name.rstrip("_"), meaning, passing, family) for name, meaning in meanings.items()}


KINDS: dict[str, Kind] = {
    **_rows(
        "create", "cut",
        create="filled without reading another tensor's values: zeros, ones, full, arange, zeros_like",
        random="drawn without reading another tensor's values: randn, randint, rand_like",
        enter="made from Python or NumPy data: torch.tensor, tf.constant, jnp.asarray",
        one_hot="one-hot rows from class ids",
        sample="drawn from a distribution given by its input: multinomial, bernoulli",
    ),
    **_rows("leave", "cut", leave="left the framework: item, float, numpy, tolist"),
    **_rows("detach", "cut", detach="cut by request: detach, .data, stop_gradient"),
    **_rows(
        "layout", "smooth",
        reshape="same entries in another shape: view, flatten, squeeze, unsqueeze",
        transpose="axes in another order",
        expand="repeated along an axis",
        copy="the same values: clone, contiguous, identity, a move between devices",
        concat="joined along an axis: cat, stack",
        pad="padded",
    ),
    **_rows("cast", "smooth", cast="another floating dtype"),
    **_rows("cast", "cut", integer_cast="floating numbers to integers or booleans"),
    **_rows(
        "select", "selective",
        index="some of the entries: slicing, indexing, take, gather, masking",
        where="one of two, by a condition",
        sort="in order of size: sort, topk (the values)",
        scatter="written at some places",
        write="written into a tensor in place",
    ),
    **_rows(
        "arithmetic", "smooth",
        add="sum of two", sub="difference", mul="product", div="quotient", pow="power", neg="negative",
        exp="exponential", log="logarithm (also log1p, log2)", sqrt="square root (also rsqrt)", reciprocal="1/x",
        sin="sine, cosine and other smooth elementwise functions", erf="error function", square="square",
        cumsum="running sums", matmul="matrix product (also bmm, einsum, dot, outer)", linalg="inverse, solve, determinant, …",
    ),
    **_rows(
        "arithmetic", "selective",
        abs="absolute value", clamp="limited to a range", maximum="larger of two", minimum="smaller of two",
    ),
    **_rows(
        "step", "zero",
        round="round, floor, ceil, trunc", sign="sign, heaviside",
    ),
    **_rows(
        "decision", "cut",
        compare="comparison and logic: ==, >, isnan, logical_and", argmax="argmax, argmin, argsort, indices of topk or sort",
    ),
    **_rows(
        "activation", "smooth",
        sigmoid="logistic function", tanh="hyperbolic tangent", softmax="softmax along an axis", log_softmax="logarithm of softmax",
        logsigmoid="logarithm of the logistic function", gelu="GELU", silu="SiLU, swish, mish", softplus="softplus", elu="ELU, SELU",
        gumbel_softmax="softmax of perturbed scores",
    ),
    **_rows(
        "activation", "selective",
        relu="max(x, 0)", leaky_relu="leaky or parametric ReLU", hardtanh="clamped linear: hardtanh, hardsigmoid, relu6",
    ),
    **_rows(
        "reduction", "smooth",
        sum="sum along axes", mean="mean along axes", norm="a norm", std="standard deviation", var="variance",
        logsumexp="log of the sum of exponentials", prod="product along axes",
    ),
    **_rows("reduction", "selective", max="largest along axes", min="smallest along axes", median="median, quantile"),
    **_rows(
        "layer", "smooth",
        linear="affine map", conv="convolution (also transposed)", embedding="rows of a table by id", attention="scaled dot-product attention",
        rnn="recurrent layer: LSTM, GRU, RNN", batch_norm="batch normalisation", layer_norm="layer, group, instance or RMS normalisation",
        dropout="dropout", interpolate="resized", bilinear="bilinear map", avg_pool="mean over windows",
    ),
    **_rows("layer", "selective", max_pool="largest in windows"),
    **_rows(
        "loss", "smooth",
        cross_entropy="cross-entropy on logits", nll_loss="negative log-likelihood on log-probabilities",
        binary_cross_entropy="binary cross-entropy on probabilities", bce_with_logits="binary cross-entropy on logits",
        categorical_cross_entropy="cross-entropy on probabilities (Keras)", mse_loss="squared error", l1_loss="absolute error",
        huber_loss="Huber or smooth absolute error", kl_div="Kullback-Leibler divergence on log-probabilities", poisson_nll="Poisson likelihood",
        gaussian_nll="Gaussian likelihood", hinge_loss="hinge, margin and soft-margin losses", cosine_loss="cosine embedding loss",
        triplet_loss="triplet margin loss", ctc_loss="connectionist temporal classification", ranking_loss="margin ranking loss",
    ),
    **_rows(
        "opaque", "unknown",
        custom="an autograd function of the user's or a library's own", opaque="a call with no neutral name",
    ),
}  # fmt: skip


def passing(kind: str) -> Passing:
    """How a gradient passes through an op of this kind; raises `KeyError` for a kind that is not in the table."""
    return KINDS[kind].passing


def family(kind: str) -> str:
    """The family of a kind; raises `KeyError` for a kind that is not in the table."""
    return KINDS[kind].family
