"""What the diffusion generators share: noise schedules, latent normalisation, guidance, samplers, training."""
