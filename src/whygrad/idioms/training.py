"""What rules on updates, sizes and wiring advise, in each dialect."""

from collections.abc import Mapping

from whygrad.idioms.rows import Row

TRAINING: Mapping[str, Row] = {
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
    "apply the update": Row(
        "apply what `{optimizer}` computes to the parameters",
        "apply what `{optimizer}` computes to the variables",
        "apply it and carry the result over: `params = optax.apply_updates(params, updates)`",
    ),
    "keep the result": Row(
        "keep what the call returns, and use it in the next step",
        "keep what the call returns, and use it in the next step",
        "values do not change in place: keep what the call returns (`state = state.apply_gradients(grads=grads)`, `params = optax.apply_updates(params, updates)`) and return it from the step",
    ),
    "trace with nnx": Row(
        "change the module outside of the traced function",
        "change the module outside of the traced function",
        "put `@nnx.jit` in the place of `@jax.jit`: it hands out what the step changes in modules and optimizers, and `jax.jit` works on copies of them",
    ),
    "read anew": Row(
        "give `{name}` to the compiled function as an argument",
        "make `{name}` a `tf.Variable` (`trainable=False`) and change it by `assign`, or give it to the compiled function as a tensor: a Python number is a constant once it is traced",
        "give `{name}` to the jitted function as an argument: what it reads from `self` or from a variable around it is a constant once it is traced",
        "make `{name}` a variable (`tf.Variable(..., trainable=False)`) and change it by `assign`, or call `compile` again after changing it: a Python number is a constant once it is traced",
    ),
    "decided anew": Row(
        "give `{name}` to the compiled function as an argument",
        "make `{name}` a `tf.Variable` (`trainable=False`), change it by `assign`, and decide with `tf.cond` or `tf.where`: a Python number is a constant once it is traced",
        "give `{name}` to the jitted function as an argument, and decide with `jnp.where` or `lax.cond`: what it reads from `self` or from a variable around it is a constant once it is traced",
        "make `{name}` a variable (`tf.Variable(..., trainable=False)`) that `assign` changes and decide with `tf.cond`, or call `compile` again after changing it: a Python number is a constant once it is traced",
    ),
    "keep what is returned": Row(
        "keep the parameters that this call returns, and give them to the next one",
        "keep the variables that this call returns, and give them to the next one",
        "assign the new parameters and the new optimizer state that this call returns, and give them to the next call",
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
        "lay the schedule out in updates: Keras asks it for a rate at each batch, not at each epoch",
    ),
    "positive rate": Row(
        "give a rate above 0, for instance `lr=1e-3`",
        "give a rate above 0, for instance `learning_rate=1e-3`",
        "give a rate above 0, for instance `1e-3`",
    ),
    "turned rate": Row(
        "give a rate above 0, for instance `lr=1e-3`: the optimizer itself subtracts",
        "give a rate above 0, for instance `learning_rate=1e-3`: the optimizer itself subtracts",
        "optax adds updates to the parameters: give `learning_rate` above 0 to an optimizer, and let a chain of your own end in `optax.scale_by_learning_rate(rate)`, or in `optax.scale(-1)` "
        "behind its schedule; by hand, subtract: `p - rate * g`",
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
    "dropout mode": Row(
        "hand the mode over: `F.dropout(…, training=self.training)`, or use `nn.Dropout`",
        "hand the mode over: `layers.Dropout(rate)(x, training=training)`",
        "hand the mode over: `deterministic=not train`",
    ),
    "who declines": Row("the gradient scaler", "the gradient scaler", "`optax.apply_if_finite`"),
    "first scale": Row("`init_scale`", "`initial_scale`", "scale of the loss"),
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
    "channel axis": Row("`{name}.unsqueeze(1)`", "`{name}[..., None]`", "`{name}[..., None]`", "`{name}[..., None]`"),
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
