"""What rules on losses advise, in each dialect."""

from collections.abc import Mapping

from whygrad.idioms.rows import Row

LOSSES: Mapping[str, Row] = {
    "ids as": Row("`{name}.argmax(1)`", "`tf.argmax({name}, axis=-1)`", "`jnp.argmax({name}, axis=-1)`", "`np.argmax({name}, axis=-1)`"),
    "dense loss": Row(
        ", or `{name}.float()` if the rows are probabilities",
        ", or use `CategoricalCrossentropy`, which takes rows",
        ", or use `optax.softmax_cross_entropy`, which takes rows",
    ),
    "squeeze": Row("`{name}.squeeze(1)`", "`tf.squeeze({name}, axis=1)`", "`{name}.squeeze(1)`", "`np.squeeze({name}, axis=1)`"),
    "integers": Row("`{name}.long()`", "`tf.cast({name}, tf.int32)`", "`{name}.astype(jnp.int32)`", '`{name}.astype("int32")`'),
    "squeezed integers": Row(
        "`{name}.squeeze(1).long()`",
        "`tf.cast(tf.squeeze({name}, axis=1), tf.int32)`",
        "`{name}.squeeze(1).astype(jnp.int32)`",
        '`np.squeeze({name}, axis=1).astype("int32")`',
    ),
    "floats": Row("`{name}.float()`", "`tf.cast({name}, tf.float32)`", "`{name}.astype(jnp.float32)`", '`{name}.astype("float32")`'),
    "as dtype": Row(
        "`{name}{torch}`", "`tf.cast({name}, tf.{dtype})`", "`{name}.astype(jnp.{dtype})`", '`{name}.astype("{dtype}")`'
    ),
    "threshold": Row(
        "write `{name} = ({name} > {limit}).float()`",
        "write `{name} = tf.cast({name} > {limit}, tf.float32)`",
        "write `{name} = ({name} > {limit}).astype(jnp.float32)`",
        'write `{name} = ({name} > {limit}).astype("float32")`',
    ),
    "sparse or dense": Row(
        "for classes that exclude one another use `torch.nn.functional.cross_entropy({scores}, {ids}.long())` on the raw scores; "
        "else pass `torch.nn.functional.one_hot({ids}.long(), {classes}).float()`",
        "use `SparseCategoricalCrossentropy`, which takes ids, or pass `tf.one_hot({ids}, {classes})`",
        "for classes that exclude one another use `optax.softmax_cross_entropy_with_integer_labels({scores}, {ids})`; "
        "else pass `jax.nn.one_hot({ids}, {classes})`",
        "use `sparse_categorical_crossentropy`, which takes ids, or pass `keras.utils.to_categorical({ids}, {classes})`",
    ),
    "classes for one output": Row(
        "give the last layer {classes} outputs without a sigmoid, and take `torch.nn.functional.cross_entropy`",
        "give the last layer {classes} outputs with a softmax, and take `SparseCategoricalCrossentropy`",
        "give the last layer {classes} outputs without a sigmoid, and take `optax.softmax_cross_entropy_with_integer_labels`",
        "give the last layer {classes} outputs with a softmax, and take `sparse_categorical_crossentropy`",
    ),
    "one-hot planes": Row(
        "`torch.nn.functional.one_hot(ids.long(), {classes}).movedim(-1, {axis}).float()`",
        "`tf.one_hot(ids, {classes}, axis={axis})`",
        "`jax.nn.one_hot(ids, {classes}, axis={axis})`",
    ),
    "scores of choice": Row(
        "use `torch.nn.functional.cross_entropy(scores, {target})` on the scores from before the softmax",
        "use `CategoricalCrossentropy()` in its place",
        "use `optax.softmax_cross_entropy(scores, {target})` on the scores from before the softmax",
    ),
    "class counts": Row(
        "`torch.bincount(labels, minlength={classes})`",
        "`tf.math.bincount(labels, minlength={classes})`",
        "`jnp.bincount(labels, length={classes})`",
        "`np.bincount(labels, minlength={classes})`",
    ),
    "output each": Row(
        "give the model one output for each class and use `torch.nn.functional.cross_entropy(scores, {ids}.long())`",
        "give the model one output for each class and use `SparseCategoricalCrossentropy(from_logits=True)`",
        "give the model one output for each class and use `optax.softmax_cross_entropy_with_integer_labels(scores, {ids})`",
    ),
    "log-probabilities by class": Row(
        "use `cross_entropy` on the raw scores, or pass `torch.log_softmax({name}, dim=1)`",
        "use `SparseCategoricalCrossentropy(from_logits=True)` on the raw scores",
        "use `optax.softmax_cross_entropy_with_integer_labels` on the raw scores, or pass `jax.nn.log_softmax({name})`",
        "use `SparseCategoricalCrossentropy(from_logits=True)` on the raw scores",
    ),
    "probabilities by unit": Row(
        "use `binary_cross_entropy_with_logits` on the raw scores, or pass `torch.sigmoid({name})`",
        "construct the loss with `from_logits=True`, or give the last layer a sigmoid",
        "use `optax.sigmoid_binary_cross_entropy` on the raw scores, or pass `jax.nn.sigmoid({name})`",
        "construct the loss with `from_logits=True`, or give the last layer a sigmoid",
    ),
    "rates": Row(
        "leave `log_input` at True, or pass `torch.nn.functional.softplus({name})`",
        'give the last layer `activation="softplus"`, since this loss expects rates',
        "pass `jax.nn.softplus({name})`, since this loss expects rates",
    ),
    "probabilities by class": Row(
        "pass `torch.softmax({name}, dim=1)`",
        "add a softmax to the model, or construct the loss with `from_logits=True`",
        "pass `jax.nn.softmax({name})`",
    ),
    "log-probabilities": Row(
        "pass `torch.log_softmax(scores, dim=-1)` of the raw scores instead of `{name}`",
        "pass `tf.nn.softmax(scores)` of the raw scores instead of `{name}`",
        "pass `jax.nn.log_softmax(scores)` of the raw scores instead of `{name}`",
    ),
    "normalised scores": Row(
        "use `torch.log_softmax(scores, dim=1)`, or `cross_entropy` on the raw scores",
        'give the last layer `activation="softmax"`, or leave its activation out and construct the loss with `from_logits=True`',
        "use `jax.nn.log_softmax(scores)`, or `optax.softmax_cross_entropy` on the raw scores",
    ),
    "divide rows": Row(
        "divide each row by its sum (`rows / rows.sum(-1, keepdim=True)`); for smoothing pass ids and `label_smoothing=` to the loss",
        "divide each row by its sum (`rows / tf.reduce_sum(rows, -1, keepdims=True)`); for smoothing pass one-hot rows and `label_smoothing=` to the loss",
        "divide each row by its sum (`rows / rows.sum(-1, keepdims=True)`); for smoothing use `optax.smooth_labels(one_hot, alpha)`",
        "divide each row by its sum (`rows / rows.sum(-1, keepdims=True)`); for smoothing pass one-hot rows and `label_smoothing=` to the loss",
    ),
    "axis": Row("`dim={axis}`", "`axis={axis}`", "`axis={axis}`"),
    "swap classes": Row(
        "pass `{name}.transpose(1, -1)`, or `{name}.flatten(0, {last})` and `{target}.flatten()`",
        "put the classes on the axis that the loss expects: `tf.transpose`",
        "put the classes on the axis that the loss expects: `jnp.moveaxis({name}, -1, 1)`",
    ),
    "classes before reshaping": Row(
        "move the axis of the classes before reshaping: `{name}.movedim({axis}, {to})`; `view` and `reshape` keep the entries in their order in memory",
        "move the axis of the classes before reshaping, with `tf.transpose`: `tf.reshape` keeps the entries in their order",
        "move the axis of the classes before reshaping: `jnp.moveaxis({name}, {axis}, {to})`; `reshape` keeps the entries in their order",
    ),
    "examples before reshaping": Row(
        "let the axes change places: `{name}.movedim({axis}, {to})`, with a `reshape` after it where axes are to be joined; `view` and `reshape` keep the entries in their order in memory",
        "let the axes change places with `tf.transpose`: `tf.reshape` keeps the entries in their order",
        "let the axes change places: `jnp.moveaxis({name}, {axis}, {to})`; `reshape` keeps the entries in their order",
    ),
    "same order": Row(
        "bring both into one order of axes before flattening: `{name}.transpose(0, 1)`, or `{other}.transpose(0, 1)`; recurrent layers take `batch_first=True`",
        "bring both into one order of axes before flattening, with `tf.transpose`",
        "bring both into one order of axes before flattening: `jnp.swapaxes({name}, 0, 1)`",
    ),
    "two outputs": Row(
        "for two classes give the layer two outputs, or keep one and use `binary_cross_entropy_with_logits` with labels in a floating dtype",
        "for two classes give the layer two outputs, or keep one and use `BinaryCrossentropy(from_logits=True)`",
        "for two classes give the layer two outputs, or keep one and use `optax.sigmoid_binary_cross_entropy`",
    ),
    "unreduced": Row(
        'leave out `reduction="none"`, or call `{name}.mean().backward()`',
        "leave out `reduction=None`, or differentiate `tf.reduce_mean({name})`",
        "return `{name}.mean()` from the function that is differentiated",
    ),
    "add up": Row(
        "add the parts up before the backward: `{name}.sum().backward()` for several losses, `.mean()` for one loss per example",
        "add the parts up before the gradient is taken: `tf.reduce_sum({name})` for several losses, `tf.reduce_mean({name})` for one loss per example",
        "add the parts up in the function that is differentiated: return `{name}.sum()` for several losses, `{name}.mean()` for one loss per example",
    ),
    "one shape": Row(
        "write `{one}.reshape({other}.shape)` in the loss",
        "write `tf.reshape({one}, tf.shape({other}))` in the loss",
        "write `{one}.reshape({other}.shape)` in the loss",
    ),
    "keep rows": Row(
        "keep the first axis: `{name}.flatten(1)`, and let the next layer take as many features as that gives",
        "keep the first axis: `keras.layers.Flatten()`, and let the next layer take as many features as that gives",
        "keep the first axis: `{name}.reshape(len({name}), -1)`, and let the next layer take as many features as that gives",
    ),
    "classes at once": Row(
        "where several classes hold at once, use `binary_cross_entropy_with_logits` on the raw scores: each class is asked about by itself",
        'where several classes hold at once, end in `activation="sigmoid"` and use `binary_crossentropy`: each class is asked about by itself',
        "where several classes hold at once, use `optax.sigmoid_binary_cross_entropy` on the raw scores: each class is asked about by itself",
    ),
    "state at the end": Row(
        "read the state at each row's own end, `output[torch.arange(len(lengths)), lengths - 1]`, or pack the rows with `pack_padded_sequence` and take the final state",
        "read the state at each row's own end: `tf.gather(output, lengths - 1, batch_dims=1)`, or give the recurrent layer the mask of the rows",
        "read the state at each row's own end, `output[jnp.arange(len(lengths)), lengths - 1]`",
    ),
    "batch first": Row(
        "construct the recurrent layer with `batch_first=True`, or transpose its input to (time, batch, features)",
        "give the recurrent layer (batch, time, features)",
        "give the recurrent layer (batch, time, features)",
    ),
    "positions first": Row(
        "loop over the axis of the positions; a recurrent layer made with `batch_first=True` takes (batch, time, features)",
        "loop over the axis of the positions: `tf.scan` walks along axis 0, so transpose what it is given to (time, batch, features)",
        "`lax.scan` and flax' `scan` walk along axis 0: give them (time, batch, features), by `jnp.swapaxes(x, 0, 1)` or `in_axes=1, out_axes=1` of flax' one, and a state for each example",
    ),
}  # fmt: skip
