"""Two arms against each other, as ``hsiaug compare`` shows them."""
