"""`make bench`: straykey beside its rivals and as logs grow, with data of its own making."""
