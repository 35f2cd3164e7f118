import torch
from fingerprint import end, seed
from torch import nn

seed(14)
for settings in ({"fused": True}, {"foreach": True}, {"foreach": False, "amsgrad": True}):
    model = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 1))
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, **settings)
    losses = []
    for step in range(4):
        rows, targets = torch.randn(6, 6), torch.randn(6, 1)
        loss = nn.functional.mse_loss(model(rows), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update_parameters(model)
        losses.append(loss.item())
    end(losses, model, average, optimizer)
