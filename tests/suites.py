"""What suites of the tests begin with."""

BEGINNING = """
store = "results"

[defaults]
scenes = "toy"
generators = ["dummy"]
classifiers = ["nearest"]
seeds = 2
patch = 5
times = 0

[[run]]
name = "headline"
protocols = ["issd", "random:0.05"]
"""
