"""Txt2HSI-LDM(VAE): semi-supervised, text-conditioned latent diffusion that makes labelled
hyperspectral patches.

A reimplementation of the published idea (Zhu and Xu, arXiv 2502.19700): no author code is public
and most hyper-parameters are not known, so every default here is this project's own choice.

Read top down, and to change something open one file:

- ``params.py``: hyper-parameters and sizes of the networks;
- ``plugin.py``: the card, and the three stages: ``prepare`` (once a scene), ``fit`` (a draw),
  ``sample``;
- ``prepare.py``: what is learnt without labels; ``vae.py`` is the codec and its loss,
  ``codebook.py`` the codes and their Gaussians, ``frequencies.py`` the cosine transform that these
  are of; ``shipped.py`` finds what comes with hsiaug;
- ``denoiser.py``: the network, its preconditioning and its loss;
- ``naming.py``: what the labels of a draw add to a coded scene; ``gaussian.py`` is a generator
  of that alone;
- ``fit.py``: training with texts (``texts.py``), with RPSC (``rpsc.py``), LF-UE (``lfue.py``) and
  pseudo-labels;
- ``fitted.py``: sampling, guidance and attention maps; the sampler is
  ``hsiaug_builtin.diffusion.edm``;
- ``codec_quality.py``, ``measured.py``: what records state of the codec and of the samples.
"""

from hsiaug_builtin import listing

hsiaug_plugins = listing(
    "generator", {"txt2hsi": "txt2hsi.plugin:Txt2Hsi", "gaussian": "txt2hsi.gaussian:Gaussian"}
)
