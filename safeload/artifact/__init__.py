"""Files: written from members, opened as UnverifiedArtifact, and an Artifact once their signatures held."""

from safeload.artifact.opened import UnverifiedArtifact
from safeload.artifact.verified import Artifact
from safeload.artifact.writer import ArtifactWriter

__all__ = ["Artifact", "ArtifactWriter", "UnverifiedArtifact"]
