"""Arguments and results by their annotations: models, dates and the like to JSON, and back.

It needs msgspec, and is loaded by the first ``JSONSerializer(typed=True)``.
"""

from hueyio.serializer.typed.annotated_types import AnnotatedTypes

__all__ = ["AnnotatedTypes"]
