"""The printed grid of a page: plane waves, flat pages, photos, single lines. Numpy, no torch."""
