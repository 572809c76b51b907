"""Shared by plugins: params, real patches, building blocks, seeded weights, views, training,
prediction, saved state.
"""
