"""A generator in torch: a conditional variational autoencoder (Kingma and Welling, 2014) of centre
spectra.
"""

from dataclasses import dataclass

import numpy as np

from hsiaug.api import (
    Card,
    Entry,
    PatchSamples,
    Plugin,
    PluginError,
    hookimpl,
    load_state,
    param,
    save_state,
)


@dataclass(frozen=True)
class Params:
    latent: int = param(8, "latent dimensions", low=1)
    steps: int = param(1000, "training steps", low=1)


def network(inputs, outputs):
    from torch import nn  # heavy libraries are imported where they are needed

    return nn.Sequential(nn.Linear(inputs, 64), nn.SiLU(), nn.Linear(64, outputs))


class Fitted:
    """Arrays: x (n, B, p, p), y (n,), mean and std (B,) of the bands, and the weights of the
    decoder by name.
    """

    def __init__(self, arrays):
        self.arrays = arrays

    def sample(self, counts, *, guidance, seed):
        import torch

        x, y, mean, std = (self.arrays[name] for name in ("x", "y", "mean", "std"))
        rng, wanted = (
            np.random.default_rng(seed),
            np.repeat(list(counts), list(counts.values())).astype(int),
        )
        if set(wanted.tolist()) - set(y.tolist()):
            raise PluginError(
                "a class has no training pixel", value=counts, hint="Ask for classes that have one."
            )
        rows = np.array([rng.choice(np.flatnonzero(y == c)) for c in wanted], dtype=int)
        decoder = network(self.arrays["0.weight"].shape[1], len(mean))
        decoder.load_state_dict(
            {name: torch.from_numpy(self.arrays[name]) for name in decoder.state_dict()}
        )
        classes = np.eye(y.max() + 1, dtype=np.float32)[wanted]
        latent = rng.standard_normal(
            (len(wanted), decoder[0].in_features - classes.shape[1]), dtype=np.float32
        )
        spectra = (
            decoder(torch.from_numpy(np.hstack([latent, classes]))).detach().numpy() * std + mean
        )
        moved = spectra - x[rows][:, :, x.shape[2] // 2, x.shape[3] // 2]
        return PatchSamples.made(x[rows] + moved[:, :, None, None], wanted)

    def save(self, folder):
        save_state(folder, self.arrays)


class SpectralVae(Plugin):
    card = Card(
        "spectral-vae",
        "1",
        "Small VAE",
        params=Params,
        presets={"tiny": {"steps": 400}},
        uses_device=True,
    )

    def fit(self, view, *, seed, device, progress):
        import torch

        torch.manual_seed(seed)
        real, bands = view.real, view.normaliser
        x = torch.tensor(bands.spectra(real.centres)).to(device)
        classes = torch.eye(int(real.y.max()) + 1)[torch.tensor(real.y)].to(device)
        encoder = network(x.shape[1] + classes.shape[1], 2 * self.params.latent).to(device)
        decoder = network(self.params.latent + classes.shape[1], x.shape[1]).to(device)
        optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()])
        for step in range(self.params.steps):
            mean, log_variance = encoder(torch.hstack([x, classes])).chunk(2, dim=1)
            z = mean + (0.5 * log_variance).exp() * torch.randn(mean.shape).to(device)
            error = (decoder(torch.hstack([z, classes])) - x).square().sum()
            divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
            optimiser.zero_grad()
            ((error + divergence) / len(x)).backward()
            optimiser.step()
            progress(step + 1, self.params.steps)
        weights = {name: value.cpu().numpy() for name, value in decoder.state_dict().items()}
        return Fitted({"x": real.x, "y": real.y, "mean": bands.mean, "std": bands.std, **weights})

    def load(self, folder, *, device):
        return Fitted(load_state(folder)[0])


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "spectral-vae", "spectral_vae:SpectralVae")]
