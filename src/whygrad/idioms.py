"""How each framework's users write what a rule advises: one table, so that a rule is written once and speaks every dialect.

A row holds PyTorch's, TensorFlow's and JAX's words for one idea, and Keras' where a program that is trained by `fit` says it in another way.
Names in braces are filled in by the rule; braces that are meant are doubled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from whygrad.flow import Index
from whygrad.ir import Op

_TRAINER = re.compile(r"/keras/src/(trainers|backend/\w+)/trainer\.py$")
"""Keras' own training loop, the same file on each backend."""
_CALLS = re.compile(r"\.(fit|train_on_batch)\(")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OWN_SPELLING = {"arg_max": "argmax", "arg_min": "argmin", "mat_mul": "matmul", "cast": "cast"}
"""TensorFlow's functions whose names are not those of its ops in another case."""


@dataclass(frozen=True, slots=True)
class Row:
    """One idea in the words of each framework's users."""

    torch: str
    tensorflow: str
    jax: str
    keras: str = ""
    """Under `fit`, where that differs from the backend's words."""

    def __getitem__(self, dialect: str) -> str:
        """The words of one dialect; those of PyTorch for a framework that the table does not know."""
        return {"tensorflow": self.tensorflow, "jax": self.jax, "keras": self.keras}.get(dialect, self.torch)


def idiom(index: Index, idea: str, **fields: object) -> str:
    """The words for an idea in the dialect of the recorded program."""
    row, (first, *rest) = IDIOMS[idea], index.once(dialects)
    return (row[first] or row[rest[0]]).format(**fields)


def dialects(index: Index) -> tuple[str, ...]:
    """What the program speaks, the closest first: Keras before its backend where Keras runs the training loop."""
    names = [framework.name for framework in index.record.frameworks]
    backend = next((name for name in names if name != "keras"), "tensorflow" if names else "torch")
    return ("keras", backend) if _fitted(index) else (backend,)


def _fitted(index: Index) -> bool:
    """Gradients or updates come out of Keras' own training loop."""
    places = [event.site for step in index.steps for event in step.events("backward", "optimizer_step") if event.site]
    raised = index.record.outcome.exception
    places += [raised.site] if raised is not None and raised.site is not None else []
    if not any(framework.name == "keras" for framework in index.record.frameworks):
        return any(_TRAINER.search(frame.file) for site in places for frame in site.library)
    return any(_CALLS.search(site.text) or any(_TRAINER.search(frame.file) for frame in site.library) for site in places)


def speaks_torch(index: Index) -> bool:
    """The program is written in PyTorch, or nothing is known of it."""
    return index.once(dialects) == ("torch",)


def spelled(op: Op) -> str:
    """The op as the user writes it: the last part of its native name, in the case of the framework's functions."""
    parts = [part.strip("_") for part in op.native.split(".") if part.strip("_") and part != "__get__"]
    last = parts[-1] if parts else op.kind
    if not op.native.startswith("tf."):
        return last
    lower = _CAMEL.sub("_", last).lower()
    return _OWN_SPELLING.get(lower, lower)


def loss_called(index: Index, op: Op) -> str:
    """A loss by the name that the program's author calls it by; PyTorch's losses by their kind, which is its function's name."""
    return op.kind if speaks_torch(index) or not op.native else spelled(op)


