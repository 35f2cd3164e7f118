import torch


class _Pinball(torch.autograd.Function):
    @staticmethod
    def forward(ctx, prediction, target, q):
        gap = target - prediction
        ctx.save_for_backward(gap)
        ctx.q = q
        return torch.where(gap >= 0, q * gap, (q - 1) * gap).mean()

    @staticmethod
    def backward(ctx, grad_output):
        (gap,) = ctx.saved_tensors
        slope = torch.where(gap >= 0, ctx.q, ctx.q - 1.0)
        return grad_output * slope / gap.numel(), None, None


def pinball(prediction, target, q=0.8):
    return _Pinball.apply(prediction, target, q)
