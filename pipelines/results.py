"""What all steps do with their results: round figures, put tables first, and log why a check failed."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.errors import check_reason

DECIMALS = 4
"""Digits after the point of figures in the UI, which shows 0.20000000000000004 as it is."""


def tidy(context: dg.OpExecutionContext, result: Any) -> Any:
    """Return the result of an asset or check with rounded figures and its tables first; others unchanged.

    Logs why a check failed: Dagster itself only logs that one did.
    """
    if isinstance(result, dg.MaterializeResult):
        checks = [tidy(context, check) for check in result.check_results or ()]
        return result._replace(metadata=_tidy_metadata(result.metadata or {}), check_results=checks)
    if isinstance(result, dg.AssetCheckResult):
        if not result.passed:
            is_error = result.severity == dg.AssetCheckSeverity.ERROR
            (context.log.error if is_error else context.log.warning)(check_reason(result))
        return result._replace(metadata=_tidy_metadata(result.metadata or {}))
    return result


def _tidy_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    ordered = sorted(metadata.items(), key=lambda item: not isinstance(item[1], dg.MarkdownMetadataValue))
    return {name: _rounded(value) for name, value in ordered}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dg.FloatMetadataValue) and value.value is not None:
        return dg.MetadataValue.float(round(value.value, DECIMALS))
    return value
