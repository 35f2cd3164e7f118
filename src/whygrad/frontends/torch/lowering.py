"""From PyTorch's functions to the neutral kinds of op: one table by name, a few settings read from the arguments."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zlib import crc32

import torch

from whygrad.ir import Attribute

_TABLE: dict[str, str] = {
    "create": "zeros ones full empty arange range linspace logspace eye zeros_like ones_like full_like empty_like new_zeros new_ones new_full new_empty "
    "empty_strided zero fill tril_indices triu_indices one zeros_ ones_ constant meshgrid cartesian_prod hann_window hamming_window complex vander",
    "random": "randn rand randint randperm normal rand_like randn_like randint_like uniform random exponential cauchy log_normal geometric "
    "trunc_normal kaiming_uniform kaiming_normal xavier_uniform xavier_normal orthogonal",
    "sample": "multinomial bernoulli poisson binomial",
    "enter": "tensor as_tensor asarray from_numpy frombuffer from_dlpack scalar_tensor new_tensor",
    "one_hot": "one_hot",
    "leave": "item numpy tolist __float__ __int__ __array__ __complex__",
    "detach": "detach data.get",
    "reshape": "view reshape flatten unflatten squeeze unsqueeze view_as reshape_as ravel _unsafe_view atleast_1d atleast_2d atleast_3d",
    "transpose": "transpose permute t swapaxes swapdims movedim moveaxis T.get mT.get H.get mH.get adjoint flip roll rot90 fliplr flipud pixel_shuffle",
    "expand": "expand expand_as repeat broadcast_to repeat_interleave tile broadcast_tensors",
    "copy": "clone contiguous cpu cuda to_dense pin_memory copy alias pos real.get imag.get positive align_to rename requires_grad view_as_real view_as_complex "
    "__deepcopy__ as_subclass resolve_conj conj",
    "cast": "to type type_as float double half bfloat16 long int short bool byte char",
    "concat": "cat stack concat concatenate hstack vstack dstack row_stack column_stack block_diag",
    "pad": "pad pad_sequence constant_pad_nd",
    "index": "__getitem__ gather index_select take masked_select narrow select split chunk unbind diagonal diag tril triu take_along_dim tensor_split unfold fold "
    "diag_embed pack_padded_sequence pad_packed_sequence _pack_padded_sequence _pad_packed_sequence hsplit vsplit split_with_sizes as_strided unfold_copy __iter__",
    "where": "where masked_fill nan_to_num",
    "sort": "sort topk kthvalue msort unique unique_consecutive mode",
    "scatter": "scatter scatter_add index_add index_put index_copy index_fill masked_scatter scatter_reduce index_reduce put select_scatter slice_scatter",
    "write": "__setitem__ data.set set_",
    "add": "add radd iadd addcmul addcdiv lerp addr",
    "sub": "sub rsub isub subtract",
    "mul": "mul rmul imul multiply ldexp",
    "div": "div rdiv truediv rtruediv itruediv divide true_divide",
    "pow": "pow rpow ipow float_power", "neg": "neg negative", "square": "square", "reciprocal": "reciprocal",
    "exp": "exp expm1 exp2", "log": "log log1p log2 log10 xlogy logit", "sqrt": "sqrt rsqrt", "erf": "erf erfc erfinv",
    "sin": "sin cos tan sinh cosh asin acos atan atan2 arctan asinh acosh atanh sinc lgamma digamma hypot i0 logaddexp logaddexp2",
    "cumsum": "cumsum cumprod logcumsumexp trapezoid diff",
    "matmul": "matmul rmatmul imatmul mm bmm mv dot vdot inner outer einsum tensordot addmm addbmm baddbmm addmv chain_matmul multi_dot kron cdist",
    "linalg": "inverse solve det logdet slogdet cholesky qr svd eig eigh pinverse matrix_exp lu triangular_solve lstsq matrix_power cross trace svd_lowrank fft rfft ifft irfft fft2 stft istft",
    "abs": "abs absolute", "clamp": "clamp clip clamp_min clamp_max", "maximum": "maximum fmax", "minimum": "minimum fmin",
    "round": "round floor ceil trunc frac floor_divide floordiv rfloordiv fix remainder fmod mod rmod", "sign": "sign sgn heaviside signbit copysign threshold_step",
    "compare": "eq ne lt le gt ge equal isnan isinf isfinite logical_and logical_or logical_not logical_xor isclose and or xor invert rand_ ror any all "
    "bitwise_and bitwise_or bitwise_not bitwise_xor bucketize searchsorted isin bincount histc count_nonzero lshift rshift",
    "argmax": "argmax argmin argsort nonzero argwhere",
    "sigmoid": "sigmoid expit", "tanh": "tanh", "softmax": "softmax softmin", "log_softmax": "log_softmax", "logsigmoid": "logsigmoid log_sigmoid", "gelu": "gelu",
    "silu": "silu mish", "softplus": "softplus softsign tanhshrink", "elu": "elu selu celu", "gumbel_softmax": "gumbel_softmax",
    "relu": "relu threshold", "leaky_relu": "leaky_relu prelu rrelu glu hardshrink softshrink", "hardtanh": "hardtanh hardsigmoid hardswish relu6",
    "sum": "sum nansum", "mean": "mean nanmean", "norm": "norm vector_norm matrix_norm normalize cosine_similarity pairwise_distance renorm dist pdist", "std": "std std_mean", "var": "var var_mean",
    "logsumexp": "logsumexp", "prod": "prod", "max": "max amax aminmax", "min": "min amin", "median": "median nanmedian quantile nanquantile",
    "linear": "linear", "conv": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d", "embedding": "embedding embedding_bag",
    "attention": "scaled_dot_product_attention multi_head_attention_forward", "rnn": "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell",
    "batch_norm": "batch_norm", "layer_norm": "layer_norm group_norm instance_norm rms_norm local_response_norm",
    "dropout": "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout feature_dropout", "interpolate": "interpolate upsample grid_sample affine_grid",
    "bilinear": "bilinear", "avg_pool": "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d lp_pool1d lp_pool2d",
    "max_pool": "max_pool1d max_pool2d max_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d max_unpool2d "
    "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices",
    "cross_entropy": "cross_entropy", "nll_loss": "nll_loss", "binary_cross_entropy": "binary_cross_entropy", "bce_with_logits": "binary_cross_entropy_with_logits",
    "mse_loss": "mse_loss", "l1_loss": "l1_loss", "huber_loss": "huber_loss smooth_l1_loss", "kl_div": "kl_div", "poisson_nll": "poisson_nll_loss", "gaussian_nll": "gaussian_nll_loss",
    "hinge_loss": "hinge_embedding_loss multi_margin_loss multilabel_margin_loss soft_margin_loss multilabel_soft_margin_loss", "cosine_loss": "cosine_embedding_loss",
    "triplet_loss": "triplet_margin_loss triplet_margin_with_distance_loss", "ctc_loss": "ctc_loss", "ranking_loss": "margin_ranking_loss",
}  # fmt: skip

KIND_OF: dict[str, str] = {name: kind for kind, names in _TABLE.items() for name in names.split()}

QUIET = frozenset(
    [
        "size",
        "dim",
        "ndimension",
        "numel",
        "nelement",
        "stride",
        "is_contiguous",
        "is_floating_point",
        "is_complex",
        "is_same_size",
        "is_set_to",
        "data_ptr",
        "storage",
        "untyped_storage",
        "storage_offset",
        "element_size",
        "get_device",
        "__len__",
        "__hash__",
        "__repr__",
        "__str__",
        "__format__",
        "has_names",
        "is_shared",
        "retain_grad",
        "_is_view",
        "__dir__",
        "__bool__",
        "__index__",
        "__contains__",
        "is_nonzero",
        "is_inference",
        "is_signed",
        "is_pinned",
        "dim_order",
        "allclose",
        "backward",
        "register_hook",
        "register_post_accumulate_grad_hook",
        "__reduce_ex__",
        "__setstate__",
        "share_memory_",
        "record_stream",
        "result_type",
        "can_cast",
        "promote_types",
        "_set_grad_enabled",
        "get_default_dtype",
        "set_default_dtype",
        "set_printoptions",
        "is_tensor",
        "is_storage",
        "_is_zerotensor",
        "has_torch_function",
        "_assert",
        "is_conj",
        "is_neg",
        "_nested_tensor_size",
        "_record_function_enter_new",
        "_record_function_exit",
        "_values_equal",
        "_foreach_norm",
        "_foreach_mul_",
        "_foreach_zero_",
        "_foreach_clamp_max_",
    ]
)
"""Queries, and calls that are seen elsewhere: they make no value that a loss could depend on."""

LOUD_GETTERS = frozenset(("data.get", "T.get", "mT.get", "H.get", "mH.get", "real.get", "imag.get"))

OVERWRITES = frozenset(("copy", "zero", "fill", "uniform", "normal", "random", "bernoulli", "exponential", "data.set", "set_"))
"""In-place functions whose result does not depend on what was there before."""

MOST_AXES = 8
"""Longer tuples are data, not settings."""

UNSEEN_WRITES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("batch_norm", "native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"), ("running_mean", "running_var", "3", "4")
    ),
}
"""Arguments that a function changes without moving their version counters (torch 2.13: running statistics), by name or position."""

_POSITIONAL: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("softmax", "log_softmax", "mean", "sum", "argmax", "argmin", "max", "min", "amax", "amin", "logsumexp", "prod", "std", "var", "squeeze", "unsqueeze", "cumsum"), ("axis",)),
    **dict.fromkeys(("cat", "stack", "concat"), ("axis",)),
}  # fmt: skip
_SETTINGS = {"dim": "axis", "axis": "axis", "reduction": "reduction", "ignore_index": "ignore_index", "inplace": "inplace", "training": "training", "p": "p",
             "keepdim": "keepdim", "label_smoothing": "label_smoothing", "log_target": "log_target", "log_input": "log_input", "margin": "margin", "beta": "beta",
             "min": "min", "max": "max", "eps": "eps", "delta": "delta", "blank": "blank", "padding_idx": "padding_idx", "hard": "hard", "from_logits": "from_logits",
             "correction": "correction", "unbiased": "correction"}  # fmt: skip
_TARGETS = ("target", "targets", "labels", "y")


@dataclass(frozen=True, slots=True)
class Function:
    """What is known of one function of PyTorch's before it is called."""

    base: str
    """Name without underscores and prefixes: `add` for `Tensor.__iadd__`; getters end in `.get`, setters in `.set`."""
    native: str
    kind: str
    quiet: bool
    in_place: bool
    signature: inspect.Signature | None
    """For functions written in Python: used to read settings and a loss's target by name."""


