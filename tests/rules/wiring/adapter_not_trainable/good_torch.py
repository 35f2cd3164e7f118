import torch
from peft import LoraConfig, get_peft_model
from torch import nn

torch.manual_seed(0)
points = torch.randn(128, 8)
labels = (points[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
model = get_peft_model(model, LoraConfig(r=2, target_modules=["0"], modules_to_save=["2"]))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(points), labels)
    loss.backward()
    optimizer.step()
