"""The plugins that come with hsiaug; each package uses :mod:`hsiaug.api` alone, as a stranger's does."""
