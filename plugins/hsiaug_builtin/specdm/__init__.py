"""SpecDM: latent diffusion that makes image and mask together, the single-stream LDM it is compared with, and ``quilt``,
which draws masks alone and quilts real pixels into them.

A reimplementation from the paper (arXiv 2502.17056): no author code is public and many hyper-parameters are not known.
"""

from hsiaug_builtin import listing

PLACES = {
    "specdm": "specdm.plugin:SpecDm",
    "ldm_single": "specdm.plugin:LdmSingle",
    "quilt": "specdm.plugin:Quilting",
}
hsiaug_plugins = listing("generator", PLACES)
