"""What may be shown of a judge: `judge_view` is its shape, `viewing` makes it, `live_coverage` says what is watched."""
