"""Profiles: what a chunk of events counts, how counts are written, and how they are merged.

`chunk` counts, `record` holds what one record of `drift-profiles` says, `codec` its bytes, `merge` the addition of
profiles, `trace` what the log says of a chain.
"""

from __future__ import annotations

from stream_monitor.core.profile.chunk import ChunkPosition, LogEntry, ModelCounts, ProfiledChunk, profile_chunk
from stream_monitor.core.profile.codec import MalformedRecord, UnknownRecord, chunk_digest, decode, encode
from stream_monitor.core.profile.merge import merge_counts, merge_profiles, merge_undeclared
from stream_monitor.core.profile.record import (
    EXAMPLES,
    Ahead,
    ChunkCounts,
    ChunkSource,
    Example,
    OffsetRange,
    Profile,
    ProfileKey,
    ProfileRecord,
    ProgressRecord,
    SeriesCounts,
    Undeclared,
)
from stream_monitor.core.profile.trace import ChainTrace, Standing

__all__ = [
    "EXAMPLES",
    "Ahead",
    "ChainTrace",
    "ChunkCounts",
    "ChunkPosition",
    "ChunkSource",
    "Example",
    "LogEntry",
    "MalformedRecord",
    "ModelCounts",
    "OffsetRange",
    "Profile",
    "ProfileKey",
    "ProfileRecord",
    "ProfiledChunk",
    "ProgressRecord",
    "SeriesCounts",
    "Standing",
    "Undeclared",
    "UnknownRecord",
    "chunk_digest",
    "decode",
    "encode",
    "merge_counts",
    "merge_profiles",
    "merge_undeclared",
    "profile_chunk",
]
