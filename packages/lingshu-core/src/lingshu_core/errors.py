"""The errors a user meets, each with the exit status that every command gives it."""

from pathlib import Path


class LingshuError(Exception):
    """Base of the errors that end a command with a message and without a traceback."""

    exit_code = 1


class SettingsError(LingshuError):
    """The user's words or settings are wrong (exit 2)."""

    exit_code = 2


class DataError(LingshuError):
    """The input data is broken (exit 3); the message says in which file, line and field."""

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        line: int | None = None,
        field: str | None = None,
        record: str | None = None,
    ) -> None:
        self.message = message
        self.path = path
        self.line = line
        self.field = field
        self.record = record
        place = "" if path is None else f"{path}"
        place += "" if line is None else f":{line}"
        parts = [place] if place else []
        if record is not None:
            parts.append(f"record {record}")
        if field is not None:
            parts.append(f"field {field}")
        super().__init__(": ".join([*parts, message]))

    def within(self, path: Path | str) -> "DataError":
        """Returns the error with a file, where it names none yet."""
        if self.path is not None:
            return self
        return DataError(
            self.message, path=path, line=self.line, field=self.field, record=self.record
        )


class Stopped(LingshuError):
    """Stopped before the end; the same command goes on from there (exit 4)."""

    exit_code = 4
