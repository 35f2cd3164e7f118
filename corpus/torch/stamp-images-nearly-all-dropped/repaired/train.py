import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)
patterns = torch.randn(5, 1, 10, 10)
kind = torch.randint(0, 5, (480,))
image = patterns[kind] + torch.randn(480, 1, 10, 10)
model = nn.Sequential(
    nn.Conv2d(1, 12, 3),
    nn.ReLU(),
    nn.Flatten(),
    nn.Dropout(0.2),
    nn.Linear(12 * 64, 64),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(64, 5),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
loader = DataLoader(TensorDataset(image, kind), batch_size=32, shuffle=True)
for epoch in range(3):
    for pixels, target in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(pixels), target)
        loss.backward()
        optimizer.step()
    print(epoch, round(loss.item(), 4))
