"""Txt2HSI-LDM(VAE): semi-supervised, text-conditioned latent diffusion that makes labelled
hyperspectral patches.

A reimplementation of the published idea (Zhu and Xu, arXiv 2502.19700): no author code is public
and most hyper-parameters are not known, so every default here is this project's own choice.

Read top down, and to change something open one file:

- ``params.py``: hyper-parameters and sizes of the networks;
- ``plugin.py``: the card, and the three stages: ``prepare`` (once a scene), ``fit`` (a split),
  ``sample``;
- ``prepare.py``: what is learnt without labels; ``vae.py`` is the codec and its loss, ``groups.py``
  the nouns that need no label; ``shipped.py`` has
  the network that comes with hsiaug, and fits it to a scene; ``field.py`` holds the latents, whose
  cosine transform is in ``frequencies.py``;
- ``denoiser.py``: the network, its preconditioning and its loss;
- ``lessons.py``: patches with a sentence each, with RPSC (``rpsc.py``); ``facts.py`` says what a
  patch shows;
- ``lfue.py``: LF-UE, the means that samples begin with; ``spread.py`` how their coefficients vary;
- ``fit.py``: training on the classes of a split; ``naming.py`` has their pixels, ``words.py`` their
  phrases;
- ``fitted.py``: sampling, guidance and attention maps; ``reading.py`` is what is understood of
  prompts, ``reader.py`` which of several samples shows most of one; the sampler is
  ``hsiaug_builtin.diffusion.edm``;
- ``measured.py``: what records state of the samples.
"""

from hsiaug_builtin import listing

hsiaug_plugins = listing(
    "generator", {"txt2hsi": "txt2hsi.plugin:Txt2Hsi", "gaussian": "gaussian.plugin:Gaussian"}
)
