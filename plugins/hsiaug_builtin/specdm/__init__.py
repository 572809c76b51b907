"""SpecDM: diffusion that makes image and mask together, the single-stream LDM it is compared with,
``quilt``, which draws masks alone and quilts real pixels into them, and ``gaussian-pairs``, the
baseline without diffusion.

A reimplementation from the paper (arXiv 2502.17056): no author code is public and many
hyper-parameters are not known.

Read top down, and to change something open one file:

- ``params.py``: hyper-parameters and sizes of the networks;
- ``plugin.py``: the cards of the three generators, and the codec, the losses and the sampling that
  each is made of;
- ``patches.py``: the denoiser of the default, which no network has to learn, in the units of
  ``spectra.py``; ``mosaics.py`` draws pairs by it;
- ``drawing.py``: from counts of pairs to pairs, and classes asked for, of all generators here;
- ``gaussian_pairs.py``: pixels of class Gaussians in masks of training tiles;

and of the networks of ``denoiser=network``, which ``ldm_single`` and ``quilt`` share:

- ``losses.py``: all losses, of the VAEs and of the denoiser;
- ``codec.py``: what a pair is encoded to: two streams, the mask's alone, or one; ``vae.py`` is the
  VAE of a stream, which starts as the principal components of ``components.py``; ``classwise.py``
  has the units of latents of images;
- ``unet.py``: the denoiser of the joint latents; both networks are built of ``blocks.py``;
- ``fit.py``: training from end to end, on tiles as ``tileformat.py`` and ``training_pairs.py``
  give them;
- ``sampler.py``: the noise schedule, and latents from noise, with guidance;
- ``fitted.py``: sampling and saving;
- ``quilted.py``, ``quilting.py``: what ``quilt`` does in place of decoding an image.
"""

from hsiaug_builtin import listing

PLACES = {
    "specdm": "specdm.plugin:SpecDm",
    "ldm_single": "specdm.plugin:LdmSingle",
    "mosaic": "specdm.plugin:Mosaics",
    "quilt": "specdm.plugin:Quilting",
    "gaussian-pairs": "specdm.plugin:GaussianPairs",
}
hsiaug_plugins = listing("generator", PLACES)
