"""TensorFlow's ops in the neutral table of kinds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from whygrad.ir import Attribute

FIRST = (0,)
PAIR = (0, 1)


def _same(kind: str, *names: str, data: tuple[int, ...] | None = None) -> dict[str, tuple[str, tuple[int, ...] | None]]:
    return dict.fromkeys(names, (kind, data))


OPS: Mapping[str, tuple[str, tuple[int, ...] | None]] = {
    **_same("create", "Fill", "ZerosLike", "OnesLike", "Range", "LinSpace", "Eye", "Const", "Empty", "Shape", "Size", "Rank", "ShapeN", data=()),
    **_same(
        "random", "RandomUniform", "RandomStandardNormal", "TruncatedNormal", "RandomUniformInt", "StatelessRandomUniform",
        "StatelessRandomUniformV2", "StatelessRandomNormalV2", "StatelessTruncatedNormalV2", "StatelessRandomUniformIntV2",
        "StatelessRandomUniformFullIntV2", "StatelessRandomNormal", "StatelessRandomGetKeyCounter", "StatelessRandomGetKeyCounterAlg", data=(),
    ),
    **_same("sample", "Multinomial", "StatelessMultinomial", "RandomGammaGrad", "RandomPoissonV2", "StatelessRandomBinomial", data=FIRST),
    **_same("one_hot", "OneHot", data=FIRST),
    **_same("detach", "StopGradient", "PreventGradient"),
    **_same("reshape", "Reshape", "Squeeze", "ExpandDims", "EnsureShape", "SpaceToBatchND", "BatchToSpaceND", "DepthToSpace", "SpaceToDepth", data=FIRST),
    **_same("transpose", "Transpose", "ReverseV2", "Roll", data=FIRST),
    **_same("expand", "BroadcastTo", "Tile", data=FIRST),
    **_same("copy", "Identity", "IdentityN", "Snapshot", "DeepCopy", "CheckNumerics", "CopyHost", "Copy"),
    **_same("concat", "ConcatV2", "Pack", "Concat"),
    **_same("pad", "Pad", "PadV2", "MirrorPad", data=FIRST),
    **_same("cast", "Cast", "Bitcast"),
    **_same("index", "RandomShuffle", data=FIRST),
    **_same("index", "StridedSlice", "Slice", "Split", "SplitV", "Unpack", "DynamicPartition", "MatrixDiagPartV3", "MatrixBandPart", data=FIRST),
    **_same("index", "GatherV2", "GatherNd", "Gather", "ResourceGather", "ResourceGatherNd", "BooleanMask", data=PAIR),
    **_same("where", "SelectV2", "Select"),
    **_same("sort", "TopKV2", data=FIRST),
    **_same("scatter", "TensorScatterUpdate", "TensorScatterAdd", "ScatterNd", "TensorScatterSub", "TensorStridedSliceUpdate", "DynamicStitch",
            "UnsortedSegmentSum", "SegmentSumV2"),
    **_same("add", "Add", "AddV2", "AddN", "BiasAdd"),
    **_same("sub", "Sub"),
    **_same("mul", "Mul", "MulNoNan"),
    **_same("div", "RealDiv", "Div", "DivNoNan", "Xdivy"),
    **_same("pow", "Pow"),
    **_same("neg", "Neg"),
    **_same("exp", "Exp", "Expm1"),
    **_same("log", "Log", "Log1p", "Xlogy", "Xlog1py", "Lgamma"),
    **_same("sqrt", "Sqrt", "Rsqrt"),
    **_same("reciprocal", "Reciprocal", "Inv"),
    **_same("sin", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Atan2", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Digamma"),
    **_same("erf", "Erf", "Erfc", "Erfinv", "Ndtri"),
    **_same("square", "Square", "SquaredDifference"),
    **_same("cumsum", "Cumsum", "Cumprod", data=FIRST),
    **_same("matmul", "MatMul", "BatchMatMulV2", "BatchMatMulV3", "BatchMatMul", "Einsum", "SparseTensorDenseMatMul"),
    **_same("linalg", "MatrixInverse", "MatrixSolve", "MatrixDeterminant", "Cholesky", "Qr", "Svd", "SelfAdjointEigV2", "MatrixTriangularSolve",
            "LogMatrixDeterminant", "FFT", "IFFT", "RFFT", "IRFFT"),
    **_same("abs", "Abs", "ComplexAbs"),
    **_same("clamp", "ClipByValue", data=FIRST),
    **_same("maximum", "Maximum"),
    **_same("minimum", "Minimum"),
    **_same("round", "Round", "Floor", "Ceil", "Rint", "FloorDiv", "TruncateDiv"),
    **_same("sign", "Sign"),
    **_same("compare", "Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "LogicalAnd", "LogicalOr", "LogicalNot", "IsNan", "IsInf",
            "IsFinite", "Where", "ApproximateEqual", "InTopKV2", "Any", "All"),
    **_same("argmax", "ArgMax", "ArgMin", data=FIRST),
    **_same("sigmoid", "Sigmoid"),
    **_same("tanh", "Tanh"),
    **_same("softmax", "Softmax"),
    **_same("log_softmax", "LogSoftmax"),
    **_same("gelu", "Gelu"),
    **_same("softplus", "Softplus"),
    **_same("elu", "Elu", "Selu", "Softsign"),
    **_same("relu", "Relu"),
    **_same("leaky_relu", "LeakyRelu"),
    **_same("hardtanh", "Relu6"),
    **_same("sum", "Sum", data=FIRST),
    **_same("mean", "Mean", data=FIRST),
    **_same("norm", "EuclideanNorm", "L2Loss", data=FIRST),
    **_same("prod", "Prod", data=FIRST),
    **_same("max", "Max", data=FIRST),
    **_same("min", "Min", data=FIRST),
    **_same("conv", "Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv", data=PAIR),
    **_same("conv", "Conv2DBackpropInput", "Conv3DBackpropInputV2", data=(2, 1)),
    **_same("avg_pool", "AvgPool", "AvgPool3D"),
    **_same("max_pool", "MaxPool", "MaxPool3D", "MaxPoolV2", data=FIRST),
    **_same("interpolate", "ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ImageProjectiveTransformV3", data=FIRST),
    **_same("batch_norm", "FusedBatchNormV3", "FusedBatchNorm"),
    **_same("cross_entropy", "SparseSoftmaxCrossEntropyWithLogits", "SoftmaxCrossEntropyWithLogits"),
    **_same("ctc_loss", "CTCLoss", "CTCLossV2"),
}  # fmt: skip
"""Name to kind, and to the inputs that hold data; None: all of them."""
READS = ("ReadVariableOp", "_ReadVariablesOp")
GATHERS = ("ResourceGather", "ResourceGatherNd")
BATCHES = ("IteratorGetNext", "OptionalGetValue", "IteratorGetNextSync")
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "norm", "argmax", "cumsum")
STATEFUL_RANDOM = ("RandomUniform", "RandomStandardNormal", "TruncatedNormal", "RandomUniformInt", "RandomShuffle", "Multinomial", "RandomGamma",
                   "ParameterizedTruncatedNormal", "RandomPoissonV2")  # fmt: skip
FLOATING = ("float16", "bfloat16", "float32", "float64", "half")


def writes(name: str) -> bool:
    """An op of this name changes a variable."""
    return name.startswith(("Assign", "ResourceApply", "ResourceScatter", "ResourceSparseApply", "ResourceStridedSliceAssign"))


def kind_of(name: str, attributes: tuple[Any, ...]) -> str:
    """The neutral kind of an op; `opaque` where there is none."""
    if name == "Cast":
        return "cast" if _floating(attribute(attributes, "DstT")) or not _floating(attribute(attributes, "SrcT")) else "integer_cast"
    return OPS.get(name, ("opaque", None))[0]


def data_positions(name: str, count: int) -> tuple[int, ...]:
    """Positions of the inputs that hold data, and not a shape, an axis or a size."""
    if name == "ConcatV2":
        return tuple(range(count - 1))
    positions = OPS.get(name, ("", None))[1]
    if name == "Split":
        return (1,) if count > 1 else FIRST
    return tuple(range(count)) if positions is None else tuple(at for at in positions if at < count)


def attribute(attributes: tuple[Any, ...], name: str) -> Any:
    """One setting of an op; None where it has none of this name."""
    return next((attributes[at + 1] for at in range(0, len(attributes) - 1, 2) if attributes[at] == name), None)


def _floating(dtype: Any) -> bool:
    if isinstance(dtype, int):
        from whygrad.frontends.tensorflow._compat import tf

        dtype = tf.dtypes.as_dtype(dtype)
    return bool(getattr(dtype, "is_floating", False) or getattr(dtype, "is_complex", False))


def settings_of(kind: str, name: str, tensors: Sequence[Any], attributes: tuple[Any, ...]) -> dict[str, Attribute]:
    """Settings under neutral names."""
    found: dict[str, Attribute] = {}
    if kind in REDUCTIONS and len(tensors) > 1:
        axes = _numbers(tensors[1])
        found["axis"] = axes[0] if len(axes) == 1 else axes
        if kind in ("sum", "mean"):
            found["keepdim"] = bool(attribute(attributes, "keep_dims"))
    elif kind in ("softmax", "log_softmax"):
        found["axis"] = -1
    elif kind == "cross_entropy":
        found |= {"target": 1, "reduction": "none", "ids": name.startswith("Sparse")}
    elif kind == "concat":
        found["axis"] = next(iter(_numbers(tensors[-1])), 0) if name == "ConcatV2" else int(attribute(attributes, "axis") or 0)
    elif kind == "conv" and "Backprop" in name:
        found["transposed"] = True
    elif kind == "clamp" and len(tensors) > 2:  # noqa: PLR2004 - the limits
        found |= {key: float(np.asarray(t.numpy()).min()) for key, t in zip(("min", "max"), tensors[1:3], strict=True)}
    return found


def _numbers(tensor: Any) -> tuple[int, ...]:
    try:
        return tuple(int(n) for n in np.asarray(tensor.numpy()).reshape(-1)[:8])
    except (AttributeError, TypeError, ValueError):
        return ()
