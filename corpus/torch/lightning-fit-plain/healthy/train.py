import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class WaveformData(L.LightningDataModule):
    def setup(self, stage=None):
        g = torch.Generator().manual_seed(40)
        t = torch.linspace(0, 1, 48)
        y = torch.randint(0, 3, (400,), generator=g)
        phase = torch.rand(400, 1, generator=g) * 6.28
        freq = torch.tensor([2.0, 4.0, 7.0])[y][:, None]
        x = torch.sin(6.28 * freq * t + phase) + 0.3 * torch.randn(400, 48, generator=g)
        self.train_set, self.val_set = random_split(TensorDataset(x[:, None], y), [320, 80], generator=g)

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=32, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=80)


class WaveNetlet(L.LightningModule):
    def __init__(self, lr=1e-2):
        super().__init__()
        self.save_hyperparameters()
        self.features = nn.Sequential(nn.Conv1d(1, 12, 9, padding=4), nn.ReLU(), nn.Conv1d(12, 16, 9, padding=4), nn.ReLU())
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        return self.fc(self.features(x).amax(-1))

    def training_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        loss = F.cross_entropy(logits, y)
        self.log("train_loss", loss.detach(), on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.log_dict({"val_loss": F.cross_entropy(logits, y), "val_acc": (logits.argmax(1) == y).float().mean()})

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking:
            m = self.trainer.callback_metrics
            print(f"epoch {self.current_epoch} val_loss {m['val_loss']:.3f} val_acc {m['val_acc']:.3f}")

    def configure_optimizers(self):
        opt = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        return {"optimizer": opt, "lr_scheduler": torch.optim.lr_scheduler.StepLR(opt, 6, 0.3)}


if __name__ == "__main__":
    L.seed_everything(40, verbose=False)
    trainer = L.Trainer(
        max_epochs=8, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )
    trainer.fit(WaveNetlet(), datamodule=WaveformData())
