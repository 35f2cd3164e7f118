import torch
import torch.nn as nn

torch.manual_seed(11)

n = 400
area = torch.rand(n, 1) * 2 - 1
rooms = torch.randint(1, 6, (n, 1)).float() / 5
age = torch.rand(n, 1)
X = torch.cat([area, rooms, age], dim=1)
price = 1.8 * area + 0.9 * rooms - 0.7 * age + 0.05 * torch.randn(n, 1)

net = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 1))
mse = nn.MSELoss()
opt = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(12):
    order = torch.randperm(n)
    total = 0.0
    for start in range(0, n, 50):
        idx = order[start:start + 50]
        guess = net(X[idx])
        loss = mse(guess, price[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch:2d}  mse {total / 8:.4f}")
