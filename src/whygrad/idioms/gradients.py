"""What rules on graphs and labels advise, in each dialect."""

from collections.abc import Mapping

from whygrad.idioms.rows import Row

GRADIENTS: Mapping[str, Row] = {
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
        "hold {them} still in the optimizer, by `optax.set_to_zero()` under `optax.multi_transform`",
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
    "own functions at once": Row(
        "do this reckoning with the framework's own functions",
        "do this reckoning with TensorFlow's own functions (`tf.…` in place of `np.…`)",
        "do this reckoning with `jnp` in place of `np`, and take numbers out of what the function returns (`has_aux=True`)",
    ),
    "untracked": Row(
        "gradient tracking is off where the forward uses {them}",
        "the forward uses {them} outside of the tape",
        "the forward uses {them} outside of the function that is differentiated",
        "the forward uses {them} only before training, and reads what was made of {them} then",
    ),
    "untracked op": Row(
        "`{name}` runs with tracking off",
        "`{name}` runs outside of the tape",
        "`{name}` runs outside of the differentiated function",
        "`{name}` runs once, before training",
    ),
    "track": Row(
        "take this part of the forward out of it; if the parameters should stay as they are, freeze them and leave them out of the optimizer",
        "compute this inside `with tf.GradientTape() as tape:`; if the parameters should stay as they are, leave them out of what the optimizer is given",
        "compute this inside the function that is handed to `jax.grad`, from the parameters that it is differentiated by",
        "compute this in the layer's `call`: what `build` or `__init__` computes is a copy of the first values, which no gradient goes through",
    ),
    "train adapters": Row(
        "load the adapter with `is_trainable=True`, or make it with `inference_mode=False`",
        "leave the layers that hold adapters trainable: `enable_lora` freezes the rest by itself",
        "differentiate by the adapters' parameters",
    ),
    "no gradient wanted": Row("`requires_grad` False", "`trainable` False", "no place among the arguments that are differentiated by", "`trainable` False"),
    "differentiate something": Row(
        "ask for the gradient of the parameters that the loss is computed from",
        "ask for the gradient of the variables that the loss is computed from",
        "see what chooses the arrays: nnx trains `nnx.Param` and no other `nnx.Variable`; a filter of equinox has to be True for what is trained, and `eqx.tree_at` hands back a new one",
    ),
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
    "draw outside": Row(
        "draw the rows outside of the compiled function and hand them in, or draw them with `torch.randint` or `torch.randperm`",
        "draw the rows with `tf.random.uniform`, or outside of the `tf.function`, and hand them in",
        "draw the rows outside of the jitted function and hand them in, or hand a key in and draw with `jax.random`: `jax.random.choice(key, n, (size,))`",
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
    "ignored id": Row("`ignore_index={id}`", "`ignore_class={id}`", "the mask of id {id}"),
    "padding told": Row("`padding_idx={id}`", "`mask_zero=True`", "`padding_idx={id}`"),
    "mean of what counts": Row(
        "take the mean of what counts alone: `{losses}[{labels} != {id}].mean()`",
        "take the mean of what counts alone: `tf.reduce_mean(tf.boolean_mask({losses}, {labels} != {id}))`",
        "take the mean of what counts alone: `jnp.mean({losses}, where={labels} != {id})`",
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
}  # fmt: skip
