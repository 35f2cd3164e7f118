import logging
import warnings

import lightning
import torch
from fingerprint import end
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.simplefilter("ignore")


class Regressor(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Dropout(0.2), nn.Linear(12, 1))
        self.seen = []

    def training_step(self, batch, index):
        inputs, targets = batch
        loss = nn.functional.mse_loss(self.net(inputs).squeeze(1), targets)
        self.seen.append(loss.item())
        return loss

    def validation_step(self, batch, index):
        inputs, targets = batch
        self.log("val", nn.functional.mse_loss(self.net(inputs).squeeze(1), targets))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-2)


lightning.seed_everything(4, verbose=False)
data = TensorDataset(torch.randn(24, 6), torch.randn(24))
model = Regressor()
fitter = lightning.Trainer(
    max_epochs=2, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False
)
fitter.fit(model, DataLoader(data, 8, shuffle=True), DataLoader(data, 8))
end(model.seen, model, fitter.optimizers[0])
