"""A chunk that kills its owner must not kill every next one (H26).

A hard crash leaves nothing behind but its lease. So an owner whose predecessor committed no chunk first commits what
it is about to decode (`trying`), and clears it with the chunk's own commit. Only a `trying` that is *found* set is a
crash: rebalances, refusals and restarts of the clients never count. Each crash makes the chunk a sixteenth, until it
is one record, and that record goes to the dead letters unread when three owners have died of it. Behind twice the
range that failed the chunk grows back.

>>> state = ChainState("id", lease=7, trying=(1_000, 200_000))
>>> after_crash(state).limit, after_crash(state).grow_at
(12500, 401000)
"""

from __future__ import annotations

import dataclasses

from stream_monitor.core.chain import CHUNK_LIMIT, ChainState

DIVISOR = 16
DEADLY = 3
"""Owners that a single record may kill before it is dead-lettered unread."""


def after_crash(found: ChainState) -> ChainState:
    """Return the state with which a new owner begins, given what the last one left.

    A `trying` that is set says that the last owner died of it, or was killed while at it; the two look alike.
    """
    if found.trying is None:
        return found
    first, records = found.trying
    grow_at = max(first + 2 * records, found.grow_at or 0)
    if records <= 1:
        return dataclasses.replace(found, trying=None, limit=1, grow_at=grow_at, tries=found.tries + 1)
    limit = max(1, min(found.limit, records) // DIVISOR)
    return dataclasses.replace(found, trying=None, limit=limit, grow_at=grow_at, tries=0)


def needs_guard(found: ChainState) -> bool:
    """Say whether the owner has to announce what it decodes: its predecessor committed nothing, or one died before."""
    return found.last.lease != found.lease or found.limit < CHUNK_LIMIT


def is_deadly(chain: ChainState) -> bool:
    """Say whether the next record has killed as many owners as one may."""
    return chain.tries >= DEADLY


def after_chunk(chain: ChainState, next_offset: int) -> ChainState:
    """Return the state to commit with a chunk: nothing is being tried, and a small chunk grows back in time."""
    if chain.grow_at is not None and next_offset >= chain.grow_at:
        return dataclasses.replace(chain, trying=None, tries=0, limit=CHUNK_LIMIT, grow_at=None)
    return dataclasses.replace(chain, trying=None, tries=0)
