"""Speed of what hsiaug computes beside a well-known library's model of the same size."""
