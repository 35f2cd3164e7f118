import numpy as np
import torch

rng = np.random.default_rng(55)
X = rng.normal(size=(300, 8))
beta = rng.normal(size=8)
y = (1 / (1 + np.exp(-(X @ beta * 2 + 0.3))) > rng.uniform(size=300)).astype(np.float64)
X, y = torch.from_numpy(X), torch.from_numpy(y)

torch.manual_seed(55)
model = torch.nn.Linear(8, 1, dtype=torch.float64)
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.25, max_iter=2, history_size=6)
calls = 0


def closure():
    global calls
    calls += 1
    optimizer.zero_grad()
    logit = model(X).squeeze(1)
    nll = torch.nn.functional.binary_cross_entropy_with_logits(logit, y)
    objective = nll + 1e-3 * model.weight.pow(2).sum()
    objective.backward()
    return objective


for it in range(24):
    value = optimizer.step(closure)
    if it % 4 == 0 or it == 23:
        with torch.no_grad():
            acc = ((model(X).squeeze(1) > 0) == (y > 0.5)).double().mean().item()
        print(f"iteration {it} objective {value.item():.5f} accuracy {acc:.3f} closure calls {calls}")
