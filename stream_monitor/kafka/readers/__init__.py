"""Readers of topics without a group: they commit nothing and disturb nobody.

`stored_record` is a record as it was stored, `topic` reads topics to their end or follows them, `newest` reads the last
few records of one, `record_export` turns records into JSON lines and back; `alert_reader`, `dead_letter_reader` and
`profile_reader` know what their topics hold. All read what is committed.
"""

from stream_monitor.kafka.readers.alert_reader import AlertRecord, alert_events, alerts_of, decode_alert, follow_alerts
from stream_monitor.kafka.readers.dead_letter_reader import DeadLetter, decode_dead_letter, read_dead_letters
from stream_monitor.kafka.readers.newest import Newest, newest_records
from stream_monitor.kafka.readers.profile_reader import read_profiles
from stream_monitor.kafka.readers.record_export import decode_line, encode_line, export_topics
from stream_monitor.kafka.readers.stored_record import StoredRecord
from stream_monitor.kafka.readers.topic import Span, follow_topics, read_partition, read_topics

__all__ = [
    "AlertRecord",
    "DeadLetter",
    "Newest",
    "Span",
    "StoredRecord",
    "alert_events",
    "alerts_of",
    "decode_alert",
    "decode_dead_letter",
    "decode_line",
    "encode_line",
    "export_topics",
    "follow_alerts",
    "follow_topics",
    "newest_records",
    "read_dead_letters",
    "read_partition",
    "read_profiles",
    "read_topics",
]
