import torch


def soft_dice(a, b):
    num = 2 * (a * b).sum(dim=(1, 2, 3))
    den = (a * a).sum(dim=(1, 2, 3)) + (b * b).sum(dim=(1, 2, 3)) + 1e-6
    return 1 - (num / den).mean()


class RegistrationLoss:
    """Weighted sum of the terms that the configuration switches on."""

    def __init__(self, spec):
        self.label_weight = spec.get("label", {}).get("weight", 0.0)
        self.reg_weight = spec.get("regularization", {}).get("weight", 0.0)

    def __call__(self, warped_label, fixed_label, shift):
        total = shift.new_zeros(())
        if self.label_weight > 0:
            total = total + self.label_weight * soft_dice(warped_label, fixed_label)
        if self.reg_weight > 0:
            total = total + self.reg_weight * shift.pow(2).mean()
        return total
