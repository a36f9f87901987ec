"""Studies: one run kept in its folder, or many runs of many designs, as tables."""


class StudyError(ValueError):
    """A study that cannot be carried out as asked; the message says what to do."""
