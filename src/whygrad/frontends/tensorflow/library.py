"""Functions of TensorFlow and Keras that stand for many raw ops, and what each means."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Literal

from whygrad.frontends.folding import Table
from whygrad.frontends.tensorflow import _compat
from whygrad.ir import Attribute

Locals = Mapping[str, Any]
_UNTOLD = object()
"""A layer whose call has no argument for the mode."""


@dataclass(frozen=True, slots=True)
class Described:
    """One run of a known function."""

    kind: str
    native: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    """`target` and `input` to what was given as such."""
    apart: bool = False
    """Activations inside stay ops of their own."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a frame of a library function says about the raw ops below it."""

    role: Literal["fold", "layer", "activation"]
    describe: Callable[[Locals], Described | None] = lambda _: None


LOSSES: Mapping[str, tuple[str, str]] = {
    "mean_squared_error": ("mse_loss", ""), "mean_absolute_error": ("l1_loss", ""), "mean_absolute_percentage_error": ("l1_loss", ""),
    "mean_squared_logarithmic_error": ("mse_loss", ""), "huber": ("huber_loss", ""), "log_cosh": ("huber_loss", ""),
    "kl_divergence": ("kl_div", ""), "poisson": ("poisson_nll", ""), "hinge": ("hinge_loss", ""), "squared_hinge": ("hinge_loss", ""),
    "categorical_hinge": ("hinge_loss", ""), "cosine_similarity": ("cosine_loss", ""),
    "categorical_crossentropy": ("categorical_cross_entropy", "cross_entropy"),
    "categorical_focal_crossentropy": ("categorical_cross_entropy", "cross_entropy"),
    "sparse_categorical_crossentropy": ("categorical_cross_entropy", "cross_entropy"),
    "binary_crossentropy": ("binary_cross_entropy", "bce_with_logits"),
    "binary_focal_crossentropy": ("binary_cross_entropy", "bce_with_logits"), "ctc": ("ctc_loss", ""),
}  # fmt: skip
"""Keras' loss functions: kind on its usual input, and with `from_logits`."""
ON_LOGITS: Mapping[str, str] = {
    "softmax_cross_entropy_with_logits_v2": "cross_entropy", "softmax_cross_entropy_with_logits": "cross_entropy",
    "sparse_softmax_cross_entropy_with_logits_v2": "cross_entropy", "sparse_softmax_cross_entropy_with_logits": "cross_entropy",
    "sigmoid_cross_entropy_with_logits_v2": "bce_with_logits", "sigmoid_cross_entropy_with_logits": "bce_with_logits",
}  # fmt: skip
LAYERS: Mapping[str, str] = {
    "Dense": "linear", "EinsumDense": "linear", "Embedding": "embedding", "BatchNormalization": "batch_norm", "LayerNormalization": "layer_norm",
    "GroupNormalization": "layer_norm", "RMSNormalization": "layer_norm", "UnitNormalization": "layer_norm", "Dropout": "dropout",
    "GaussianDropout": "dropout", "AlphaDropout": "dropout", "SpatialDropout1D": "dropout", "LSTM": "rnn", "GRU": "rnn", "SimpleRNN": "rnn",
    "RNN": "rnn", "ConvLSTM1D": "rnn", "ConvLSTM2D": "rnn", "Attention": "attention", "AdditiveAttention": "attention",
    "UpSampling1D": "interpolate", "UpSampling2D": "interpolate", "UpSampling3D": "interpolate",
}  # fmt: skip
CONVOLUTIONS = {
    "base_conv": "BaseConv", "base_conv_transpose": "BaseConvTranspose", "base_depthwise_conv": "BaseDepthwiseConv",
    "base_separable_conv": "BaseSeparableConv",
}  # fmt: skip
WITH_ACTIVATION = ("linear", "conv")
ACTIVATIONS: Mapping[str, str] = {
    "relu": "relu", "relu6": "hardtanh", "leaky_relu": "leaky_relu", "softmax": "softmax", "log_softmax": "log_softmax", "sigmoid": "sigmoid",
    "tanh": "tanh", "elu": "elu", "selu": "elu", "softplus": "softplus", "softsign": "elu", "silu": "silu", "swish": "silu", "gelu": "gelu",
    "mish": "silu", "hard_sigmoid": "hardtanh", "hard_tanh": "hardtanh", "hard_silu": "silu", "log_sigmoid": "logsigmoid", "celu": "elu",
}  # fmt: skip
FUNCTIONS: Mapping[str, Mapping[str, str]] = {
    "tensorflow.python.ops.random_ops": {
        "random_normal": "random",
        "random_uniform": "random",
        "truncated_normal": "random",
        "random_shuffle": "index",
    },
    "tensorflow.python.ops.stateless_random_ops": {
        "stateless_random_normal": "random",
        "stateless_random_uniform": "random",
        "stateless_truncated_normal": "random",
    },
    "tensorflow.python.ops.math_ops": {"reduce_std": "std", "reduce_variance": "var", "reduce_logsumexp": "logsumexp"},
    "tensorflow.python.ops.linalg_ops": {"norm": "norm", "norm_v2": "norm"},
    "tensorflow.python.ops.nn_impl": {"l2_normalize_v2": "layer_norm", "l2_normalize": "layer_norm", "batch_normalization": "batch_norm"},
    "tensorflow.python.ops.nn_ops": {"dropout_v2": "dropout", "stateless_dropout": "dropout", "gelu": "gelu", "leaky_relu": "leaky_relu"},
    "tensorflow.python.ops.clip_ops": {"clip_by_value": "clamp"},
    "tensorflow.python.ops.special_math_ops": {"einsum": "matmul", "einsum_v2": "matmul"},
}
MADE_QUIETLY = (
    "/keras/src/metrics/",
    "/keras/src/optimizers/",
    "/keras/src/initializers/",
    "/keras/src/random/seed_generator",
    "/keras/src/callbacks/",
)
"""Ops in files of these folders are no part of the forward: metrics, updates, first values."""
LOUD = ("scale_loss",)
REDUCTIONS = {"sum_over_batch_size": "mean", "mean": "mean", "mean_with_sample_weight": "mean", "sum": "sum"}


