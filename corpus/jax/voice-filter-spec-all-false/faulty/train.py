import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


class SpeakerNet(eqx.Module):
    trunk: eqx.nn.MLP
    last: eqx.nn.Linear

    def __init__(self, key):
        k1, k2 = jr.split(key)
        self.trunk = eqx.nn.MLP(16, 32, 32, 1, final_activation=jax.nn.relu, key=k1)
        self.last = eqx.nn.Linear(32, 4, key=k2)

    def __call__(self, frame):
        return self.last(self.trunk(frame))


key = jr.PRNGKey(44)
who = jr.randint(key, (256,), 0, 4)
frames = jr.normal(jr.PRNGKey(45), (4, 16))[who] + 0.5 * jr.normal(jr.PRNGKey(46), (256, 16))

model = SpeakerNet(jr.PRNGKey(47))
filter_spec = jax.tree.map(lambda _: False, model)
last_layer = lambda tree: (tree.last.weight, tree.last.bias)
diff_model, static_model = eqx.partition(model, filter_spec)
optim = optax.adam(1e-2)
opt_state = optim.init(diff_model)


@eqx.filter_jit
def make_step(diff_model, opt_state, frames, who):
    def loss_fn(diff):
        logits = jax.vmap(eqx.combine(diff, static_model))(frames)
        return optax.softmax_cross_entropy_with_integer_labels(logits, who).mean()

    loss, grads = eqx.filter_value_and_grad(loss_fn)(diff_model)
    updates, opt_state = optim.update(grads, opt_state)
    return eqx.apply_updates(diff_model, updates), opt_state, loss


for epoch in range(8):
    for i in range(0, 256, 32):
        diff_model, opt_state, loss = make_step(diff_model, opt_state, frames[i:i + 32], who[i:i + 32])
    print(f"epoch {epoch} loss {loss:.4f}")