IDIOMS: Mapping[str, Row] = {
    # graph
    "stop gradient": Row("`.{name}()`", "`tf.stop_gradient`", "`jax.lax.stop_gradient`"),
    "residue": Row(
        "for a straight-through estimator detach the residue alone: `z + (rounded - z).detach()`, so that the gradient of the sum is that of `z`",
        "for a straight-through estimator stop the residue alone: `z + tf.stop_gradient(rounded - z)`, so that the gradient of the sum is that of `z`",
        "for a straight-through estimator stop the residue alone: `z + jax.lax.stop_gradient(rounded - z)`, so that the gradient of the sum is that of `z`",
    ),
    "straight through": Row(
        "leave it out while training and apply it to the results alone, or pass the gradient straight through: `z + (z.{name}() - z).detach()`",
        "leave it out while training and apply it to the results alone, or pass the gradient straight through: `z + tf.stop_gradient({call} - z)`",
        "leave it out while training and apply it to the results alone, or pass the gradient straight through: `z + jax.lax.stop_gradient({call} - z)`",
    ),
    "freeze": Row(
        "freeze {them} with `requires_grad_(False)` and leave {them} out of the optimizer",
        "set `trainable=False` on {them}, so that neither `tape.gradient` nor the optimizer is given {them}",
        "keep {them} still in the optimizer as well, by `optax.set_to_zero()` under `optax.multi_transform`",
        "set `trainable = False` on the layer and compile again",
    ),
    "keep as tensor": Row(
        "keep the tensor: leave out `.{left}()` and combine the tensors themselves, with `+` or `torch.stack` in place of `{entered}`",
        "keep the tensor: leave out `{left}` and combine the tensors themselves, with `+` or `tf.stack` in place of `{entered}`",
        "keep the array: leave out `{left}` and combine the arrays themselves, with `+` or `jnp.stack` in place of `{entered}`",
    ),
    "copy with history": Row(
        "use the tensor itself in place of `{name}(…)`; `.clone()` copies it with its history",
        "use the tensor itself in place of `{name}(…)`; `tf.identity` copies it and keeps its history",
        "use the array itself in place of `{name}(…)`",
    ),
    "own functions": Row(
        "do this reckoning with the framework's own functions, from the value that leaves here to the tensor that is made again",
        "do this reckoning with TensorFlow's own functions (`tf.…` in place of `np.…`), from the value that leaves here to the tensor that is made again",
        "do this reckoning with `jnp` in place of `np`, from the value that leaves here to the array that is made again",
    ),
    "untracked": Row(
        "gradient tracking is off where the forward uses {them}",
        "the forward uses {them} outside of the tape",
        "the forward uses {them} outside of the function that is differentiated",
    ),
    "untracked op": Row(
        "`{name}` runs with tracking off", "`{name}` runs outside of the tape", "`{name}` runs outside of the differentiated function"
    ),
    "track": Row(
        "take this part of the forward out of it; if the parameters should stay as they are, freeze them and leave them out of the optimizer",
        "compute this inside `with tf.GradientTape() as tape:`; if the parameters should stay as they are, leave them out of what the optimizer is given",
        "compute this inside the function that is handed to `jax.grad`, from the parameters that it is differentiated by",
    ),
    "no gradient wanted": Row("`requires_grad` False", "`trainable` False", "no place among the arguments that are differentiated by"),
    "unfreeze": Row(
        "freeze before the new layers are put in, or leave out by name what should learn; then hand the optimizer the trainable parameters",
        "set `trainable = True` on the layers that should learn, and hand `tape.gradient` and the optimizer `model.trainable_variables`",
        "take the parameters that should learn out of what is frozen, and differentiate by them",
        "set `trainable = True` on the layers that should learn, then call `compile` again",
    ),
    "unfreeze in optimizer": Row(
        "set `requires_grad_(True)` on what should learn, or hand this optimizer the parameters that are trainable",
        "set `trainable = True` on what should learn, or hand this optimizer `model.trainable_variables`",
        "take what should learn out of what the optimizer sets to zero, or hand it the parameters that are differentiated by",
        "set `trainable = True` on what should learn, then call `compile` again",
    ),
    "where listed": Row(
        "made here, where `model.parameters()` does not see it",
        "made here, where `model.trainable_variables` does not see it",
        "made here, outside of the parameters that are trained",
    ),
    "module list": Row(
        "make `{name}` an `nn.ModuleList`, or an `nn.ParameterList` if it holds bare parameters",
        "assign `{name}` in the constructor as a list of layers, which Keras tracks, and make bare variables by `self.add_weight(…)`",
        "make `{name}` a part of the model's own parameters: an `nnx.List` in flax.nnx, a field in equinox",
    ),
    "module dict": Row(
        "make `{name}` an `nn.ModuleDict`, or an `nn.ParameterDict` if it holds bare parameters",
        "assign `{name}` in the constructor as a dictionary of layers, which Keras tracks, and make bare variables by `self.add_weight(…)`",
        "make `{name}` a part of the model's own parameters: an `nnx.Dict` in flax.nnx, a field in equinox",
    ),
    "bare parameter": Row(
        "wrap it last: `nn.Parameter(value * 0.5)`, not `nn.Parameter(value) * 0.5`; anything done to a parameter afterwards makes a plain tensor",
        "make it by `self.add_weight(…)` of the layer, or hand it to `tape.gradient` and to the optimizer beside `model.trainable_variables`",
        "make it a part of the parameters that the loss is differentiated by and that the optimizer updates",
        "make it by `self.add_weight(…)` in the layer's constructor or its `build`",
    ),
    "register": Row(
        "make it once, in `__init__`, as an attribute of the module, so that `model.parameters()` lists it",
        "make it once, in `__init__` or `build`, as an attribute of the layer or model, so that `model.trainable_variables` lists it",
        "make it a part of the parameters that the loss is differentiated by and that the optimizer updates",
    ),
    "check gradient": Row("`torch.autograd.gradcheck`", "`tf.test.compute_gradient`", "`jax.test_util.check_grads`"),
    "make floating": Row(
        "make it of floating numbers: `1.0` instead of `1`, `dtype=torch.float32`, or `.float()` in front",
        "make it of floating numbers: `1.0` instead of `1`, `dtype=tf.float32`, or `tf.cast(…, tf.float32)` in front",
        "make it of floating numbers: `1.0` instead of `1`, `dtype=jnp.float32`, or `.astype(jnp.float32)` in front",
    ),
    "activation": Row(
        "put an activation between them, such as `nn.ReLU()`",
        'put an activation between them: `activation="relu"` in the first layer',
        "put an activation between them, such as `jax.nn.relu`",
    ),
    "use result": Row(
        ", or use the in-place form where the backward allows it", ": tensors are never changed in place", ": arrays are never changed in place"
    ),
    "keep history": Row(
        "replace `{name}` by calls that keep the gradient history, or give {them} another path to the loss",
        "replace `{name}` by an op that has a gradient, or give {them} another path to the loss",
        "replace `{name}` by a function that has a gradient, or give {them} another path to the loss",
    ),
    "reparameterise": Row(
        "draw by reparameterisation (`rsample`, `gumbel_softmax`), or put `log_prob` of the draw into the loss (REINFORCE)",
        "draw by reparameterisation (`mean + std * tf.random.normal(…)`, Gumbel-softmax), or put the log-probability of the draw into the loss (REINFORCE)",
        "draw by reparameterisation (`mean + std * jax.random.normal(…)`, Gumbel-softmax), or put the log-probability of the draw into the loss (REINFORCE)",
    ),
    "soft rows": Row(
        "use `softmax` of the scores in place of one-hot rows, or `gumbel_softmax(hard=True)` where rows must be exactly one-hot",
        "use `tf.nn.softmax` of the scores in place of one-hot rows, with a straight-through step where rows must be exactly one-hot",
        "use `jax.nn.softmax` of the scores in place of one-hot rows, with a straight-through step where rows must be exactly one-hot",
    ),
    # labels
    "without stop": Row("the value without `.detach()`", "the value without `tf.stop_gradient`", "the value without `stop_gradient`"),
    "loss on ids": Row(
        "`torch.nn.functional.cross_entropy({scores}, {ids})`",
        "`tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)({ids}, {scores})`",
        "`optax.softmax_cross_entropy_with_integer_labels({scores}, {ids})`",
        "`SparseCategoricalCrossentropy(from_logits=True)`",
    ),
    "permute both": Row(
        "`order = torch.randperm(len(x)); x, y = x[order], y[order]`",
        "`order = tf.random.shuffle(tf.range(len(x))); x, y = tf.gather(x, order), tf.gather(y, order)`",
        "`order = jax.random.permutation(key, len(x)); x, y = x[order], y[order]`",
        "`order = np.random.permutation(len(x)); x, y = x[order], y[order]`",
    ),
    "shuffle": Row(
        "pass `shuffle=True` to the `DataLoader`; with a sampler of your own, shuffle across the classes, not only within each",
        "call `.shuffle(n)` on the data set before `.batch(…)`, with a buffer that spans all classes: `n` as large as the data set",
        "shuffle across the classes before batches are cut, not only within each",
        "call `.shuffle(n)` on the data set before `.batch(…)`, with `n` as large as the data set, or leave `shuffle=True` for arrays",
    ),
    "one iterator": Row(
        "write `for batch in loader:`, or keep one iterator and call `next` on that",
        "write `for batch in dataset:`, or keep one iterator and call `next` on that",
        "write `for batch in loader:`, or keep one iterator and call `next` on that",
    ),
    "seed once": Row(
        "seed the generator once, before the loop",
        "seed the generator once, before the loop",
        "split the key in every step: `key, draw = jax.random.split(key)`, and draw with `draw`",
    ),
    "causal mask": Row(
        "pass a causal mask: `nn.Transformer.generate_square_subsequent_mask(T)`, or `is_causal=True`",
        "pass a causal mask: `use_causal_mask=True` in the call of `MultiHeadAttention`",
        "pass a causal mask: `make_causal_mask(ids)` of flax, or `is_causal=True` in `jax.nn.dot_product_attention`",
    ),
    "hidden positions": Row(
        "`torch.triu(torch.ones(T, T), diagonal=1).bool()` marks what is hidden",
        "`np.tril(np.ones((T, T), bool))` marks what Keras' attention may see",
        "`jnp.tril(jnp.ones((T, T), bool))` marks what may be seen",
    ),
    "one way": Row(
        "leave out `bidirectional=True`: the way back reads the label",
        "leave out `Bidirectional`: the way back reads the label",
        "leave out the reversed scan: the way back reads the label",
    ),
    "pad left": Row(
        "pad on the left alone, by `dilation * (kernel_size - 1)`, and not on both sides",
        'write `padding="causal"` in place of `"same"`',
        'pad on the left alone (`padding="CAUSAL"` in flax), and not on both sides',
    ),
    "ignore an id": Row(
        "pass `ignore_index={id}` to the loss",
        "pass `ignore_class={id}` to `SparseCategoricalCrossentropy`",
        "leave these entries out of the mean: `where={labels} != {id}` in the mean of the loss",
    ),
    "no gradient target": Row(
        "compute the target under `torch.no_grad()`, or pass `target.detach()` to the loss",
        "pass `tf.stop_gradient(target)` to the loss, or compute the target outside of the tape",
        "pass `jax.lax.stop_gradient(target)` to the loss, or compute the target outside of the function that is differentiated",
    ),
    # loss
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
    ),
    "probabilities by unit": Row(
        "use `binary_cross_entropy_with_logits` on the raw scores, or pass `torch.sigmoid({name})`",
        "construct the loss with `from_logits=True`, or give the last layer a sigmoid",
        "use `optax.sigmoid_binary_cross_entropy` on the raw scores, or pass `jax.nn.sigmoid({name})`",
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
    "batch first": Row(
        "construct the recurrent layer with `batch_first=True`, or transpose its input to (time, batch, features)",
        "give the recurrent layer (batch, time, features)",
        "give the recurrent layer (batch, time, features)",
    ),
    # update
    "clear": Row(
        "add `{optimizer}.zero_grad()` before this backward",
        "set the accumulated gradients to zero after each update, for instance `a.assign(tf.zeros_like(a))`",
        "begin each update with gradients of zero: `jax.tree.map(jnp.zeros_like, params)`, or let `optax.MultiSteps` add them up",
    ),
    "clear by hand": Row(
        "set each parameter's `.grad` to None after the update",
        "set the accumulated gradients to zero after each update, for instance `a.assign(tf.zeros_like(a))`",
        "begin each update with gradients of zero: `jax.tree.map(jnp.zeros_like, params)`",
    ),
    "the step": Row("`{optimizer}.step()`", "`{optimizer}.apply_gradients`", "the update"),
    "add the step": Row(
        "add `{optimizer}.step()` after the backward",
        "add `{optimizer}.apply_gradients(zip(gradients, model.trainable_variables))` after `tape.gradient`",
        "apply the gradients: `updates, opt_state = {optimizer}.update(grads, opt_state, params)`, then `params = optax.apply_updates(params, updates)`",
    ),
    "hold": Row(
        "give them to the optimizer as well: `{optimizer}.add_param_group({{'params': {module}.parameters()}})`, or freeze them by `requires_grad_(False)` if that is meant",
        "give them to `tape.gradient` and `{optimizer}.apply_gradients` as well, or set `trainable = False` on them if that is meant",
        "give them to the optimizer as well: `init` and `update` of `{optimizer}` on all parameters, or do not differentiate by them if that is meant",
        "make `{module}` a part of the compiled model, or set `trainable = False` on it if that is meant",
    ),
    "load or remake": Row(
        "load the weights into the model that `{optimizer}` holds (`load_state_dict`), or make `{optimizer}` anew for the new one",
        "load the weights into the model that `{optimizer}` was built for (`set_weights`), or make `{optimizer}` anew for the new one",
        "update the parameters that the loss reads, or make `{optimizer}` and its state anew for the new ones",
        "load the weights into the model that was compiled (`set_weights`), or compile the new one",
    ),
    "schedule units": Row(
        "lay the schedule out in the units in which it is stepped: updates where `step()` is called after every batch, epochs where after every epoch",
        "lay the schedule out in updates: Keras asks it for a rate at each batch, not at each epoch",
        "lay the schedule out in updates: optax counts each call of `update`, not epochs",
    ),
    "positive rate": Row(
        "give a rate above 0, for instance `lr=1e-3`",
        "give a rate above 0, for instance `learning_rate=1e-3`",
        "give a rate above 0, for instance `1e-3`",
    ),
    "without zeros": Row(
        "clear with `zero_grad(set_to_none=True)`, or hand the optimizer only what is to be trained",
        "hand the optimizer only what is to be trained",
        "hand the optimizer only what is to be trained, or mask the rest: `optax.masked`",
    ),
    "in place": Row(
        "update in place: `with torch.no_grad(): p -= rate * p.grad`",
        "update in place: `v.assign_sub(rate * gradient)`",
        "carry the result over: `params = jax.tree.map(lambda p, g: p - rate * g, params, grads)`",
    ),
    "full precision": Row(
        "keep the parameters in float32 and compute under `torch.autocast`, or use an optimizer that keeps a copy in float32",
        'keep the variables in float32 and compute in half: `keras.mixed_precision.set_global_policy("mixed_float16")` or `"mixed_bfloat16"`',
        "keep the parameters in float32 and cast them inside the loss, or let flax do so: `dtype=jnp.bfloat16` beside `param_dtype=jnp.float32`",
    ),
    "training mode": Row(
        "call `model.train()` at the start of each training epoch",
        "call the model with `training=True` in the training step",
        "call the model in training mode in the training step: `train=True` in linen, `model.train()` in nnx",
    ),
    "training mode first": Row(
        "call `model.train()` before the training loop; to keep the statistics of a pretrained part, switch its normalisation layers alone",
        "call the model with `training=True`; to keep the statistics of a pretrained part, freeze its normalisation layers alone",
        "call the model in training mode, and carry the new statistics over; to keep those of a pretrained part, switch its normalisation layers alone",
    ),
    # magnitude and wiring
    "loss scale": Row(
        "use `torch.amp.GradScaler`, or bfloat16 in place of float16",
        "wrap the optimizer in `keras.mixed_precision.LossScaleOptimizer`, or use bfloat16 in place of float16",
        "multiply the loss by a scale and divide the gradients by it (`flax.training.dynamic_scale`), or use bfloat16 in place of float16",
        'set the policy "mixed_float16" before the model is made, or use bfloat16 in place of float16',
    ),
    "random start": Row(
        "start with random weights: leave the layer's own initialisation, or use `nn.init.xavier_uniform_` or `nn.init.kaiming_uniform_`",
        'start with random weights: leave the layer\'s own initialisation, or use `kernel_initializer="glorot_uniform"` or `"he_uniform"`',
        "start with random weights: leave the layer's own initialisation, or use `jax.nn.initializers.glorot_uniform()` or `he_uniform()`",
    ),
    "gentle activation": Row(
        "lower the learning rate, start biases at 0, centre the inputs, or use `LeakyReLU` or GELU, whose slope is never 0",
        'lower the learning rate, start biases at 0, centre the inputs, or use `activation="leaky_relu"` or `"gelu"`, whose slope is never 0',
        "lower the learning rate, start biases at 0, centre the inputs, or use `jax.nn.leaky_relu` or `jax.nn.gelu`, whose slope is never 0",
    ),
    "clamp": Row("`.clamp(min={low})`", "`tf.maximum(x, {low})`", "`jnp.maximum(x, {low})`"),
    "log of activation": Row(
        "use `log_softmax` or `logsigmoid`",
        "use `tf.nn.log_softmax` or `tf.math.log_sigmoid`",
        "use `jax.nn.log_softmax` or `jax.nn.log_sigmoid`",
    ),
    "log-sum-exp": Row(
        "use `softmax`, `log_softmax` or `logsumexp`, which do",
        "use `tf.nn.softmax`, `tf.nn.log_softmax` or `tf.reduce_logsumexp`, which do",
        "use `jax.nn.softmax`, `jax.nn.log_softmax` or `jax.nn.logsumexp`, which do",
    ),
    "deviation of one": Row(
        "give it more than one entry, or `correction=0`: the deviation of one number is 0/0",
        "give it more than one entry: the deviation of one number is 0/0",
        "give it more than one entry, or `ddof=0`: the deviation of one number is 0/0",
    ),
    "safe norm": Row(
        "`(x.square().sum(-1) + 1e-12).sqrt()`",
        "`tf.sqrt(tf.reduce_sum(tf.square(x), -1) + 1e-12)`",
        "`jnp.sqrt((x ** 2).sum(-1) + 1e-12)`",
    ),
    "all finite": Row(
        "`torch.isfinite({name}).all()`",
        "`tf.reduce_all(tf.math.is_finite({name}))`",
        "`jnp.isfinite({name}).all()`",
        "`np.isfinite({name}).all()`",
    ),
    "loader": Row("the data loader", "the data set", "the data loader", "the data set"),
    "model dtype": Row(
        "convert the data with `{name}.to(model.dtype)`, or keep the weights in float32 and compute under autocast",
        "convert the data with `tf.cast({name}, model.compute_dtype)`",
        "convert the data with `{name}.astype(…)`, or keep the weights in float32",
    ),
    "channel axis": Row("`{name}.unsqueeze(1)`", "`{name}[..., tf.newaxis]`", "`{name}[..., None]`", "`{name}[..., None]`"),
    "flatten": Row(
        "`{name}.flatten({axis})`",
        "`tf.keras.layers.Flatten()` in front",
        "`{name}.reshape(*{name}.shape[:{axis}], -1)`",
        "`keras.layers.Flatten()` in front",
    ),
    "move axis": Row(
        "`{name}.movedim({old}, {new})`",
        "`tf.transpose({name}, …)`",
        "`jnp.moveaxis({name}, {old}, {new})`",
        "`np.moveaxis({name}, {old}, {new})`",
    ),
}  # fmt: skip
