import torch.nn.functional as F


def fgsm(net, x, y, eps):
    x = x.clone().detach().requires_grad_(True)
    F.cross_entropy(net(x), y).backward()
    return (x + eps * x.grad.sign()).detach()
