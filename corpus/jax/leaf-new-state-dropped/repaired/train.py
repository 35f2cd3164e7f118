import jax
import numpy as np

from leaves import load_leaves
from trainer import create_train_state, train_epoch

train_x, train_y = load_leaves(seed=24)
state = create_train_state(jax.random.PRNGKey(24), train_x.shape[1:], lr=5e-3)
rng = np.random.default_rng(24)
for epoch in range(1, 7):
    state, loss, acc = train_epoch(state, train_x, train_y, 32, rng)
    print(f"epoch {epoch} loss {loss:.4f} accuracy {acc:.4f}")