def table() -> Table[Known]:
    """The functions of the modules that are imported by now."""
    found: Table[Known] = Table()
    for code, known in _entries():
        found.add(code, known)
    return found


def _entries() -> Iterator[tuple[CodeType, Known]]:
    yield from _losses()
    yield from _layers()
    for name, kind in ACTIVATIONS.items():
        yield from _one("keras.src.activations.activations", name, Known("activation", _activation(kind, name)))
    for name, kind in (
        ("softmax_v2", "softmax"),
        ("log_softmax_v2", "log_softmax"),
        ("softmax", "softmax"),
        ("log_softmax", "log_softmax"),
    ):
        yield from _one("tensorflow.python.ops.nn_ops", name, Known("activation", _softmax(kind)))
    for module, functions in FUNCTIONS.items():
        for name, kind in functions.items():
            yield from _one(module, name, Known("fold", _plain(kind, f"tf.{name}")))
    for name in ("argmax", "argmin"):  # what Keras does before it about negative zeros is no business of the user's
        yield from _one("keras.src.backend.tensorflow.numpy", name, Known("fold", _plain("argmax", f"keras.ops.{name}")))


def _one(module: str, name: str, known: Known) -> Iterator[tuple[CodeType, Known]]:
    function: Any = _compat.module(module)
    for part in name.split("."):
        function = getattr(function, part, None)
    code = _compat.code_of(function)
    if code is not None:
        yield code, known


def _losses() -> Iterator[tuple[CodeType, Known]]:
    yield from _one("keras.src.losses.loss", "Loss.__call__", Known("fold", _loss_object))
    for name in LOSSES:
        yield from _one("keras.src.losses.losses", name, Known("fold", _loss_function(name)))
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"):
        yield from _one("keras.src.backend.tensorflow.nn", name, Known("fold", _loss_function(name)))
    for name, kind in ON_LOGITS.items():
        yield from _one("tensorflow.python.ops.nn_ops", name, Known("fold", _on_logits(kind, name)))
        yield from _one("tensorflow.python.ops.nn_impl", name, Known("fold", _on_logits(kind, name)))


def _layers() -> Iterator[tuple[CodeType, Known]]:
    yield from _one("keras.src.layers.layer", "Layer.__call__", Known("layer"))
    layers: Any = _compat.module("keras.src.layers") or _compat.module("keras.layers")
    for name, kind in LAYERS.items():
        known = Known("fold", _layer(kind, name))
        code = _compat.code_of(getattr(getattr(layers, name, None), "call", None))
        if code is not None:
            yield code, known
    for file, name in CONVOLUTIONS.items():
        yield from _one(f"keras.src.layers.convolutional.{file}", f"{name}.call", Known("fold", _layer("conv", name)))
    yield from _one("keras.src.layers.pooling.base_pooling", "BasePooling.call", Known("fold", _pooling))
    mha = "keras.src.layers.attention.multi_head_attention"
    yield from _one(mha, "MultiHeadAttention._compute_attention", Known("fold", _plain("attention", "keras.layers.MultiHeadAttention")))
    gqa = "keras.src.layers.attention.grouped_query_attention"
    yield from _one(gqa, "GroupedQueryAttention._compute_attention", Known("fold", _plain("attention", "keras.layers.GroupQueryAttention")))


# --- what a run of each means ---------------------------------------------------------------------------------------


def of_loss(name: str, settings: Mapping[str, Any], reduction: str, given: Mapping[str, Any], native: str) -> Described:
    """One of Keras' losses, by the name of its function."""
    plain, on_logits = LOSSES[name]
    logits = bool(settings.get("from_logits")) and bool(on_logits)
    kind = on_logits if logits else plain
    attributes: dict[str, Attribute] = {"reduction": reduction}
    if kind in ("cross_entropy", "categorical_cross_entropy"):
        axis = settings.get("axis", -1)
        attributes |= {"axis": axis if isinstance(axis, int) else -1, "ids": name.startswith("sparse")}
    if kind in ("kl_div", "poisson_nll"):
        attributes["log_input"] = False
    if kind == "cosine_loss":
        attributes["vectors"] = True
    if isinstance(ignored := settings.get("ignore_class"), int):  # 0 is an id like the others
        attributes["ignore_index"] = ignored
    for key in ("label_smoothing", "delta"):
        value = settings.get(key)
        if isinstance(value, int | float) and value:
            attributes[key] = value
    return Described(kind, native, attributes, given)


