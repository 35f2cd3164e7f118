import torch
import torch.nn as nn

torch.manual_seed(59)
n = 600
x = torch.randn(n, 8)
kind = (x[:, 0] - x[:, 1] > 0).long()
size = 0.8 * x[:, 2] + 0.4 * x[:, 3].abs()

encoder = nn.Sequential(nn.Linear(8, 40), nn.ReLU())
classifier = nn.Linear(40, 2)
regressor = nn.Linear(40, 1)
opt_main = torch.optim.Adam([*encoder.parameters(), *classifier.parameters()], lr=5e-3)
opt_reg = torch.optim.Adam(regressor.parameters(), lr=2e-2)
ce, mse = nn.CrossEntropyLoss(), nn.MSELoss()

for epoch in range(12):
    for idx in torch.randperm(n).split(60):
        shared = encoder(x[idx])
        loss_kind = ce(classifier(shared), kind[idx])
        loss_size = mse(regressor(shared).squeeze(1), size[idx])

        opt_reg.zero_grad()
        loss_size.backward(retain_graph=True)
        opt_main.zero_grad()
        (loss_kind + 0.3 * loss_size).backward(inputs=[*encoder.parameters(), *classifier.parameters()])
        opt_reg.step()
        opt_main.step()
    with torch.no_grad():
        acc = (classifier(encoder(x)).argmax(1) == kind).float().mean().item()
    print(f"epoch {epoch} kind {loss_kind.item():.3f} acc {acc:.3f} size {loss_size.item():.4f}")
