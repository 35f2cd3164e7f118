import torch


class Brain:
    def __init__(self, modules, opt_class, loss_fn):
        self.modules = modules
        self.loss_fn = loss_fn
        self.optimizer = opt_class(modules.parameters())

    def check_gradients(self):
        """Say whether the gradients are safe to apply."""
        for p in self.modules.parameters():
            if p.grad is None or not torch.isfinite(p.grad).all():
                return False
        return True

    def fit_batch(self, feats, emotion):
        loss = self.loss_fn(self.modules(feats), emotion)
        loss.backward()
        if self.check_gradients():
            self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()

    def fit(self, epochs, batches):
        for epoch in range(epochs):
            total = sum(self.fit_batch(f, e).item() for f, e in batches)
            print(f"epoch {epoch} avg loss {total / len(batches):.4f}")
