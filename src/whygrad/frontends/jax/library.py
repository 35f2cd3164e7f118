"""What the functions of JAX and its libraries mean: from their names to the neutral kinds of op."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Protocol

from whygrad.frontends.codes import once_for_each

_PRIMITIVES: dict[str, str] = {
    "create": "iota empty full eye _eye zeros ones arange linspace _linspace tri full_like zeros_like ones_like",
    "random": "random_bits random_seed random_wrap random_unwrap random_fold_in random_split random_clone threefry2x32 rng_bit_generator rng_uniform shuffle _uniform "
    "_normal _normal_real _truncated_normal _randint _permutation _shuffle _gumbel _exponential _laplace _logistic _bernoulli _split _fold_in _threefry_split "
    "threefry_split _threefry_fold_in _key _beta _gamma gamma_one random_gamma _poisson _dirichlet _cauchy _rademacher",
    "sample": "categorical _categorical multinomial _multinomial choice",
    "one_hot": "_one_hot one_hot",
    "detach": "stop_gradient",
    "leave": "item tolist __float__ __int__ __array__",
    "enter": "asarray array",
    "reshape": "reshape squeeze expand_dims ravel _squeeze _expand_dims flatten atleast_1d atleast_2d",
    "transpose": "transpose rev swapaxes moveaxis _moveaxis flip _flip roll _roll rot90 permute_dims _transpose",
    "expand": "broadcast_in_dim broadcast_to _broadcast_to tile repeat _repeat broadcast",
    "copy": "copy copy_p device_put real conj optimization_barrier reduce_precision sharding_constraint stage pbroadcast pvary copy_to_host mutable_array_get",
    "cast": "convert_element_type bitcast_convert_type astype",
    "concat": "concatenate stack hstack vstack _stack dstack append column_stack",
    "pad": "pad _pad",
    "index": "index gather slice dynamic_slice take _take take_along_axis _take_along_axis split array_split diag diagonal tril triu _tril _triu dynamic_index_in_dim "
    "dynamic_slice_in_dim _rewriting_take _gather unstack extract squeeze_and_take _diag",
    "where": "select_n select _where where nan_to_num select_and_scatter_add",
    "sort": "sort top_k unique approx_top_k _sort",
    "scatter": "scatter scatter-add scatter_add scatter-mul scatter-min scatter-max dynamic_update_slice segment_sum",
    "add": "add add_any add_p addition", "sub": "sub subtract", "mul": "mul multiply mul_p", "div": "div divide true_divide", "pow": "pow integer_pow power float_power",
    "neg": "neg negative", "square": "square", "reciprocal": "reciprocal", "exp": "exp expm1 exp2", "log": "log log1p log2 log10 xlogy xlog1py", "sqrt": "sqrt rsqrt cbrt",
    "erf": "erf erfc erf_inv erfinv", "sin": "sin cos tan sinh cosh asin acos atan atan2 arctan2 arctan arcsin arccos asinh acosh atanh lgamma gammaln digamma logaddexp hypot sinc",
    "cumsum": "cumsum cumprod cumlogsumexp cummax cummin diff _diff cumulative_sum",
    "matmul": "dot_general matmul dot vdot inner outer einsum _einsum tensordot ragged_dot_general kron",
    "linalg": "cholesky inv solve det slogdet eigh svd qr lu triangular_solve lu_solve matrix_power pinv eig fft custom_linear_solve trace expm",
    "abs": "abs absolute fabs", "clamp": "clamp clip", "maximum": "max maximum", "minimum": "min minimum",
    "round": "round floor ceil rint trunc fix remainder rem mod floor_divide fmod divmod", "sign": "sign signbit heaviside",
    "compare": "eq ne lt le gt ge equal not_equal less less_equal greater greater_equal is_finite isfinite isnan isinf and or not xor logical_and logical_or logical_not logical_xor "
    "isclose any all reduce_and reduce_or _reduce_any _reduce_all _any _all bincount searchsorted digitize eq_to lt_to le_to count_nonzero population_count "
    "bitwise_and bitwise_or bitwise_not shift_left shift_right_logical array_equal",
    "argmax": "argmax argmin _argmax _argmin argsort nonzero argwhere",
    "sigmoid": "logistic sigmoid expit", "tanh": "tanh", "softmax": "softmax _softmax _softmax_deprecated", "log_softmax": "log_softmax", "logsigmoid": "log_sigmoid", "gelu": "gelu",
    "silu": "silu swish mish", "softplus": "softplus soft_sign squareplus", "elu": "elu selu celu", "relu": "relu", "leaky_relu": "leaky_relu glu sparse_plus",
    "hardtanh": "hard_tanh relu6 hard_sigmoid hard_silu",
    "sum": "reduce_sum _reduce_sum sum nansum psum psum2 psum_invariant", "mean": "_mean mean nanmean average pmean", "norm": "norm vector_norm matrix_norm",
    "std": "_std std nanstd", "var": "_var var nanvar", "logsumexp": "logsumexp logmeanexp", "prod": "reduce_prod _reduce_prod prod",
    "max": "reduce_max _reduce_max amax nanmax pmax", "min": "reduce_min _reduce_min amin nanmin pmin", "median": "median quantile percentile _quantile",
    "conv": "conv_general_dilated", "max_pool": "reduce_window_max select_and_gather_add", "avg_pool": "reduce_window_sum reduce_window",
    "custom": "custom_jvp_call custom_vjp_call custom_vjp_call_jaxpr",
}  # fmt: skip

KIND_OF: dict[str, str] = {name: kind for kind, names in _PRIMITIVES.items() for name in names.split()}


@dataclass(frozen=True, slots=True)
class Known:
    """A library function whose primitives are one op."""

    kind: str
    native: str
    target: str = ""
    """The argument that a loss compares with."""
    first: str = ""
    """The argument that it judges or works on."""
    ids: bool | None = None
    """Of a cross-entropy: its targets are class ids, or rows of probabilities."""


def _losses() -> dict[str, tuple[str, str, str]]:
    return {
        "sigmoid_binary_cross_entropy": ("bce_with_logits", "logits", "labels"),
        "softmax_cross_entropy": ("cross_entropy", "logits", "labels"),
        "safe_softmax_cross_entropy": ("cross_entropy", "logits", "labels"),
        "softmax_cross_entropy_with_integer_labels": ("cross_entropy", "logits", "labels"),
        "poly_loss_cross_entropy": ("cross_entropy", "logits", "labels"),
        "sigmoid_focal_loss": ("bce_with_logits", "logits", "labels"),
        "hinge_loss": ("hinge_loss", "predictor_outputs", "targets"),
        "kl_divergence": ("kl_div", "log_predictions", "targets"),
        "kl_divergence_with_log_targets": ("kl_div", "log_predictions", "log_targets"),
        "squared_error": ("mse_loss", "predictions", "targets"),
        "l2_loss": ("mse_loss", "predictions", "targets"),
        "huber_loss": ("huber_loss", "predictions", "targets"),
        "log_cosh": ("huber_loss", "predictions", "targets"),
        "cosine_distance": ("cosine_loss", "predictions", "targets"),
        "ctc_loss": ("ctc_loss", "logits", "labels"),
        "triplet_margin_loss": ("triplet_loss", "anchors", ""),
    }


_LAYERS: Mapping[str, str] = {
    "Dense": "linear", "DenseGeneral": "linear", "LinearGeneral": "linear", "Linear": "linear", "_Conv": "conv", "Conv": "conv", "ConvTranspose": "conv", "Embed": "embedding",
    "Embedding": "embedding", "BatchNorm": "batch_norm", "LayerNorm": "layer_norm", "RMSNorm": "layer_norm", "GroupNorm": "layer_norm", "InstanceNorm": "layer_norm",
    "Dropout": "dropout", "LSTMCell": "rnn", "OptimizedLSTMCell": "rnn", "GRUCell": "rnn", "SimpleCell": "rnn", "MGUCell": "rnn",
}  # fmt: skip
KERNELS: Mapping[str, Mapping[str, int]] = {
    **{name: {"weight_axis": 0} for name in ("flax.Dense", "flax.DenseGeneral", "flax.Linear", "flax.LinearGeneral")},
    **{name: {"weight_axis": -2, "data_axis": -1} for name in ("flax._Conv", "flax.Conv", "flax.ConvTranspose")},
    "flax.BatchNorm": {"weight_axis": 0, "data_axis": -1},
}
"""Layers whose kernels have their inputs in front of their outputs, and their channels last."""
_ACTIVATIONS = "relu softplus sigmoid silu mish log_sigmoid elu leaky_relu hard_tanh celu selu gelu log_softmax softmax relu6 hard_sigmoid hard_silu one_hot soft_sign squareplus glu"
ACTIVATIONS = frozenset(_ACTIVATIONS.split())
"""Functions of `jax.nn`, by which compiled code is known too."""
_DRAWING = "uniform normal bernoulli randint permutation truncated_normal gumbel exponential laplace beta gamma key PRNGKey split fold_in rademacher"
_RANDOM = {**dict.fromkeys(_DRAWING.split(), "random"), "categorical": "sample", "choice": "sample"}
_FUNCTIONS: Mapping[str, Mapping[str, str]] = {
    "jax/_src/nn/functions.py": {name: KIND_OF[name] for name in _ACTIVATIONS.split()}
    | {"dot_product_attention": "attention", "standardize": "layer_norm"},
    "jax/_src/scipy/special.py": {"logsumexp": "logsumexp"},
    "jax/_src/ops/special.py": {"logsumexp": "logsumexp"},
    "jax/_src/numpy/reductions.py": {"mean": "mean", "std": "std", "var": "var", "median": "median", "quantile": "median", "nanmean": "mean"},
    "jax/_src/numpy/linalg.py": {"norm": "norm", "vector_norm": "norm"},
    "jax/_src/numpy/lax_numpy.py": {"round": "round", "where": "where", "concatenate": "concat", "stack": "concat", "argmax": "argmax", "nan_to_num": "where"},
    "jax/_src/random.py": _RANDOM,
    "jax/_src/random/core.py": _RANDOM,
    "flax/linen/attention.py": {"dot_product_attention": "attention"},
    "flax/linen/pooling.py": {"max_pool": "max_pool", "avg_pool": "avg_pool"},
    "flax/nnx/nn/attention.py": {"dot_product_attention": "attention"},
    "jax/_src/numpy/indexing.py": {"rewriting_take": "index"},
    "jax/_src/ops/scatter.py": {"_scatter_update": "scatter"},
}  # fmt: skip
_LAYER_FOLDERS = ("flax/linen/", "flax/nnx/nn/", "equinox/nn/")


@once_for_each
def known(code: CodeType) -> Known | None:
    """What is known of a library function; None for any other."""
    file = code.co_filename.replace("\\", "/")
    _, found, inside = file.rpartition("/site-packages/")
    inside = inside if found else "/".join(file.split("/")[-4:])
    name = code.co_qualname
    if inside.startswith("optax/losses/") and (row := _losses().get(name)):
        ids = "integer_labels" in name if row[0] == "cross_entropy" else None
        return Known(row[0], f"optax.{name}", row[2], row[1], ids)
    if inside.startswith(_LAYER_FOLDERS) and name.endswith(".__call__"):
        owner = name.removesuffix(".__call__").rpartition(".")[2]
        kind = _LAYERS.get(owner)
        return Known(kind, f"{inside.split('/')[0]}.{owner}") if kind else None
    for folder, names in _FUNCTIONS.items():
        if inside.endswith(folder) and name in names:
            return Known(names[name], _NATIVES.get(name) or f"{_MODULES.get(folder, 'jax')}.{name}")
    return None


_NATIVES: Mapping[str, str] = {"rewriting_take": "jax.Array.__getitem__", "_scatter_update": "jax.Array.at"}
_MODULES: Mapping[str, str] = {
    "jax/_src/nn/functions.py": "jax.nn", "jax/_src/scipy/special.py": "jax.scipy.special", "jax/_src/ops/special.py": "jax.nn", "jax/_src/numpy/reductions.py": "jax.numpy",
    "jax/_src/numpy/linalg.py": "jax.numpy.linalg", "jax/_src/numpy/lax_numpy.py": "jax.numpy", "jax/_src/random.py": "jax.random", "jax/_src/random/core.py": "jax.random",
    "flax/linen/attention.py": "flax.linen", "flax/linen/pooling.py": "flax.linen", "flax/nnx/nn/attention.py": "flax.nnx",
}  # fmt: skip


def kind_of(name: str) -> str:
    """The neutral kind of a primitive or of a function of `jax.numpy`; `opaque` for what has none."""
    return KIND_OF.get(name, "opaque")


class Stacked(Protocol):
    """What ran within library functions."""

    stack: tuple[tuple[CodeType, int], ...]


def function_of(bound: Stacked) -> Known | None:
    """The outermost known library function that a primitive runs in."""
    return next((found for code, _ in reversed(bound.stack) if (found := known(code)) is not None), None)
