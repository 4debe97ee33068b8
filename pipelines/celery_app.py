"""The Celery app of the workers, configured by the same settings as the executor.

    dagster-celery worker start -A pipelines.celery_app

`dagster-celery`'s own option `-y FILE` silently ignores a file that is nested differently than it expects.
"""

from dagster_celery.executor import CeleryExecutor
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from gallery.settings import read_settings
from pipelines.executors import celery_config

app = make_app(CeleryExecutor.for_cli(**celery_config(read_settings())).app_args())
execute_plan = create_task(app)
