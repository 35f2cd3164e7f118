import torch


def parity_of_signs(n):
    x = torch.randn(n, 6)
    x = x + 0.5 * x.sign()
    return x, ((x[:, 0] > 0) ^ (x[:, 1] > 0)).long()
