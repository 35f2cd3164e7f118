class Unfreeze:
    """Let the backbone train from a given epoch on."""

    def __init__(self, at_epoch, lr):
        self.at_epoch = at_epoch
        self.lr = lr

    def on_epoch_start(self, epoch, model, optimizer):
        if epoch == self.at_epoch:
            for p in model.backbone.parameters():
                p.requires_grad = True
            optimizer.add_param_group({"params": list(model.backbone.parameters()), "lr": self.lr})
            print(f"epoch {epoch}: backbone unfrozen")
