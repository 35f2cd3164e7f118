"""How each framework writes what a fix puts into the source: one table, with the functions' full names. `{x}` is what stands there."""

from collections.abc import Mapping

from whygrad.flow import Index
from whygrad.idioms import dialects
from whygrad.idioms.rows import Row

SPELLINGS: Mapping[str, Row] = {
    "ids": Row(
        "{x}.argmax({axis})", "tensorflow.argmax({x}, axis={axis})", "{x}.argmax({axis})", "{x}.argmax({axis})"
    ),
    "whole": Row("{x}.long()", "tensorflow.cast({x}, tensorflow.int32)", "{x}.astype('int32')", "{x}.astype('int32')"),
    "floating": Row(
        "{x}.float()", "tensorflow.cast({x}, tensorflow.float32)", "{x}.astype('float32')", "{x}.astype('float32')"
    ),
    "one-hot": Row(
        "torch.nn.functional.one_hot({x}, {classes}).float()",
        "tensorflow.one_hot({x}, {classes})",
        "jax.nn.one_hot({x}, {classes})",
        "keras.utils.to_categorical({x}, {classes})",
    ),
    "without axis": Row("{x}.squeeze({axis})", "tensorflow.squeeze({x}, {axis})", "{x}.squeeze({axis})", "{x}.squeeze({axis})"),
    "with axis": Row("{x}.unsqueeze({axis})", "tensorflow.expand_dims({x}, {axis})", "jax.numpy.expand_dims({x}, {axis})", "{x}[..., None]"),
    "in shape": Row("{x}.reshape({shape})", "tensorflow.reshape({x}, {shape})", "{x}.reshape({shape})", "{x}.reshape({shape})"),
    "flattened": Row(
        "{x}.flatten({axis})", "tensorflow.reshape({x}, (*{x}.shape[:{axis}], -1))", "{x}.reshape(*{x}.shape[:{axis}], -1)",
        "keras.ops.reshape({x}, (*{x}.shape[:{axis}], -1))",
    ),
    "axis moved": Row(
        "{x}.movedim({axis}, {to}).contiguous()", "tensorflow.experimental.numpy.moveaxis({x}, {axis}, {to})", "jax.numpy.moveaxis({x}, {axis}, {to})",
        "keras.ops.moveaxis({x}, {axis}, {to})",
    ),
    "filled": Row(
        "{name} = torch.nan_to_num({name}, nan=0.0, posinf=0.0, neginf=0.0)",
        "{name} = tensorflow.where(tensorflow.math.is_finite({name}), {name}, 0.0)",
        "{name} = jax.numpy.nan_to_num({name}, nan=0.0, posinf=0.0, neginf=0.0)",
        "{name} = numpy.nan_to_num({name}, nan=0.0, posinf=0.0, neginf=0.0)",
    ),
    "random start": Row(
        "torch.nn.init.xavier_uniform_(torch.empty({args}))", "keras.initializers.GlorotUniform()({x})",
        "jax.nn.initializers.glorot_uniform()(jax.random.key(0), {x})",
    ),
    "sum of rows": Row("({x}).sum(-1)", "tensorflow.reduce_sum({x}, axis=-1)", "({x}).sum(-1)", "keras.ops.sum({x}, axis=-1)"),
    "mean": Row("{x}.mean()", "tensorflow.reduce_mean({x})", "{x}.mean()"),
    "threshold": Row(
        "({x} > {limit}).float()", "tensorflow.cast({x} > {limit}, tensorflow.float32)", "({x} > {limit}).astype('float32')",
        "({x} > {limit}).astype('float32')",
    ),
    "turned round": Row("~{x}", "tensorflow.logical_not({x})", "~{x}", "keras.ops.logical_not({x})"),
    "at least": Row("{x}.clamp(min={low})", "tensorflow.maximum({x}, {low})", "jax.numpy.maximum({x}, {low})", "keras.ops.maximum({x}, {low})"),
    "deviation": Row(
        "torch.sqrt(torch.var({args}) + 1e-12)", "tensorflow.sqrt(tensorflow.math.reduce_variance({args}) + 1e-12)",
        "jax.numpy.sqrt(jax.numpy.var({args}) + 1e-12)", "keras.ops.sqrt(keras.ops.var({args}) + 1e-12)",
    ),
    "deviation of all": Row(
        "torch.std({args}, correction=0)", "tensorflow.math.reduce_std({args})", "jax.numpy.std({args})", "keras.ops.std({args})",
    ),
    "below its largest": Row(
        "{x} - {x}.amax({axis}, keepdim=True)", "{x} - tensorflow.reduce_max({x}, {axis}, keepdims=True)", "{x} - {x}.max({axis}, keepdims=True)",
        "{x} - keras.ops.max({x}, {axis}, keepdims=True)",
    ),
    "logarithm of a sum": Row("torch.logsumexp({args})", "tensorflow.reduce_logsumexp({args})", "jax.nn.logsumexp({args})", "keras.ops.logsumexp({args})"),
    "sigmoid": Row("torch.sigmoid({x})|torch.nn.Sigmoid()", "tensorflow.sigmoid({x})", "jax.nn.sigmoid({x})", "keras.ops.sigmoid({x})"),
    "softmax": Row(
        "torch.softmax({x}, {axis})|torch.nn.Softmax({axis})", "tensorflow.nn.softmax({x}, {axis})", "jax.nn.softmax({x}, {axis})", "keras.ops.softmax({x}, {axis})",
    ),
    "log-softmax": Row(
        "torch.log_softmax({x}, {axis})|torch.nn.LogSoftmax({axis})", "tensorflow.nn.log_softmax({x}, {axis})", "jax.nn.log_softmax({x}, {axis})",
        "keras.ops.log_softmax({x}, {axis})",
    ),
    "shares": Row(
        "{x} / {x}.sum(-1, keepdim=True)", "{x} / tensorflow.reduce_sum({x}, -1, keepdims=True)", "{x} / {x}.sum(-1, keepdims=True)",
        "{x} / {x}.sum(-1, keepdims=True)",
    ),
    "causal scores": Row(
        '{x}.masked_fill(torch.ones_like({x}).triu(1).bool(), float("-inf"))',
        "tensorflow.where(tensorflow.linalg.band_part(tensorflow.ones_like({x}), -1, 0) > 0, {x}, -1e9)",
        "jax.numpy.where(jax.numpy.tril(jax.numpy.ones_like({x})) > 0, {x}, -jax.numpy.inf)",
        "keras.ops.where(keras.ops.tril(keras.ops.ones_like({x})) > 0, {x}, -1e9)",
    ),
    "identity": Row("torch.nn.Identity()", 'keras.layers.Activation("linear")', "", 'keras.layers.Activation("linear")'),
    "standardised": Row(
        "{name} = ({name} - {name}.mean(dim=0)) / ({name}.std(dim=0) + 1e-8)",
        "{name} = ({name} - tensorflow.reduce_mean({name}, 0)) / (tensorflow.math.reduce_std({name}, 0) + 1e-8)",
        "{name} = ({name} - {name}.mean(0)) / ({name}.std(0) + 1e-8)",
        "{name} = ({name} - {name}.mean(0)) / ({name}.std(0) + 1e-8)",
    ),
    "cross-entropy by ids": Row(
        "torch.nn.functional.cross_entropy|torch.nn.CrossEntropyLoss",
        "keras.losses.sparse_categorical_crossentropy|keras.losses.SparseCategoricalCrossentropy",
        "optax.softmax_cross_entropy_with_integer_labels",
    ),
    "cross-entropy by rows": Row(
        "torch.nn.functional.cross_entropy|torch.nn.CrossEntropyLoss",
        "keras.losses.categorical_crossentropy|keras.losses.CategoricalCrossentropy",
        "optax.softmax_cross_entropy",
    ),
    "cross-entropy of yes or no": Row(
        "torch.nn.functional.binary_cross_entropy_with_logits|torch.nn.BCEWithLogitsLoss",
        "keras.losses.binary_crossentropy|keras.losses.BinaryCrossentropy",
        "optax.sigmoid_binary_cross_entropy",
    ),
    "squared error": Row(
        "torch.nn.functional.mse_loss|torch.nn.MSELoss", "keras.losses.mean_squared_error|keras.losses.MeanSquaredError", "optax.squared_error",
    ),
    "axis": Row("dim", "axis", "axis", "axis"),
    "functions of arrays": Row("torch", "keras.ops", "jax.numpy", "keras.ops"),
    "no gradient": Row("{x}.detach()", "tensorflow.stop_gradient({x})", "jax.lax.stop_gradient({x})", "keras.ops.stop_gradient({x})"),
    "relu": Row("torch.relu({x})", "tensorflow.nn.relu({x})", "jax.nn.relu({x})", "keras.ops.relu({x})"),
    "relu by name": Row("torch.relu|torch.nn.ReLU", "tensorflow.nn.relu|keras.layers.ReLU", "jax.nn.relu", "keras.ops.relu|keras.layers.ReLU"),
    "rate": Row("lr", "learning_rate", "learning_rate", "learning_rate"),
    "loss on ids": Row(
        "torch.nn.functional.cross_entropy({scores}, {ids})",
        "tensorflow.reduce_mean(keras.losses.sparse_categorical_crossentropy({ids}, {scores}, from_logits=True))",
        "optax.softmax_cross_entropy_with_integer_labels({scores}, {ids}).mean()",
    ),
}  # fmt: skip


def spelling(index: Index, idea: str, *, data: bool = False, **fields: object) -> str:
    """The code for an idea in the dialect of the recorded program, with `{x}` and `{name}` left to be filled in by the patch.

    `data`: for what is handed to Keras' training loop, arrays as a rule; else for what its model and losses compute with.
    """
    row, spoken = SPELLINGS[idea], index.once(dialects)
    code = (row[spoken[0]] if data else "") or row[spoken[-1]]
    for name, value in fields.items():
        code = code.replace(f"{{{name}}}", str(value))
    return code
