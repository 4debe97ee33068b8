"""What all steps pass to Dagster, which shows it in its UI, its logs and on terminals.

Names of files and artists are in results, in log records and in the errors of libraries. Hidden characters in
them are escaped here, so that code of a step need not do it.
"""

import logging
from collections.abc import Mapping
from typing import Any

import dagster as dg

from gallery.errors import GalleryError
from gallery.text import printable, printable_lines
from pipelines.errors import check_reason

DECIMALS = 4
"""Digits after the point of figures in the UI, which shows 0.20000000000000004 as it is."""


def tidy(context: dg.OpExecutionContext, result: Any) -> Any:
    """Return the result of an asset or check with printable texts, rounded figures and its tables first.

    Other results are unchanged. Logs why a check failed: Dagster itself only logs that one did.
    """
    if isinstance(result, dg.MaterializeResult):
        checks = [tidy(context, check) for check in result.check_results or ()]
        return result._replace(metadata=_tidy_metadata(result.metadata or {}), check_results=checks)
    if isinstance(result, dg.AssetCheckResult):
        if result.description:
            result = result._replace(description=printable(result.description))
        if not result.passed:
            is_error = result.severity == dg.AssetCheckSeverity.ERROR
            (context.log.error if is_error else context.log.warning)(check_reason(result))
        return result._replace(metadata=_tidy_metadata(result.metadata or {}))
    return result


def _tidy_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    ordered = sorted(metadata.items(), key=lambda item: not isinstance(item[1], dg.MarkdownMetadataValue))
    return {name: _tidy_value(value) for name, value in ordered}


def _tidy_value(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dg.MarkdownMetadataValue):
        return dg.MetadataValue.md("\n".join(map(printable, (value.value or "").split("\n"))))
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dg.FloatMetadataValue) and value.value is not None:
        return dg.MetadataValue.float(round(value.value, DECIMALS))
    return value


def tidy_record(record: logging.LogRecord) -> bool:
    """Make the record's message one printable line. A filter for the logger of a step."""
    record.msg, record.args = printable(record.getMessage()), ()
    return True


def tidy_error(error: BaseException) -> BaseException:
    """Return the error with printable texts in its chain of causes; Dagster records all of them.

    An error of a library whose text is not printable is replaced by one of the same name.
    """
    shown, text, own = error, printable_lines(str(error)), isinstance(error, GalleryError)
    if text != str(error) and not own:
        kind = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
        shown = kind(text).with_traceback(error.__traceback__)
    cause, context, is_suppressed = error.__cause__, error.__context__, error.__suppress_context__
    shown.__cause__ = tidy_error(cause) if cause else None
    shown.__context__ = tidy_error(context) if context else None
    shown.__suppress_context__ = is_suppressed  # setting the cause suppresses the context
    return shown
