import jax
import jax.numpy as jnp
import numpy as np
import optax

READERS, BOOKS, MEAN = 60, 40, 3.0


def init(key, genres=3):
    return {'reader': 0.1 * jax.random.normal(key, (READERS, genres)),
            'reader_bias': jnp.zeros(READERS), 'book_bias': jnp.zeros(BOOKS)}


def predict(params, reader, book):
    taste = jnp.sum(params['reader'][reader] * GENRES[book], axis=-1)
    return MEAN + params['book_bias'][book] + taste


def loss_fn(params, reader, book, stars):
    return jnp.mean((predict(params, reader, book) - stars) ** 2) + 0.01 * jnp.mean(params['reader'] ** 2)


rng = np.random.default_rng(13)
GENRES = jnp.asarray(rng.normal(size=(BOOKS, 3)), jnp.float32)
likes = 0.5 * rng.normal(size=(READERS, 3))
lenient, good = rng.normal(0, 1.0, READERS), rng.normal(0, 0.5, BOOKS)
reader, book = rng.integers(0, READERS, 2400), rng.integers(0, BOOKS, 2400)
stars = (MEAN + lenient[reader] + good[book] + np.sum(likes[reader] * GENRES[book], 1) + 0.2 * rng.normal(size=2400)).astype(np.float32)
train, test = slice(0, 2000), slice(2000, 2400)

params = init(jax.random.key(13))
tx = optax.adam(2e-2)


@jax.jit
def run_epoch(params, opt_state, reader, book, stars):
    def body(carry, batch):
        params, opt_state = carry
        loss, grads = jax.value_and_grad(loss_fn)(params, *batch)
        updates, opt_state = tx.update(grads, opt_state)
        return (optax.apply_updates(params, updates), opt_state), loss

    shaped = tuple(a.reshape(-1, 100) for a in (reader, book, stars))
    (params, opt_state), losses = jax.lax.scan(body, (params, opt_state), shaped)
    return params, opt_state, losses.mean()


opt_state = tx.init(params)
for epoch in range(40):
    params, opt_state, loss = run_epoch(params, opt_state, reader[train], book[train], stars[train])
    if epoch % 10 == 9:
        error = np.mean((np.asarray(predict(params, reader[test], book[test])) - stars[test]) ** 2)
        print(f"epoch {epoch} loss {loss:.4f} test {error:.4f}")
