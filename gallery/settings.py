"""Every setting, stated once: name, default, unit, one line of help.

Read from ``GALLERY_*`` variables and a ``.env`` file in the working folder; the environment wins.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator, model_validator
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
TEST_PREFIX = "GALLERY_TEST_"  # name services and data for the test suite; no settings of the program
RATE = r"^(off|[1-9][0-9]{0,6}/(second|minute|hour|day))$"
PORTS: dict[str, Registry[Any]] = {
    "dataset": DATASETS,
    "images": IMAGES,
    "tables": TABLES,
    "vectors": VECTORS,
}


class Settings(BaseSettings):
    """The configuration of one process; frozen. Addresses may say {home}, which is filled in."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", frozen=True, extra="forbid", env_ignore_empty=True
    )

    home: Annotated[Path, Field(description="Folder for everything kept on this machine.")] = Path(".gallery")
    dataset: Annotated[
        str,
        Field(
            description="Where the pictures come from: kaggle://owner/name, file:// with a zip or folder, or sample://."
        ),
    ] = "sample://?artists=50&works=24&seed=7"
    images: Annotated[str, Field(description="Where originals and thumbnails are kept.")] = (
        "file://{home}/images"
    )
    tables: Annotated[str, Field(description="Where the pipeline's tables and vectors are kept.")] = (
        "file://{home}/tables"
    )
    vectors: Annotated[str, Field(description="Where the searchable collection is kept.")] = (
        "lance://{home}/vectors"
    )
    vectors_key: Annotated[
        SecretStr | None,
        Field(description="API key of the vector store, for refreshes: it creates, writes and drops builds."),
    ] = None
    vectors_search_key: Annotated[
        SecretStr | None,
        Field(
            description="API key of the vector store, for searching: reading is enough. GALLERY_VECTORS_KEY when unset."
        ),
    ] = None
    encoder: Annotated[
        str,
        Field(
            description="A sentence-transformers CLIP model (id or folder), offline, or auto: CLIP if it can be had, else offline."
        ),
    ] = "auto"

    per_artist: Annotated[
        int, Field(ge=1, le=100_000, description="Works sampled for each artist, at most.")
    ] = 20
    sample_key: Annotated[
        str,
        Field(
            min_length=1,
            description="Key of the hash that ranks works for the sample; another key, another sample.",
        ),
    ] = "gallery"
    max_quarantine: Annotated[
        float,
        Field(ge=0, le=1, description="Share of the files that may be unusable before a run stops, 0 to 1."),
    ] = 0.05
    max_file: Annotated[
        ByteSize, Field(ge=1, le=2**40, description="Largest file of the archive, in bytes.")
    ] = ByteSize(100_000_000)
    max_pixels: Annotated[int, Field(ge=1, description="Largest picture of the archive, in pixels.")] = (
        200_000_000
    )
    thumb_small: Annotated[
        int, Field(ge=32, le=4096, description="Longer side of the small thumbnail, in pixels.")
    ] = 400
    thumb_large: Annotated[
        int, Field(ge=32, le=4096, description="Longer side of the large thumbnail, in pixels.")
    ] = 1024
    batch_size: Annotated[int, Field(ge=1, le=4096, description="Pictures encoded at once.")] = 32
    shard_size: Annotated[
        int, Field(ge=1, le=100_000, description="Works in one step of image or embedding work.")
    ] = 256
    workers: Annotated[
        int, Field(ge=0, le=256, description="Threads for image work; 0 means one for each processor.")
    ] = 0
    keep_builds: Annotated[
        int, Field(ge=1, le=100, description="Builds of the collection kept, the live one among them.")
    ] = 2
    max_removed: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Share of the live works that may be gone from the dataset before a run stops, 0 to 1.",
        ),
    ] = 0.2
    tolerance: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="How far a share that quality is judged by may fall below the live build's, 0 to 1.",
        ),
    ] = 0.05
    site_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://\S+$",
            description="Address of the search page, for links to it from elsewhere; when unset, the host that a visitor asked for.",
        ),
    ] = None

    executor: Annotated[
        Literal["in_process", "multiprocess", "celery", "k8s"],
        Field(
            description="Where the steps of a run are done: in its process, in processes here, by workers, in pods."
        ),
    ] = "in_process"
    max_steps: Annotated[
        int,
        Field(
            ge=1, le=1000, description="Steps done at once by multiprocess and k8s; each loads the encoder."
        ),
    ] = 2
    gpus: Annotated[
        int, Field(ge=0, le=16, description="GPUs that a step of embedding work asks Kubernetes for.")
    ] = 0
    broker: Annotated[
        SecretStr | None,
        Field(
            description="Address of the Celery broker, such as redis://host:6379/0, for the executor celery."
        ),
    ] = None
    step_limit: Annotated[
        int,
        Field(
            ge=1, le=604_800, description="How long one step may take before it is tried again, in seconds."
        ),
    ] = 7200
    schedule: Annotated[
        str,
        Field(
            pattern=r"^(off|\S+( \S+){4}|@\w+)$",
            description="When a refresh starts by itself: a cron expression, in UTC, or off.",
        ),
    ] = "0 3 * * 1"
    stale_after: Annotated[
        int,
        Field(
            ge=1,
            le=3650,
            description="Days without a published refresh after which the live build is called stale.",
        ),
    ] = 15
    webhook: Annotated[
        SecretStr | None,
        Field(description="Address that gets a JSON POST when a run fails; it is treated as a secret."),
    ] = None
    keep_runs: Annotated[
        int,
        Field(
            ge=0,
            le=3650,
            description="Days that the records of finished runs are kept; 0 keeps them for ever.",
        ),
    ] = 180

    host: Annotated[str, Field(description="Address the web app listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="Port the web app listens on.")] = 8000
    threads: Annotated[int, Field(ge=1, le=256, description="Requests the web app answers at once.")] = 16
    trusted_proxies: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            description="Proxies before the web app whose X-Forwarded-For and X-Forwarded-Proto are believed; 0 believes nobody's.",
        ),
    ] = 0
    rate_limit: Annotated[
        str,
        Field(
            pattern=RATE,
            description="Pages and API answers that one client gets, such as 120/minute, or off; pictures and styles are not counted.",
        ),
    ] = "120/minute"
    upload_rate_limit: Annotated[
        str,
        Field(pattern=RATE, description="Pictures that one client may upload, such as 20/minute, or off."),
    ] = "20/minute"
    rate_storage: Annotated[
        SecretStr,
        Field(
            description="Where clients are counted: memory://, or redis://host:6379 (rediss:// with TLS) for several replicas."
        ),
    ] = SecretStr("memory://")
    default_results: Annotated[
        int, Field(ge=1, le=100, description="Results shown where a visitor does not say how many.")
    ] = 24
    max_results: Annotated[
        int, Field(ge=1, le=100, description="Results a visitor may ask for, at most.")
    ] = 100
    delivery: Annotated[
        Literal["app", "signed", "public"],
        Field(
            description="How visitors get pictures: through the app, or from the store by signed or by public addresses."
        ),
    ] = "app"
    signed_for: Annotated[
        int,
        Field(ge=60, le=604_800, description="How long a signed address works, in seconds; a week at most."),
    ] = 86_400
    max_query: Annotated[int, Field(ge=1, le=10_000, description="Longest search text, in characters.")] = 500
    cors: Annotated[
        str | None,
        Field(
            pattern=r"^(\*|https?://[^\s,/?#@*]+(\s*,\s*https?://[^\s,/?#@*]+)*)$",
            description="Sites whose pages may read the API: origins such as https://example.org, with commas, or *; none when unset.",
        ),
    ] = None
    max_upload: Annotated[
        ByteSize, Field(ge=1, le=2**32, description="Largest uploaded picture, in bytes.")
    ] = ByteSize(10_000_000)
    max_upload_pixels: Annotated[int, Field(ge=1, description="Largest uploaded picture, in pixels.")] = (
        50_000_000
    )
    secret_key: Annotated[
        SecretStr | None, Field(description="Signs what the pages hand out; generated at start when unset.")
    ] = None
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(description="Least severe log line written.")
    ] = "INFO"

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        try:
            return home.expanduser().absolute()
        except RuntimeError as error:  # ~somebody, where there is no such somebody
            raise ValueError(str(error)) from error

    @field_validator("dataset", "images", "tables", "vectors")
    @classmethod
    def _known_scheme(cls, text: str, info: Any) -> str:
        try:
            PORTS[info.field_name].check(text)
        except Invalid as error:
            raise ValueError(str(error)) from error
        return text

    @field_validator("rate_storage")
    @classmethod
    def _countable(cls, address: SecretStr) -> SecretStr:
        scheme, _, rest = address.get_secret_value().partition("://")
        if (scheme, rest) != ("memory", "") and not (scheme in ("redis", "rediss") and rest):
            raise ValueError("must be memory://, redis://host:port or rediss://host:port")
        return address

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.default_results > self.max_results:
            raise ValueError(
                f"{PREFIX}DEFAULT_RESULTS ({self.default_results}) is more than {PREFIX}MAX_RESULTS ({self.max_results})"
            )
        return self

    def address(self, port: str) -> str:
        """The address of a port (dataset, images, tables, vectors) with {home} filled in."""
        text: str = getattr(self, port)
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
        return init_settings, env_settings, _OurDotenv(settings_cls)


