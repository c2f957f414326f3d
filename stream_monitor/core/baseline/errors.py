"""The one error of baselines."""


class BaselineError(ValueError):
    """A document is not a baseline that this version can use; the message names the field and the rule."""
