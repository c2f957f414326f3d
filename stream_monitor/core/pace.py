"""The pace of a partition: how many records its next chunk may hold, and when it has its full size again.

A chunk that kills its owner must not kill every next one, and a worker that is killed for another reason must not slow
its partition down for long. A hard crash leaves nothing behind but its lease. So an owner whose predecessor committed
no chunk first commits what it is about to count (`trying`) and withdraws it as soon as it is counted, before anything
is written: whoever is stopped, stalled or cut off outside the count leaves no suspicion. Only a `trying` that another
process *found* is one. The first costs nothing, an owner that stood still looks the same; the second makes the chunk a
sixteenth, and so does each that follows, until it is one record. That record goes to the dead letters unread when three
owners in a row have ended on it.

A limited chunk passes the suspected range in sixteen steps, then every committed chunk doubles the limit. So
`RECOVERY` chunks after the last crash the pace is full again, whatever happened before.

>>> state = ChainState("id", lease=7, trying=(1_000, 200_000), tries=1)
>>> after_end(state).limit, after_end(state).grow_at
(12500, 201000)
"""

from __future__ import annotations

import dataclasses

from stream_monitor.core.chain import CHUNK_LIMIT, ChainState

DIVISOR = 16
STRIKES = 2
"""Owners in a row that end on a chunk of the full limit before it is made smaller."""

DEADLY = 3
"""Owners in a row that may end on a single record before it is dead-lettered unread."""

RECOVERY = DIVISOR + 1 + CHUNK_LIMIT.bit_length()
"""Full chunks after which the limit is back: those of the suspected range, and the doublings."""


def after_end(found: ChainState) -> ChainState:
    """Return the state with which another process goes on, given what the last owner left.

    A `trying` that is set says that the owner ended, or stood still, while it counted that range.
    """
    if found.trying is None:
        return found
    first, records = found.trying
    tries = found.tries + 1
    if tries < STRIKES and not is_limited(found):
        return dataclasses.replace(found, trying=None, tries=tries)
    limit = 1
    if records > 1:
        limit, tries = -(-min(found.limit, records) // DIVISOR), 0  # rounded up: sixteen chunks pass the range
    return dataclasses.replace(found, trying=None, limit=limit, grow_at=first + records, tries=tries)


def needs_guard(found: ChainState) -> bool:
    """Say whether the owner has to announce what it counts: its predecessor committed nothing, or one ended before."""
    return found.last.lease != found.lease or is_suspected(found)


def is_suspected(chain: ChainState) -> bool:
    """Say whether owners have ended while they counted what comes next, or shortly before."""
    return chain.tries > 0 or is_limited(chain)


def is_limited(chain: ChainState) -> bool:
    """Say whether chunks of the partition are smaller than they may be."""
    return chain.limit < CHUNK_LIMIT


def is_deadly(chain: ChainState) -> bool:
    """Say whether as many owners as one may have ended on the next record."""
    return chain.tries >= DEADLY


def after_chunk(chain: ChainState, next_offset: int, *, records: int) -> ChainState:
    """Return the state to commit with a chunk: nothing is being tried, and a limit grows behind the suspected range.

    Args:
        chain: state of the chunk.
        next_offset: the chunk accounts for the offsets before it.
        records: of the chunk; one without records says nothing of what the next one may do.
    """
    limit = chain.limit
    if is_limited(chain) and records and next_offset >= (chain.grow_at or 0):
        limit = min(CHUNK_LIMIT, 2 * limit)
    grow_at = chain.grow_at if limit < CHUNK_LIMIT else None
    tries = chain.tries if not records else 0
    return dataclasses.replace(chain, trying=None, tries=tries, limit=limit, grow_at=grow_at)


def bounded(chain: ChainState, next_offset: int) -> ChainState:
    """Return a state whose suspicion ends within sixteen chunks: earlier versions let it reach further."""
    if not is_limited(chain) or chain.grow_at is None:
        return chain
    reach = next_offset + DIVISOR * chain.limit
    return dataclasses.replace(chain, grow_at=min(chain.grow_at, reach))
