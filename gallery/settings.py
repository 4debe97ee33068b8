"""Settings: each with a name, a default, a unit and one line of help.

Read from ``GALLERY_*`` environment variables and a ``.env`` file in the working folder; the environment wins.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from gallery.addresses import Registry
from gallery.datasets.base import DATASETS
from gallery.errors import Invalid
from gallery.objects.base import IMAGES, TABLES
from gallery.vectors.base import VECTORS

PREFIX = "GALLERY_"
TEST_PREFIX = "GALLERY_TEST_"
"""Prefix of variables that name services and data for the test suite; the program ignores them."""
URL_PATTERN = r"^https?://\S+$"
RATE_PATTERN = r"^(off|[1-9][0-9]{0,6}/(second|minute|hour|day))$"
CRON_PATTERN = r"^(off|\S+( \S+){4}|@\w+)$"
SITE_PATTERN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/\S*)?")
ORIGINS_PATTERN = r"^(\*|https?://[^\s,/?#@*]+(\s*,\s*https?://[^\s,/?#@*]+)*)$"
WANTED = {
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
    "byte_size": "must be a size such as 20MB",
    "byte_size_unit": "must be a size such as 20MB",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}
"""Type of a validation error of pydantic -> what the setting must be."""
REGISTRIES: dict[str, Registry[Any]] = {
    "dataset": DATASETS,
    "images": IMAGES,
    "tables": TABLES,
    "vectors": VECTORS,
}
"""Setting that contains an address -> registry of the schemes that it accepts."""


class Settings(BaseSettings):
    """The configuration of one process. Frozen. Addresses may contain {home}, which stands for `home`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", frozen=True, extra="forbid", env_ignore_empty=True
    )

    # Where things are
    home: Path = Field(Path(".gallery"), description="Folder for everything kept on this machine.")
    dataset: str = Field("sample://?artists=50&works=24&seed=7", description="Source of the images.")
    images: str = Field("file://{home}/images", description="Store for originals and thumbnails.")
    tables: str = Field("file://{home}/tables", description="Store for the pipeline's tables and vectors.")
    vectors: str = Field("lance://{home}/vectors", description="Store for the searchable collection.")
    vectors_key: SecretStr | None = Field(
        None, description="API key of the vector store for refreshes: it creates, writes and drops builds."
    )
    vectors_search_key: SecretStr | None = Field(
        None,
        description="API key of the vector store for searching, read-only; GALLERY_VECTORS_KEY when unset.",
    )
    encoder: str = Field(
        "auto",
        pattern=r"\S",
        description="CLIP model (id or folder), offline, or auto: CLIP if available, else offline.",
    )

    # The pipeline
    per_artist: int = Field(20, ge=1, le=100_000, description="Works sampled per artist, at most.")
    sample_key: str = Field(
        "gallery",
        min_length=1,
        description="Key of the hash that draws the sample; another key gives another sample.",
    )
    max_quarantine: float = Field(
        0.05, ge=0, le=1, description="Share of unusable files above which a run stops, 0 to 1."
    )
    max_file: ByteSize = Field(
        ByteSize(100_000_000), ge=1, le=2**40, description="Largest file of the dataset, in bytes."
    )
    max_pixels: int = Field(200_000_000, ge=1, description="Largest image of the dataset, in pixels.")
    thumb_small: int = Field(
        400, ge=32, le=4096, description="Longer side of the small thumbnail, in pixels."
    )
    thumb_large: int = Field(
        1024, ge=32, le=4096, description="Longer side of the large thumbnail, in pixels."
    )
    batch_size: int = Field(32, ge=1, le=4096, description="Images encoded per batch.")
    shard_size: int = Field(256, ge=1, le=100_000, description="Works per step of image or embedding work.")
    workers: int = Field(0, ge=0, le=256, description="Threads for image work; 0 means one per processor.")
    keep_builds: int = Field(
        2,
        ge=2,
        le=100,
        description="Builds to keep, including the live one; pages may still read the one before it.",
    )
    max_removed: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Share of missing live works, or artists' details, above which a run stops, 0 to 1.",
    )
    tolerance: float = Field(
        0.05, ge=0, le=1, description="Largest drop of a quality metric below the live build's, 0 to 1."
    )
    site_url: str | None = Field(
        None, description="Public address of the site; the requested host when unset."
    )

    # Runs
    executor: Literal["in_process", "multiprocess", "celery", "k8s"] = Field(
        "in_process", description="Where steps run: one process, several processes, Celery workers, or pods."
    )
    max_steps: int = Field(
        2, ge=1, le=1000, description="Steps run at once by multiprocess and k8s; each loads the encoder."
    )
    gpus: int = Field(0, ge=0, le=16, description="GPUs requested from Kubernetes for an embedding step.")
    broker: SecretStr | None = Field(None, description="Celery broker, such as redis://host:6379/0.")
    step_limit: int = Field(
        7200, ge=1, le=604_800, description="Time limit of one step, in seconds; then it is retried."
    )
    schedule: str = Field(
        "0 3 * * 1", pattern=CRON_PATTERN, description="When to refresh: a cron expression in UTC, or off."
    )
    stale_after: int = Field(
        15,
        ge=1,
        le=3650,
        description="Days without a published refresh before the collection counts as stale.",
    )
    webhook: SecretStr | None = Field(
        None, description="URL that receives a JSON POST when a run fails; treated as a secret."
    )
    dagster_url: str | None = Field(
        None,
        pattern=URL_PATTERN,
        examples=["https://dagster.example"],
        description="Address of the Dagster UI, for links to failed runs.",
    )
    keep_runs: int = Field(
        180, ge=0, le=3650, description="Days to keep records of finished runs; 0 keeps them forever."
    )

    # The web app
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    threads: int = Field(16, ge=1, le=256, description="Requests handled at once.")
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="Proxies in front whose X-Forwarded-For and -Proto headers are trusted."
    )
    rate_limit: str = Field(
        "120/minute",
        pattern=RATE_PATTERN,
        description="Pages and API requests per client, or off. Images: 50 times as many.",
    )
    upload_rate_limit: str = Field(
        "20/minute", pattern=RATE_PATTERN, description="Image uploads per client, or off."
    )
    rate_storage: SecretStr = Field(
        SecretStr("memory://"),
        description="Rate counters: memory://, or redis://host:6379 for several replicas.",
    )
    default_results: int = Field(24, ge=1, le=100, description="Results per page.")
    max_results: int = Field(
        100, ge=1, le=100, description="Results per page a visitor may ask for, at most."
    )
    delivery: Literal["app", "signed", "public"] = Field(
        "app", description="How images reach visitors: through the app, or by signed or public store URLs."
    )
    signed_for: int = Field(
        86_400, ge=60, le=604_800, description="Lifetime of a signed URL, in seconds; at most a week."
    )
    max_query: int = Field(500, ge=1, le=10_000, description="Longest search text, in characters.")
    cors: str | None = Field(
        None,
        pattern=ORIGINS_PATTERN,
        examples=["https://museum.example"],
        description="Origins allowed to read the API, comma-separated, or *.",
    )
    max_upload: ByteSize = Field(
        ByteSize(20_000_000), ge=1, le=2**32, description="Largest uploaded image, in bytes."
    )
    max_upload_pixels: int = Field(
        50_000_000,
        ge=1,
        description="Largest uploaded image, in decoded pixels; a JPEG may have 8 times as many.",
    )
    secret_key: SecretStr | None = Field(
        None, description="Key that signs image searches; generated at start when unset."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest log level written."
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        try:
            return home.expanduser().absolute()
        except RuntimeError as error:  # ~user for an unknown user
            raise ValueError(str(error)) from error

    @field_validator(*REGISTRIES)
    @classmethod
    def _valid_address(cls, text: str, info: Any) -> str:
        try:
            REGISTRIES[info.field_name].parse(text)
        except Invalid as error:
            raise ValueError(str(error)) from error
        return text

    @field_validator("site_url", "cors")
    @classmethod
    def _ascii_addresses(cls, text: str | None) -> str | None:
        if text and not text.isascii():
            raise ValueError(
                "must be in ASCII; write the host as DNS has it (xn--…), and a path with %-escapes"
            )
        return text

    @field_validator("site_url")
    @classmethod
    def _valid_site(cls, text: str | None) -> str | None:
        if text and not SITE_PATTERN.fullmatch(text):
            raise ValueError("must be an address such as https://gallery.example")
        return text

    @field_validator("rate_storage")
    @classmethod
    def _valid_rate_storage(cls, address: SecretStr) -> SecretStr:
        scheme, _, rest = address.get_secret_value().partition("://")
        if (scheme, rest) != ("memory", "") and not (scheme in ("redis", "rediss") and rest):
            raise ValueError("must be memory://, redis://host:port or rediss://host:port")
        return address

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.default_results > self.max_results:
            raise ValueError(
                f"{PREFIX}DEFAULT_RESULTS ({self.default_results}) must not exceed "
                f"{PREFIX}MAX_RESULTS ({self.max_results})"
            )
        return self

    def address(self, service: str) -> str:
        """Return the address of a service (dataset, images, tables, vectors) with {home} filled in."""
        text: str = getattr(self, service)
        return text.replace("{home}", quote(str(self.home)))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _DotenvSource(settings_cls)


class _DotenvSource(DotEnvSettingsSource):
    """Reads this program's settings from .env; ignores the variables of other programs and of the tests."""

    def __call__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in super().__call__().items()
            if name in self.settings_cls.model_fields
        }