def describe(function: Callable[..., Any]) -> Function:
    """Name, kind and nature of a function that reached the recorder."""
    name, native = _names(function)
    in_place = (
        (name.endswith("_") and not name.endswith("__"))
        or (name.startswith("__i") and name[3:-2] in _IN_PLACE)
        or name in ("__setitem__", "data.set")
    )
    base = _base(name)
    quiet = (
        name in QUIET
        or base in QUIET
        or (name.endswith(".get") and name not in LOUD_GETTERS)
        or (name.endswith(".set") and name != "data.set")
        or "profiler" in native
    )
    return Function(base, native, KIND_OF.get(base, "opaque"), quiet, in_place, _signature(function))


_IN_PLACE = frozenset(("add", "sub", "mul", "div", "truediv", "pow", "matmul", "floordiv", "mod", "and", "or", "xor", "lshift", "rshift"))


def kind_of(function: Function, given: bool) -> str:  # noqa: FBT001 - what the call is known by
    """The kind of one call: a normal draw from a given mean or deviation reads tensors, one of a given size reads none."""
    return "sample" if function.base == "normal" and not function.in_place and given else function.kind


def _names(function: Callable[..., Any]) -> tuple[str, str]:
    name = getattr(function, "__name__", None) or type(function).__name__
    if name in ("__get__", "__set__", "__delete__"):
        attribute = getattr(getattr(function, "__self__", None), "__name__", "?")
        return f"{attribute}.{name.strip('_')}", f"torch.Tensor.{attribute}"
    module = getattr(function, "__module__", None) or ""
    qualified = getattr(function, "__qualname__", name)
    if module.startswith("torch._ops"):
        return name.split(".")[0], f"torch.ops.{qualified.replace('::', '.')}"
    if qualified.startswith(("TensorBase.", "Tensor.")):
        return name, f"torch.Tensor.{name}"
    if module in ("torch._C._nn", "torch.nn.functional"):
        return name, f"torch.nn.functional.{name}"
    return name, f"torch.{name}" if qualified.startswith("_VariableFunctions") else f"{module or 'torch'}.{name}"


