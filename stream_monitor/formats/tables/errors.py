"""The one error of tables."""


class TableError(ValueError):
    """A file cannot be read as rows of a model; the message names the file, the column, the rule and the value."""
