"""Shared by the diffusion generators: noise schedules, latent normalisation, guidance, samplers,
training.
"""
