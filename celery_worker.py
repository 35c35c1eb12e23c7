"""Background work by itself: ``celery -A celery_worker.celery worker`` and ``… beat``."""

from celery import Celery

from backend import create_app

celery: Celery = create_app().extensions["celery"]