def variable(field: str) -> str:
    """Return the environment variable of a setting: GALLERY_PER_ARTIST for per_artist."""
    return PREFIX + field.upper()


def _unknown(names: list[str]) -> list[str]:
    known = [field.upper() for field in Settings.model_fields]
    problems = []
    for name in sorted(names):
        is_setting = name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)
        if is_setting and name.removeprefix(PREFIX) not in known:
            # Compare without the prefix, which would make any two names similar.
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            guess = f"; did you mean {PREFIX}{near[0]}?" if near else ""
            problems.append(f"{name}: unknown setting{guess}")
    return problems


def read_settings(**overrides: Any) -> Settings:
    """Return the settings of this process. Raises Invalid with all mistakes, not just the first."""
    dotenv = [line.partition("=")[0].removeprefix("export ").strip().upper() for line in _dotenv_lines()]
    problems = _unknown([name.upper() for name in os.environ] + dotenv)
    settings = None
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        problems += [_describe(mistake) for mistake in error.errors(include_url=False, include_input=False)]
    if problems or settings is None:
        raise Invalid("Invalid settings:", *(f"  {problem}" for problem in problems))
    return settings


def _describe(mistake: ErrorDetails) -> str:
    """Return what is wrong with a setting, without its value, which may be a secret."""
    if not mistake["loc"]:
        return mistake["msg"].removeprefix("Value error, ")
    name = str(mistake["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{name}: unknown setting"
    if mistake["type"] == "string_pattern_mismatch":
        example = (field.examples or [field.default])[0]
        return f"{variable(name)}: is not valid; an example is {example}. {field.description}"
    bounds = {
        key: int(bound) if isinstance(bound, float) and bound.is_integer() else bound
        for key, bound in mistake.get("ctx", {}).items()
    }
    text = WANTED.get(mistake["type"], "").format(**bounds) or mistake["msg"].removeprefix("Value error, ")
    return f"{variable(name)}: {text}"


def valid_settings() -> Settings:
    """Return the settings of this process, with the default of each that is invalid."""
    defaults: dict[str, Any] = {}
    while True:
        try:
            return Settings(**defaults)
        except ValidationError as error:
            invalid = {str(mistake["loc"][0]) for mistake in error.errors() if mistake["loc"]}
            if not invalid - set(defaults):  # two settings contradict each other
                return Settings.model_construct()
            defaults |= {name: Settings.model_fields[name].default for name in invalid}


def _dotenv_lines() -> list[str]:
    try:
        return [
            line.strip()
            for line in Path(".env").read_text("utf-8").splitlines()
            if "=" in line and not line.startswith("#")
        ]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{Path('.env').absolute()} cannot be read: {error}") from error
