import torch


class Blobs:
    def __init__(self, classes, labelled, unlabelled, dim=12):
        self.classes, self.dim = classes, dim
        self.centres = 1.1 * torch.randn(classes, dim)
        self.lx, self.ly = self._draw(labelled)
        self.ux, _ = self._draw(unlabelled)
        self.test = self._draw(400)

    def _draw(self, n):
        y = torch.arange(n) % self.classes
        return self.centres[y] + 0.9 * torch.randn(n, self.dim), y

    def labelled_batch(self, n):
        i = torch.randperm(len(self.lx))[:n]
        return self.lx[i], self.ly[i]

    def unlabelled_batch(self, n):
        return self.ux[torch.randint(0, len(self.ux), (n,))]
