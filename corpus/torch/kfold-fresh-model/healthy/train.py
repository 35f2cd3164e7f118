import numpy as np
import torch
from torch import nn


def folds(n, k, rng):
    order = rng.permutation(n)
    parts = np.array_split(order, k)
    for i in range(k):
        yield np.concatenate(parts[:i] + parts[i + 1:]), parts[i]


def new_model(d):
    return nn.Sequential(nn.Linear(d, 24), nn.LeakyReLU(), nn.Dropout(0.1), nn.Linear(24, 1))


def fit_fold(x, y, train_idx, test_idx, epochs=12):
    model = new_model(x.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    loss_fn = nn.L1Loss()
    for epoch in range(epochs):
        model.train()
        for chunk in torch.from_numpy(np.random.permutation(train_idx)).split(40):
            optimizer.zero_grad()
            loss = loss_fn(model(x[chunk]).view(-1), y[chunk])
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        return loss_fn(model(x[test_idx]).view(-1), y[test_idx]).item()


if __name__ == "__main__":
    np.random.seed(18)
    torch.manual_seed(18)
    rng = np.random.default_rng(18)
    raw = rng.normal(size=(300, 7))
    effect = raw @ rng.normal(size=7) + np.maximum(raw[:, 0], 0) + 0.1 * rng.normal(size=300)
    x = torch.tensor(raw, dtype=torch.float32)
    y = torch.tensor(effect, dtype=torch.float32)
    baseline = (y - y.median()).abs().mean().item()
    scores = [fit_fold(x, y, tr, te) for tr, te in folds(300, 4, rng)]
    print("median guess", round(baseline, 3), "folds", [round(s, 3) for s in scores], "mean", round(float(np.mean(scores)), 3))
