"""The networks themselves, as plain torch modules from patches (n, k, p, p) to class scores (n, classes)."""
