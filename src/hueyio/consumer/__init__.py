"""The consumer: claims tasks, runs them, settles what came of them."""

from hueyio.consumer.consumer import Consumer
from hueyio.consumer.options import ConsumerOptions

__all__ = ["Consumer", "ConsumerOptions"]
