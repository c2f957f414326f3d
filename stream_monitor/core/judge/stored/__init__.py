"""The state of a judge as bytes: `judge_state` is its layout, `snapshot` writes and reads it."""
