"""The profile stage inside a Faust app: Faust holds the membership and reads, our loop counts and commits.

For teams that run Faust. About a twentieth of the default worker's throughput, because every record becomes an event
of Faust; exact all the same, because commits are the profile loop's own: with the chain state as metadata, fenced by
the generation that Faust's client holds. Faust's own commits, which carry no metadata, are switched off. Its workers
and the default ones use different protocols of assignment: one group runs one of them, never both.

What is switched off, and why: the web server (listens on all addresses), topic creation and the leader topic (topics
are made by `topics create`), tables and windows (nothing here needs them). The driver is `kafka://`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import faust
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]  # it has no types
from aiokafka.errors import (  # type: ignore[import-untyped]  # as above
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition  # type: ignore[import-untyped]  # as above
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from yarl import URL

from stream_monitor.config.errors import refuse
from stream_monitor.kafka.errors import Fatal
from stream_monitor.kafka.lent_consumer import Verdict
from stream_monitor.kafka.lent_worker import LentProfileWorker
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.readers.stored_record import StoredRecord

_LOG = logging.getLogger("stream_monitor.runtime.faust")
_COMMIT_S = 10.0
_START_S = 60.0
_STOP_S = 25.0
_ROOM_S = 0.01
_LOOK_S = 0.1
_REFUSED = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
_HANDED_OVER = (
    *("security.protocol", "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password"),
    *("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password"),
)

_END_OF_TEXT = "\x00"
"""librdkafka's binding writes metadata with its final NUL and reads it as a C string; a text without one would come
back with whatever lies behind it in memory."""

Offsets = Mapping[tuple[str, int], tuple[int, str]]
"""Offset and metadata by topic and partition."""


class ChainThread(AIOKafkaConsumerThread):
    """Faust's consumer, with commits that carry metadata and are made by nobody but us."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:  # Any: Faust's own annotation is private
        consumer = super()._create_worker_consumer(transport)
        # Inputs may be transactional, and Faust offers no setting for it.
        consumer._isolation_level = "read_committed"  # noqa: SLF001  # the client has no public one after it is made
        return consumer

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        self.tp_last_committed_at.update(dict.fromkeys(offsets, time.monotonic()))
        return True

    async def commit_chain(self, offsets: Offsets) -> Verdict:
        """Commit offsets with their metadata, in the thread of the client."""
        verdict: Verdict = await self.call_thread(self._commit_chain, offsets)
        return verdict

    async def _commit_chain(self, offsets: Offsets) -> Verdict:
        consumer = self._ensure_consumer()
        try:
            await consumer.commit(
                {
                    TopicPartition(*place): OffsetAndMetadata(offset, metadata + _END_OF_TEXT)
                    for place, (offset, metadata) in offsets.items()
                }
            )
        except _REFUSED as error:
            _LOG.warning("commit refused: %s", error)
            return Verdict.REFUSED
        except KafkaError as error:
            _LOG.warning("commit not known to be done: %s", error)
            return Verdict.UNKNOWN
        return Verdict.DONE


class ChainConsumer(Consumer):
    """Makes that thread."""

    def _new_consumer_thread(self) -> ChainThread:
        return ChainThread(self, loop=self.loop, beacon=self.beacon)


class ChainTransport(Transport):
    """Makes that consumer."""

    Consumer: ClassVar[Any] = ChainConsumer  # Any: as Faust declares it


