import torch

from tasks import TwoHeads, WeightedLosses


class MultiTaskTrainer:
    def __init__(self, seed=317):
        torch.manual_seed(seed)
        self.x = torch.randn(300, 12)
        self.price = self.x[:, 0] - 0.5 * self.x[:, 1]
        self.category = (self.x[:, 2] > 0).long() * 2 + (self.x[:, 3] > 0).long()
        self.model = TwoHeads()
        self.losses = WeightedLosses([0.5, 1.0])
        self.opt = torch.optim.Adam(self.model.parameters(), lr=0.01)

    def run_epoch(self):
        for rows in torch.randperm(300).split(30):
            self.opt.zero_grad()
            loss = self.losses(self.model(self.x[rows]), (self.price[rows], self.category[rows]))
            loss.backward()
            self.opt.step()
        return loss

    def scores(self):
        with torch.no_grad():
            price, category = self.model(self.x)
        return {
            "price mse": round((price - self.price).pow(2).mean().item(), 3),
            "category acc": round((category.argmax(1) == self.category).float().mean().item(), 3),
        }


if __name__ == "__main__":
    trainer = MultiTaskTrainer()
    for epoch in range(6):
        trainer.run_epoch()
        print(epoch, trainer.scores())
