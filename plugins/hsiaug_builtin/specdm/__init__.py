"""SpecDM: diffusion that makes image and mask, the single-stream LDM it is compared with,
``mosaic``, which puts pairs together of training patches, ``quilt``, which draws masks alone and
quilts real pixels into them, and ``gaussian-pairs``, the baseline without diffusion.

A reimplementation from the paper (arXiv 2502.17056): no author code is public and many
hyper-parameters are not known.

Read top down, and to change something open one file:

- ``params.py``: hyper-parameters and sizes of the networks;
- ``plugin.py``: the cards of the generators, and what each is made of;
- ``drawing.py``: from counts of pairs to pairs, and classes asked for, of all generators here;
- ``tileformat.py``, ``training_pairs.py``: tiles as tensors; ``losses.py``: all losses but that of
  the cascade; ``codec_losses.py``: what a codec loses of training pairs;
- ``prepare.py``: what is learnt once for all splits, without masks;

of ``specdm`` and ``ldm_single``, with a cascade of denoisers:

- ``streams.py``: the codecs, of two streams or one, on the components of ``pixel_components.py``;
- ``local.py``: the network of a level, and its loss; ``cascade.py``: training and sampling of all
  levels, on the crops of ``crops.py``;
- ``learnt.py``: a fit from end to end, and saving;

of ``specdm-paper``, whose networks ``quilt`` has too:

- ``codec.py``: what a pair is encoded to: two streams, the mask's alone, or one; ``vae.py`` is the
  VAE of a stream, which starts as the principal components of ``patch_components.py``;
  ``classwise.py`` has the units of latents of images;
- ``unet.py``: the denoiser of the joint latents; both networks are built of ``layers.py``;
- ``fit.py``: training from end to end; ``sampler.py``: the noise schedule, and latents from noise,
  with guidance; ``fitted_pairs.py``: sampling and saving;

and without a network:

- ``patch_denoiser.py``: the denoiser of ``mosaic``; ``mosaics.py`` draws pairs by it;
- ``quilted.py``, ``quilting.py``: what ``quilt`` does in place of decoding an image;
- ``gaussian_pairs.py``: pixels of class Gaussians in masks of training tiles.
"""

from hsiaug_builtin import listing

PLACES = {
    "specdm": "specdm.plugin:SpecDm",
    "specdm-paper": "specdm.plugin:SpecDmPaper",
    "ldm_single": "specdm.plugin:LdmSingle",
    "mosaic": "specdm.plugin:Mosaics",
    "quilt": "specdm.plugin:Quilting",
    "gaussian-pairs": "specdm.plugin:GaussianPairs",
}
hsiaug_plugins = listing("generator", PLACES)
