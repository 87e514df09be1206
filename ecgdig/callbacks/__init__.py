"""What is shown while training: tables, pictures, speed and the finished network. No scores are computed here."""

from ecgdig.callbacks.artifact import ModelArtifact
from ecgdig.callbacks.examples import ExamplePages
from ecgdig.callbacks.json_lines import JsonLines
from ecgdig.callbacks.speed import Speed
from ecgdig.callbacks.strips import FirstStrips

__all__ = ["ExamplePages", "FirstStrips", "JsonLines", "ModelArtifact", "Speed"]
