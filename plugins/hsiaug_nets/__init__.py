"""What network plugins share: params, building blocks, seeded weights, views, training, prediction, saved state."""
