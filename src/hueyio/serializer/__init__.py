"""Values to bytes and back: pickle, JSON, either of them signed, or a format of the user's."""

from hueyio.serializer.as_json import JSONSerializer
from hueyio.serializer.base import Serializer, check_serializer
from hueyio.serializer.signed import SignedSerializer

__all__ = ["JSONSerializer", "Serializer", "SignedSerializer", "check_serializer"]
