"""What an alert says to people, at three in the morning: one line of summary, a few sentences of description.

`table` has a row for each kind of alert, `text` puts the sentences together, `facts` is all that a text may use:
mostly the payload of the event, so that what is read is also there as data. `certainty` says how sure an alert is,
`quantiles`, `shares` and `demand` say from what to what, `numbers` writes figures. To add a kind of alert: a row in
`table`, and a line in `tests/core/alerts/test_wording.py` that shows what it reads like.
"""

from __future__ import annotations

from stream_monitor.core.alerts.wording.facts import Facts, Said
from stream_monitor.core.alerts.wording.table import WORDINGS, Wording, wording
from stream_monitor.core.alerts.wording.text import Text, text

__all__ = ["WORDINGS", "Facts", "Said", "Text", "Wording", "text", "wording"]