class FaustProfileWorker:
    """A profile worker that reads through a Faust app; `run` and `stop` as of the default one.

    Args:
        job: what to read, with what, and how.
    """

    def __init__(self, job: ProfileJob) -> None:
        self._job = job
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failed: BaseException | None = None
        self._worker = LentProfileWorker(job, commit=self._commit, end_of=self._end_of)
        self.app = self._make_app()

    def run(self) -> None:
        """Work until `stop`.

        Raises:
            Stop: the worker cannot go on.
            ConfigError: a setting cannot be handed to Faust's client.
        """
        asyncio.run(self._serve())
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """Ask for a clean end; from any thread."""
        self._stopped.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        counting = threading.Thread(target=self._count, name="faust-profile", daemon=True)
        if importlib.util.find_spec("cramjam") is None:
            _LOG.warning("Faust's client cannot read compressed records: install the package cramjam for those")
        await asyncio.wait_for(self.app.start(), _START_S)
        try:
            counting.start()
            # `stop` comes from other threads and from signal handlers: no event of this loop tells of it.
            while counting.is_alive() and not self._stopped.is_set() and not self.app.should_stop:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
            if self.app.should_stop and not self._stopped.is_set() and self._failed is None:
                self._failed = Fatal("the Faust app stopped by itself: its log says why; restart it")
            self._worker.stop()
            # Faust still runs: the last round is committed through it.
            await asyncio.wait_for(asyncio.to_thread(counting.join, _STOP_S), _STOP_S + 1)
        finally:
            await self.app.stop()

    def _count(self) -> None:
        try:
            self._worker.run()
        except BaseException as error:  # noqa: BLE001  # the outermost loop of a thread: `run` raises it again
            self._failed = error

    # --- the app ------------------------------------------------------------------------------------------------------

    def _make_app(self) -> faust.App:
        job = self._job
        common = job.settings.common
        servers = [server.strip().rpartition("://")[2] for server in common["bootstrap.servers"].split(",")]
        app = faust.App(
            job.group_id,
            broker=[URL(f"kafka://{server}") for server in servers],
            broker_credentials=_credentials({**common, **job.settings.consumer}),
            broker_session_timeout=job.settings.milliseconds("session.timeout.ms") / 1_000,
            consumer_group_instance_id=job.member_name,
            consumer_auto_offset_reset="earliest",
            store="memory://",
            autodiscover=False,
            key_serializer="raw",
            value_serializer="raw",
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            stream_wait_empty=False,
        )
        app.transport = ChainTransport(app.conf.broker_consumer, app)
        topic = app.topic(*job.inputs, key_type=bytes, value_type=bytes)
        app.agent(topic, concurrency=1, name="stream-monitor-profile")(self._read)
        app.on_partitions_assigned.connect(self._assigned, weak=False)  # type: ignore[arg-type]  # `signal` is in `_`
        app.on_partitions_revoked.connect(self._revoked, weak=False)  # type: ignore[arg-type]  # likewise
        return app

    async def _read(self, stream: Any) -> None:  # Any: a stream of Faust, whose events have no public type
        lent, app = self._worker.lent, self.app
        async for event in stream.events():
            message = event.message
            if message.generation_id != app.consumer_generation_id:
                continue  # of an assignment that is over: the one after it begins again at what is committed
            while not lent.has_room():  # noqa: ASYNC110  # room is made by another thread
                await asyncio.sleep(_ROOM_S)
            lent.put(
                StoredRecord(
                    message.topic,
                    message.partition,
                    message.offset,
                    round(message.timestamp * 1_000),
                    message.key,
                    message.value,
                    tuple(message.headers or ()),
                )
            )

    async def _assigned(self, _app: Any, assigned: Any, **_: Any) -> None:  # Any: as Faust's signals are typed
        self._worker.lent.assigned(self._inputs(assigned))

    async def _revoked(self, _app: Any, revoked: Any, **_: Any) -> None:  # Any: as above
        # In a thread of its own: the profile loop may be committing through this event loop meanwhile.
        await asyncio.to_thread(self._worker.lent.revoked, self._inputs(revoked))

    def _inputs(self, partitions: set[TP]) -> list[tuple[str, int]]:
        return [(tp.topic, tp.partition) for tp in partitions if tp.topic in self._job.decoders]

    # --- what the profile loop asks of the app ------------------------------------------------------------------------

    def _commit(self, offsets: Offsets) -> Verdict:
        thread = getattr(self.app.consumer, "_thread", None)
        if self._loop is None or not isinstance(thread, ChainThread):
            return Verdict.UNKNOWN
        try:
            return asyncio.run_coroutine_threadsafe(thread.commit_chain(offsets), self._loop).result(_COMMIT_S)
        except TimeoutError:
            return Verdict.UNKNOWN

    def _end_of(self, place: tuple[str, int]) -> int | None:
        thread = getattr(self.app.consumer, "_thread", None)
        consumer = getattr(thread, "_consumer", None)
        if consumer is None:
            return None
        try:
            end: int | None = consumer.highwater(TopicPartition(*place))
        except IllegalStateError:  # not assigned any more
            return None
        return end


def _credentials(settings: Mapping[str, str]) -> Any:  # Any: Faust's credentials have no common public class
    """Return Faust's credentials for librdkafka's settings, None for plain text.

    Raises:
        ConfigError: a security setting has no counterpart in Faust's client.
    """
    for key in sorted(settings):
        if key.split(".")[0] in ("security", "sasl", "ssl") and key not in _HANDED_OVER:
            raise refuse(f"kafka.{key}", "cannot be handed to Faust's client; use the default engine")
    protocol = settings.get("security.protocol", "PLAINTEXT").upper()
    context = None
    if protocol in ("SSL", "SASL_SSL"):
        context = ssl.create_default_context(cafile=settings.get("ssl.ca.location"))
        if "ssl.certificate.location" in settings:
            context.load_cert_chain(
                settings["ssl.certificate.location"],
                settings.get("ssl.key.location"),
                settings.get("ssl.key.password"),
            )
    if protocol == "PLAINTEXT":
        return None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    mechanism = settings.get("sasl.mechanism", settings.get("sasl.mechanisms", "PLAIN"))
    return faust.SASLCredentials(
        username=settings.get("sasl.username"),
        password=settings.get("sasl.password"),
        mechanism=mechanism,
        ssl_context=context,
    )