def _loss_object(held: Locals) -> Described | None:
    loss = held.get("self")
    function = getattr(loss, "fn", None)
    name = getattr(function, "__name__", "")
    own = str(getattr(function, "__module__", "")).startswith("keras.") or not hasattr(loss, "fn")
    if name not in LOSSES or not own:
        return None
    given = {"target": held.get("y_true"), "input": held.get("y_pred")}
    reduction = REDUCTIONS.get(str(getattr(loss, "reduction", None)), "none")
    native = (
        name if type(loss).__name__ == "LossFunctionWrapper" else type(loss).__name__
    )  # what Keras wraps a loss in that was given by its name
    return of_loss(name, getattr(loss, "_fn_kwargs", {}), reduction, given, f"keras.losses.{native}")


def _loss_function(name: str) -> Callable[[Locals], Described | None]:
    def describe(held: Locals) -> Described | None:
        given = {"target": held.get("y_true", held.get("target")), "input": held.get("y_pred", held.get("output"))}
        return of_loss(name, held, "none", given, f"keras.losses.{name}")

    return describe


def _on_logits(kind: str, name: str) -> Callable[[Locals], Described | None]:
    def describe(held: Locals) -> Described | None:
        given = {"target": held.get("labels"), "input": held.get("logits")}
        attributes: dict[str, Attribute] = {"reduction": "none"}
        if kind == "cross_entropy":
            axis = held.get("axis", held.get("dim", -1))
            attributes |= {"axis": axis if isinstance(axis, int) else -1, "ids": name.startswith("sparse")}
        return Described(kind, f"tf.nn.{name.removesuffix('_v2')}", attributes, given)

    return describe


def layer_attributes(kind: str, layer: Any) -> dict[str, Attribute]:
    """Settings of a Keras layer under neutral names; the axes at which its weight meets its input."""
    found: dict[str, Attribute] = {}
    if kind in ("linear", "rnn"):
        found["weight_axis"] = 0
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    if kind == "rnn" and activation == "tanh":
        found["activation"] = activation
    if kind == "embedding" and getattr(layer, "mask_zero", False) is True:
        found["padding_idx"] = 0
    if kind == "conv":
        last = getattr(layer, "data_format", "channels_last") == "channels_last"
        found |= {"weight_axis": -2, "data_axis": -1 if last else 1}
        groups = getattr(layer, "groups", None)
        if isinstance(groups, int):
            found["groups"] = groups
    axis = getattr(layer, "axis", None)
    if kind in ("batch_norm", "layer_norm") and isinstance(axis, int):
        found |= {"axis": axis, "data_axis": axis}
    rate = getattr(layer, "rate", None)
    if kind == "dropout" and isinstance(rate, int | float):
        found["p"] = float(rate)
    return found


def _layer(kind: str, name: str) -> Callable[[Locals], Described | None]:
    def describe(held: Locals) -> Described | None:
        layer = held.get("self")
        attributes = layer_attributes(kind, layer)
        training = held.get("training", _UNTOLD)
        if kind in ("dropout", "batch_norm") and (training is None or isinstance(training, bool)):
            # Keras' layers take None, which is what a call without the argument hands on, for evaluation
            attributes["training"] = bool(training) and bool(getattr(layer, "trainable", True) or kind == "dropout")
        native = f"keras.layers.{type(layer).__name__ if layer is not None else name}"
        return Described(kind, native, attributes, apart=kind in WITH_ACTIVATION)

    return describe


def _pooling(held: Locals) -> Described | None:
    layer = held.get("self")
    kind = "max_pool" if getattr(layer, "pool_mode", "max") == "max" else "avg_pool"
    return Described(kind, f"keras.layers.{type(layer).__name__}")


def _activation(kind: str, name: str) -> Callable[[Locals], Described | None]:
    def describe(held: Locals) -> Described | None:
        actual = kind
        if kind == "relu" and held.get("negative_slope"):
            actual = "leaky_relu"
        elif kind == "relu" and held.get("max_value") is not None:
            actual = "hardtanh"
        axis = held.get("axis", -1)
        softmax = kind in ("softmax", "log_softmax") and isinstance(axis, int)
        return Described(actual, f"keras.activations.{name}", {"axis": axis} if softmax else {})

    return describe


def _softmax(kind: str) -> Callable[[Locals], Described | None]:
    def describe(held: Locals) -> Described | None:
        axis = held.get("axis")
        return Described(kind, f"tf.nn.{kind}", {"axis": axis if isinstance(axis, int) else -1})

    return describe


def _plain(kind: str, native: str) -> Callable[[Locals], Described | None]:
    return lambda _: Described(kind, native)