class _OurDotenv(DotEnvSettingsSource):
    """A .env file may hold other programs' variables, and ours for tests; both are passed over."""

    def __call__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in super().__call__().items()
            if name in self.settings_cls.model_fields
        }


def variable(field: str) -> str:
    """The environment variable of a setting: GALLERY_PER_ARTIST for per_artist."""
    return PREFIX + field.upper()


def _unknown(names: list[str]) -> list[str]:
    known = [field.upper() for field in Settings.model_fields]
    problems = []
    for name in sorted(names):
        ours = name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)
        if ours and name.removeprefix(PREFIX) not in known:
            # Without the prefix, which makes any two of them alike.
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            guess = f"; did you mean {PREFIX}{near[0]}?" if near else ""
            problems.append(f"{name}: there is no such setting{guess}")
    return problems


def read_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises Invalid with every mistake in it, not just the first."""
    dotenv = [line.partition("=")[0].removeprefix("export ").strip().upper() for line in _dotenv_lines()]
    problems = _unknown([name.upper() for name in os.environ] + dotenv)
    settings = None
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_input=False):
            field = str(mistake["loc"][0]) if mistake["loc"] else ""
            message = mistake["msg"].removeprefix("Value error, ")
            problems.append(f"{variable(field)}: {message}" if field else message)
    if problems or settings is None:
        raise Invalid("The settings have mistakes:\n" + "\n".join(f"  {problem}" for problem in problems))
    return settings


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
