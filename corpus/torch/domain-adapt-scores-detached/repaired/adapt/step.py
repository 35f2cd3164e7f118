import torch.nn.functional as F

from .terms import accuracy, entropy


def adaptation_step(net, source, labels, target, trade_off, log):
    y_s, y_t = net(source), net(target)
    log["cls_acc"] = accuracy(y_s.detach(), labels)
    cls_loss = F.cross_entropy(y_s, labels)
    transfer_loss = entropy(y_t)
    log["cls_loss"], log["transfer_loss"] = cls_loss.item(), transfer_loss.item()
    return cls_loss + trade_off * transfer_loss
