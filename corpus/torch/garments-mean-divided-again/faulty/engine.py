import torch


class Engine:
    def __init__(self, model, optimizer, criterion):
        self.model, self.optimizer, self.criterion = model, optimizer, criterion

    def train(self, loader):
        self.model.train()
        total = 0.0
        for x, y in loader:
            scores = self.model(x)
            loss = self.criterion(scores, y)
            loss = loss / (len(x) * len(loader))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total

    @torch.no_grad()
    def test(self, loader):
        self.model.eval()
        hits = sum((self.model(x).argmax(1) == y).sum().item() for x, y in loader)
        return hits / len(loader.dataset)
