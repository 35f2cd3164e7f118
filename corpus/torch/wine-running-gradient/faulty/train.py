import numpy as np
import torch
import torch.nn as nn

rng = np.random.RandomState(3)
chem = rng.normal(size=(360, 9)).astype("float32")
quality = (chem @ rng.normal(size=9) * 0.4 + 0.1 * rng.normal(size=360)).astype("float32")

inputs = torch.from_numpy(chem)
targets = torch.from_numpy(quality).view(-1, 1)

torch.manual_seed(3)
regressor = nn.Sequential(
    nn.Linear(9, 20),
    nn.Tanh(),
    nn.Linear(20, 1),
)
criterion = nn.MSELoss()
sgd = torch.optim.SGD(regressor.parameters(), lr=0.05)

for epoch in range(10):
    losses = []
    for i in range(0, 360, 36):
        y_hat = regressor(inputs[i:i + 36])
        loss = criterion(y_hat, targets[i:i + 36])
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    print("epoch %d: %.4f" % (epoch, np.mean(losses)))
