import torch
from fingerprint import end, seed
from torch import nn

seed(5)
generator = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.Linear(16, 2))
critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(16, 1))
generate = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
judge = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
losses = []
for step in range(6):
    real = torch.randn(8, 2) + 3
    fake = generator(torch.randn(8, 4))
    judge.zero_grad()
    loss = criterion(critic(real), torch.ones(8, 1)) + criterion(critic(fake.detach()), torch.zeros(8, 1))
    loss.backward()
    judge.step()
    generate.zero_grad()
    fooled = criterion(critic(fake), torch.ones(8, 1))
    fooled.backward()
    generate.step()
    losses += [loss.item(), fooled.item()]
end(losses, generator, critic, generate, judge)
