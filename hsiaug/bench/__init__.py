"""Many trials: the plan of a benchmark, what it will cost, and how it is carried out."""
