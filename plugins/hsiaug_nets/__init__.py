"""What the network classifiers share: principal components, seeded weights, views, training, prediction."""
