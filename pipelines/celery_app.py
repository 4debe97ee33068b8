"""The Celery application of the workers, set up from the same settings as the executor:

    dagster-celery worker start -A pipelines.celery_app

Dagster's own `-y FILE` is not used: a file that is nested otherwise than it expects is passed over without a word.
"""

from dagster_celery.executor import CeleryExecutor
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from gallery.settings import read_settings
from pipelines.executors import celery_app_arguments

app = make_app(CeleryExecutor.for_cli(**celery_app_arguments(read_settings())).app_args())
execute_plan = create_task(app)
