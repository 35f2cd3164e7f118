from torch.optim.lr_scheduler import LambdaLR


def warmup_constant(optimizer, warmup_steps):
    def factor(step):
        if step < warmup_steps:
            return (step + 1) // warmup_steps
        return 1.0

    return LambdaLR(optimizer, factor)
