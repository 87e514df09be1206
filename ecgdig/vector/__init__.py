"""PDF pages whose traces are vector paths: read exactly from the paths and the grid, without a network."""

from ecgdig.vector.reading import read_vectors

__all__ = ["read_vectors"]
