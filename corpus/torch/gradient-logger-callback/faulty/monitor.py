from collections import defaultdict


class GradientMonitor:
    def __init__(self, every=10):
        self.every = every
        self.norms = defaultdict(list)

    def after_backward(self, model, step):
        for name, p in model.named_parameters():
            if p.grad is not None:
                self.norms[name].append(p.grad.norm().item())
        if step % self.every == 0:
            biggest = max(self.norms, key=lambda k: self.norms[k][-1])
            print(f"  step {step}: largest gradient in {biggest}: {self.norms[biggest][-1]:.4f}")
        model.zero_grad()
