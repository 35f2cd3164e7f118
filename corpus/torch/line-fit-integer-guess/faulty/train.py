import numpy as np
import torch

rng = np.random.default_rng(3)
heights = rng.normal(size=(200, 2)).astype(np.float32)
truth = heights @ np.array([3, -2], dtype=np.float32)
guess = torch.from_numpy(np.array([0, 0]))
guess.requires_grad_(True)
x, y = torch.from_numpy(heights), torch.from_numpy(truth)
for step in range(40):
    loss = ((x.double() @ guess - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        guess -= 0.1 * guess.grad
        guess.grad.zero_()
print(guess.tolist())
