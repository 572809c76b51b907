"""SpecDM: latent diffusion that makes image and mask together, and the single-stream LDM it is compared with.

A reimplementation from the paper (arXiv 2502.17056): no author code is public and many hyper-parameters are not known.
"""

from hsiaug_builtin import listing

hsiaug_plugins = listing("generator", {"specdm": "specdm.plugin:SpecDm", "ldm_single": "specdm.plugin:LdmSingle"})