def _base(name: str) -> str:
    if name in KIND_OF:
        return name
    bare = name.strip("_")
    if bare.startswith(("linalg_", "special_")):
        bare = bare.split("_", 1)[1]
    return bare


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    if not inspect.isfunction(function):
        return None
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def ordered(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name where the names are known, in the order of the signature; `0`, `1`, … for the others."""
    if function.signature is not None:
        try:
            return dict(function.signature.bind(*args, **kwargs).arguments)
        except TypeError:
            pass  # the call will raise by itself
    return {**{str(at): value for at, value in enumerate(args)}, **kwargs}


def target_name(arguments: Mapping[str, Any]) -> str | None:
    """The argument of a loss function that holds the labels."""
    return next((name for name in _TARGETS if name in arguments), None)


_RECURRENT = frozenset(("lstm", "gru", "rnn_tanh", "rnn_relu"))
_TANH = frozenset(("gru", "rnn_tanh", "gru_cell", "rnn_tanh_cell", "lstm_cell"))


def settings(function: Function, arguments: Mapping[str, Any]) -> dict[str, Attribute]:
    """The settings of a call that rules ask for, under neutral names."""
    found: dict[str, Attribute] = {}
    for name, value in arguments.items():
        neutral = _SETTINGS.get(name)
        if neutral and _plain(value):
            found[neutral] = tuple(value) if isinstance(value, list | tuple) else value
    rest = [value for name, value in arguments.items() if name.isdigit() and name != "0"]
    for neutral, value in zip(_POSITIONAL.get(function.base, ()), rest, strict=False):
        if _plain(value) and not isinstance(value, bool):
            found.setdefault(neutral, tuple(value) if isinstance(value, list | tuple) else value)
    if function.base in ("std", "var") and rest and isinstance(rest[0], bool):  # `x.std(False)` leaves out the correction
        found["correction"] = rest[0]
    if function.in_place:
        found["inplace"] = True
    if _ends_in_tanh(function, arguments):
        found["activation"] = "tanh"
    if function.base == "ctc_loss":
        found |= _lengths(arguments)
    axis = _sequence_axis(function, arguments)
    return found if axis is None else {**found, "sequence_axis": axis}


def _lengths(arguments: Mapping[str, Any]) -> dict[str, Attribute]:
    """Of lengths that are given as plain numbers: the frames of the longest row of scores, the letters of the shortest label."""
    given = (("frames", "input_lengths", max), ("letters", "target_lengths", min))
    rows = ((name, arguments.get(argument), end) for name, argument, end in given)
    return {name: end(row) for name, row, end in rows if isinstance(row, list | tuple) and row and all(isinstance(one, int) for one in row)}


def _ends_in_tanh(function: Function, arguments: Mapping[str, Any]) -> bool:
    """The outputs of a recurrent layer or cell stay within -1 and 1: those of an LSTM unless it projects them by a fifth weight of each layer."""
    if function.base != "lstm":
        return function.base in _TANH
    # a packed sequence has its weights one place later, and no `batch_first`
    at = 2 if isinstance(arguments.get("2"), list | tuple) else 3
    weights, biases, layers, both = (arguments.get(str(place)) for place in (at, at + 1, at + 2, at + 5))
    return (
        isinstance(weights, list | tuple) and isinstance(layers, int) and len(weights) == layers * (2 if both else 1) * (4 if biases else 2)
    )


def _sequence_axis(function: Function, arguments: Mapping[str, Any]) -> int | None:
    """The axis of the positions that a layer of sequences reads; None for packed sequences, for cells, and for everything else.

    `torch.lstm(input, state, weights, has_biases, num_layers, dropout, train, bidirectional, batch_first)`, and the others alike; packed sequences have
    no `batch_first`. `multi_head_attention_forward` takes (positions, batch, features) whatever its module was told.
    """
    if function.base == "multi_head_attention_forward":
        return 0
    if function.base not in _RECURRENT or not isinstance(arguments.get("2"), list | tuple):
        return None
    return int(bool(arguments.get("8")))


def arrangement(
    kind: str, function: Callable[..., Any], info: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], made: Any
) -> dict[str, Attribute]:
    """What a call's own arguments and result say of it: the order of axes, the part that a slice is, the number that it multiplies or divides by or compares with."""
    found = {
        "order": order_of_axes(function, info, args, kwargs),
        "part": part_of(args, made) if kind == "index" else None,
        "by": factor_of(info, args),
        "drawn": digest_of(made) if kind == "random" else None,
    }
    return {name: value for name, value in found.items() if value is not None}


LONGEST = 1_000_000
"""Entries of an order up to which it is told from another one: as measured 0.4 ms for 50,000 and 6 ms for a million."""


def digest_of(made: Any) -> int | None:
    """A number that tells one draw of a row of numbers from another; None where looking at it would wait for a device."""
    row = isinstance(made, torch.Tensor) and made.dim() == 1 and 1 < made.numel() <= LONGEST
    plain = row and type(made) is torch.Tensor and made.device.type == "cpu" and made.dtype in (torch.int64, torch.int32, torch.float32)
    return crc32(made.detach().contiguous().numpy()) if plain else None


_PERMUTING = frozenset(
    ["transpose", "permute", "t", "swapaxes", "swapdims", "movedim", "moveaxis", "T.get", "mT.get", "H.get", "mH.get", "adjoint"]
)
"""Functions that put axes into another order and do nothing else."""


def order_of_axes(function: Callable[..., Any], info: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[int, ...] | None:
    """For each axis of what a transposition returns, the axis that it was: read from the strides of a tensor without memory; None for other calls."""
    if info.base not in _PERMUTING or not args or args[0].dim() > MOST_AXES:
        return None
    axes = args[0].dim()
    strides = function(torch.empty((2,) * axes, device="meta"), *args[1:], **kwargs).stride()
    return tuple(axes - stride.bit_length() for stride in strides)


def part_of(args: tuple[Any, ...], made: Any) -> tuple[int, ...] | None:
    """Which part of a tensor a slice of it is, by where its entries lie: two slices alike are the same values. None for what is no view."""
    whole = args[0] if args else None
    if not isinstance(whole, torch.Tensor) or not isinstance(made, torch.Tensor) or made.layout is not torch.strided or not made._is_view():
        return None
    return (int(made.storage_offset() - whole.storage_offset()), *(int(stride) for stride in made.stride()))


_BY_NUMBERS = frozenset(
    [
        "remainder",
        "fmod",
        "mod",
        "mul",
        "multiply",
        "div",
        "divide",
        "truediv",
        "gt",
        "ge",
        "lt",
        "le",
        "greater",
        "greater_equal",
        "less",
        "less_equal",
    ]
)


def factor_of(info: Function, args: tuple[Any, ...]) -> float | None:
    """The plain number that a call multiplies or divides by, or compares with; None for other calls."""
    by = args[1] if len(args) > 1 and info.base in _BY_NUMBERS else None
    return float(by) if isinstance(by, int | float) and not isinstance(by, bool) else None


def _plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return len(value) <= MOST_AXES and all(isinstance(item, int) and not isinstance(item, bool) for item in value)
    return isinstance(value, bool | int | float | str)


DTYPES = {
    torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16", torch.int64: "i64", torch.int32: "i32", torch.int16: "i16",
    torch.int8: "i8", torch.uint8: "u8", torch.bool: "bool", torch.complex64: "c64", torch.complex128: "c128",
}  # fmt: skip


def dtype_name(dtype: torch.dtype) -> str:
    """The short name of a dtype: `f32`, `i64`."""
    return DTYPES.get(dtype) or str(dtype).removeprefix("torch.")


def refined_kind(kind: str, before: torch.dtype | None, after: torch.dtype | None, *, two_tensors: bool) -> str:
    """The kind of a call whose name alone does not tell: casts by their dtypes, `max` by its operands."""
    if kind == "cast" and before is not None and after is not None:
        if before == after:
            return "copy"
        return "integer_cast" if before.is_floating_point and not after.is_floating_point and not after.is_complex else "cast"
    if kind in ("max", "min") and two_tensors:
        return {"max": "maximum", "min": "minimum"}[kind]
    return kind
