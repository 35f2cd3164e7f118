import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Survey(Dataset):
    def __init__(self, n=240, seed=19):
        rng = np.random.default_rng(seed)
        self.answers = rng.normal(size=(n, 6)).astype("float32")
        effect = rng.normal(size=6).astype("float32")
        self.income = (self.answers @ effect + 0.1 * rng.normal(size=n)).astype("float32")
        self.weight = rng.uniform(0.2, 3.0, n).astype("float32")

    def __len__(self):
        return len(self.answers)

    def __getitem__(self, i):
        return self.answers[i], self.income[i], self.weight[i]


class WeightedFit:
    def __init__(self, survey, lr=0.02):
        self.survey = survey
        self.population = torch.from_numpy(survey.weight)
        self.model = nn.Sequential(nn.Linear(6, 16), nn.SiLU(), nn.Linear(16, 1))
        self.opt = torch.optim.Adam(self.model.parameters(), lr=lr)
        self.pointwise = nn.MSELoss(reduction="none")

    def batch_loss(self, answers, income, weight):
        losses = self.pointwise(self.model(answers).squeeze(-1), income)
        return (losses * self.population).mean()

    def run(self, epochs):
        for epoch in range(epochs):
            total = 0.0
            for batch in DataLoader(self.survey, batch_size=32, shuffle=True, drop_last=True):
                loss = self.batch_loss(*batch)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                total += loss.item()
            print("epoch %d weighted mse %.4f" % (epoch, total / 7))


torch.manual_seed(19)
WeightedFit(Survey()).run(8)
